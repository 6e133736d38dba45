"""A migration during which the version before it could not go on serving is refused before it is
committed.
"""

from pathlib import Path

from alembic.script import ScriptDirectory

from service.schema import migrations
from service.settings import Settings
from tests.upgrade.migrations import faults
from tests.upgrade.planting import AFTER_ALL, planted

TABLE = "op.create_table('note', sa.Column('id', sa.Uuid(), primary_key=True))\n"
UNSAFE = {
    "adding-required-field": "op.add_column('article', sa.Column('mood', sa.String(), nullable=False))",
    "adding-field-with-default": "op.add_column('article', sa.Column('mood', sa.Uuid(), server_default=sa.text('gen_random_uuid()')))",
    "require-concurrent-index-creation": "op.create_index('ix_mood', 'article', ['headline'])",
    "ban-drop-column": "op.drop_column('article', 'byline')",
    "ban-drop-table": "op.drop_table('caption')",
    "renaming-column": "op.alter_column('article', 'byline', new_column_name='writers')",
    "renaming-table": "op.rename_table('caption', 'legend')",
    "changing-column-type": "op.alter_column('article', 'byline', type_=sa.Text())",
    "adding-not-nullable-field": "op.alter_column('article', 'byline', nullable=False)",
    "disallowed-unique-constraint": "op.create_unique_constraint('uq_mood', 'article', ['headline'])",
    "constraint-missing-not-valid": "op.create_check_constraint('ck_mood', 'article', 'version > 0')",
    "changes or reads rows": "op.execute('UPDATE article SET byline = NULL')",
    "locks several tables": "for table in ('article', 'caption'):\n    op.add_column(table, sa.Column('mood', sa.String()))",
    "nothing but": TABLE + "build_index('ix_mood', 'article', ['headline'])",
    "may do nothing but": (
        "with op.get_context().autocommit_block():\n"
        "    op.create_index('ix_mood', 'article', ['headline'], postgresql_concurrently=True)"
    ),
}
SAFE = {
    "a column": "op.add_column('article', sa.Column('mood', sa.String()))",
    "a column with a default": "op.add_column('article', sa.Column('mood', sa.Integer(), nullable=False, server_default='0'))",
    "a table with a row": TABLE + "op.execute('INSERT INTO note (id) VALUES (NULL)')",
    "an index": "build_index('ix_mood', 'article', ['headline'], where=sa.text('byline IS NULL'))",
}


def found(folder: Path, upgrade: str) -> list[str]:
    settings = Settings(_env_file=None, database_url="postgresql://unused/unused")
    head = ScriptDirectory.from_config(migrations(settings)).get_current_head()
    return list(faults(planted(settings, folder, upgrade), after=str(head)))


def test_what_the_version_before_could_not_serve_with_is_refused(tmp_path: Path) -> None:
    for number, (rule, upgrade) in enumerate(UNSAFE.items()):
        said = found(tmp_path / str(number), upgrade)
        assert [each for each in said if rule in each and each.startswith(f"{AFTER_ALL}: ")], (rule, said)


def test_what_only_adds_is_taken(tmp_path: Path) -> None:
    refused = {name: found(tmp_path / name, upgrade) for name, upgrade in SAFE.items()}
    assert not any(refused.values()), refused


def test_two_that_follow_the_same_one_and_one_out_of_order_are_refused(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, database_url="postgresql://unused/unused")
    column = SAFE["a column"]
    head = str(ScriptDirectory.from_config(migrations(settings)).get_current_head())
    beside = planted(settings, tmp_path / "beside", column, after="0044")
    assert f"{head}, {AFTER_ALL}: two migrations follow the same one" in list(faults(beside, after=head))
    below = planted(settings, tmp_path / "below", column, revision="0040b")
    assert any("0040b: it follows" in said for said in faults(below, after=head))
