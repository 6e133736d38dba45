"""Have the caches in front drop every answer that a public change affects: in order, at least once."""
