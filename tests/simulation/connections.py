"""psycopg's connections by shape, over sessions with `ModelPostgres`; lending, dropping and translating errors stay `db.connections`' own."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from db.access import Access
from db.bounded import BoundedConnection
from db.connections import Connections
from db.store import PostgresStore
from tests.simulation.postgres import ModelPostgres, Session
from tests.simulation.statements import MEANINGS, POINTS, Rows, copy

_SERVER_VERSION = 180_006


class ModelStore(PostgresStore):
    """The real store over the model. owner: the process whose sessions they are."""

    def __init__(
        self, server: ModelPostgres, owner: object, still_leads: Callable[[], bool | None] = lambda: True
    ) -> None:
        access = Access(dsn="host=model")
        connections = ModelConnections(server, owner, access)
        super().__init__(access, connections, still_leads=still_leads, pause=lambda _: None)

    def open(self) -> None:
        self._connections.open()


class ModelConnections(Connections):
    """The real lending, of connections to the model."""

    def __init__(self, server: ModelPostgres, owner: object, access: Access) -> None:
        self._server = server
        self._owner = owner
        self._access = access
        self._writer = None
        self._writer_holder = None
        self._epoch = 0
        self._holders = {}
        self._holders_lock = _NoLock()  # type: ignore[assignment]  # there is one thread
        self._readers = _Pool(server, owner)  # type: ignore[assignment]  # by shape

    def name_epoch(self, epoch: int) -> None:
        self._epoch = epoch
        if self._writer is not None:
            self._writer._session.epoch = epoch  # type: ignore[attr-defined]  # as below

    def _connected_writer(self) -> BoundedConnection:
        if self._writer is None or self._writer.closed:
            session = self._server.connect(self._owner)
            session.epoch = self._epoch
            self._writer = ModelConnection(session)  # type: ignore[assignment]  # by shape
        return self._writer  # type: ignore[return-value]  # as above


class _NoLock:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


class _Pool:
    def __init__(self, server: ModelPostgres, owner: object) -> None:
        self._server = server
        self._owner = owner

    def open(self) -> None: ...

    def close(self) -> None: ...

    def drain(self) -> None: ...

    @contextmanager
    def connection(self) -> Iterator["ModelConnection"]:
        connection = ModelConnection(self._server.connect(self._owner))
        try:
            yield connection
        finally:
            connection.close()


class ModelConnection:
    """One connection."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def closed(self) -> bool:
        return not self._session.is_open

    @property
    def info(self) -> Any:
        status = TransactionStatus.INERROR if self._session.in_error else TransactionStatus.INTRANS
        return SimpleNamespace(server_version=_SERVER_VERSION, transaction_status=status)

    def execute(self, query: Any, parameters: Any = ()) -> "ModelCursor":
        return ModelCursor(self._session).execute(query, parameters)

    def cursor(self) -> "ModelCursor":
        return ModelCursor(self._session)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        session = self._session
        session.begin()
        try:
            yield
        except BaseException:
            session.rollback()
            raise
        session.commit()

    def commit(self) -> None: ...

    @contextmanager
    def patient(self, seconds: float) -> Iterator[None]:  # noqa: ARG002  # nothing takes time
        yield

    def close(self) -> None:
        if self._session.is_open:
            self._session.end()


class ModelCursor:
    """One cursor: the statement's meaning, carried out."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: Rows = []
        self.rowcount = -1

    def execute(self, query: Any, parameters: Any = ()) -> "ModelCursor":
        session = self._session
        session.demand()
        text = query.as_string(None) if isinstance(query, sql.Composable) else query
        meaning = MEANINGS.get(text)
        assert meaning is not None, f"the model does not know what this does: {text}"
        points, point = session.server.points, POINTS.get(text)
        if point is not None:
            points.before(point, session.owner)
        try:
            done = meaning(session, parameters)
        except psycopg.Error:
            session.in_error = True
            raise
        if point is not None:
            points.after(point, session.owner)
        if isinstance(done, int):
            self._rows, self.rowcount = [], done
        else:
            self._rows, self.rowcount = done, len(done)
        return self

    @contextmanager
    def copy(self, statement: str) -> Iterator["_Copy"]:
        yield _Copy(self._session, statement)

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows[0] if self._rows else None

    def fetchall(self) -> Rows:
        return self._rows

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._rows)


class _Copy:
    def __init__(self, session: Session, statement: str) -> None:
        self._session = session
        self._statement = statement

    def set_types(self, types: Sequence[str]) -> None: ...

    def write_row(self, row: Sequence[Any]) -> None:
        copy(self._session, self._statement, row)
