"""Have the caches in front drop what has changed: each public change, in order, at least once."""
