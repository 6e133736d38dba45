"""Articles in the shapes of others: saved pages read into articles, articles written as feeds and wire
formats.
"""
