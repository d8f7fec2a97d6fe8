"""The few ways in which the PostgreSQL side breaks; psycopg's own errors are translated in `db.connections` and nowhere else."""

from bus.messages.failures import StoreUnavailable


class DatabaseError(Exception):
    """Something of the PostgreSQL side is broken."""


class ServerUnavailable(DatabaseError, StoreUnavailable):  # noqa: N818  # a state of the world, not a fault of the caller
    """No PostgreSQL answers, or ours did not start: try again, or look at its log."""


class SwallowedError(DatabaseError):
    """An error was caught inside a transaction block: PostgreSQL rolls all of it back, so the block must not seem done."""


class PoolExhausted(DatabaseError, StoreUnavailable):  # noqa: N818  # as above
    """No connection came free in time; the words name who holds them."""


class SchemaMismatch(DatabaseError):  # noqa: N818  # as above
    """The database's schema is not the one that this program needs: run `db upgrade`, or take the program that fits."""


class RowConflict(DatabaseError):  # noqa: N818  # as above
    """What stands in the database contradicts what a commit expects: a version, a dedupe key, a settings version."""
