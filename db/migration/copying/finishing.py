"""After the data: keys, constraints, indexes, sequences, views; and then everything is seen at once.

Each step is one transaction with its note. A row that a constraint refuses goes to quarantine, and is taken out of the target: all
checks and unique keys first, then foreign keys until no row is left that leads nowhere, and only then are foreign keys made, so that
no `ON DELETE` of theirs ever takes a row away that nobody counts.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final

import psycopg
from psycopg import sql

from db.migration.copying.lanes import Refusal
from db.migration.copying.standing import Standing
from db.migration.copying.worker import Worker
from db.migration.plan_words import ForeignKey, Plan
from db.migration.target import (
    Step,
    all_columns,
    arriving,
    foreign_key,
    foreign_keys,
    keys,
    parent_of,
    place_of,
    raw,
    schemas,
    views,
)

_HEAD_BYTES: Final = 19
_SWEPT_MAX: Final = 1_000
"""Rows that are taken out at a time, with their fields in memory."""


class CountsDiffer(Exception):  # noqa: N818  # an outcome: nothing is seen of it
    """What arrived and what is in quarantine are not together what the source holds."""


class Finish:
    """Takes the steps after the data."""

    def __init__(self, standing: Standing, plan: Plan, worker: Worker, tell: Callable[[str], None]) -> None:
        """tell: hears what is done next."""
        self._standing = standing
        self._connection = standing.connection
        self._plan = plan
        self._worker = worker
        self._tell = tell

    def finish(self) -> None:
        """Take every step that is not taken. Raises: CountsDiffer; psycopg.Error for a step that cannot be taken."""
        for number in range(len(self._plan.tables)):
            for step in keys(self._plan, number, place_of(self._plan, number).arriving):
                self._take(step)
        self._once("orphans", self._sweep_orphans)
        for number, key in foreign_keys(self._plan):
            self._take(foreign_key(self._plan, number, key))
        for number, table in enumerate(self._plan.tables):
            if table.sequence is None or table.existing:
                continue
            self._once(f"{number} sequence", partial(self._set_sequence, number))
        self._once("statistics", self._analyze)
        self._publish()

    def _once(self, step: str, take: Callable[[], None]) -> None:
        with self._connection.transaction():
            if not self._standing.is_done(step):
                self._tell(_said(self._plan, step))
                take()
                self._standing.step_is_done(step)

    def _take(self, step: Step) -> None:
        self._once(step.name, lambda: self._make(step))

    def _make(self, step: Step) -> None:
        """Run a statement; rows that it finds at fault go to quarantine, and it runs again."""
        while True:
            try:
                with self._connection.transaction():
                    self._connection.execute(step.statement)
            except (psycopg.errors.UniqueViolation, psycopg.errors.CheckViolation):
                if step.table is None:
                    raise
                self._sweep_step(step)
            else:
                return

    def _sweep_step(self, step: Step) -> None:
        assert step.table is not None
        table = self._plan.tables[step.table]
        _, kind, *_ = step.name.split(" ", 2)
        name = step.name.split(" ", 2)[-1]
        if kind == "check":
            condition = next(one.condition for one in table.checks if one.name == name)
            refused = sql.SQL("NOT ({})").format(raw(condition))
            self._sweep_all(step.table, refused, f"does not fulfil {name}: {condition}")
            return
        if kind == "key":
            parts, where = [sql.Identifier(one) for one in table.key], ""
        else:
            unique = next(one for one in table.uniques if one.name == name)
            parts, where = [raw(one) for one in unique.parts], unique.where  # type: ignore[misc]  # both are composable
        listed = sql.SQL(", ").join(parts)
        words = sql.SQL(
            "ctid = ANY(ARRAY(SELECT ctid FROM (SELECT ctid, row_number() OVER (PARTITION BY {} ORDER BY ctid) AS nth FROM {} "
            "WHERE {}{}) AS twins WHERE nth > 1))"
        )
        present = sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(part) for part in parts)
        also = sql.SQL(" AND ({})").format(raw(where)) if where else sql.SQL("")
        twins = words.format(listed, place_of(self._plan, step.table).arriving, present, also)
        self._sweep_all(step.table, twins, f"its {name if kind == 'unique' else 'key'} stands there already")

    def _sweep_orphans(self) -> None:
        """Quarantine rows whose foreign keys lead nowhere, until there are none: each may have been somebody's parent."""
        swept = True
        while swept:
            swept = False
            for number, key in foreign_keys(self._plan):
                reason = f"{key.name}: no row of {key.table} has this {', '.join(key.columns)}"
                swept |= self._sweep_all(number, self._is_orphan(number, key), reason)

    def _is_orphan(self, number: int, key: ForeignKey) -> sql.Composed:
        pairs = list(zip(key.columns, key.references, strict=True))
        there = place_of(self._plan, number).arriving
        same = sql.SQL(" AND ").join(
            sql.SQL("parent.{} = {}.{}").format(sql.Identifier(theirs), there, sql.Identifier(ours))
            for ours, theirs in pairs
        )
        present = sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier(ours)) for ours, _ in pairs)
        words = sql.SQL("{} AND NOT EXISTS (SELECT FROM {} AS parent WHERE {})")
        return words.format(present, parent_of(self._plan, number, key), same)

    def _sweep_all(self, number: int, which: sql.Composable, reason: str) -> bool:
        """Quarantine the rows of an arriving table for which this holds; return whether there were any."""
        swept = False
        while self._sweep(number, which, reason):
            swept = True
        return swept

    def _sweep(self, number: int, which: sql.Composable, reason: str) -> bool:
        """Quarantine some of them. They are found again in the source by their fields, as they were copied."""
        there = place_of(self._plan, number).arriving
        found = self._connection.execute(
            sql.SQL("SELECT ctid::text FROM {} WHERE {} LIMIT {}").format(there, which, sql.Literal(_SWEPT_MAX))
        )
        places = [ctid for (ctid,) in found]
        if not places:
            return False
        doomed = sql.SQL("ctid = ANY({}::tid[])").format(sql.Literal(places))
        words = sql.SQL("COPY (SELECT {} FROM {} WHERE {}) TO STDOUT (FORMAT BINARY)")
        with self._connection.cursor().copy(words.format(all_columns(self._plan, number), there, doomed)) as copy:
            lines = [bytes(line) for line in copy]
        lines[0] = lines[0][_HEAD_BYTES:]
        wanted = Counter(line for line in lines if line and line != b"\xff\xff")
        assert wanted.total() == len(places), "each row of the target is one line"
        self._find(number, wanted, reason)
        self._connection.execute(sql.SQL("DELETE FROM {} WHERE {}").format(there, doomed))
        return True

    def _find(self, number: int, wanted: Counter[bytes], reason: str) -> None:
        """Find rows in the source by what became of them. Two that became the same are the same to everybody."""
        source, rows = self._worker.of(number)
        for piece in self._standing.pieces(number):
            turned = 0
            for cells, found in source.raws(piece):
                made = rows.one(cells)
                if not isinstance(made, Refusal) and wanted[made]:
                    wanted[made] -= 1
                    turned += 1
                    self._standing.quarantine(number, found, column=None, reason=reason)
            if turned:
                self._standing.turn_back(number, piece, turned)
            if not wanted.total():
                return
        raise CountsDiffer(
            f"{wanted.total()} rows of {place_of(self._plan, number).text} are not those that were copied"
        )

    def _set_sequence(self, number: int) -> None:
        """Let the identity column go on above everything that was ever given out: copied, quarantined, or remembered by SQLite."""
        table = self._plan.tables[number]
        assert table.sequence is not None
        there, column = place_of(self._plan, number).arriving, table.sequence.column
        source, _ = self._worker.of(number)
        words = sql.SQL("SELECT max({}) FROM {}").format(sql.Identifier(column), there)
        found = self._connection.execute(words).fetchone()
        copied = found[0] if found and found[0] is not None else 0
        sources = next(one.sources for one in table.columns if one.name == column)
        highest = max(table.sequence.at_least, copied, source.highest(sources[0]) if sources else 0)
        name = there.as_string(self._connection)
        self._connection.execute(
            "SELECT setval(pg_get_serial_sequence(%s, %s), %s, %s)", [name, column, max(highest, 1), highest >= 1]
        )

    def _make_views(self) -> None:
        """Make the views where they belong, as they may name it; what PostgreSQL refuses of them, lets nothing be seen."""
        path = sql.SQL(", ").join(map(sql.Identifier, schemas(self._plan)))
        self._connection.execute(sql.SQL("SET LOCAL search_path = {}").format(path))
        left = list(views(self._plan))
        while left:
            # One may be made of another: those that cannot be made yet are tried again after the others.
            waiting, error = [], None
            for view in left:
                try:
                    with self._connection.transaction():
                        self._connection.execute(view[2])
                except psycopg.errors.UndefinedTable as refusal:
                    waiting.append(view)
                    error = refusal
            if len(waiting) == len(left):
                assert error is not None
                raise error
            left = waiting

    def _analyze(self) -> None:
        for number in range(len(self._plan.tables)):
            self._connection.execute(sql.SQL("ANALYZE {}").format(place_of(self._plan, number).arriving))

    def _publish(self) -> None:
        """Count, and move everything to where it belongs, in one transaction. Raises: CountsDiffer."""
        self._tell("counting")
        with self._connection.transaction():
            self._connection.execute("SET LOCAL synchronous_commit = on")
            for schema in schemas(self._plan):
                if not self._stands(schema):
                    self._connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
            for number, table in enumerate(self._plan.tables):
                place = place_of(self._plan, number)
                self._count(number)
                if table.existing:
                    words = sql.SQL("INSERT INTO {} ({columns}) SELECT {columns} FROM {}")
                    columns = all_columns(self._plan, number)
                    self._connection.execute(words.format(place.name, place.arriving, columns=columns))
                    continue
                self._connection.execute(
                    sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(place.arriving, sql.Identifier(place.schema))
                )
            self._make_views()
            for schema in schemas(self._plan):
                self._connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(arriving(schema))))
            self._standing.is_whole()

    def _stands(self, schema: str) -> bool:
        found = self._connection.execute("SELECT to_regnamespace(quote_ident(%s)) IS NOT NULL", [schema]).fetchone()
        return bool(found and found[0])

    def _count(self, number: int) -> None:
        """Raise CountsDiffer unless what arrived and what is in quarantine is what the source has, each counted anew."""
        source, _ = self._worker.of(number)
        meant, _ = source.counts()
        found = self._connection.execute(
            sql.SQL("SELECT count(*) FROM {}").format(place_of(self._plan, number).arriving)
        ).fetchone()
        assert found is not None
        arrived, kept = found[0], self._standing.in_quarantine(number)
        if arrived + kept != meant:
            raise CountsDiffer(
                f"{place_of(self._plan, number).text}: {arrived:,} rows arrived and {kept:,} are in quarantine, but the source has {meant:,}"
            )


def _said(plan: Plan, step: str) -> str:
    """Return a step as people read it: with the table's name for its number."""
    number, _, rest = step.partition(" ")
    return f"{place_of(plan, int(number)).text}: {rest}" if number.isdigit() else step
