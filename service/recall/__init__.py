"""Recall an article: list who had it, and who has received its withdrawal."""
