"""PostgreSQL as the actors see it (`actors.ports.Store`): commits in groups, bad ones found and set aside, nothing written twice.

A batch is one transaction. If a row of it is refused, the batch is halved until the culprit stands alone; its neighbours are
written, in order, it is not, and what it wanted is kept in the quarantine. A commit for the trade of a refused one is refused as
well, and so is one whose trade stands at another version than it builds on. Nothing of these is kept: they are not at fault,
and whoever starts again from the record hears their inputs once more.

If the connection breaks, the caller writes the same commits again. What had been written by then is remembered here, and a
transaction that broke in its COMMIT is asked for by its number (`pg_xact_status`), so nothing is written twice (Fault 2).
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from loguru import logger
from psycopg import sql

from bus.messages import plain
from bus.messages.envelope import Outgoing
from bus.messages.failures import Fenced, StoreUnavailable
from bus.messages.records import Commit, Place, Quarantined, Query, Recovered
from bus.messages.settings import Layer, SettingsChanged
from db import migrations, reader, recovery, standing
from db import statements as say
from db.access import Access
from db.bounded import BoundedConnection
from db.connections import Connections, is_bad_row, is_passing, transaction
from db.rows import Batch, instant, quarantine_row
from db.standing import Standing
from db.writer import BatchWriter

_TRIES_MAX: Final = 5
_PAUSE_S: Final = 0.02

TAKE_LEAD: Final = (
    "UPDATE leader SET epoch = %(epoch)s, instance = %(instance)s, taken_at = %(at)s WHERE epoch < %(epoch)s"
)
MARK_PUBLISHED: Final = "UPDATE outbox SET published_at = %s WHERE msg_id = ANY (%s::text[]) AND published_at IS NULL"
RECORD_STREAM: Final = "INSERT INTO streams (name, created, recorded_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
STREAMS: Final = "SELECT name, created FROM streams"
NOTE_PLACES: Final = """
    UPDATE streams AS s SET journaled = r.reached FROM unnest(%s::text[], %s::bigint[]) AS r (name, reached)
    WHERE s.name = r.name AND s.journaled < r.reached
"""
IDENTITY: Final = """
    SELECT (SELECT system_identifier::text FROM pg_control_system()), current_database(),
        (SELECT oid::bigint FROM pg_database WHERE datname = current_database())
"""
ANY_SETTINGS: Final = "SELECT EXISTS (SELECT FROM settings_history)"
LEADER: Final = "SELECT epoch FROM leader"
TERMINATE: Final = "SELECT pg_terminate_backend(%s)"
AS_LOGIN: Final = sql.SQL("SET LOCAL ROLE NONE")
"""Only the login itself may end its sessions."""
END_OLDER: Final = r"""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = session_user AND pid <> pg_backend_pid()
        AND substring(application_name FROM '^watchkeeper .* epoch ([0-9]+)$')::bigint BETWEEN 1 AND %s - 1
"""
"""Epoch 0: readers, and whoever stands by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which database this is, whatever its address: the cluster's own number, the database's name and number."""

    server: str
    database: str
    database_oid: int


@dataclass(slots=True)
class _Progress:
    """What has become of the commits of a call that may be made again."""

    standing: list[Commit] = field(default_factory=list)
    refused: list[tuple[Commit, str]] = field(default_factory=list)
    in_doubt: Sequence[Commit] = ()

    def settled(self) -> set[int]:
        return {id(commit) for commit in self.standing} | {id(commit) for commit, _ in self.refused}

    def lost_trades(self) -> set[str]:
        return {trade.trade_id for commit, _ in self.refused for trade in commit.trades}


Pause = Callable[[int], None]


def _back_off(tries: int) -> None:
    """Wait before a transaction is tried again, longer after each of `tries`."""
    time.sleep(random.uniform(0, _PAUSE_S * 2**tries))  # noqa: S311  # jitter


class PostgresStore:
    """Everything that the process asks of PostgreSQL. `query`: any thread; all else: the Database actor's thread alone.

    still_leads: whether the epoch of `take_lead` is in force where it was taken (ORDERS), None if nobody can say; asked before the
    first write of each new connection, for while there was none another may have taken over (Fault 46).
    connections, pause: what it speaks through, and how it waits before it tries again; tests have others.
    """

    def __init__(
        self,
        access: Access,
        connections: Connections | None = None,
        *,
        still_leads: Callable[[], bool | None] = lambda: True,
        pause: Pause = _back_off,
    ) -> None:
        self._access = access
        self._connections = connections or Connections(access)
        self._pause = pause
        self._still_leads = still_leads
        self._writer: BatchWriter | None = None
        self._confirmed: BoundedConnection | None = None
        """The connection under which the lead was last known to be ours."""
        self._progress = _Progress()

    def open(self) -> None:
        """Connect, and check the schema. Raises: StoreUnavailable, it may be called again then; SchemaMismatch."""
        migrations.demand_fit(self._access.dsn, self._access.names)
        self._connections.open()

    def close(self) -> None:
        """Close every connection."""
        self._connections.close()

    # What the actors ask

    def recover(self) -> Recovered:
        """Return what the house starts from, in one snapshot. Raises: StoreUnavailable."""
        with self._connections.reader("recovery") as connection, connection.patient(recovery.PATIENCE_S):
            return recovery.read_all(connection)

    def commit(self, commits: Sequence[Commit]) -> list[tuple[Commit, str]]:
        """Write `commits` in order; return those refused, each with its reason.

        Raises: StoreUnavailable: write the same commits again. Fenced: another epoch leads. Asserts that `take_lead` was called.
        """
        self._settle_doubt()
        settled = self._progress.settled()
        self._write([commit for commit in commits if id(commit) not in settled])
        refused, self._progress = self._progress.refused, _Progress()
        return refused

    def mark_published(self, msg_ids: Sequence[str], now_ns: int, reached: Mapping[str, int] | None = None) -> None:
        """Mark outbox rows as stored by NATS, and note how far each stream has had its effect. Raises: StoreUnavailable."""
        with self._leading("marking the outbox") as connection, transaction(connection):
            if msg_ids:
                connection.execute(MARK_PUBLISHED, [instant(now_ns), list(msg_ids)])
            if reached:
                connection.execute(NOTE_PLACES, [list(reached), list(reached.values())])

    def query(self, query: Query) -> object:
        """Answer a question of kind `trade` (a Trade or None), `capsule` (a Capsule or None), `trades` (Trades) or `settings_history` (SettingsHistory).

        Raises: StoreUnavailable; ValueError for an unknown kind.
        """
        with self._connections.reader(f"query {query.kind}") as connection:
            match query.kind:
                case "trade":
                    return reader.read_trade(connection, str(query.arguments["trade_id"]))
                case "capsule":
                    return reader.read_capsule(connection, str(query.arguments["trade_id"]))
                case "trades":
                    return reader.read_trades(connection, query.arguments)
                case "settings_history" | "settings":
                    return reader.read_settings_history(connection, query.arguments)
                case _:
                    raise ValueError(f"unknown kind of question: {query.kind}")

    # What run.py asks while it starts

    def take_lead(self, epoch: int, instance: str, now_ns: int) -> bool:
        """Lead from now on, if `epoch` is higher than any before; return whether it was. Raises: StoreUnavailable.

        Sessions of older epochs are ended first: one of a process that is paused in a transaction holds the very row.
        """
        with self._connections.writer("taking the lead") as connection:
            with transaction(connection):
                connection.execute(AS_LOGIN)
                connection.execute(END_OLDER, [epoch])
            with transaction(connection):
                taken = connection.execute(
                    TAKE_LEAD, {"epoch": epoch, "instance": instance, "at": instant(now_ns)}
                ).rowcount
            self._confirmed = connection
        if taken:
            self._writer = BatchWriter(epoch)
            self._connections.name_epoch(epoch)
        return bool(taken)

    def epoch(self) -> int:
        """Return the epoch that leads according to PostgreSQL; 0 before the first. Raises: StoreUnavailable."""
        with self._connections.reader("the epoch") as connection:
            row = connection.execute(LEADER).fetchone()
            assert row is not None
            return int(row[0])

    def unpublished(self, limit: int) -> tuple[Outgoing, ...]:
        """Return the oldest outbox messages that NATS may not have, in order. Raises: StoreUnavailable."""
        with self._connections.reader("the outbox") as connection:
            return recovery.read_unpublished(connection, limit)

    def places(self) -> dict[str, Place]:
        """Return, by stream, how far its inputs have had their effect. Raises: StoreUnavailable."""
        with self._connections.reader("settled inputs") as connection:
            return recovery.read_places(connection)

    def record_stream(self, name: str, created: str, now_ns: int) -> None:
        """Put a stream on record; what stands under its name stays. Raises: StoreUnavailable."""
        with self._connections.writer("recording a stream") as connection, transaction(connection):
            connection.execute(RECORD_STREAM, [name, created, instant(now_ns)])

    def streams(self) -> dict[str, str]:
        """Return name -> creation time of the streams on record. Raises: StoreUnavailable."""
        with self._connections.reader("the streams") as connection:
            return dict(connection.execute(STREAMS).fetchall())

    def identity(self) -> Identity:
        """Return which database this is (Lesson 53). Raises: StoreUnavailable."""
        with self._connections.reader("identity") as connection:
            row = connection.execute(IDENTITY).fetchone()
            assert row is not None
            return Identity(server=row[0], database=row[1], database_oid=row[2])

    def seed_settings(self, values: Mapping[str, object], now_ns: int) -> bool:
        """Make `values` version 1 of the stop settings if there is none; return whether. `take_lead` comes first. Raises: StoreUnavailable."""
        with self._connections.reader("the settings") as connection:
            row = connection.execute(ANY_SETTINGS).fetchone()
        if row is not None and row[0]:
            return False
        first = SettingsChanged(
            version=1,
            layer=Layer.DEFAULTS,
            name="",
            before={},
            after=dict(values),
            reason="the defaults of the program",
            requested_by="watchkeeper",
            ts=now_ns,
        )
        refused = self.commit([Commit(sender="start", cause="first start", now_ns=now_ns, settings=(first,))])
        return not refused

    @contextmanager
    def _leading(self, purpose: str) -> Iterator[BoundedConnection]:
        """Lend the writer to whoever leads. Raises: Fenced if another does, StoreUnavailable while nobody can say."""
        with self._connections.writer(purpose) as connection:
            if connection is not self._confirmed:
                match self._still_leads():
                    case None:
                        raise StoreUnavailable("nobody says whether another leads by now, and so nothing is written")
                    case False:
                        raise Fenced("another epoch leads in ORDERS")
                self._confirmed = connection
            yield connection

    # How a batch is written

    def _write(self, commits: Sequence[Commit]) -> None:
        """Write, halving what is refused. Left before right: order stands."""
        lost = self._progress.lost_trades()
        sound = []
        for commit in commits:
            if lost and lost & _trades_of(commit):
                self._progress.refused.append((commit, "it builds on a commit that was refused"))
                lost |= {trade.trade_id for trade in commit.trades}
            else:
                sound.append(commit)
        if not sound:
            return
        try:
            self._write_together(sound)
        except Exception as error:
            if not is_bad_row(error):
                raise
            if len(sound) == 1:
                self._judge(sound[0], error)
            else:
                middle = len(sound) // 2
                self._write(sound[:middle])
                self._write(sound[middle:])
        else:
            self._progress.standing.extend(sound)

    def _write_together(self, commits: Sequence[Commit]) -> None:
        """Write in one transaction, again where PostgreSQL says that it may succeed now (Fault 20, Lesson 61)."""
        assert self._writer is not None, "take_lead comes first"
        for tries in range(1, _TRIES_MAX + 1):
            try:
                with self._leading("group commit") as connection:
                    self._progress.in_doubt = commits
                    self._writer.write(connection, Batch(commits))
            except Exception as error:
                if not is_passing(error):
                    raise
                if tries == _TRIES_MAX:
                    raise StoreUnavailable(f"PostgreSQL gave way {tries} times: {error}") from error
                self._pause(tries)
            else:
                return

    def _judge(self, commit: Commit, error: Exception) -> None:
        """Decide on a commit that fails alone: it stands already, or it is refused."""
        with self._connections.writer("looking a commit up") as connection, transaction(connection):
            how = standing.of(connection, commit)
        match how:
            case Standing.WHOLE:
                self._progress.standing.append(commit)
            case Standing.DUPLICATE:
                self._progress.refused.append((commit, "duplicate: this input had its effect before"))
            case Standing.CONTRADICTED:
                self._refuse(commit, "the same key came before with another body; the first stands")
            case Standing.ELSEWHERE:
                self._progress.refused.append((commit, "its trade stands at another version than it builds on"))
            case Standing.NOT:
                self._refuse(commit, str(error).strip() or type(error).__name__)

    def _refuse(self, commit: Commit, reason: str) -> None:
        """Keep what `commit` wanted in the quarantine; never its effect."""
        assert self._writer is not None
        logger.bind(action="commit.refused", sender=commit.sender, cause=commit.cause).error("refused: {}", reason)
        with self._leading("quarantine") as connection, transaction(connection):
            if connection.execute(say.FENCE, [self._writer.epoch]).fetchone() is None:
                raise Fenced(f"epoch {self._writer.epoch} does not lead any more")
            with connection.cursor().copy(say.COPY_QUARANTINE) as copy:
                copy.set_types(say.QUARANTINE_TYPES)
                copy.write_row(quarantine_row(_culprit(commit, reason)))
        self._progress.refused.append((commit, reason))

    def _settle_doubt(self) -> None:
        """Ask what became of a transaction whose COMMIT nobody answered."""
        doubt = None if self._writer is None else self._writer.in_doubt
        if self._writer is None or doubt is None:
            return
        with self._connections.writer("asking for a lost commit") as connection, transaction(connection):
            row = connection.execute(say.XACT_STATUS, [doubt.xid]).fetchone()
            fate = row and row[0]
            if fate == "in progress":
                # Its session hangs on a dead line.
                connection.execute(AS_LOGIN)
                connection.execute(TERMINATE, [doubt.pid])
        if fate == "in progress":
            raise StoreUnavailable("the last batch's transaction has not ended yet")
        if fate == "committed":
            self._progress.standing.extend(self._progress.in_doubt)
        self._writer.in_doubt = None


def _trades_of(commit: Commit) -> set[str]:
    """Return the trades whose state `commit` builds on."""
    return (
        {trade.trade_id for trade in commit.trades}
        | {entry.trade_id for entry in commit.journal}
        | {order.trade_id for order in commit.orders}
        | {row.trade_id for row in commit.fills}
    )


def _culprit(commit: Commit, reason: str) -> Quarantined:
    row = commit.inbox
    if row is None:
        words = {"sender": commit.sender, "cause": commit.cause, "trades": sorted(_trades_of(commit))}
        return Quarantined(
            subject=f"commit of {commit.sender}", body=plain.to_json(words), reason=reason, received_ns=commit.now_ns
        )
    return Quarantined(
        subject=row.subject,
        body=row.body,
        reason=reason,
        received_ns=row.received_ns,
        stream=row.stream,
        sequence=row.sequence,
        key=row.key,
    )
