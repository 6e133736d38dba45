"""Everything that an editorial desk can write, and everything that readers can ask for, of a few articles with
pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx

from service.articles import clock as schedule
from service.images import clock as licences
from tests.articles.newsroom import mark, picture, published
from tests.clocks import MovableClock
from tests.consent.deciding import notice
from tests.edge.asking import cache_of
from tests.images.pictures import make_caption, make_own_image
from tests.images.pictures import picture as file_of
from tests.serving import EDITOR, Store

ANY = {"If-Match": "*"}
LANGUAGES = ("pt", "nb", "zh", "fr", "ar", "en")


@dataclass
class Desk:
    """Articles, pictures and captions that share a word, and who writes them."""

    store: Store
    clock: MovableClock
    word: str = field(default_factory=mark)
    articles: list[str] = field(default_factory=list)
    slugs: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    notices: list[int] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    """The names of writes that were not refused."""

    def __post_init__(self) -> None:
        self.editor = self.store.client(*EDITOR, "consent:read", "consent:write")
        shown = make_own_image(self.editor, credit_line=self.word, source="wire")["id"]
        self.images = [shown, picture(self.editor, credit_line=self.word)["id"]]
        self.captions = [make_caption(self.editor, {"id": shown}, alt_text=self.word)["id"]]
        for number in range(3):
            self.take(published(self.editor, **self.members(number)))

    def members(self, number: int) -> dict[str, object]:
        """Return the members of an article that lists are narrowed by; odd ones have others."""
        word, image = self.word, self.images[0]
        if number % 2:
            other = {"section": f"b{word}", "tags": [f"b{word}"], "authors": [{"name": f"B{word}"}]}
            return {"headline": f"Ebb {word}", "language": "pt-BR", "source": "other", **other}
        return {
            "headline": f"Tide {word}",
            "language": "en",
            "section": f"a{word}",
            "tags": [f"a{word}", word],
            "authors": [{"name": f"A{word}"}],
            "source": "wire",
            "lead_image_id": image,
            "body": [{"type": "image", "image_id": image}, {"type": "paragraph", "html": f"Low {word}."}],
        }

    def take(self, article: dict) -> None:
        """Know an article, by its id and by each slug that it gets."""
        if article["id"] not in self.articles:
            self.articles.append(article["id"])
        if article["slug"] not in self.slugs:
            self.slugs.append(article["slug"])

    def send(self, method: str, path: str, name: str, body: object = None, **more: object) -> httpx.Response:
        """Send a write, which may be refused: not every act goes with every state."""
        answer = self.editor.request(method, path, json=body, headers=ANY, **more)
        assert answer.status_code < 500, (method, path, answer.text)
        if answer.is_success:
            self.accepted.add(name)
        return answer

    def send_first(
        self, method: str, kind: str, ids: list[str], place: int, path: str, name: str, body: object
    ) -> httpx.Response:
        """Send a write of one thing, beginning with that of a place; if it is refused, of the next."""
        for offset in range(len(ids)):
            id_ = ids[(place + offset) % len(ids)]
            answer = self.send(method, f"/v1/{kind}/{id_}{path}", name, worded(body, self.word))
            if answer.is_success:
                break
        return answer


Write = Callable[[Desk, int], object]


def of_article(name: str, method: str, path: str = "", body: object = None) -> Write:
    """Return the write of one article. `{word}` is written out in what is sent."""

    def write(desk: Desk, place: int) -> None:
        answer = desk.send_first(method, "articles", desk.articles, place, path, name, body)
        if answer.is_success and answer.content:
            desk.take(answer.json())

    return write


def worded(body: object, word: str) -> object:
    if isinstance(body, dict):
        return {name: worded(value, word) for name, value in body.items()}
    if isinstance(body, list):
        return [worded(value, word) for value in body]
    return body.replace("{word}", word).replace("{new}", mark()) if isinstance(body, str) else body


def of_image(name: str, method: str, path: str = "", body: object = None) -> Write:
    """Return the write of one image."""

    def write(desk: Desk, place: int) -> None:
        desk.send_first(method, "images", desk.images, place, path, name, body)

    return write


def of_caption(name: str, method: str, body: object = None) -> Write:
    """Return the write of one caption."""

    def write(desk: Desk, place: int) -> None:
        desk.send_first(method, "captions", desk.captions, place, "", name, body)

    return write


def create(desk: Desk, place: int) -> None:
    status = ("published", "draft")[place % 3 == 2]
    desk.take(
        desk.send("POST", "/v1/articles", "create_article", {**desk.members(place), "status": status}).json()
    )


def replace(desk: Desk, place: int) -> None:
    id_ = desk.articles[place % len(desk.articles)]
    body = {**desk.members(place + 1), "headline": f"Slack {mark()}"}
    answer = desk.send("PUT", f"/v1/articles/{id_}", "replace_article", body)
    if answer.is_success:
        desk.take(answer.json())


def many(desk: Desk, place: int) -> None:
    items = [
        {**desk.members(place + n), "external_id": f"{desk.word}{n}", "status": "published"} for n in (0, 1)
    ]
    answer = desk.send("POST", "/v1/articles/bulk", "import_articles", items)
    for each in answer.json()["items"]:
        if each.get("id"):
            desk.take(desk.editor.get(f"/v1/articles/{each['id']}").json())


def ninjs(desk: Desk, _: int) -> None:
    item = {"uri": f"https://wire.example/{desk.word}", "headlines": [{"value": f"Wired {mark()}"}]}
    answer = desk.send("POST", "/v1/imports", "import_page", item)
    if answer.is_success:
        desk.take(desk.editor.get(f"/v1/articles/{answer.json()['id']}").json())


def new_image(desk: Desk, _: int) -> None:
    desk.images.append(make_own_image(desk.editor, credit_line=desk.word)["id"])
    desk.accepted.add("create_image")


def new_file(desk: Desk, place: int) -> None:
    id_ = desk.images[place % len(desk.images)]
    content = file_of(colour=f"#{int(desk.word[1:7], 16) ^ place:06x}")
    headers = {**ANY, "Content-Type": "image/png"}
    if desk.editor.put(f"/v1/images/{id_}/file", content=content, headers=headers).is_success:
        desk.accepted.add("replace_image_file")


def show_image(desk: Desk, place: int) -> None:
    id_, image = desk.articles[place % len(desk.articles)], desk.images[place % len(desk.images)]
    desk.send("PATCH", f"/v1/articles/{id_}", "edit_article", {"lead_image_id": image})


def new_caption(desk: Desk, place: int) -> None:
    image, language = desk.images[place % len(desk.images)], LANGUAGES[place % len(LANGUAGES)]
    body = {"image_id": image, "language": language, "text": f"Quay {mark()}."}
    if place % 2:
        body["article_id"] = desk.articles[place % len(desk.articles)]
    answer = desk.send("POST", "/v1/captions", "create_caption", body)
    if answer.is_success:
        desk.captions.append(answer.json()["id"])


def new_notice(desk: Desk, place: int) -> None:
    body = notice(desk.word, language=LANGUAGES[place % 2])
    answer = desk.send("POST", "/v1/consent-notices", "create_consent_notice", body)
    if answer.is_success:
        desk.notices.append(answer.json()["version"])


def of_notice(name: str, method: str) -> Write:
    """Return the write of the newest version of a notice."""

    def write(desk: Desk, place: int) -> None:
        new_notice(desk, place)
        path = f"/v1/consent-notices/{desk.word}/versions/{desk.notices[-1]}"
        kept = None
        if name == "replace_consent_notice":
            kept = notice(desk.word, language=LANGUAGES[place % 2], jurisdiction="EU")
        elif name == "publish_consent_notice":
            path = f"/v1/consent-notices/{desk.word}/publish"
            kept = {"version": desk.notices[-1]}
        desk.send(method, path, name, kept)

    return write


def ends(desk: Desk, place: int) -> None:
    """Let the right to show an article or a picture end, before any job tells of it."""
    body = {"usable_until": desk.clock.in_(hours=1)}
    if place % 2:
        desk.send("PATCH", f"/v1/articles/{desk.articles[0]}", "edit_article", body)
    else:
        desk.send("PATCH", f"/v1/images/{desk.images[0]}", "edit_image", body)
    desk.clock.set_forward(hours=2)


def carry_out_what_is_due(desk: Desk, _: int) -> None:
    """Have the jobs carry out what the time has brought."""
    database = cache_of(desk.store)._watch._database
    desk.store.portal.call(schedule.release_all_due, database)
    desk.store.portal.call(licences.pass_time_for_all, database)


def held_back(desk: Desk, place: int) -> None:
    """Take an article back until a time, which comes."""
    id_ = desk.articles[place % len(desk.articles)]
    desk.send("POST", f"/v1/articles/{id_}/publish", "publish_article", {"at": desk.clock.in_(hours=1)})
    desk.clock.set_forward(hours=2)
    carry_out_what_is_due(desk, place)


WRITES: list[tuple[str, Write]] = [
    ("create_article", create),
    ("replace_article", replace),
    ("edit_article", of_article("edit_article", "PATCH", body={"headline": "Flood {new}"})),
    ("edit_article", of_article("edit_article", "PATCH", body={"slug": "{new}"})),
    ("edit_article", of_article("edit_article", "PATCH", body={"section": "b{word}", "language": "pt-BR"})),
    ("edit_article", of_article("edit_article", "PATCH", body={"tags": ["b{word}"], "authors": []})),
    ("edit_article", show_image),
    ("correct_article", of_article("correct_article", "POST", "/corrections", {"text": "Ebb {new}."})),
    ("unpublish_article", of_article("unpublish_article", "POST", "/unpublish")),
    ("publish_article", of_article("publish_article", "POST", "/publish", {})),
    ("publish_article", held_back),
    ("restore_article_version", of_article("restore_article_version", "POST", "/versions/1/restore")),
    ("import_articles", many),
    ("import_page", ninjs),
    ("create_image", new_image),
    ("edit_image", of_image("edit_image", "PATCH", body={"credit_line": "Holt {new}"})),
    ("replace_image", of_image("replace_image", "PUT", body={"credit_line": "{word} {new}"})),
    ("replace_image_file", new_file),
    ("create_caption", new_caption),
    ("edit_caption", of_caption("edit_caption", "PATCH", {"text": "Pier {new}."})),
    ("replace_caption", of_caption("replace_caption", "PUT", {"text": "Lock {new}."})),
    ("delete_caption", of_caption("delete_caption", "DELETE")),
    ("withdraw_image", of_image("withdraw_image", "POST", "/withdraw", {"reason": "killed"})),
    ("reinstate_image", of_image("reinstate_image", "POST", "/reinstate", {"reason": "cleared"})),
    ("delete_image", of_image("delete_image", "DELETE")),
    ("restore_image", of_image("restore_image", "POST", "/restore")),
    ("create_consent_notice", new_notice),
    ("replace_consent_notice", of_notice("replace_consent_notice", "PUT")),
    ("delete_consent_notice", of_notice("delete_consent_notice", "DELETE")),
    ("publish_consent_notice", of_notice("publish_consent_notice", "POST")),
    ("edit_image", ends),
    ("edit_image", carry_out_what_is_due),
    ("delete_article", of_article("delete_article", "DELETE")),
    ("restore_article", of_article("restore_article", "POST", "/restore")),
    ("withdraw_article", of_article("withdraw_article", "POST", "/withdraw", {"reason": "wrong"})),
]
"""Every kind of write, by the operation of the document."""


def addresses(desk: Desk) -> dict[str, list[str]]:
    """Return what readers ask for, by the operation of the document; the pages have none."""
    word, image, first = desk.word, desk.images[0], desk.articles[0]
    keys = [*desk.articles[:4], *desk.slugs[-4:], desk.slugs[0], f"never-{word}"]
    lists = [
        "",
        "?count=true&limit=2",
        f"?section=a{word}",
        f"?section=b{word}&count=true",
        f"?tag=a{word}&tag={word}",
        f"?author=A{word}",
        f"?source=wire&section=a{word}",
        "?language=pt",
        f"?image_id={image}",
        f"?published_after=2026-01-01T00:00:00Z&tag=b{word}",
        f"?published_before=2126-01-01T00:00:00Z&author=B{word}",
        "?updated_after=2026-01-01T00:00:00Z&sort=-updated_at&limit=3",
        f"?q={word}",
        f"?q={word}&sort=-published_at&count=true&section=a{word}",
        f"?id={first}&id={desk.articles[1]}",
        f"?slug={desk.slugs[0]}&slug=never-{word}",
        f"?related_to={first}",
        f"?section=a{word}&body=html",
        f"?tag={word}&fields=headline,lead_image",
    ]
    by_section = ["", f"?section=a{word}", "?language=pt", f"?section=b{word}&language=en"]
    names = ["", "?limit=1&count=true", "?fields=name"]
    return {
        "list_articles": [f"/v1/articles{query}" for query in lists],
        "get_article": [
            *(f"/v1/articles/{key}" for key in keys),
            f"/v1/articles/{first}?body=text",
            f"/v1/articles/{desk.slugs[0]}?fields=headline,slug",
            f"/v1/articles/{desk.slugs[1]}?format=ninjs",
        ],
        "get_article_as_ninjs": [f"/v1/articles/{first}/ninjs"],
        "get_article_as_jsonld": [f"/v1/articles/{first}/jsonld"],
        "list_sections": [f"/v1/sections{query}" for query in names],
        "list_tags": [f"/v1/tags{query}" for query in names],
        "list_authors": [f"/v1/authors{query}" for query in names],
        "list_images": ["/v1/images?count=true", "/v1/images?source=wire&fields=id,credit_line&limit=3"],
        "get_image": [
            *(f"/v1/images/{id_}" for id_ in desk.images[:3]),
            f"/v1/images/{image}?fields=credit_line",
        ],
        "list_image_captions": [
            f"/v1/images/{image}/captions?count=true",
            f"/v1/images/{image}/captions?fields=text&limit=1",
        ],
        "list_captions": [
            f"/v1/captions?image_id={image}&count=true",
            f"/v1/captions?article_id={first}&language=pt",
            "/v1/captions?source=wire&fields=text&limit=2",
        ],
        "get_caption": [
            *(f"/v1/captions/{id_}" for id_ in desk.captions[:3]),
            f"/v1/captions/{desk.captions[0]}?fields=text",
        ],
        "list_consent_notices": [
            f"/v1/consent-notices?notice_key={word}&count=true",
            "/v1/consent-notices?language=nb&status=published&fields=notice_key&limit=1",
        ],
        "get_current_consent_notice": [
            f"/v1/consent-notices/{word}/current{query}" for query in ("", "?language=nb", "?fields=texts")
        ],
        "get_consent_notice": [
            f"/v1/consent-notices/{word}/versions/1{query}" for query in ("", "?fields=status")
        ],
        **{
            operation: [f"/feeds/{name}{query}" for query in by_section]
            for operation, name in [
                ("get_rss_feed", "rss.xml"),
                ("get_atom_feed", "atom.xml"),
                ("get_json_feed", "feed.json"),
            ]
        },
        "list_changes": [
            f"/v1/changes?section=a{word}&limit=3",
            "/v1/changes?kind=image&limit=2",
            "/v1/changes?language=pt",
            "/v1/changes?kind=article&fields=seq,data.headline&limit=4",
        ],
        "list_changes_for_mirrors": ["/v1/changes/mirror?limit=3"],
        "get_changes_digest": ["/v1/changes/digest?from=1&to=300", "/v1/changes/digest?gone=true"],
        "get_news_sitemap": ["/sitemaps/news.xml"],
        "get_sitemap_index": ["/sitemaps/index.xml"],
        "get_article_sitemap": [f"/sitemaps/articles.xml?section=a{word}"],
        "pages": [
            "/",
            f"/?section=a{word}",
            f"/search?q={word}",
            *(f"/read/{quote(key)}" for key in keys[4:]),
        ],
    }
