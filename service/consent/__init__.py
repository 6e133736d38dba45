"""Readers' consent: what they were shown, what they decided, and what follows from it; every decision is kept
as it was made.
"""
