"""How this process gets to PostgreSQL: where it is, as whom, and the bounds of everything that it asks (FAULTS section 3)."""

from dataclasses import dataclass, field
from typing import Final

from psycopg.conninfo import make_conninfo

from config.settings import Postgres
from db.bounded import BoundedConnection
from db.names import DatabaseNames

_TRANSACTION_TIMEOUT_SINCE: Final = 170_000
_NAME_MAX: Final = 63
_LINE_S: Final = 1.0
"""How much longer than its statement an answer may take on the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A way in. dsn: as the operator gave it; what is fixed here wins over what it says."""

    dsn: str
    instance: str = "watchkeeper"
    names: DatabaseNames = field(default_factory=DatabaseNames)
    readers: int = 2
    connect_timeout_s: int = 3
    statement_timeout_ms: int = 2000
    lock_timeout_ms: int = 500
    idle_in_transaction_timeout_ms: int = 5000
    pool_timeout_ms: int = 1000

    @staticmethod
    def from_settings(settings: Postgres, *, instance: str) -> "Access":
        """Return the way in that the process settings describe."""
        return Access(
            dsn=settings.dsn,
            instance=instance,
            names=names_from_settings(settings),
            readers=settings.readers,
            connect_timeout_s=max(1, round(settings.connect_timeout_s)),
            statement_timeout_ms=round(settings.statement_timeout_ms),
            lock_timeout_ms=round(settings.lock_timeout_ms),
            idle_in_transaction_timeout_ms=round(settings.idle_in_transaction_timeout_ms),
            pool_timeout_ms=round(settings.pool_timeout_ms),
        )

    def conninfo(self, role: str, *, epoch: int, read_only: bool) -> str:
        """Return everything that a session needs, in the packet that opens it.

        A session that works as the reader may go to a standby, and can change nothing.
        """
        session = {
            "role": role,
            "search_path": f"{self.names.schema},pg_temp",
            "timezone": "UTC",
            "statement_timeout": self.statement_timeout_ms,
            "lock_timeout": self.lock_timeout_ms,
            "idle_in_transaction_session_timeout": self.idle_in_transaction_timeout_ms,
            "default_transaction_read_only": "on" if read_only else "off",
        }
        return make_conninfo(
            self.dsn,
            connect_timeout=self.connect_timeout_s,
            keepalives=1,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            tcp_user_timeout=8000,
            target_session_attrs="any" if read_only else "read-write",
            application_name=self.application_name(epoch),
            options=" ".join(f"-c {name}={value}" for name, value in session.items()),
        )

    def application_name(self, epoch: int) -> str:
        """Return what `pg_stat_activity` shows; PostgreSQL cuts it at 63 bytes, so the instance gives way."""
        tail = f" epoch {epoch}"
        return f"watchkeeper {self.instance}"[: _NAME_MAX - len(tail)] + tail

    def bound(self, connection: BoundedConnection) -> None:
        """Limit each answer from here, and whole transactions where the server can (17 and newer)."""
        connection.patience_s = self.statement_timeout_ms / 1000 + _LINE_S
        if connection.info.server_version >= _TRANSACTION_TIMEOUT_SINCE:
            connection.execute(f"SET transaction_timeout = {self.idle_in_transaction_timeout_ms}")
            connection.commit()


def names_from_settings(settings: Postgres) -> DatabaseNames:
    """Return the configured names of database, schema and roles."""
    return DatabaseNames(
        database=settings.database,
        schema=settings.schema,
        owner=settings.owner_role,
        login=settings.login_role,
        writer=settings.writer_role,
        reader=settings.reader_role,
    )
