"""The recalls share the stores and the receivers of the webhooks' tests."""

from tests.webhooks.sharing import keeper, partner, store

__all__ = ["keeper", "partner", "store"]
