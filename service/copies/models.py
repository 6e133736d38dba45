"""Store the holders of copies, and what each was sent. A row is written once for each version and
holder, and kept.
"""

from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from service.tables import Table, Time


class CopyHolder(Table, table=True):
    """A token that follows one address of the feed, or, without a token, the webhook whose id this is.

    It outlives a webhook that is deleted: who had a copy still has it.
    """

    __tablename__ = "copy_holder"

    id: UUID = Field(primary_key=True)
    token_id: UUID | None = Field(default=None, foreign_key="token.id")
    address: str
    acked_seq: int = Field(sa_type=BigInteger)
    acked_at: Time
    stalled_at: Time | None = None
    """The time at which it was told that this holder has come to a stop."""
    end_told_at: Time | None = None
    """The time at which it was first refused because its contract has ended."""
    dropped_at: Time | None = None
    """The time at which it was known to have learnt of that end, and so to have dropped every copy."""


def _unanswered(name: str) -> tuple[Index, dict[str, bool]]:
    where = text("received_at IS NULL")
    index = Index(f"ix_{name}_unanswered", "holder_id", "seq", postgresql_where=where, sqlite_where=where)
    return index, {"sqlite_with_rowid": False}


class ImageCopy(Table, table=True):
    """One version of an image, or (`gone`) its removal, as it was sent to a holder: as `ArticleCopy`."""

    __tablename__ = "image_copy"
    __table_args__ = _unanswered("image_copy")

    image_id: UUID = Field(primary_key=True)
    holder_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    gone: bool = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)
    sent_at: Time
    received_at: Time | None = None


class ArticleCopy(Table, table=True):
    """One version of an article, or (`gone`) its removal, as it was sent to a holder; received once it has
    come back for more, or has answered 2xx.

    No foreign keys: rows are added by the hundred, and nothing that they name is ever deleted.
    """

    __tablename__ = "article_copy"
    __table_args__ = _unanswered("article_copy")

    article_id: UUID = Field(primary_key=True)
    holder_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    gone: bool = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)
    sent_at: Time
    received_at: Time | None = None
