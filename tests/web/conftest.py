"""The tests of one module share a store on each database: each makes articles of its own."""

from tests.everywhere.conftest import store

__all__ = ["store"]
