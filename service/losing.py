"""Refuse a step down of the schema that would lose data, unless the operator allows it."""

from alembic import context, op


class WouldLose(RuntimeError):
    """A step down of the schema would lose data. The database is as it was before that step."""


def refuse_to_lose(what: str, rows: str, *, below: str) -> None:
    """Raise WouldLose when there are rows that the schema below this revision cannot hold.

    `what` names them with a {count}, `rows` is the FROM and WHERE that finds them.
    """
    if context.config.attributes.get("lose_data"):
        return
    count = op.get_bind().exec_driver_sql(f"SELECT count(*) FROM {rows}").scalar_one()
    if count:
        raise WouldLose(
            f"Below revision {below} the database cannot hold {what.format(count=count)}. It is at revision"
            f" {below} now and has lost nothing. `copydesk migrate --to … --lose-data` goes on and loses it."
        )
