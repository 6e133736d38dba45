"""Say an expected failure in a sentence."""

from alembic.util import CommandError
from pydantic import ValidationError

from service.alone import AlreadyServed
from service.cli.common import program
from service.errors import ServiceError
from service.faults import DATABASE_FAULTS, Fault, answer_to, fault_of
from service.losing import WouldLose
from service.published.rendering import RenderedByNewer
from service.schema import Unmigrated
from service.server import CannotListen
from service.settings import Settings, UnsafeSetting

REFUSALS = (
    Unmigrated,
    RenderedByNewer,
    AlreadyServed,
    CannotListen,
    UnsafeSetting,
    ServiceError,
    WouldLose,
    CommandError,
)


def sentences(failure: Exception) -> list[str]:
    """Return what to tell the user, a line each; nothing where the failure is a fault of the program. A
    command that they name is called as this one was.
    """
    return [line.replace("`copydesk ", f"`{program()} ") for line in _lines_of(failure)]


def _lines_of(failure: Exception) -> list[str]:
    if isinstance(failure, ValidationError):
        return _wrong_values(failure)
    if isinstance(failure, FileNotFoundError):
        return [str(failure) if failure.filename is None else f"There is no file {failure.filename}."]
    if isinstance(failure, OSError) and failure.strerror:
        # What the machine refuses: the disk is full, a folder is a file, a file may not be read.
        return [
            f"{failure.strerror}." if failure.filename is None else f"{failure.filename}: {failure.strerror}."
        ]
    if isinstance(failure, REFUSALS):
        return [str(failure)]
    if isinstance(failure, DATABASE_FAULTS) and fault_of(failure) is not Fault.BUG:
        return [f"{answer_to(failure).detail} {getattr(failure, 'orig', None) or failure}"]
    return []


def _wrong_values(failure: ValidationError) -> list[str]:
    lines = []
    for error in failure.errors():
        place, said = ".".join(map(str, error["loc"])), error["msg"].removeprefix("Value error, ")
        name = f"COPYDESK_{place.upper()}" if failure.title == Settings.__name__ and place else place
        lines.append(f"{name}: {said}" if name else said)
    return lines
