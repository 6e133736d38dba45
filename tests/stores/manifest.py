"""What is written down about a kept store: the settings it ran with, and what its version answered."""

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, JsonValue

FILE = "manifest.json"


class Written(BaseModel):
    """A part of a manifest; a member that nobody knows is a mistake."""

    model_config = ConfigDict(extra="forbid")


class Answer(Written):
    """One answer: its status, where it sent the client, and what of its content must stay."""

    status: int
    location: str | None = None
    says: JsonValue = None


class Follower(Written):
    """A partner that stopped following.

    `copy` holds the SHA-256 of each document that it had, by kind and id. `query` are its filters.
    """

    query: str
    staff: bool = False
    next: str
    holds: dict[str, str]


class ListReader(Written):
    """A client that stopped in the middle of a list, and the ids that it had not seen."""

    address: str
    next: str
    rest: list[str]


class Decided(Written):
    """A reader who decided: the cookie, and what the service answered about the decisions."""

    cookie: str
    is_erased: bool = False
    events: list[dict[str, Any]] = []
    record: dict[str, Any] | None = None
    receipt: dict[str, Any] | None = None


class Log(Written):
    """Heads of the consent log, and the proofs that the service gave for them."""

    heads: list[dict[str, Any]] = []
    inclusion: list[dict[str, Any]] = []
    consistency: list[dict[str, Any]] = []


class Hook(Written):
    """A webhook that was disabled while messages waited: their ids, in their order."""

    id: str
    secret: str
    pending: list[str]
    finished: list[str]


class Manifest(Written):
    """All that a kept store must still answer."""

    name: str
    commit: str
    revision: str
    made_at: str
    settings: dict[str, str]
    tokens: dict[str, str]
    pools: dict[str, list[str]]
    """Values for the parameters of paths, by the name of the parameter."""
    public: dict[str, Answer] = {}
    staff: dict[str, Answer] = {}
    hidden: list[str] = []
    """Addresses that no reader may read."""
    files: dict[str, tuple[int, int]] = {}
    """Public addresses of pictures' files, with the pixels of the picture that each leads to."""
    followers: list[Follower] = []
    lists: list[ListReader] = []
    readers: list[Decided] = []
    log: Log = Log()
    hooks: list[Hook] = []

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest of an unpacked store."""
        return cls.model_validate_json((folder / FILE).read_bytes())

    def write(self, folder: Path) -> None:
        """Write the manifest beside its store."""
        (folder / FILE).write_text(self.model_dump_json(exclude_defaults=True, indent=1) + "\n")
