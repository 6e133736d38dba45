"""Report an import beside its article: the parts of the page that were left out, and the files that could not
be fetched.
"""

from collections.abc import Iterable

import pydantic

from service.articles.models import ArticleRead
from service.newspages import Dropped as Left
from service.tables import Reading

_MOST_ENTRIES = 100


class Dropped(Reading):
    """A part of the page that is not in the article."""

    what: str = pydantic.Field(
        description="text, picture, embed, video, audio, form, table or banner", examples=["embed"]
    )
    where: str = pydantic.Field(
        description="its address, or its first words", examples=["https://polls.example/4711"]
    )


class Unfetched(Reading):
    """A picture whose file could not be had."""

    url: str
    reason: str


class ImportReport(Reading):
    """The parts that an import left out, each list at most 100 entries long."""

    dropped: list[Dropped]
    unfetched: list[Unfetched]


class ImportedArticle(ArticleRead):
    """The article that an import made or updated, and what it left out."""

    model_config = pydantic.ConfigDict(serialize_by_alias=True)

    report: ImportReport = pydantic.Field(alias="import")


def with_report(
    article: ArticleRead, dropped: Iterable[Left], unfetched: Iterable[Unfetched]
) -> ImportedArticle:
    """Return the article with the report of its import."""
    report = ImportReport(
        dropped=[Dropped(what=each.what, where=each.where) for each in dropped][:_MOST_ENTRIES],
        unfetched=list(unfetched)[:_MOST_ENTRIES],
    )
    return ImportedArticle.model_validate({**dict(article), "import": report})
