"""A mirror serves what its origin publishes."""
