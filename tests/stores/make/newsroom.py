"""Let everything happen to articles, pictures and captions that can happen, through the API of any version.

What lies in the future lies in 2099: a kept store must read the same whenever it is opened.
"""

import io
from collections.abc import Iterator
from typing import Any

import httpx
from PIL import Image

from tests.articles.newsroom import Article, do, draft, edit, published, trash
from tests.backup.everything import EMBED, FERRY
from tests.images.photographs import UTF8, agency, iim, jpeg, scene, telephone, with_segments
from tests.images.pictures import TYPES, change, image_of, make_caption, upload

WITHDRAWN = "It named the wrong person."
FAR = "2099-01-02T03:04:05Z"
PAGE = """<!doctype html><html lang="en"><head><title>Ferry service doubled | Larkmouth Mail</title>
<link rel="canonical" href="https://mail.example/ferry"><meta property="og:title" content="Ferry service doubled">
</head><body><article><h1>Ferry service doubled</h1><p>By Mara Ellison</p>
<p>Ferries to the outer islands will run every hour from June, twice as often as before, officials said.</p>
<figure><img src="/pictures/ferry.jpg" alt="A white ferry">
<figcaption>The morning ferry leaves the quay. Photo: Ana Lind</figcaption></figure>
<p>Two ships bought last winter make the new timetable possible, the harbour office said on Monday.</p>
<p>Tickets stay at last year's price until the end of September, when the council will look again.</p>
</article></body></html>"""
DUMP = """Cookies and privacy on this site

By continuing to use these pages you accept our cookies, our Privacy Notice and our Terms of Service.

I agree

The pilot boat is back at work


The pilot boat leaves the old quay, Larkmouth, May 4, 2026. /Harbour Press
The pilot boat leaves the old quay, Larkmouth, May 4, 2026. /Harbour Press

Pilots have been carried by a tug since January, when the boat lost its rudder on the bar at Northhead.

The yard found a second crack while it hung in the crane, and the harbour paid for both repairs at once.

She went out again on Monday with a new rudder, a new radar and the crew that had waited for her.

(With input from Harbour Press)"""


class Newsroom:
    """An editor at work in a store of some version, and what she remembers for later."""

    def __init__(self, editor: httpx.Client, document: dict[str, Any]) -> None:
        self.editor = editor
        self.paths = set(document["paths"])
        self.knows_keys = "external_id" in str(document["paths"]["/v1/images"]["post"])
        self.articles: dict[str, Article] = {}
        self.pictures: dict[str, Article] = {}
        self.captions: dict[str, Article] = {}

    def work(self) -> Iterator[str]:
        """Do it all; yield the name of each stage that is done, so that partners can look."""
        self._take_pictures()
        self._write_about_the_ferry()
        yield "ferry"
        self._write_the_rest()
        self._change_pictures()
        yield "rest"
        self._bring_in()
        self._take_away()
        yield "gone"
        self._leave_undone()
        yield "undone"

    def _take_pictures(self) -> None:
        key = {"external_id": "f-1"} if self.knows_keys else {}
        self._picture(
            "ferry", agency(), source="wire.example", source_url="https://wire.example/ferry.jpg", **key
        )
        self._picture("quay", jpeg(scene((700, 420))), credit_line="Bo Ek / Harbour Press")
        self._picture("gull", telephone())
        words = [
            (120, "La grue du port de Sète".encode("latin-1")),
            (80, b"Bo Ek"),
            (110, b"Agence du Port"),
            (116, "© Agence du Port".encode("latin-1")),
        ]
        self._picture("crane", with_segments(jpeg(scene((64, 48))), iim(words)))
        self._picture("pilot", with_segments(jpeg(scene((66, 48))), iim([(120, "Lotsbåten".encode())], UTF8)))
        transparent = Image.new("RGBA", (40, 30), (0, 90, 160, 128))
        self._picture("map", _file(transparent, "PNG"), "PNG", copyright_notice="© Harbour Press")
        self._picture("lamp", _file(scene((48, 32)), "WEBP"), "WEBP", usage_terms="Once.")
        self._picture("flag", _file(scene((36, 24)), "GIF"), "GIF")
        self._picture("rope", _file(scene((44, 30)), "AVIF"), "AVIF")

    def _picture(self, name: str, content: bytes, kind: str = "JPEG", **fields: str) -> None:
        self.pictures[name] = image_of(upload(self.editor, content, TYPES[kind], **fields))

    def _caption(self, name: str, picture: str, text: str, **members: Any) -> None:
        self.captions[name] = make_caption(self.editor, self.pictures[picture], text, **members)

    def _id(self, picture: str) -> str:
        return str(self.pictures[picture]["id"])

    def _write_about_the_ferry(self) -> None:
        self._caption("quay", "quay", "The quay at low water.", alt_text="A wet stone quay")
        self._caption("quay sv", "quay", "Kajen vid lågvatten.", language="sv")
        self._caption("crane", "crane", "La grue, vue du quai.", language="fr")
        body: list[dict[str, Any]] = [
            {
                "type": "paragraph",
                "html": 'The <em>ferry</em> &amp; its crew <a href="https://w.example">came</a>.',
            },
            {"type": "image", "image_id": self._id("ferry")},
            {"type": "heading", "level": 3, "html": "What comes next"},
            {"type": "list", "ordered": True, "items": ["Paint the funnel", "Sail to Visby"]},
            {"type": "image", "image_id": self._id("quay"), "caption_id": self.captions["quay"]["id"]},
            {"type": "quote", "html": "She floats like a cork.", "cite": "Ida Holm"},
            {"type": "embed", "url": EMBED},
            {"type": "divider"},
            {"type": "image", "image_id": self._id("gull")},
        ]
        whole = published(self.editor, **FERRY, body=body, lead_image_id=self._id("quay"))
        self._caption("ferry here", "ferry", "The ferry, in this story only.", article_id=whole["id"])
        whole = edit(self.editor, whole, slug="ferry-is-back")
        whole = edit(self.editor, whole, slug="ferry-is-back-for-good", headline="Ferry is back for good")
        self.articles["ferry"] = do(
            self.editor, whole, "corrections", text="The ferry has two funnels.", kind="correction"
        )

    def _write_the_rest(self) -> None:
        quay = {"type": "image", "image_id": self._id("quay")}
        swedish = published(
            self.editor,
            headline="Färjan är tillbaka",
            language="sv",
            section="City",
            body=[quay, {"type": "paragraph", "html": "Kajen är torr igen."}],
            lead_image_id=self._id("quay"),
            published_at="2026-02-04T00:00:00Z",
        )
        self.articles["moved"] = edit(self.editor, swedish, section="Coast")
        self.articles["chinese"] = published(
            self.editor,
            headline="渡轮回来了",
            language="zh-Hant",
            tags=["渡轮"],
            body=[{"type": "paragraph", "html": "港口今天开放。"}],
            published_at="2026-02-05T00:00:00Z",
        )
        shown = ("crane", "pilot", "map", "lamp", "flag", "rope")
        self.articles["gallery"] = published(
            self.editor,
            headline="Six pictures of the harbour",
            section="City",
            body=[{"type": "image", "image_id": self._id(name)} for name in shown],
            published_at="2026-02-06T00:00:00Z",
        )
        for number in range(3):
            self.articles[f"fog {number}"] = published(
                self.editor,
                headline="Fog over the bay",
                section="Weather",
                summary=f"Bulletin {number} of the harbour office",
                tags=["harbour"],
                published_at=f"2026-02-07T0{number}:00:00Z",
            )
        self.articles["embargo over"] = published(
            self.editor, headline="Was under embargo", embargoed_until="2026-01-02T03:04:05Z"
        )

    def _change_pictures(self) -> None:
        """Give pictures other addresses than the ones that readers have already."""
        change(self.editor, f"/v1/images/{self._id('quay')}", {"focal_point": {"x": 0.1, "y": 0.75}})
        change(self.editor, f"/v1/images/{self._id('crane')}", {"credit_line": "Bo Ek / Agence du Port"})
        again = self.editor.put(
            f"/v1/images/{self._id('pilot')}/file",
            content=jpeg(scene((90, 60))),
            headers={"Content-Type": "image/jpeg", "If-Match": "*"},
        )
        assert again.status_code == 200, again.text
        self._picture("kept", jpeg(scene((70, 70))), credit_line="Back from the trash")
        assert self._delete("images", self._id("kept")) == 204
        back = self.editor.post(f"/v1/images/{self._id('kept')}/restore")
        assert back.status_code == 200, back.text
        self._picture("private", jpeg(scene((50, 50))), credit_line="Nobody shows this")
        waits = self.editor.post(
            "/v1/images", json={"credit_line": "Has no file yet", "usage_terms": "When it comes."}
        )
        self.pictures["awaited"] = image_of(waits)
        self.articles["awaiting"] = published(
            self.editor, headline="Without its picture's file", lead_image_id=self._id("awaited")
        )

    def _bring_in(self) -> None:
        for type_, page in (("text/html", PAGE), ("text/plain", DUMP)):
            response = self.editor.post(
                "/v1/imports",
                params={"fetch_images": "false"}
                | ({"url": "https://mail.example/ferry"} if page is PAGE else {}),
                content=page.encode(),
                headers={"Content-Type": f"{type_}; charset=utf-8"},
            )
            assert response.status_code == 201, response.text
            self.articles[f"import {type_}"] = do(self.editor, response.json(), "publish")
        if "/v1/articles/bulk" in self.paths:
            items = [
                {
                    "source": "bulk.example",
                    "external_id": str(n),
                    "headline": f"Bulletin {n}",
                    "status": status,
                }
                for n, status in enumerate(("published", "draft"))
            ]
            made = self.editor.post("/v1/articles/bulk", json=items)
            assert made.status_code == 200, made.text
            for item in made.json()["items"]:
                self.articles[f"bulk {item['index']}"] = item

    def _take_away(self) -> None:
        quay, editor = self.pictures["quay"], self.editor
        killed = published(
            editor, headline="Mayor resigns", slug="mayor-resigns", source="wire.example", external_id="13"
        )
        killed = edit(editor, killed, slug="mayor-stays")
        self.articles["withdrawn"] = do(editor, killed, "withdraw", reason=WITHDRAWN)
        self._picture("early", jpeg(scene((92, 60))))
        early = published(editor, headline="Too early", slug="too-early", lead_image_id=self._id("early"))
        self.articles["unpublished"] = edit(editor, do(editor, early, "unpublish"), slug="too-early-still")
        self.articles["trashed"] = published(editor, headline="Thrown away", slug="thrown-away")
        trash(editor, self.articles["trashed"])
        self._picture("lost", jpeg(scene((80, 80))))
        lost = self._id("lost")
        shows = published(
            editor,
            headline="Lost its picture",
            lead_image_id=lost,
            body=[{"type": "image", "image_id": lost}],
        )
        make_caption(editor, quay, "Only for what was thrown away.", language="fr", article_id=shows["id"])
        trash(editor, shows)
        assert self._delete("images", lost) == 204
        self.articles["lost"] = do(editor, shows, "restore")
        self._caption("deleted", "quay", "Ein Kai.", language="de")
        assert self._delete("captions", self.captions["deleted"]["id"]) == 204
        draft_with_caption = draft(editor, headline="Thrown away with its caption")
        make_caption(editor, quay, "For nobody any more.", article_id=draft_with_caption["id"])
        trash(editor, draft_with_caption)
        self.articles["trashed draft"] = draft_with_caption

    def _delete(self, room: str, id_: str) -> int:
        return self.editor.delete(f"/v1/{room}/{id_}", headers={"If-Match": "*"}).status_code

    def _leave_undone(self) -> None:
        editor = self.editor
        unfinished = draft(
            editor,
            headline="Not finished",
            lead_image_id=self._id("ferry"),
            edition_note="Ask Bo.",
            tags=["ferry"],
        )
        unfinished = edit(editor, unfinished, headline="Still not finished")
        unfinished = edit(editor, unfinished, summary="It has a summary now.")
        restored = editor.post(f"/v1/articles/{unfinished['id']}/versions/1/restore")
        assert restored.status_code == 200, restored.text
        self.articles["draft"] = restored.json()
        self.articles["embargoed"] = draft(
            editor, headline="Under embargo", status="published", embargoed_until=FAR
        )
        tomorrow = draft(editor, headline="For another century", lead_image_id=self._id("private"))
        self.articles["scheduled"] = do(editor, tomorrow, "publish", at=FAR)
        self.articles["last"] = published(
            editor, headline="The last story", section="Coast", published_at="2026-02-08T00:00:00Z"
        )


def _file(picture: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind)
    return out.getvalue()
