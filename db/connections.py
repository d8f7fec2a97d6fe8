"""The connections: one writer, a few readers, and the transactions on them. psycopg's errors are told apart here.

psycopg_pool's `check=check_connection` is not used: it turned a restart of PostgreSQL into an outage of 30 s. A connection that
failed is thrown away instead, and a failed reader drains its pool.
"""

import contextlib
import threading
from collections.abc import Iterator
from typing import Final

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool, PoolTimeout

from bus.messages.failures import StoreUnavailable
from db.access import Access
from db.bounded import BoundedConnection
from db.errors import PoolExhausted, RowConflict, SwallowedError

_LIFETIME_S: Final = 30 * 60
_RECONNECT_S: Final = 30
_WAITING_MAX: Final = 32
_AGAIN: Final = (errors.DeadlockDetected, errors.SerializationFailure)
_BAD_ROWS: Final = (
    *(psycopg.DataError, psycopg.IntegrityError, errors.ProgramLimitExceeded),
    *(RowConflict, ValueError, TypeError, OverflowError),
)


def is_passing(error: BaseException) -> bool:
    """Whether the same transaction may well succeed at once: a deadlock, a serialization failure (Fault 20)."""
    return isinstance(error, _AGAIN)


def is_bad_row(error: BaseException) -> bool:
    """Whether what was written is at fault, not the world: the same row fails again for ever."""
    return isinstance(error, _BAD_ROWS)


@contextlib.contextmanager
def transaction(connection: psycopg.Connection) -> Iterator[None]:
    """Run a block as one transaction.

    Raises: SwallowedError if the block caught an error of PostgreSQL: all was rolled back then, and `COMMIT` would not say so.
    """
    with connection.transaction():
        yield
        if connection.info.transaction_status == TransactionStatus.INERROR:
            raise SwallowedError("an error was caught inside a transaction: everything in it was rolled back")


class Connections:
    """Owns every connection of the process. The writer belongs to one thread; readers to whoever borrows one."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._writer: BoundedConnection | None = None
        self._writer_holder: str | None = None
        self._epoch = 0
        self._holders: dict[object, str] = {}
        self._holders_lock = threading.Lock()
        self._readers = ConnectionPool(
            access.conninfo(access.names.reader, epoch=0, read_only=True),
            min_size=1,
            max_size=access.readers,
            timeout=access.pool_timeout_ms / 1000,
            max_waiting=_WAITING_MAX,
            max_lifetime=_LIFETIME_S,
            reconnect_timeout=_RECONNECT_S,
            configure=access.bound,
            connection_class=BoundedConnection,
            open=False,
            name="readers",
        )

    def open(self) -> None:
        """Connect. Raises: StoreUnavailable; it may be called again."""
        with self.writer("opening"):
            pass
        self._readers.open()

    def close(self) -> None:
        """Give every connection back; returns when they are closed."""
        self.drop_writer()
        self._readers.close()

    def name_epoch(self, epoch: int) -> None:
        """Show in `pg_stat_activity` which epoch the writer writes for."""
        self._epoch = epoch
        if self._writer is not None:
            self._writer.execute(
                "SELECT set_config('application_name', %s, false)", [self._access.application_name(epoch)]
            )
            self._writer.commit()

    @contextlib.contextmanager
    def writer(self, purpose: str) -> Iterator[BoundedConnection]:
        """Lend the only writing connection, connecting first if there is none.

        Raises: StoreUnavailable, also for whatever goes wrong on it that is no bad row: it is replaced then.
        PoolExhausted when it is lent already; it says to whom (Fault 22).
        """
        if self._writer_holder is not None:
            raise PoolExhausted(f"the writer is held by {self._writer_holder}, so {purpose} cannot have it")
        self._writer_holder = purpose
        try:
            yield self._connected_writer()
        except psycopg.Error as error:
            if is_bad_row(error):
                raise
            self.drop_writer()
            if is_passing(error):
                raise
            # As with a reader: if the server went, the others have gone with it.
            self._readers.drain()
            raise StoreUnavailable(_words(error)) from error
        finally:
            self._writer_holder = None

    def _connected_writer(self) -> BoundedConnection:
        if self._writer is None or self._writer.closed:
            conninfo = self._access.conninfo(self._access.names.writer, epoch=self._epoch, read_only=False)
            self._writer = BoundedConnection.connect(conninfo)
            self._access.bound(self._writer)
        return self._writer

    def drop_writer(self) -> None:
        """Throw the writing connection away; the next borrower connects anew."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with contextlib.suppress(psycopg.Error):
                writer.close()

    @contextlib.contextmanager
    def reader(self, purpose: str) -> Iterator[BoundedConnection]:
        """Lend a connection that can only read, inside one snapshot.

        Raises: StoreUnavailable. PoolExhausted within the pool's timeout when all are lent; it names the holders (Fault 22).
        """
        holder = object()
        try:
            with self._readers.connection() as connection:
                with self._holders_lock:
                    self._holders[holder] = purpose
                try:
                    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                    yield connection
                finally:
                    with self._holders_lock:
                        del self._holders[holder]
        except PoolTimeout as error:
            held = self._held()
            if held:
                raise PoolExhausted(f"all readers are held by {held}, so {purpose} cannot have one") from error
            raise StoreUnavailable("no reader could connect") from error
        except psycopg.Error as error:
            # One connection that broke means that the server went: the others have gone with it.
            self._readers.drain()
            raise StoreUnavailable(_words(error)) from error

    def _held(self) -> str:
        with self._holders_lock:
            return ", ".join(sorted(self._holders.values()))


def _words(error: psycopg.Error) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else 'no words'}"
