"""The dashboard and the alerts ask for what /metrics tells, and for nothing else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import promql_parser
import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from tests.articles.newsroom import published
from tests.commands import ROOT
from tests.patience import wait_until
from tests.purging.front import called
from tests.serving import EDITOR, serving

DOCUMENTS = ROOT / "docs" / "operations"
OF_PROMETHEUS = {"up": {"job", "instance"}}
"""Metrics that Prometheus makes itself for each target."""
ADDED = {"job", "instance", "exported_job"}
"""Labels that Prometheus adds; a `job` of ours becomes `exported_job`."""


def asked() -> dict[str, list[promql_parser.Expr]]:
    """Return every expression, by the panel or the alert that has it."""
    panels = json.loads((DOCUMENTS / "grafana.json").read_text())["panels"]
    rules = YAML(typ="safe").load(DOCUMENTS / "alerts.yaml")["groups"]
    found = {
        panel["title"]: [
            target["expr"].replace("$__rate_interval", "5m") for target in panel.get("targets", [])
        ]
        for panel in panels
    } | {rule["alert"]: [rule["expr"]] for group in rules for rule in group["rules"]}
    return {name: [promql_parser.parse(each) for each in all_of] for name, all_of in found.items() if all_of}


def walked(expression: object) -> Iterator[object]:
    """Yield an expression and all that are in it."""
    yield expression
    parts = [getattr(expression, name, None) for name in ("lhs", "rhs", "expr", "param", "vector_selector")]
    for part in [*parts, *getattr(expression, "args", [])]:
        if part is not None and not isinstance(part, str | float):
            yield from walked(part)


def selectors(expression: object) -> Iterator[promql_parser.VectorSelector]:
    return (part for part in walked(expression) if isinstance(part, promql_parser.VectorSelector))


@pytest.fixture(scope="module")
def labels_of(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> dict[str, set[str]]:
    """The labels of each metric of a store that has done a little of everything."""
    folder = tmp_path_factory.mktemp("metrics")
    with (
        called() as cache,
        serving(
            "sqlite",
            folder,
            sqlite_template,
            cache_keys="surrogate-key",
            purge_kind="url",
            purge_url=(cache.url,),
        ) as store,
        store.client(*EDITOR) as editor,
        store.client() as client,
    ):
        published(editor)
        client.get("/v1/articles")
        text = wait_until(lambda: _with_its_purging(client.get("/metrics").text), "no place was purged up to")
    found: dict[str, set[str]] = dict(OF_PROMETHEUS)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def _with_its_purging(told: str) -> str:
    """Return what /metrics tells, or nothing while the purger has not begun."""
    return told if "copydesk_purge_tries " in told else ""


@pytest.mark.parametrize("name", sorted(asked()))
def test_every_expression_is_of_metrics_and_labels_that_are_told(
    name: str, labels_of: dict[str, set[str]]
) -> None:
    for expression in asked()[name]:
        chosen = list(selectors(expression))
        assert chosen, name
        for selector in chosen:
            assert selector.name in labels_of, selector.name
            labels = {matcher.name for matcher in selector.matchers.matchers}
            assert labels <= labels_of[selector.name] | ADDED, (selector.name, labels)
        known = set().union(*(labels_of[selector.name] for selector in chosen)) | ADDED
        grouped = re.findall(r"by \(([^)]*)\)", expression.prettify())
        assert {label.strip() for group in grouped for label in group.split(",")} <= known


def test_no_metric_of_a_queue_or_a_connection_is_on_no_panel(labels_of: dict[str, set[str]]) -> None:
    shown = {selector.name for all_of in asked().values() for each in all_of for selector in selectors(each)}
    missing = {
        name
        for name in labels_of
        if name.startswith(
            ("copydesk_database", "copydesk_replica", "copydesk_webhook", "copydesk_followers")
        )
    } - shown
    assert {name for name in missing if not name.endswith("_created")} == set()
