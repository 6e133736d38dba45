"""One feed, whatever it is written as: the newest published articles of a section and a language, read from
the published table.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from service.articles.addresses import address_of
from service.articles.body import ResolvedImage
from service.articles.models import ArticleRead
from service.database import Session
from service.formats.addresses import with_whole_addresses
from service.images.models import EffectiveCaption, Picture, Rendition
from service.published import documents as stored_documents
from service.published import store
from service.published.filters import Filter
from service.published.models import Kind
from service.settings import Settings
from service.tables import ANY_LANGUAGE

LONGEST = 50
"""Articles in a feed. A client that needs more reads the lists or the change feed."""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FeedPicture:
    """A picture that an article shows, the size of it that the feed names, and the caption that
    it has there.
    """

    image: Picture
    shown: Rendition
    caption: EffectiveCaption | None


@dataclass(frozen=True, slots=True)
class FeedArticle:
    """An article as the writers of feeds read it, with whole addresses."""

    article: ArticleRead
    address: str
    published: datetime
    pictures: tuple[FeedPicture, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """The articles of a feed, and what it is narrowed to: the input of all three writers."""

    settings: Settings
    sections: tuple[str, ...]
    languages: tuple[str, ...]
    documents: Sequence[bytes]
    """The published documents of its articles."""

    @property
    def title(self) -> str:
        """Return the publication, and the section when it is of one."""
        return ": ".join(filter(None, (self.settings.site_name, ", ".join(self.sections))))

    @property
    def language(self) -> str:
        """Return the language that is asked for, or else the one of the house."""
        asked = [language for language in self.languages if language != ANY_LANGUAGE]
        return asked[0] if len(self.languages) == len(asked) == 1 else self.settings.language

    def address(self, name: str) -> str:
        """Return the address of this feed in one of its three forms."""
        return self.settings.public_url + path_of(name, self.sections, self.languages)


def path_of(name: str, sections: Sequence[str] = (), languages: Sequence[str] = ()) -> str:
    """Return the path and query of a feed."""
    asked = urlencode({"section": sections, "language": languages}, doseq=True)
    return f"/feeds/{name}" + (f"?{asked}" if asked else "")


def read(session: Session, settings: Settings, sections: tuple[str, ...], languages: tuple[str, ...]) -> Feed:
    """Read what a feed holds just now."""
    listed = store.page(
        session, Kind.ARTICLE, Filter(section=sections, language=languages), "-published_at", None, LONGEST
    )
    return Feed(settings, sections, languages, listed.documents)


def last_updated(times: Iterable[datetime]) -> datetime:
    """Return the latest of these times of change, or 1970 when there are none."""
    return max(times, default=_NEVER)


def feed_article_of(settings: Settings, document: bytes) -> FeedArticle:
    """Return what a published document has for feeds, with whole addresses."""
    article = with_whole_addresses(settings, stored_documents.read(ArticleRead, document))
    published = article.published_at or article.updated_at
    return FeedArticle(article, address_of(settings, article), published, tuple(_pictures(article)))


def _pictures(article: ArticleRead) -> Iterator[FeedPicture]:
    """Yield the lead picture first, then those of the body; each once, and none that has no file."""
    seen = set()
    lead = [] if article.lead_image is None else [(article.lead_image, article.lead_image.caption)]
    placed = [
        (block.image, block.caption)
        for block in article.body
        if isinstance(block, ResolvedImage) and block.image is not None
    ]
    for image, caption in [*lead, *placed]:
        if image.renditions and image.id not in seen:
            seen.add(image.id)
            yield FeedPicture(image, image.renditions[0], caption)
