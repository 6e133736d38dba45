"""Whatever happens to articles and their pictures, nothing public mentions a picture that was killed or has
ended, and a follower's copy is what the store shows.
"""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import LONG
from tests.images.pictures import make_caption, picture
from tests.patience import wait_until
from tests.serving import EDITOR, Store
from tests.sharing import store
from tests.sync.following import follow, now_at, page

__all__ = ["store"]
FORCED = {"If-Match": "*"}
OF_PICTURES = ("kill", "reinstate", "end", "begin later", "be free")
OF_ARTICLES = ("edit", "swap pictures", "unpublish", "publish", "delete", "restore", "withdraw")
Steps = list[tuple[str, int]]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(OF_PICTURES), st.integers(0, 1)),
        st.tuples(st.sampled_from(OF_ARTICLES), st.integers(0, 2)),
        st.tuples(st.just("follow"), st.just(0)),
    ),
    min_size=4,
    max_size=30 if LONG else 14,
)
PATCHES: dict[str, dict[str, Any]] = {
    "end": {"usable_from": None, "usable_until": "2020-01-01T00:00:00Z"},
    "begin later": {"usable_from": "2090-01-01T00:00:00Z", "usable_until": None},
    "be free": {"usable_from": None, "usable_until": None, "usable_in": ["web"]},
}


class History:
    """Two pictures, three articles that show them, and a follower who comes now and then."""

    def __init__(self, editor: httpx.Client, reader: httpx.Client) -> None:
        self.editor, self.reader = editor, reader
        self.place, self.copy = now_at(reader), dict[str, dict[str, Any]]()
        self.names = [f"w{uuid4().hex[:12]}" for _ in range(2)]
        self.images = [self._image(name) for name in self.names]
        self.articles = [self._article(number) for number in range(3)]

    def _image(self, name: str) -> str:
        colour = f"#{uuid4().hex[:6]}"
        made = self.editor.post(
            "/v1/images",
            content=picture(size=(9, 7), colour=colour),
            params={"credit_line": name},
            headers={"Content-Type": "image/png"},
        ).json()
        make_caption(self.editor, made, f"Words of {name}")
        return str(made["id"])

    def _article(self, number: int) -> str:
        first, second = self.images if number % 2 else self.images[::-1]
        body = [{"type": "image", "image_id": each} for each in (first, second)[: number + 1]]
        content = {"headline": uuid4().hex, "status": "published", "lead_image_id": first, "body": body}
        return str(self.editor.post("/v1/articles", json=content).json()["id"])

    def take(self, action: str, number: int) -> None:
        """Let something happen. What cannot happen now is refused, and changes nothing."""
        if action == "follow":
            read = page(self.reader, self.place)
            self.place = read["next"]
            self._apply(read["items"])
        elif action in PATCHES:
            self._send("PATCH", f"/v1/images/{self.images[number]}", PATCHES[action])
        elif action in OF_PICTURES:
            path = f"/v1/images/{self.images[number]}/{'withdraw' if action == 'kill' else 'reinstate'}"
            self._send("POST", path, {"reason": "A reason."})
        else:
            self._change(f"/v1/articles/{self.articles[number]}", action)

    def _change(self, path: str, action: str) -> None:
        match action:
            case "edit":
                self._send("PATCH", path, {"summary": uuid4().hex})
            case "swap pictures":
                shown = self.editor.get(path)
                if shown.status_code == 200:
                    body = [{"type": "image", "image_id": each} for each in self.images]
                    self._send("PATCH", path, {"body": body[:: 1 if shown.json()["version"] % 2 else -1]})
            case "delete":
                self._send("DELETE", path, None)
            case "withdraw":
                self._send("POST", f"{path}/withdraw", {"reason": "A reason."})
            case _:
                self._send("POST", f"{path}/{action}", None)

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> None:
        answer = self.editor.request(method, path, json=body, headers=FORCED)
        assert answer.status_code < 500, answer.text
        assert answer.status_code in (200, 204, 404, 409, 410), answer.text

    def _apply(self, entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            if entry["op"] == "put":
                self.copy[entry["id"]] = entry["data"]
            else:
                self.copy.pop(entry["id"], None)

    def hidden(self) -> list[str]:
        """Return the names of the pictures that readers may not see."""
        return [
            name
            for name, id_ in zip(self.names, self.images, strict=True)
            if (image := self.editor.get(f"/v1/images/{id_}").json())["withdrawn"]
            or image["expired_at"]
            or (image["usable_from"] or "").startswith("2090")
        ]

    def shown(self) -> Iterator[tuple[str, str]]:
        """Yield public answers in which the pictures could be met."""
        for path in [
            *(f"/v1/articles/{id_}" for id_ in self.articles),
            *(f"/v1/images/{id_}" for id_ in self.images),
            *(f"/v1/articles?image_id={id_}&body=html" for id_ in self.images),
            "/v1/images",
            "/v1/captions",
        ]:
            yield path, self.reader.get(path).text
        yield "the feed", json.dumps(follow(self.reader, self.place)[0])

    def check(self) -> None:
        """Assert that no public answer names a hidden picture."""
        hidden = self.hidden()
        for path, text in self.shown():
            assert [name for name in hidden if name in text] == [], path

    def is_converged(self) -> bool:
        """Follow to the end, and return whether the copy is what the store shows."""
        entries, self.place = follow(self.reader, self.place)
        self._apply(entries)
        for path in [
            *(f"/v1/articles/{id_}" for id_ in self.articles),
            *(f"/v1/images/{id_}" for id_ in self.images),
        ]:
            answer = self.reader.get(path)
            copied = self.copy.get(path.rpartition("/")[2])
            if copied != (answer.json() if answer.status_code == 200 else None):
                return False
        return True


@pytest.mark.slow
@pytest.mark.parametrize("batches", ["at once", "late"])
def test_nothing_public_mentions_a_hidden_picture_and_a_copy_converges(
    batches: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    if batches == "late":
        monkeypatch.setattr("service.published.render.SECONDS_OF_ARTICLES", -1.0)
        monkeypatch.setattr("service.published.render.ALWAYS", 0)

    @settings(
        max_examples=60 if LONG else 5,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=not LONG,
    )
    @given(STEPS)
    def run(steps: Steps) -> None:
        with store.client(*EDITOR) as editor, store.client() as reader:
            history = History(editor, reader)
            for action, number in steps:
                history.take(action, number)
                history.check()
            wait_until(history.is_converged)

    run()
