"""Refuse a migration during which the version before it could not go on serving: `python -m
tests.upgrade.migrations`, a part of `./run check`.

squawk judges the statements for PostgreSQL that each migration after the first release makes. What it does
not know is judged here.
"""

import io
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from service.schema import migrations
from service.settings import Settings

RELEASED = "0010"
"""The last migration of the first release, which may not be changed any more."""
ROOT = Path(__file__).parents[2]
OWN = re.compile(r"BEGIN|COMMIT|SET lock_timeout|(UPDATE|INSERT INTO) alembic_version", re.IGNORECASE)
CHANGES_ROWS = re.compile(
    r"(UPDATE|DELETE|MERGE|TRUNCATE|WITH|SELECT|INSERT(?!.*\bVALUES\b))\b", re.IGNORECASE
)
ALTERS = re.compile(r"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(\w+)", re.IGNORECASE)
CREATES = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", re.IGNORECASE)
DROPS_INDEX = re.compile(r"DROP INDEX CONCURRENTLY IF EXISTS (\w+)$", re.IGNORECASE)
BUILDS_INDEX = re.compile(r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY (\w+) ", re.IGNORECASE)


def main() -> None:
    """Judge the migrations of this checkout."""
    found = list(faults(migrations(Settings(_env_file=None, database_url="postgresql://unused/unused"))))
    if found:
        sys.exit("\n".join(found))


def faults(config: Config, after: str = RELEASED) -> Iterator[str]:
    """Yield a line for each fault of the migrations after a revision, the oldest migration first."""
    chain = ScriptDirectory.from_config(config)
    scripts = list(chain.iterate_revisions("heads", after))
    if len(heads := chain.get_heads()) > 1:
        yield f"{', '.join(heads)}: two migrations follow the same one"
    for script in reversed(scripts):
        if str(script.down_revision) >= script.revision:
            yield f"{script.revision}: it follows {script.down_revision}, whose number is not below its own"
    with tempfile.TemporaryDirectory(prefix="copydesk-migrations-") as folder:
        for script in reversed(scripts):
            sql = statements_of(config, str(script.down_revision), script.revision)
            for said in _own_rules(sql):
                yield f"{script.revision}: {said}"
            Path(folder, f"{script.revision}.sql").write_text(sql)
        yield from _squawk(Path(folder))


def statements_of(config: Config, above: str, revision: str) -> str:
    """Return the SQL for PostgreSQL of one migration."""
    config.output_buffer = io.StringIO()
    command.upgrade(config, f"{above}:{revision}", sql=True)
    return config.output_buffer.getvalue()


def _own_rules(sql: str) -> Iterator[str]:
    statements = [each for each in _parted(sql) if not OWN.match(each)]
    for statement in statements:
        if CHANGES_ROWS.match(statement):
            yield f"it changes or reads rows ({statement[:60]} …): the service does that, in small transactions"
    altered = {name for each in statements for name in ALTERS.findall(each)}
    altered -= {name for each in statements for name in CREATES.findall(each)}
    if len(altered) > 1:
        tables = ", ".join(sorted(altered))
        yield f"it locks several tables ({tables}): requests for one would wait until the other is free"
    if any(" CONCURRENTLY " in each.upper() for each in statements) and not _is_of_one_index(statements):
        yield "it builds an index beside the writers, and so may do nothing but `service.indexes.build_index`"


def _is_of_one_index(statements: Sequence[str]) -> bool:
    """Tell whether these drop an index that is half built and build it, or only drop it."""
    dropped = [match[1] for each in statements if (match := DROPS_INDEX.match(each))]
    built = [match[1] for each in statements if (match := BUILDS_INDEX.match(each))]
    return len(dropped) == 1 and built in ([], dropped) and len(statements) == len(dropped + built)


def _parted(sql: str) -> Iterator[str]:
    """Yield the statements, each in one line, without comments and the bodies of functions."""
    bare = re.sub(r"\$\$.*?\$\$|--[^\n]*", "", sql, flags=re.DOTALL)
    for statement in bare.split(";"):
        if words := " ".join(statement.split()):
            yield words


def _squawk(folder: Path) -> Iterator[str]:
    program = Path(sys.executable).with_name("squawk")
    asked = [
        str(program),
        "--reporter=json",
        f"--config={ROOT / '.squawk.toml'}",
        *sorted(map(str, folder.iterdir())),
    ]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"squawk failed: {done.stderr}")
    for said in json.loads(done.stdout or "[]"):
        yield f"{Path(said['file']).stem}: {said['message']} ({said['rule_name']})"


if __name__ == "__main__":
    main()
