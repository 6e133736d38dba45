"""The tests of one module share a store on each database: each makes content of its own."""

from tests.sharing import store

__all__ = ["store"]
