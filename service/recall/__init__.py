"""Getting an article back: who had it, and who has been told that it was withdrawn."""
