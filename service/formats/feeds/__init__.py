"""Feeds of the newest articles, as RSS 2.0, Atom and JSON Feed 1.1: whole articles with their pictures,
captions and credits.
"""
