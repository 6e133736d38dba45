"""Look again at pictures that came in under other rules: at their sides, their colours, and what they say of
themselves.
"""

from collections.abc import Iterator
from contextlib import closing
from uuid import UUID

from pydantic import Field
from sqlmodel import col, select

from service.database import Database
from service.errors import Gone, NotFound, ServiceError
from service.images import lifecycle
from service.images.intake import Intake, KeptFile, drafted
from service.images.models import Image
from service.tables import Reading

_AT_ONCE = 500


class Looked(Reading):
    """Counts of a second look: pictures, those that differ from their rows, and those that cannot
    be decoded.
    """

    pictures: int = 0
    changed: int = 0
    refused: list[UUID] = Field(default_factory=list)


def look_again(database: Database) -> Looked:
    """Decode every picture of a working image anew, and write what has changed, each in a transaction of its
    own. What somebody has written stays.
    """
    seen = Looked()
    with closing(Intake(database.settings)) as intake:
        for image_id, digest, size in _pictures(database):
            seen.pictures += 1
            try:
                seen.changed += _write(database, image_id, _inspected(intake, digest, size))
            except (ServiceError, FileNotFoundError):
                seen.refused.append(image_id)
    return seen


def _write(database: Database, image_id: UUID, file: KeptFile) -> bool:
    with database.writing() as session:
        try:
            image = lifecycle.get(session, image_id, lock=True)
        except (Gone, NotFound):
            return False
        # Somebody may have replaced the file meanwhile.
        return image.digest == file.digest and lifecycle.look_again(session, image, file)


def _pictures(database: Database) -> Iterator[tuple[UUID, str, int]]:
    last = UUID(int=0)
    while True:
        wanted = select(Image.id, Image.digest, Image.size).where(
            col(Image.id) > last, col(Image.digest).is_not(None), col(Image.deleted_at).is_(None)
        )
        with database.reading() as session:
            found = session.exec(wanted.order_by(col(Image.id)).limit(_AT_ONCE)).all()
        for image_id, digest, size in found:
            yield image_id, digest or "", size or 0
        if not found:
            return
        last = found[-1][0]


def _inspected(intake: Intake, digest: str, size: int) -> KeptFile:
    with drafted(intake.store, size) as draft, intake.store.open(digest) as kept:
        while chunk := kept.read(1 << 20):
            draft.write(chunk)
        draft.flush()
        return KeptFile(digest, size, intake.lab.inspect(draft.path))
