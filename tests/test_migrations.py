"""One chain of migrations serves both databases, there and back."""

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect

from service.rooms import open_database
from service.schema import Unmigrated, migrations, require_migrated
from service.settings import Settings


def test_up_no_difference_down_and_up_again(settings: Settings) -> None:
    config, database = migrations(settings), open_database(settings)
    command.check(config)
    require_migrated(database)
    command.downgrade(config, "base")
    assert set(inspect(database.engine).get_table_names()) <= {"alembic_version"}
    with pytest.raises(Unmigrated, match="copydesk migrate"):
        require_migrated(database)
    command.upgrade(config, "head")
    command.check(config)
    database.close()


def test_a_database_of_a_later_version_is_refused(tmp_path: Path, sqlite_template: Path) -> None:
    path = tmp_path / "later.db"
    path.write_bytes(sqlite_template.read_bytes())
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    database = open_database(Settings(_env_file=None, database_url=f"sqlite:///{path}"))
    with pytest.raises(Unmigrated):
        require_migrated(database)
    database.close()
