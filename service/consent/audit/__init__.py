"""Audit: rates, records, exports and their proof, and what the ledger needs while it serves."""
