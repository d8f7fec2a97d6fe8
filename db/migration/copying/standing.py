"""What a copy has done so far, in the target itself: tables of the schema that the plan names for quarantine.

`runs` has a row for each plan that was begun, `pieces` and `steps` what there is to do and what is done, `rows` the quarantine.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
import psycopg
from psycopg import sql
from psycopg.rows import class_row

from db.migration.copying.source import Piece, Raw
from db.migration.documents import Quarantined, TableStands
from db.migration.plan_words import Plan, Table

_LOCK: Final = 7_201_533_011
"""Advisory lock: one process copies into a database at a time."""
_PATIENCE_S: Final = 10
_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS {schema}.runs (
        run bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, plan text NOT NULL, schemas text[] NOT NULL, snapshots text[] NOT NULL,
        started timestamptz NOT NULL DEFAULT clock_timestamp(), whole timestamptz)""",
    """CREATE TABLE IF NOT EXISTS {schema}.tables (
        run bigint NOT NULL REFERENCES {schema}.runs ON DELETE CASCADE, number int NOT NULL, source text NOT NULL, from_table text NOT NULL,
        target text NOT NULL, rows bigint NOT NULL, left_behind bigint NOT NULL, PRIMARY KEY (run, number))""",
    """CREATE TABLE IF NOT EXISTS {schema}.pieces (
        run bigint NOT NULL REFERENCES {schema}.runs ON DELETE CASCADE, number int NOT NULL, piece int NOT NULL, low bigint, high bigint,
        copied bigint, quarantined bigint, PRIMARY KEY (run, number, piece))""",
    """CREATE TABLE IF NOT EXISTS {schema}.steps (
        run bigint NOT NULL REFERENCES {schema}.runs ON DELETE CASCADE, step text NOT NULL, PRIMARY KEY (run, step))""",
    """CREATE TABLE IF NOT EXISTS {schema}.rows (
        run bigint NOT NULL REFERENCES {schema}.runs ON DELETE CASCADE, number int NOT NULL, place text NOT NULL, column_name text,
        reason text NOT NULL, columns text[] NOT NULL, classes text[] NOT NULL, cells bytea[] NOT NULL, PRIMARY KEY (run, number, place))""",
)


class Run(NamedTuple):
    """A copy that was begun. schemas: of the target; snapshots: the digests of the sources; whole: since when it can be seen."""

    run: int
    plan: str
    schemas: list[str]
    snapshots: list[str]
    started: datetime
    whole: datetime | None


def digest_of(plan: Plan) -> str:
    """Return what tells this plan from any other: its notes and proofs are part of it, where its sources lie only if nothing else tells them."""
    sources = tuple(msgspec.structs.replace(one, path="") if one.digest else one for one in plan.sources)
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(plan, sources=sources))).hexdigest()


class Standing:
    """The state of one run. Every method works in the transaction that is open on its connection."""

    def __init__(self, connection: psycopg.Connection, plan: Plan) -> None:
        self.connection = connection
        self.run = 0
        self._plan = plan
        self._schema = sql.Identifier(plan.quarantine)

    def _words(self, text: str) -> sql.Composed:
        return sql.SQL(text).format(schema=self._schema)

    def take_lock(self) -> bool:
        """Return whether this session is the only one that copies, until it ends. One that was just killed is waited for."""
        self.connection.execute("SELECT set_config('lock_timeout', %s, false)", [f"{_PATIENCE_S}s"])
        try:
            self.connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        except psycopg.errors.LockNotAvailable:
            return False
        self.connection.execute("SET lock_timeout = 0")
        return True

    def is_laid_out(self) -> bool:
        """Return whether there are tables of a copy here."""
        found = self.connection.execute(
            "SELECT to_regclass(format('%%I.runs', %s::text)) IS NOT NULL", [self._plan.quarantine]
        ).fetchone()
        return bool(found and found[0])

    def runs(self) -> list[Run]:
        """Return the copies that were begun in this database, the latest first."""
        if not self.is_laid_out():
            return []
        query = self._words("SELECT run, plan, schemas, snapshots, started, whole FROM {schema}.runs ORDER BY run DESC")
        with self.connection.cursor(row_factory=class_row(Run)) as cursor:
            return cursor.execute(query).fetchall()

    def tables(self, run: int) -> tuple[TableStands, ...]:
        """Return how far each table of a run is, in the plan's order."""
        query = self._words(
            """SELECT source, from_table, target, rows, left_behind, coalesce(sum(copied), 0)::bigint AS copied,
                coalesce(sum(quarantined), 0)::bigint AS quarantined, coalesce(sum(copied + quarantined), 0)::bigint AS done
            FROM {schema}.tables LEFT JOIN {schema}.pieces USING (run, number) WHERE run = %s
            GROUP BY number, source, from_table, target, rows, left_behind ORDER BY number"""
        )
        with self.connection.cursor(row_factory=class_row(TableStands)) as cursor:
            return tuple(cursor.execute(query, [run]).fetchall())

    def begin(self, schemas: Sequence[str], snapshots: Sequence[str]) -> None:
        """Make the tables where they are missing, and a run."""
        self.connection.execute(self._words("CREATE SCHEMA IF NOT EXISTS {schema}"))
        for statement in _TABLES:
            self.connection.execute(self._words(statement))
        query = self._words("INSERT INTO {schema}.runs (plan, schemas, snapshots) VALUES (%s, %s, %s) RETURNING run")
        found = self.connection.execute(query, [digest_of(self._plan), list(schemas), list(snapshots)]).fetchone()
        assert found is not None
        (self.run,) = found

    def add_table(
        self, number: int, table: Table, target: str, counts: tuple[int, int], pieces: Sequence[Piece]
    ) -> None:
        """Note what there is to do for a table. counts: its rows that are meant, and those that are not."""
        self.connection.execute(
            self._words("INSERT INTO {schema}.tables VALUES (%s, %s, %s, %s, %s, %s, %s)"),
            [self.run, number, table.source, table.from_table, target, *counts],
        )
        with self.connection.cursor() as cursor:
            cursor.executemany(
                self._words("INSERT INTO {schema}.pieces VALUES (%s, %s, %s, %s, %s)"),
                [(self.run, number, *piece) for piece in pieces],
            )

    def take_piece(self) -> tuple[int, Piece] | None:
        """Return a piece that is not done, as this transaction's own; None if all are done. Others' pieces are waited for last."""
        query = """SELECT number, piece, low, high FROM {schema}.pieces WHERE run = %s AND copied IS NULL
            ORDER BY number, piece LIMIT 1 FOR UPDATE"""
        for words in (f"{query} SKIP LOCKED", query):
            found = self.connection.execute(self._words(words), [self.run]).fetchone()
            if found is not None:
                return found[0], Piece(*found[1:])
        return None

    def piece_is_done(self, number: int, piece: Piece, *, copied: int, quarantined: int) -> None:
        """Note that the rows of a piece are in the target or in quarantine."""
        self.connection.execute(
            self._words(
                "UPDATE {schema}.pieces SET copied = %s, quarantined = %s WHERE run = %s AND number = %s AND piece = %s"
            ),
            [copied, quarantined, self.run, number, piece.number],
        )

    def quarantine(self, number: int, row: Raw, *, column: str | None, reason: str) -> None:
        """Keep a row that cannot come."""
        self.connection.execute(
            self._words("INSERT INTO {schema}.rows VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"),
            [self.run, number, row.place, column, reason, row.columns, row.classes, row.cells],
        )

    def pieces(self, number: int) -> list[Piece]:
        """Return the pieces of a table, in order."""
        query = self._words(
            "SELECT piece, low, high FROM {schema}.pieces WHERE run = %s AND number = %s ORDER BY piece"
        )
        return [Piece(*row) for row in self.connection.execute(query, [self.run, number])]

    def turn_back(self, number: int, piece: Piece, rows: int) -> None:
        """Note that rows of a piece which had arrived are in quarantine now."""
        self.connection.execute(
            self._words(
                "UPDATE {schema}.pieces SET copied = copied - %s, quarantined = quarantined + %s WHERE run = %s AND number = %s AND piece = %s"
            ),
            [rows, rows, self.run, number, piece.number],
        )

    def in_quarantine(self, number: int) -> int:
        """Return how many rows of a table there are in quarantine."""
        query = self._words("SELECT count(*) FROM {schema}.rows WHERE run = %s AND number = %s")
        found = self.connection.execute(query, [self.run, number]).fetchone()
        assert found is not None
        return int(found[0])

    def reasons(self, run: int) -> tuple[Quarantined, ...]:
        """Return why rows of a run are in quarantine, in the plan's order of tables, the commonest reason first."""
        query = self._words(
            """SELECT target, count(*) AS rows, reason, column_name AS column FROM {schema}.rows JOIN {schema}.tables USING (run, number)
            WHERE run = %s GROUP BY number, target, reason, column_name ORDER BY number, 2 DESC, reason, column_name"""
        )
        with self.connection.cursor(row_factory=class_row(Quarantined)) as cursor:
            return tuple(cursor.execute(query, [run]))

    def is_done(self, step: str) -> bool:
        """Return whether a step has been taken."""
        query = self._words("SELECT 1 FROM {schema}.steps WHERE run = %s AND step = %s")
        return self.connection.execute(query, [self.run, step]).fetchone() is not None

    def step_is_done(self, step: str) -> None:
        """Note that a step has been taken."""
        self.connection.execute(self._words("INSERT INTO {schema}.steps VALUES (%s, %s)"), [self.run, step])

    def is_whole(self) -> None:
        """Note that everything is where it belongs."""
        self.connection.execute(
            self._words("UPDATE {schema}.runs SET whole = clock_timestamp() WHERE run = %s"), [self.run]
        )

    def forget(self, run: int) -> None:
        """Remove what is known of a run, its quarantine included."""
        self.connection.execute(self._words("DELETE FROM {schema}.runs WHERE run = %s"), [run])
