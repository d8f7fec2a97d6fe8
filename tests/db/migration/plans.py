"""Plans for tests: what a source holds decides, in the plainest way, what its columns become."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from db.migration.cells import read_exactly
from db.migration.conversions import Conversion
from db.migration.conversions.numbers import Double, Integer
from db.migration.conversions.texts import Blob, Literal, Text
from db.migration.copying.source import quoted
from db.migration.plan_words import Column, Plan, Sequence, Source, Table
from db.migration.snapshot import take_snapshot

_BY_CLASS: dict[str, tuple[str, Callable[[], Conversion]]] = {
    "integer": ("bigint", Integer),
    "real": ("double precision", Double),
    "text": ("text", Text),
    "blob": ("bytea", Blob),
}


def plain_plan(*sources: Path, folder: Path, schema: str = "moved") -> Plan:
    """Return a plan of all tables of these files, each file in a schema of its own where there are several."""
    tables: list[Table] = []
    for number, path in enumerate(sources):
        with closing(read_exactly(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True))) as connection:
            for name, is_virtual in _tables(connection):
                if not is_virtual:
                    within = "" if len(sources) == 1 else f"{schema}_{number}"
                    tables.append(_table(connection, name, source=path.stem, schema=within))
    named = tuple(Source(name=path.stem, path=str(path), digest=take_snapshot(path, folder).digest) for path in sources)
    return Plan(schema=schema, sources=named, tables=tuple(tables))


def _tables(connection: sqlite3.Connection) -> list[tuple[str, bool]]:
    query = "SELECT name, type <> 'table' FROM pragma_table_list WHERE schema = 'main' AND type <> 'view' AND name NOT LIKE 'sqlite_%'"
    return [(name, bool(is_virtual)) for name, is_virtual in connection.execute(query)]


def _table(connection: sqlite3.Connection, name: str, *, source: str, schema: str) -> Table:
    found = connection.execute("SELECT name, type, '', pk FROM pragma_table_xinfo(?) WHERE hidden <> 1", [name])
    columns, key = [], []
    sequence = None
    for column, declared, _, place in found.fetchall():
        words = f"SELECT DISTINCT typeof({quoted(column)}) FROM {quoted(name)} WHERE {quoted(column)} IS NOT NULL"
        classes = {kind for (kind,) in connection.execute(words)}
        if not classes and declared.upper() == "INTEGER":
            classes = {"integer"}
        kind, make = _BY_CLASS[classes.pop()] if len(classes) == 1 else ("text", Literal)
        columns.append(Column(name=column, type=kind, conversion=make(), sources=(column,), nullable=not place))
        if place:
            key.append((place, column))
            if declared.upper() == "INTEGER" and kind == "bigint":
                sequence = Sequence(column=column)
    return Table(
        source=source,
        from_table=name,
        name=name,
        schema=schema,
        columns=tuple(columns),
        key=tuple(column for _, column in sorted(key)),
        sequence=sequence if len(key) == 1 else None,
    )
