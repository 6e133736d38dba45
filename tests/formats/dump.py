"""A page as somebody copied it out of a browser window: the sample of the documents."""

from tests.commands import ROOT

DUMP = (ROOT / "docs" / "samples" / "page.txt").read_text()
