"""Let readers of all kinds decide about cookies, and keep what the service gave them: cookies, receipts,
proofs.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.consent.deciding import OPTIONAL, decision, notice, publish
from tests.stores.manifest import Decided, Log

CURRENT = "/v1/consents/current"
COOKIE = "__Host-consent_subject"


class Readership:
    """The readers of a store, and its keeper of notices, who may read what they decided."""

    def __init__(self, base: str, keeper: httpx.Client, paths: set[str]) -> None:
        self.base = base
        self.keeper = keeper
        self.paths = paths
        self.log = Log()
        self.cookies: list[str] = []
        self.erased: list[str] = []

    @property
    def has_log(self) -> bool:
        """Tell whether this version seals what was decided."""
        return "/v1/consent-log/tree-head" in self.paths

    def decide(self) -> None:
        """Publish notices in versions and languages, and let readers decide on each."""
        if self.keeper.get("/v1/consent-notices/default/current").status_code == 404:
            # The first versions had no notice of their own.
            optional = [{"purpose_key": key, "name": key.title()} for key in OPTIONAL]
            publish(self.keeper, notice("default") | {"purposes": [*notice()["purposes"][:1], *optional]})
        first = notice()
        publish(self.keeper, first)
        publish(self.keeper, first | {"language": "sv", "texts": _swedish(first)})
        self._read("default", 1, "accept_all", ui_surface="banner", consent_id="page-1")
        self._read("default", 1, "reject_all", headers={"Sec-GPC": "1"})
        self._read("default", 1, "save", granted=("analytics",), headers={"CF-IPCountry": "SE"})
        early = self._read("weather", 1, "accept_all", client_event_time="2026-11-01T00:00:00Z")
        self._read("weather", 2, "reject_all", language="sv")
        self._keep_head()
        second = first | {"purposes": [*first["purposes"], {"purpose_key": "alerts", "name": "Alerts"}]}
        publish(self.keeper, second)
        self._draft(second)
        self._read("weather", 3, "save", purposes=[{"purpose_key": "alerts", "decision": "granted"}])
        self._read("weather", 3, "accept_all", cookie=early)
        self._ask_nobody_again(second)
        gone = self._read("default", 1, "accept_all")
        withdrawn = self._send(f"{CURRENT}/withdrawal", {}, gone)
        assert withdrawn.status_code in (200, 201), withdrawn.text
        self._acknowledge_banner()
        if "/v1/consent-impressions" in self.paths:
            shown = {"notice_key": "default", "notice_version": 1}
            assert self._send("/v1/consent-impressions", shown).status_code in (201, 202, 204)
        self._erase()
        self._keep_head()

    def kept(self) -> list[Decided]:
        """Read what each reader may read of themselves."""
        found = [Decided(cookie=cookie, is_erased=True) for cookie in self.erased]
        for cookie in self.cookies:
            events, record, receipt = (
                self._get(f"{CURRENT}{more}", cookie) for more in ("/events?limit=200", "", "/receipt")
            )
            found.append(Decided(cookie=cookie, events=events["items"], record=record, receipt=receipt))
        return found

    def prove(self, folder: Path) -> None:
        """Keep proofs for all sizes that heads were kept of, and exports of the log."""
        if not self.has_log:
            return
        sizes = [head["tree_size"] for head in self.log.heads]
        for size in sizes:
            self.log.consistency.append(
                self._ask(f"/v1/consent-log/consistency-proof?first={size}&second={sizes[-1]}")
            )
        for index in range(sizes[-1]):
            self.log.inclusion.append(
                self._ask(f"/v1/consent-log/inclusion-proof?leaf_index={index}&tree_size={sizes[-1]}")
            )
        self.export(folder, "second")

    def export(self, folder: Path, name: str) -> None:
        """Keep an export of the log in both formats."""
        if not self.has_log:
            return
        for format_ in ("ndjson", "csv"):
            answer = self.keeper.get("/v1/consent-exports", params={"format": format_})
            assert answer.status_code == 200, answer.text
            (folder / f"consent-{name}.{format_}").write_bytes(answer.content)

    def _read(
        self,
        key: str,
        version: int,
        action: str,
        *,
        cookie: str = "",
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> str:
        body = decision(action, **members) | {"notice_key": key, "notice_version": version}
        answer = self._send("/v1/consents", body, cookie, headers)
        assert answer.status_code == 201, answer.text
        secret = cookie or answer.headers["set-cookie"].partition(";")[0].partition("=")[2]
        if secret not in self.cookies:
            self.cookies.append(secret)
        return secret

    def _draft(self, body: dict[str, Any]) -> None:
        assert self.keeper.post("/v1/consent-notices", json=body | {"validity_days": 30}).status_code == 201

    def _ask_nobody_again(self, body: dict[str, Any]) -> None:
        """Publish a new purpose in another notice without asking again, where the version takes
        the reason.
        """
        publish(self.keeper, body | {"notice_key": "tides"})
        more = body["purposes"] + [{"purpose_key": "moon", "name": "Moon"}]
        made = self.keeper.post("/v1/consent-notices", json=body | {"notice_key": "tides", "purposes": more})
        told = {"version": made.json()["version"], "requires_reconsent": False, "reason": "It is the same."}
        done = self.keeper.post("/v1/consent-notices/tides/publish", json=told)
        assert done.status_code in (200, 422), done.text

    def _acknowledge_banner(self) -> None:
        """Acknowledge the banner that an imported page brought along."""
        notices = self.keeper.get("/v1/consent-notices?limit=200").json()["items"]
        for shown in notices:
            if shown["consent_model"] == "notice_only" and shown["status"] == "published":
                self._read(shown["notice_key"], shown["version"], "acknowledge")

    def _erase(self) -> None:
        if "delete" not in self.paths_of_current():
            return
        secret = self._read("default", 1, "accept_all", consent_id="page-2")
        self._keep_head()
        self.cookies.remove(secret)
        answer = httpx.delete(f"{self.base}{CURRENT}", headers={"Cookie": f"{COOKIE}={secret}"})
        assert answer.status_code in (200, 204), answer.text
        self.erased.append(secret)

    def paths_of_current(self) -> list[str]:
        """Return the methods of the reader's own record."""
        document = self._ask("/openapi.json")
        return list(document["paths"][CURRENT])

    def _keep_head(self) -> None:
        """Wait until everything that was decided is sealed, and keep the head."""
        if not self.has_log:
            return
        for _ in range(300):
            events = [event for each in self.kept() for event in each.events]
            if all(event["leaf_index"] is not None for event in events):
                break
            time.sleep(0.1)
        else:
            raise AssertionError("the log was not sealed within 30 seconds")
        self.log.heads.append(self._ask("/v1/consent-log/tree-head"))

    def _send(
        self, path: str, body: Mapping[str, Any], cookie: str = "", headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        known = {"Cookie": f"{COOKIE}={cookie}"} if cookie else {}
        return httpx.post(f"{self.base}{path}", json=body, headers={**known, **(headers or {})})

    def _get(self, path: str, cookie: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.base}{path}", headers={"Cookie": f"{COOKIE}={cookie}"})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def _ask(self, path: str) -> dict[str, Any]:
        answer = self.keeper.get(path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def _swedish(first: Mapping[str, Any]) -> dict[str, Any]:
    return first["texts"] | {
        "title": "Regnradar",
        "body": "Får vi minnas var du letar efter regn? Du kan säga nej.",
    }
