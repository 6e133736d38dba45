"""Ask a store everything, and write down what it answers."""

import io
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
from PIL import Image

from tests.articles.newsroom import walk
from tests.stores.make.newsroom import WITHDRAWN
from tests.stores.manifest import Answer, ListReader, Manifest
from tests.stores.saying import kept, telling

FORMS = ("", "?body=html", "?body=text", "?format=ninjs", "?format=jsonld")
LISTS = (
    "/v1/articles?limit=200",
    "/v1/articles?section=Coast",
    "/v1/articles?section=Weather&sort=published_at",
    "/v1/articles?tag=harbour",
    "/v1/articles?author=Ida%20Holm",
    "/v1/articles?language=sv",
    "/v1/articles?source=wire.example",
    "/v1/articles?sort=-updated_at",
    "/v1/articles?q=ferry",
    "/v1/articles?q=%E6%B8%A1%E8%BD%AE",
    "/v1/articles?published_before=2026-02-05T12:00:00Z",
    "/v1/images?limit=200",
    "/v1/captions?limit=200",
    "/v1/captions?language=sv",
    "/v1/consent-notices?limit=200",
    "/v1/consent-notices/default/current",
    "/v1/consent-notices/weather/current",
    "/v1/consent-notices/weather/current?language=sv",
    "/v1/privacy-managers/default/config.json",
)
PAGES = (
    "/",
    "/?section=Coast",
    "/feeds/rss.xml",
    "/feeds/atom.xml",
    "/feeds/feed.json",
    "/feeds/rss.xml?section=Coast&language=en",
    "/sitemaps/index.xml",
    "/sitemaps/articles.xml",
    "/sitemaps/articles.xml?section=Coast",
    "/.well-known/gpc.json",
)
STAFF_LISTS = (
    *(
        f"/v1/articles?limit=200&status={status}"
        for status in ("draft", "scheduled", "published", "withdrawn")
    ),
    "/v1/tokens?limit=200",
    "/v1/webhooks?limit=200",
    "/v1/consent-notices?limit=200&status=retired",
    "/v1/consent-notices?limit=200&status=draft",
    "/v1/consent-records?limit=200",
)
CONTENT = ("/v1/articles/", "/v1/images/", "/v1/captions/")
CUT = ("/v1/articles?limit=3", "/v1/images?limit=4", "/v1/captions?limit=2", "/v1/articles?q=fog&limit=1")


class Witness:
    """A reader and a member of staff who ask for everything there is, again and again."""

    def __init__(self, reader: httpx.Client, staff: httpx.Client, manifest: Manifest) -> None:
        self.reader = reader
        self.staff = staff
        self.manifest = manifest
        self.named: set[str] = set()

    def look(self) -> None:
        """Remember every address of a file that the store names at this moment."""
        for kind in ("articles", "images"):
            for item in walk(self.reader, f"/v1/{kind}?limit=200"):
                self.named.update(_hrefs(item))

    def testify(self, ids: dict[str, set[str]]) -> None:
        """Ask everything; `ids` are all articles, images and captions that were ever made."""
        self.look()
        texts = sorted({text for text in self._texts() if len(text) > 2})
        slugs = sorted(set(self._slugs(ids["article_id"])))
        addresses = [
            *LISTS,
            *PAGES,
            *(f"{room}/{slug}" for room in ("/v1/articles", "/read") for slug in slugs),
        ]
        addresses += [f"/v1/articles/{id_}{form}" for id_ in sorted(ids["article_id"]) for form in FORMS]
        addresses += [
            f"/v1/images/{id_}{more}" for id_ in sorted(ids["image_id"]) for more in ("", "/captions")
        ]
        addresses += [f"/v1/captions/{id_}" for id_ in sorted(ids["caption_id"])]
        self.manifest.public = self._answers(self.reader, addresses, texts)
        of_content = [address for address in addresses if address.startswith(CONTENT)]
        self.manifest.hidden = [
            address for address in of_content if self.reader.get(address).status_code == 404
        ]
        self.manifest.staff = self._answers(self.staff, self._of_staff(ids), texts)
        self.manifest.lists = list(self._cut())
        self.manifest.files = dict(self._files())

    def _slugs(self, articles: set[str]) -> Iterator[str]:
        """Yield every slug that an article ever had."""
        for id_ in articles:
            for version in walk(self.staff, f"/v1/articles/{id_}/versions?limit=200"):
                yield version["slug"]

    def _texts(self) -> Iterator[str]:
        yield WITHDRAWN
        for kind in ("articles", "images", "captions"):
            for item in walk(self.reader, f"/v1/{kind}?limit=200"):
                yield from telling(item)

    def _answers(self, client: httpx.Client, addresses: Iterable[str], texts: list[str]) -> dict[str, Answer]:
        found = {}
        for address in dict.fromkeys(addresses):
            response = client.get(address)
            assert response.status_code < 500, (address, response.text)
            if response.status_code in (200, 308, 410):
                found[address] = kept(response, texts)
        return found

    def _of_staff(self, ids: dict[str, set[str]]) -> Iterator[str]:
        yield from STAFF_LISTS
        for id_ in sorted(ids["article_id"]):
            one = f"/v1/articles/{id_}"
            yield from (one, f"{one}/versions?limit=200", f"{one}/recall")
            for version in walk(self.staff, f"{one}/versions?limit=200"):
                yield from (f"{one}/versions/{version['version']}{more}" for more in ("", "/diff"))
        for id_ in sorted(ids["image_id"]):
            yield from (f"/v1/images/{id_}", f"/v1/images/{id_}/uses", f"/v1/images/{id_}/captions")
        for id_ in sorted(ids["caption_id"]):
            yield f"/v1/captions/{id_}"

    def _cut(self) -> Iterator[ListReader]:
        """Stop in the middle of some lists."""
        for address in CUT:
            page = self.reader.get(address).json()
            if page["next"] is not None:
                rest = [item["id"] for item in walk(self.reader, page["next"])]
                yield ListReader(address=address, next=page["next"], rest=rest)

    def _files(self) -> Iterator[tuple[str, tuple[int, int]]]:
        for href in sorted(self.named):
            response = self.reader.get(href, follow_redirects=True)
            if response.status_code == 200:
                yield href, Image.open(io.BytesIO(response.content)).size


def _hrefs(item: Any) -> Iterator[str]:
    """Yield the addresses of files that a document names."""
    if isinstance(item, str):
        if item.startswith("/media/"):
            yield item
    elif isinstance(item, dict | list):
        for each in item.values() if isinstance(item, dict) else item:
            yield from _hrefs(each)
