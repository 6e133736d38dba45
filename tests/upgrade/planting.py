"""Plant a migration after the head of the chain, in a folder of the test's own."""

import os
from pathlib import Path
from textwrap import indent

from alembic.config import Config
from alembic.script import ScriptDirectory

from service.schema import migrations
from service.settings import Settings

AFTER_ALL = "9999"


def planted(
    settings: Settings, folder: Path, upgrade: str, revision: str = AFTER_ALL, after: str | None = None
) -> Config:
    """Return the chain with one more migration, whose `upgrade` has these lines. It follows the head, or
    another one.
    """
    config = migrations(settings)
    chain = ScriptDirectory.from_config(config)
    lines = (
        "import sqlalchemy as sa",
        "from alembic import op",
        "from service.indexes import build_index",
        f"revision, down_revision = {revision!r}, {after or chain.get_current_head()!r}",
        f"def upgrade():\n{indent(upgrade, '    ')}",
        "def downgrade():\n    pass",
    )
    folder.mkdir()
    (folder / f"{revision}_planted.py").write_text("\n".join(lines))
    config.set_main_option("version_locations", os.pathsep.join([chain.versions, str(folder)]))
    config.set_main_option("path_separator", "os")
    return config
