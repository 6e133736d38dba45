"""The settings that say which database holds the store, how it is reached, and how long it is waited for."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

Addresses = Annotated[tuple[str, ...], NoDecode]
_POSTGRES = "postgresql://"


class StoreSettings(BaseSettings):
    """The addresses of the database, and its connections."""

    database_url: str = Field(
        "sqlite:///./var/copydesk.db", description="sqlite:///path or postgresql://user:password@host/name"
    )
    database_listen_url: str | None = Field(
        None,
        description=(
            "the same PostgreSQL past a pooler such as pgbouncer, for LISTEN and migrations; set, it says"
            " that COPYDESK_DATABASE_URL is the pooler's"
        ),
    )
    database_read_url: Addresses = Field(
        (),
        description=(
            "replicas of the same PostgreSQL, with commas between them: readers' rows come from one that has"
            " every change, else from the primary"
        ),
    )
    database_pool_size: int = Field(
        10, ge=1, le=200, description="connections kept open to PostgreSQL, per process"
    )
    request_deadline: float = Field(
        20.0,
        gt=0,
        description="seconds that one transaction of a request may take, waiting included; then 503",
    )

    @field_validator("database_url")
    @classmethod
    def known_database(cls, value: str) -> str:
        """Accept SQLite and PostgreSQL addresses only."""
        if value.startswith((_POSTGRES, "sqlite:///")):
            return value
        raise ValueError("must start with sqlite:/// or postgresql://")

    @field_validator("database_read_url", mode="before")
    @classmethod
    def known_replicas(cls, value: object) -> object:
        """Read `postgresql://a/x, postgresql://b/x` as two addresses; one may name several hosts itself."""
        if isinstance(value, str):
            value = tuple(part.strip() for part in re.split(rf",(?=\s*{_POSTGRES})", value) if part.strip())
        if isinstance(value, tuple) and not all(str(each).startswith(_POSTGRES) for each in value):
            raise ValueError("each must start with postgresql://")
        return value

    @field_validator("database_listen_url", mode="before")
    @classmethod
    def known_postgres(cls, value: object) -> object:
        """Accept a PostgreSQL address, or nothing."""
        if not value or (isinstance(value, str) and value.startswith(_POSTGRES)):
            return value or None
        raise ValueError("must start with postgresql://")

    @property
    def patience(self) -> float:
        """Return seconds that a transaction waits for one lock, one free connection or one short read."""
        return self.request_deadline / 4

    @property
    def is_sqlite(self) -> bool:
        """Return whether the database is a file of this process."""
        return self.database_url.startswith("sqlite")

    @property
    def sqlite_path(self) -> Path:
        """Return the database file."""
        return Path(self.database_url.removeprefix("sqlite:///"))

    @property
    def is_pooled(self) -> bool:
        """Return whether transactions share connections: nothing may be left on one for the next."""
        return self.database_listen_url is not None

    @property
    def most_connections(self) -> int:
        """Return how many connections to PostgreSQL a process has at the most: for requests and jobs, for
        readers, to hear of changes, and for its probe.
        """
        return 2 * self.database_pool_size + 2

    @property
    def session_url(self) -> str:
        """Return the address at which a connection keeps what it was told: LISTEN, settings, locks."""
        return self.database_listen_url or self.database_url
