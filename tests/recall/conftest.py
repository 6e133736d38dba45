"""The recalls share the stores and the receivers of the webhooks' tests."""

from tests.webhooks.conftest import keeper, partner, store

__all__ = ["keeper", "partner", "store"]
