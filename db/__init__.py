"""The PostgreSQL wire."""
