"""Where these helpers were: they are in `tests.databases` and `tests.serving` now."""

from tests.databases import KINDS, empty_database
from tests.serving import another, serving

__all__ = ["KINDS", "another", "empty_database", "serving"]
