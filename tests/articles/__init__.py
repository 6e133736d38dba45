"""Articles over HTTP: a file per action."""
