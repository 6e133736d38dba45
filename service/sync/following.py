"""One follower: what it asks for, where it stands, and its next batch, from the public feed or from the staff's."""

import sqlite3
from dataclasses import dataclass

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from service.auth import Scope, identify
from service.database import Database
from service.errors import Unavailable
from service.published import feed
from service.published.feed import Batch, Head, Place, Wanted
from service.published.reader import Reader
from service.published.waiting import View, Waiting
from service.sync import desk


@dataclass(frozen=True, slots=True)
class Follower:
    """What is asked, and of whom. `secret` is the token's: it must still be good whenever something is told."""

    database: Database
    reader: Reader
    waiting: Waiting
    wanted: Wanted
    view: View
    limit: int
    secret: str | None

    async def head(self) -> Head:
        """Where the store stands. Raises Unavailable."""
        try:
            return await feed.head(self.reader)
        except (psycopg.Error, sqlite3.Error) as fault:
            raise Unavailable("The database did not answer.", headers={"Retry-After": "2"}) from fault

    async def take(self, place: Place) -> Batch:
        """The next batch after a place, whatever is in it. Raises Unauthorized when the token is no longer good."""
        try:
            if self.secret is not None:
                caller, _ = await run_in_threadpool(identify, self.database, self.secret)
                if self.view is View.STAFF:
                    caller.need(Scope.CONTENT_READ)
            if self.view is View.STAFF:
                return await run_in_threadpool(desk.batch, self.database, self.wanted, place, self.limit)
            return await feed.batch(self.reader, self.wanted, place, await feed.head(self.reader), self.limit)
        except (psycopg.Error, sqlite3.Error, SQLAlchemyError) as fault:
            raise Unavailable("The database did not answer.", headers={"Retry-After": "2"}) from fault
