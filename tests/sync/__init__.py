"""Following the store."""
