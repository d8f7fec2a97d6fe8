"""The move from SQLite to PostgreSQL. Nothing but run.py imports it."""
