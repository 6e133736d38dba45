"""Keep how far the import of a file has come, in the transaction of the items themselves."""

from sqlmodel import Field, col, delete

from service.database import Session, upsert
from service.tables import Table, Time, now


class BulkPlace(Table, table=True):
    """An import that has not come to its end: how many items are done with, and how many of them were
    refused.
    """

    __tablename__ = "bulk_place"

    digest: str = Field(primary_key=True)
    """SHA-256 of the file and of how it is imported: what is known by its name alone may have changed since.
    """
    items: int
    refused: int
    at: Time


def find(session: Session, digest: str) -> BulkPlace | None:
    """Return the place at which an import was interrupted."""
    return session.get(BulkPlace, digest)


def keep(session: Session, digest: str, items: int, refused: int) -> None:
    """Keep how far an import has come."""
    session.execute(
        upsert(session, BulkPlace), {"digest": digest, "items": items, "refused": refused, "at": now()}
    )


def forget(session: Session, digest: str) -> None:
    """Delete the place of an import that has finished, or that starts from the beginning."""
    session.execute(delete(BulkPlace).where(col(BulkPlace.digest) == digest))
