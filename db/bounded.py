"""A connection on which no wait is without end.

`statement_timeout` is kept by the server, `tcp_user_timeout` by its kernel: a PostgreSQL that is stopped (SIGSTOP, a frozen disk)
keeps neither, and whoever asked it something would wait for ever. So the client counts as well.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors
from psycopg.abc import RV, PQGen

_LOOK_EVERY_S = 0.1


class BoundedConnection(psycopg.Connection[Any]):
    """patience_s: how long one answer may take; a connection that has not answered within it is closed."""

    patience_s: float = 3.0

    def wait(self, gen: PQGen[RV], interval: float = _LOOK_EVERY_S, timeout: float | None = None) -> RV:
        """Wait for an answer. Raises: psycopg.OperationalError, also when it stays out; the connection is closed then."""
        try:
            return super().wait(gen, interval, self.patience_s if timeout is None else timeout)
        except errors._WaitTimeout:  # noqa: SLF001  # psycopg (3.3) has no public name for it
            # Nobody knows what became of the question: no ROLLBACK may wait behind it.
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer within {self.patience_s:g} s") from None

    @contextmanager
    def patient(self, seconds: float) -> Iterator[None]:
        """Wait longer inside a block."""
        usual, self.patience_s = self.patience_s, seconds
        try:
            yield
        finally:
            self.patience_s = usual
