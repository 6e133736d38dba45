"""The tests of one module share a store on each database; receivers are on loopback."""

from tests.webhooks.sharing import keeper, partner, store

__all__ = ["keeper", "partner", "store"]
