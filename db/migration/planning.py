"""`migrate plan`: from what databases hold to what the target will be, each conversion proven on every value."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec.structs import replace

from db.migration import target_keys
from db.migration.copies import copies_asked, left_behind
from db.migration.plan_words import (
    Check,
    Column,
    ForeignKey,
    Index,
    NotMoved,
    Plan,
    Question,
    Source,
    Table,
    Unique,
    View,
)
from db.migration.plan_words import Sequence as IdSequence
from db.migration.planned_columns import ColumnPlanner, keyed
from db.migration.profile import profile_table
from db.migration.profile_words import TableProfile
from db.migration.proving import proven
from db.migration.snapshot import Snapshot, open_snapshot, refuse_copies, take_snapshot
from db.migration.sql_in_target import in_order, view_in_target
from db.migration.sqlite_schema import SqliteSchema, SqliteTable, quoted, read_schema
from db.migration.target_keys import Ground
from db.migration.target_names import free, slug, target_name

Change = Callable[[Plan, Mapping[str, Snapshot]], Plan]


class _SourcePlan:
    """One source while it is planned."""

    def __init__(self, name: str, schema: str, taken: Snapshot, answers: Mapping[str, str]) -> None:
        self.name = name
        self.schema = schema
        self._snapshot = taken
        self._columns = ColumnPlanner(name, answers)
        self._names: set[str] = set()
        self.not_moved: list[NotMoved] = []
        self.tables: list[Table] = []
        self.views: list[View] = []

    def make(self) -> None:
        """Plan everything of it."""
        with closing(open_snapshot(self._snapshot)) as connection:
            connection.execute("PRAGMA temp_store = FILE")
            schema = read_schema(connection)
            moved = [table for table in schema.tables if self._comes(table)]
            profiles = {table.name: profile_table(connection, table) for table in moved}
            self._names |= {target_name(table.name) for table in moved} | {
                target_name(view.name) for view in schema.views
            }
            made = {
                table.name.lower(): (table, self._table(table, profiles[table.name], keyed(table, schema)))
                for table in moved
            }
            made = {
                name: (table, self._with_keys(table, planned, profiles[table.name]))
                for name, (table, planned) in made.items()
            }
            for table, planned in made.values():
                self.tables.append(proven(connection, table, self._with_references(table, planned, made)))
            self._see_views(schema, connection)
            self._see_triggers(schema)

    def _comes(self, table: SqliteTable) -> bool:
        if table.kind == "shadow":
            self._leave(
                "shadow table", table.name, "it belongs to a virtual table, whose rows come by themselves", table.sql
            )
        elif table.unread or not table.columns:
            self._leave("virtual table", table.name, f"it cannot be read here: {table.unread}", table.sql)
        else:
            return True
        return False

    def _leave(self, kind: str, name: str, why: str, sql: str) -> None:
        self.not_moved.append(NotMoved(source=self.name, kind=kind, name=name, why=why, sqlite=sql))  # type: ignore[arg-type]  # a kind of its

    def _table(self, table: SqliteTable, profile: TableProfile, keyed: set[str]) -> Table:
        note = "a virtual table: its rows come, what it can search for does not" if table.kind == "virtual" else ""
        return Table(
            source=self.name,
            from_table=table.name,
            name=target_name(table.name),
            schema=self.schema,
            columns=self._columns.columns(table, profile, keyed),
            note=note,
        )

    @property
    def questions(self) -> Iterable[Question]:
        """Return what was asked."""
        return self._columns.questions.values()

    def _ground(self, table: SqliteTable, planned: Table) -> Ground:
        columns = {column.sources[0].lower(): column for column in planned.columns if len(column.sources) == 1}
        return Ground(self.name, table, columns, self._names)

    def _with_keys(self, table: SqliteTable, planned: Table, profile: TableProfile) -> Table:
        ground = self._ground(table, planned)
        nulls = {one.name: one.storage.get("null", 0) for one in profile.columns}
        key, note = target_keys.key_of(ground, nulls)
        found = [*target_keys.indexes_of(ground, has_key=bool(key)), *target_keys.checks_of(ground)]
        self.not_moved += _of(found, NotMoved)
        columns = tuple(replace(one, nullable=False) if one.name in key else one for one in planned.columns)
        return replace(
            planned,
            columns=columns,
            key=key or tuple(one.name for one in columns if one.sources == table.row_key and not table.key),
            key_note=note,
            uniques=tuple(_of(found, Unique)),
            indexes=tuple(_of(found, Index)),
            checks=tuple(_of(found, Check)),
            sequence=_sequence(table, ground.columns, profile),
        )

    def _with_references(
        self, table: SqliteTable, planned: Table, made: Mapping[str, tuple[SqliteTable, Table]]
    ) -> Table:
        found = list(target_keys.references_of(self._ground(table, planned), made, self._snapshot.orphans))
        self.not_moved += _of(found, NotMoved)
        return replace(planned, foreign_keys=tuple(_of(found, ForeignKey)))

    def _see_views(self, schema: SqliteSchema, connection: sqlite3.Connection) -> None:
        types: dict[str, set[str]] = {}
        for column in (column for table in self.tables for column in table.columns):
            types.setdefault(column.name, set()).add(column.type)
        made = []
        for view in schema.views:
            broken = _broken(connection, view.name)
            sql, why = ("", broken) if broken else view_in_target(view.sql, self._whole_name, types)
            name = target_name(view.name)
            made.append(View(source=self.name, name=name, schema=self.schema, sqlite=view.sql, sql=sql, note=why))
        self.views += in_order(made)

    def _whole_name(self, name: str) -> str:
        return f"{quoted(self.schema)}.{quoted(target_name(name))}"

    def _see_triggers(self, schema: SqliteSchema) -> None:
        for trigger in schema.triggers:
            self._leave(
                "trigger",
                trigger.name,
                f"a trigger on {trigger.table}: write it anew in PL/pgSQL, or do it in the program",
                trigger.sql,
            )


def plan(paths: Sequence[Path], answers: Mapping[str, str] | None = None, change: Change | None = None) -> Plan:
    """Return the plan for these databases.

    answers: to questions, by their names. change: what is known of these databases beyond what they say, with their snapshots by the
    names of the sources; tables that it changes are proven again. Raises: SourceRefused.
    """
    with TemporaryDirectory(prefix="watchkeeper-plan-") as folder:
        taken = [take_snapshot(path, Path(folder)) for path in paths]
        refuse_copies(taken)
        named: dict[str, Snapshot] = {}
        for one in taken:
            named[free(slug(one.source.stem), named)] = one
        asked = copies_asked(named, answers or {})
        doomed = {name for question in asked for name in left_behind(question)}
        parts = [_SourcePlan(name, name, one, answers or {}) for name, one in named.items() if name not in doomed]
        for part in parts:
            part.make()
        made = _together(parts, named, asked)
        return made if change is None else _proven(change(made, named), named)


def _proven(made: Plan, taken: Mapping[str, Snapshot]) -> Plan:
    tables = []
    for table in made.tables:
        if all(column.proof is not None for column in table.columns):
            tables.append(table)
            continue
        with closing(open_snapshot(taken[table.source])) as connection:
            source = next(one for one in read_schema(connection).tables if one.name == table.from_table)
            tables.append(proven(connection, source, table))
    return replace(made, tables=tuple(tables))


def _together(parts: Sequence[_SourcePlan], taken: Mapping[str, Snapshot], asked: Sequence[Question]) -> Plan:
    sources = (
        Source(name=part.name, path=str(one.source), digest=one.digest, sqlite_version=one.sqlite_version)
        for part in parts
        for one in (taken[part.name],)
    )
    return Plan(
        schema=parts[0].schema,
        sources=tuple(sources),
        questions=(*asked, *(question for part in parts for question in part.questions)),
        tables=tuple(table for part in parts for table in part.tables),
        views=tuple(view for part in parts for view in part.views),
        not_moved=tuple(one for part in parts for one in part.not_moved),
    )


def _broken(connection: sqlite3.Connection, view: str) -> str:
    """Return why SQLite itself cannot read a view: nothing in it says so before somebody does."""
    try:
        connection.execute(f"SELECT * FROM {quoted(view)} LIMIT 0")
    except sqlite3.Error as error:
        return f"SQLite itself cannot read it: {error}"
    return ""


def _sequence(table: SqliteTable, columns: Mapping[str, Column], profile: TableProfile) -> IdSequence | None:
    column = columns.get(table.rowid_column.lower()) if table.rowid_column else None
    if column is None:
        return None
    numbers = next(one.numbers for one in profile.columns if one.name == table.rowid_column)
    largest = int(numbers.largest.value) if numbers is not None and numbers.largest is not None else 0
    return IdSequence(column=column.name, at_least=max(table.sequence, largest, 0))


def _of(found: Sequence[Any], kind: type[Any]) -> Iterator[Any]:
    return (one for one in found if isinstance(one, kind))
