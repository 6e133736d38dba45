"""Settings are complete where people look for them, and unsafe ones are refused."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from service.settings import Settings

ROOT = Path(__file__).parent.parent
SAFE = {
    "environment": "production",
    "public_url": "https://news.example",
    "secret_key": "0123456789abcdef" * 2,
}


def written(default: object) -> str:
    """A default as the environment has it."""
    if isinstance(default, bool):
        return str(default).lower()
    return ",".join(default) if isinstance(default, tuple) else "" if default is None else str(default)


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_where_people_look_for_it_with_its_default_and_what_it_is(name: str) -> None:
    field = Settings.model_fields[name]
    variable, default = f"COPYDESK_{name.upper()}", written(field.default)
    shown = f" `{default}` " if default else "  "
    rows = (ROOT / "docs" / "operations" / "settings.md").read_text().splitlines()
    (row,) = [row for row in rows if row.startswith(f"| `{variable}` |")]
    assert row.replace("`", "") == f"| `{variable}` |{shown}| {field.description} |".replace("`", "")
    example = (ROOT / ".env.example").read_text()
    is_empty = rf"(# {variable}=.*|{variable}=)"
    set_to = re.escape(f"{variable}={default}") if default else is_empty
    assert re.search(rf"^# {re.escape(str(field.description))}\n{set_to}$", example, re.MULTILINE)


@pytest.mark.parametrize(
    "unsafe",
    [
        {"secret_key": None},
        {"secret_key": "short"},
        {"secret_key": "password" * 4},
        {"trusted_proxies": "10.0.0.1, 0.0.0.0/0"},
        {"trusted_proxies": "::/0"},
        {"trusted_proxies": "proxy.example"},
        {"media_url": "s3://newsroom/pictures", "s3_endpoint": "http://s3.example"},
        {"public_url": "http://news.example"},
        {"outbound_allow_loopback": True},
        {"consent_origins": ("https://front.example", "*")},
        {"consent_origins": "null"},
        {"workers": 2},
        {"database_url": "mysql://x"},
        {"database_read_url": "postgresql://replica.example/x"},
        {"database_listen_url": "postgresql://primary.example/x"},
        {"database_url": "postgresql://a/x", "database_read_url": "mysql://b/x"},
        {"database_url": "postgresql://a/x", "database_listen_url": "a"},
        {"public_url": "news.example"},
        {"purge_kind": "varnish"},
        {"purge_url": "http://varnish"},
        {"purge_kind": "varnish", "purge_url": "http://varnish"},
        {"purge_kind": "varnish", "purge_url": "varnish", "cache_keys": "surrogate-key"},
        {"purge_kind": "url", "purge_url": "https://a:b@front.example", "cache_keys": "cache-tag"},
        {"purge_kind": "cloudflare", "purge_url": "https://cdn.example", "cache_keys": "cache-tag"},
        {
            "purge_kind": "fastly",
            "purge_url": "https://cdn.example",
            "cache_keys": "cache-tag",
            "purge_token": "a token",
        },
        {
            "purge_kind": "fastly",
            "purge_url": "http://cdn.example",
            "cache_keys": "surrogate-key",
            "purge_token": "a token",
        },
    ],
)
def test_production_refuses_what_is_unsafe(unsafe: dict[str, object]) -> None:
    Settings(_env_file=None, **SAFE)
    with pytest.raises(ValidationError):
        Settings(_env_file=None, **SAFE | unsafe)


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYDESK_CORS_ORIGINS", "https://a.example, https://b.example")
    assert Settings(_env_file=None).cors_origins == ("https://a.example", "https://b.example")


def test_an_address_of_a_replica_may_name_several_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYDESK_DATABASE_URL", "postgresql://one,two/x")
    monkeypatch.setenv("COPYDESK_DATABASE_READ_URL", "postgresql://one,two/x, postgresql://three/x")
    known = Settings(_env_file=None)
    assert known.database_read_url == ("postgresql://one,two/x", "postgresql://three/x")


@pytest.mark.slow
def test_settings_that_a_developer_has_exported_do_not_reach_the_tests() -> None:
    exported = {
        "COPYDESK_CONSENT_RATE_LIMIT": "1",
        "COPYDESK_DATABASE_URL": "sqlite:///precious.db",
        "COPYDESK_ENVIRONMENT": "production",
    }
    show = "from tests.serving import settings_for as s; from pathlib import Path; print(s('sqlite:///x.db', Path('x')).model_dump_json())"
    shown = [
        subprocess.run(
            [sys.executable, "-c", show],
            cwd=ROOT,
            env=os.environ | more,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for more in ({}, exported)
    ]
    assert shown[0] == shown[1]


def test_compose_sets_what_there_is() -> None:
    compose = YAML(typ="safe").load((ROOT / "compose.yaml").read_text())
    started = [service for service in compose["services"].values() if service.get("image") == "copydesk"]
    assert len(started) == 3
    names = {name for service in started for name in service["environment"]}
    assert names <= {f"COPYDESK_{name.upper()}" for name in Settings.model_fields}
    vcl = (ROOT / "docs" / "operations" / "varnish.vcl").read_text()
    assert {f'"{name}"' for name in compose["services"] if name.startswith("copydesk-")} <= set(
        re.findall(r'"[a-z-]+"', vcl)
    )
