"""A store in which everything has happened that can happen to articles, images and captions."""

from typing import Any

import httpx

from tests.articles.newsroom import Article, do, draft, edit, picture, published, soon, trash
from tests.images.photographs import agency, jpeg, scene, telephone
from tests.images.pictures import change, image_of, make_caption, upload

EMBED = "https://www.youtube.com/watch?v=quay"
FERRY: dict[str, Any] = {
    "headline": "Ferry returns",
    "summary": "After a winter ashore.",
    "byline": "By Ida Holm",
    "section": "Coast",
    "language": "en",
    "authors": [{"name": "Ida Holm", "url": "https://harbour.example/ida"}, {"name": "Bo Ek"}],
    "dateline": "VISBY",
    "tags": ["ferry", "harbour"],
    "credit_line": "With input from Wire",
    "source": "wire.example",
    "external_id": "4711",
    "canonical_url": "https://wire.example/4711",
    "usage_terms": "Once.",
    "copyright_notice": "© Harbour Press",
    "edition_note": "Runs on Monday.",
    "published_at": "2026-02-03T04:05:06.789012Z",
}
"""An article with every member but its pictures and its body."""


def photograph(editor: httpx.Client, content: bytes, **fields: str) -> Article:
    """An image with its file."""
    return image_of(upload(editor, content, "image/jpeg", **fields))


def fill(editor: httpx.Client) -> None:
    """Let it happen, through the API."""
    ferry = photograph(
        editor,
        agency(),
        source="wire.example",
        external_id="f-1",
        source_url="https://wire.example/ferry.jpg",
    )
    quay = photograph(editor, jpeg(scene((420, 280))), credit_line="Bo Ek / Harbour Press")
    change(editor, f"/v1/images/{quay['id']}", {"focal_point": {"x": 0.1, "y": 0.75}})
    gull = photograph(editor, telephone())
    make_caption(editor, quay, "The quay at low water.", alt_text="A wet stone quay")
    make_caption(editor, quay, "Kajen vid lågvatten.", language="sv")
    body: list[dict[str, Any]] = [
        {
            "type": "paragraph",
            "html": 'The <em>ferry</em> &amp; its crew <a href="https://wire.example/">came</a> back.',
        },
        {"type": "image", "image_id": ferry["id"]},
        {"type": "heading", "level": 3, "html": "What comes next"},
        {"type": "list", "ordered": True, "items": ["Paint", "Sail"]},
        {"type": "image", "image_id": quay["id"]},
        {"type": "quote", "html": "She floats.", "cite": "Ida Holm"},
        {"type": "embed", "url": EMBED},
        {"type": "divider"},
    ]
    whole = published(editor, **FERRY, body=body, lead_image_id=quay["id"])
    make_caption(editor, ferry, "The ferry, in this story only.", article_id=whole["id"])
    whole = edit(editor, whole, slug="ferry-is-back")
    whole = edit(editor, whole, slug="ferry-is-back-for-good", headline="Ferry is back for good")
    do(editor, whole, "corrections", text="The ferry has two funnels.", kind="correction")
    _in_other_languages(editor, quay, gull)
    _gone(editor, quay)
    _killed(editor)
    _not_yet(editor, ferry)


def _in_other_languages(editor: httpx.Client, quay: Article, gull: Article) -> None:
    shown = [{"type": "image", "image_id": quay["id"]}, {"type": "paragraph", "html": "Kajen är torr."}]
    moved = published(
        editor,
        headline="Färjan är tillbaka",
        language="sv",
        section="City",
        body=shown,
        lead_image_id=quay["id"],
    )
    edit(editor, moved, section="Coast")
    published(
        editor,
        headline="渡轮回来了",
        language="zh-Hant",
        tags=["渡轮"],
        body=[{"type": "paragraph", "html": "港口今天开放。"}],
    )
    published(
        editor, headline="Gull on the quay", section="City", body=[{"type": "image", "image_id": gull["id"]}]
    )
    for number in range(7):
        published(editor, headline="Fog", section="Weather", summary=f"Fog {number}", tags=["harbour"])


def _gone(editor: httpx.Client, quay: Article) -> None:
    killed = published(
        editor, headline="Mayor resigns", slug="mayor-resigns", source="wire.example", external_id="13"
    )
    do(editor, edit(editor, killed, slug="mayor-stays"), "withdraw", reason="It named the wrong person.")
    back = published(
        editor,
        headline="Too early",
        slug="too-early",
        lead_image_id=photograph(editor, jpeg(scene((90, 60))))["id"],
    )
    edit(editor, do(editor, back, "unpublish"), slug="too-early-still")
    trash(editor, published(editor, headline="Thrown away", slug="thrown-away"))
    lost = photograph(editor, jpeg(scene((80, 80))))
    shows = published(
        editor,
        headline="Lost its picture",
        lead_image_id=lost["id"],
        body=[{"type": "image", "image_id": lost["id"]}],
    )
    make_caption(editor, quay, "Only for what was thrown away.", language="fr", article_id=shows["id"])
    trash(editor, shows)
    assert editor.delete(f"/v1/images/{lost['id']}", headers={"If-Match": "*"}).status_code == 204
    do(editor, shows, "restore")
    words = make_caption(editor, quay, "Ein Kai.", language="de")
    assert editor.delete(f"/v1/captions/{words['id']}", headers={"If-Match": "*"}).status_code == 204
    with_caption = draft(editor, headline="Thrown away with its caption")
    make_caption(editor, quay, "For nobody any more.", language="en", article_id=with_caption["id"])
    trash(editor, with_caption)


def _killed(editor: httpx.Client) -> None:
    palace = photograph(editor, jpeg(scene((70, 70))), credit_line="Palace")
    make_caption(editor, palace, "The palace, altered.")
    shown = [{"type": "image", "image_id": palace["id"]}]
    published(editor, headline="At the palace", lead_image_id=palace["id"], body=shown)
    draft(editor, headline="At the palace again", body=shown)
    response = editor.post(f"/v1/images/{palace['id']}/withdraw", json={"reason": "The agency killed it."})
    assert response.status_code == 200, response.text


def _not_yet(editor: httpx.Client, ferry: Article) -> None:
    draft(editor, headline="Not finished", lead_image_id=ferry["id"], edition_note="Ask Bo.", tags=["ferry"])
    draft(editor, headline="Under embargo", status="published", embargoed_until=soon(3600))
    do(editor, draft(editor, headline="Tomorrow"), "publish", at=soon(7200))
    published(editor, headline="Was under embargo", embargoed_until="2026-01-02T03:04:05Z")
    upload(editor, jpeg(scene((50, 50))), "image/jpeg", credit_line="Nobody shows this")
    awaited = change(
        editor, f"/v1/images/{picture(editor)['id']}", {"source_url": "https://wire.example/away.jpg"}
    )
    published(editor, headline="Without its file", lead_image_id=awaited["id"])
