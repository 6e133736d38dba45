"""A folder that holds the store's content: written by `copydesk export`, and taken in by `copydesk import`
into an empty store.
"""
