"""Sessions of a copy and of what looks at it."""

from contextlib import closing

import psycopg


def connected(dsn: str) -> closing[psycopg.Connection]:
    """Return a session. Each of its statements is a transaction, unless one is opened."""
    connection = psycopg.connect(dsn, autocommit=True, connect_timeout=5, application_name="watchkeeper migrate")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET statement_timeout = 0")
    connection.execute("SET idle_in_transaction_session_timeout = 0")
    # A piece that is lost with the server is copied again: its note is lost with it.
    connection.execute("SET synchronous_commit = off")
    return closing(connection)
