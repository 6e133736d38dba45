"""All that a store answers, by address: what two stores are compared by."""

from collections.abc import Iterator

import httpx
from sqlmodel import select

from service.articles.models import ArticleSlug
from service.articles.public_lists import FEEDS
from tests.serving import Store
from tests.sync.following import Entry, follow

Answers = dict[str, tuple[int, dict[str, str], bytes]]
COMPARED = ("etag", "content-type", "location", "link", "cache-control", "vary", "content-disposition")
LISTS = (
    "/v1/articles",
    "/v1/articles?section=Coast&count=true",
    "/v1/articles?section=Weather&limit=3",
    "/v1/articles?tag=harbour&limit=2",
    "/v1/articles?author=Ida%20Holm",
    "/v1/articles?language=sv",
    "/v1/articles?source=wire.example",
    "/v1/articles?sort=-updated_at",
    "/v1/articles?sort=published_at&limit=4",
    "/v1/articles?q=ferry",
    "/v1/articles?q=fog&limit=3",
    "/v1/articles?q=%E6%B8%A1%E8%BD%AE",
    "/v1/articles?published_before=2026-03-01T00:00:00Z",
    "/v1/articles?fields=slug,lead_image&body=text",
    "/v1/images",
    "/v1/captions",
    "/v1/captions?language=sv",
)
PAGES = (
    "/",
    *(f"/feeds/{name}" for name in FEEDS),
    "/feeds/rss.xml?section=Coast&language=en",
    "/sitemaps/index.xml",
    "/sitemaps/news.xml",
    "/sitemaps/articles.xml?section=Coast",
    "/sitemaps/articles.xml",
)
NARROWED = (
    "",
    "&section=Coast",
    "&language=sv",
    "&kind=image,caption",
    "&kind=article&section=City&language=en",
)
FORMS = ("", "?body=html", "?body=text", "?format=ninjs", "?format=jsonld")


def get(client: httpx.Client, address: str) -> tuple[int, dict[str, str], bytes]:
    """One answer: its status, the headers that say something of what it is, its body."""
    response = client.get(address)
    assert response.status_code < 500, (address, response.text)
    return (
        response.status_code,
        {name: response.headers[name] for name in COMPARED if name in response.headers},
        response.content,
    )


def walked(client: httpx.Client, address: str) -> Iterator[str]:
    """The addresses of all pages of a list."""
    following: str | None = address
    while following is not None:
        yield following
        following = client.get(following).json().get("next")


def slugs_of(store: Store) -> list[str]:
    """Every slug that was ever given."""
    with store.database.reading() as session:
        return sorted(session.exec(select(ArticleSlug.slug)))


def changes(client: httpx.Client) -> dict[str, list[Entry]]:
    """What a follower is told from the beginning, by what it asks for.

    Keys are left out: they are for caches, and name where an article was before, while a restored store has
    only been where it is. Whoever purges caches begins again with it, and so drops all that they have kept.
    """
    told = {query: follow(client, f"/v1/changes?limit=3{query}")[0] for query in NARROWED}
    return {query: [{**entry, "keys": []} for entry in entries] for query, entries in told.items()}


def of(client: httpx.Client, slugs: list[str]) -> Answers:
    """What this client is answered, of all that there is or once was."""
    entries = follow(client)[0]
    addresses = [*PAGES, *(page for address in LISTS for page in walked(client, address))]
    for entry in entries:
        addresses += [
            f"/v1/{entry['kind']}s/{entry['id']}{form}"
            for form in (FORMS if entry["kind"] == "article" else FORMS[:1])
        ]
        if entry["kind"] == "image":
            addresses += [f"/v1/images/{entry['id']}/captions", *_files(entry)]
    for slug in slugs:
        addresses += [f"/v1/articles/{slug}", f"/v1/articles/{slug}?body=html", f"/read/{slug}"]
    return {address: get(client, address) for address in dict.fromkeys(addresses)}


def _files(entry: Entry) -> Iterator[str]:
    """The smallest file of each kind of a picture: whole in every format, and each crop."""
    smallest = {
        (each["name"].rpartition("w")[0], each["content_type"]): each["href"]
        for each in (entry["data"] or {}).get("renditions", [])
    }
    yield from smallest.values()


def of_staff(editor: httpx.Client) -> Answers:
    """What editors are answered of everything, histories too."""
    addresses = [
        page
        for address in ("/v1/articles", "/v1/images", "/v1/captions")
        for page in walked(editor, f"{address}?limit=100")
    ]
    addresses += [
        f"/v1/articles?status={status}" for status in ("draft", "scheduled", "published", "withdrawn")
    ]
    addresses += ["/v1/articles?q=fog", "/v1/articles?sort=-updated_at", "/v1/articles?author=Bo%20Ek"]
    for article in [
        one for page in walked(editor, "/v1/articles?limit=100") for one in editor.get(page).json()["items"]
    ]:
        one = f"/v1/articles/{article['id']}"
        addresses += [one, f"/v1/articles/{article['slug']}", f"{one}/versions?limit=100"]
        addresses += [
            f"{one}/versions/{n}{more}" for n in range(1, article["version"] + 1) for more in ("", "/diff")
        ]
    for entry in follow(editor, "/v1/changes?view=staff&limit=200")[0]:
        # Of what is in the trash there are only its versions to be read.
        addresses += [
            f"/v1/{entry['kind']}s/{entry['id']}",
            *([f"/v1/articles/{entry['id']}/versions"] if entry["kind"] == "article" else []),
        ]
    for image in editor.get("/v1/images?limit=100").json()["items"]:
        addresses += [
            f"/v1/images/{image['id']}/uses",
            *(f["href"] for f in image["renditions"] if f["name"] == "original"),
        ]
    return {address: get(editor, address) for address in dict.fromkeys(addresses)}
