"""Sitemaps (sitemaps.org 0.9): one of the last two days' news, and an index of all articles by section."""
