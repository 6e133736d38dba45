"""What Copydesk promises, checked from the outside: over HTTP, on SQLite and on PostgreSQL."""
