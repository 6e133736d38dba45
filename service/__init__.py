"""Copydesk: a content store for news, behind one JSON API."""

__version__ = "0.1.0"
