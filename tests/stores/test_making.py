"""A store of the version that is being written can be made: the command works before a release needs it."""

from pathlib import Path

import pytest

from tests.serving import running
from tests.stores import keeping
from tests.stores.make.__main__ import make
from tests.stores.make.version import ROOT, Version
from tests.stores.opening import opened
from tests.stores.saying import losses


@pytest.mark.long
def test_a_store_of_today_is_made_and_answers_what_was_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "KEPT", tmp_path / "kept")
    make(Version(ROOT), "today", tmp_path / "made")
    keeping.pack(tmp_path / "made", "today")
    with opened("today", "postgresql", tmp_path) as store:
        store.migrate()
        with running(store.settings) as served, served.client() as reader:
            assert losses(reader, store.manifest.public) == []
