"""Notices: their words, their purposes, their versions, and what keeps one from carrying consent."""
