"""Decisions: readers accept, refuse and withdraw; each decision is added once and never changed."""
