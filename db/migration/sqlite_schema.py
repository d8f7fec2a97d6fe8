"""What a SQLite database says of itself: tables, columns, keys, indexes, views, triggers. From its own catalogue; of DDL only the checks are read."""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

ROWID: Final = "rowid"
_GENERATED: Final = (2, 3)
_HIDDEN: Final = 1
_TOKENS: Final = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/|\w+|\s+|.""", re.DOTALL
)


class Struct(msgspec.Struct, frozen=True, kw_only=True):
    """Part of a schema."""


class SqliteColumn(Struct, frozen=True, kw_only=True):
    """One column. declared: its type as written, '' without one. default: SQL. generated: its value is computed from others."""

    name: str
    declared: str
    not_null: bool = False
    default: str | None = None
    generated: bool = False
    collation: str = "BINARY"


class SqliteIndex(Struct, frozen=True, kw_only=True):
    """One index. columns: None for an expression. origin: made by CREATE INDEX, a UNIQUE constraint or the primary key."""

    name: str
    unique: bool
    origin: Literal["c", "u", "pk"]
    columns: tuple[str | None, ...]
    collations: tuple[str, ...]
    partial: bool = False
    sql: str | None = None


class SqliteForeignKey(Struct, frozen=True, kw_only=True):
    """One reference. to: None where it names no columns and means the parent's key."""

    number: int
    table: str
    columns: tuple[str, ...]
    to: tuple[str | None, ...]
    on_update: str
    on_delete: str


class SqliteTable(Struct, frozen=True, kw_only=True):
    """One table. kind: shadow tables belong to a virtual one. key: columns of the declared primary key, in order.

    row_key: what tells rows apart, for reading them in order: `rowid`, or the key of a table without rowids. rowid_column: the column that
    is the rowid under another name. sequence: of sqlite_sequence, for an AUTOINCREMENT. unread: why it cannot be read.
    """

    name: str
    kind: Literal["table", "virtual", "shadow"]
    columns: tuple[SqliteColumn, ...]
    key: tuple[str, ...] = ()
    row_key: tuple[str, ...] = ()
    rowid_column: str = ""
    autoincrement: bool = False
    sequence: int = 0
    strict: bool = False
    indexes: tuple[SqliteIndex, ...] = ()
    foreign_keys: tuple[SqliteForeignKey, ...] = ()
    checks: tuple[str, ...] = ()
    sql: str = ""
    unread: str = ""


class SqliteText(Struct, frozen=True, kw_only=True):
    """A view or a trigger, and how it was made. table: of a trigger."""

    name: str
    sql: str
    table: str = ""


class SqliteSchema(Struct, frozen=True, kw_only=True):
    """All of one database."""

    tables: tuple[SqliteTable, ...]
    views: tuple[SqliteText, ...] = ()
    triggers: tuple[SqliteText, ...] = ()


def quoted(name: str) -> str:
    """Return a name as SQL takes it, whatever it is."""
    return '"' + name.replace('"', '""') + '"'


def read_schema(connection: sqlite3.Connection) -> SqliteSchema:
    """Return what the database says of itself, in the order in which it was made."""
    kinds = {
        name: _Kind(kind, bool(without_rowid), bool(strict))
        for schema, name, kind, _, without_rowid, strict in connection.execute("PRAGMA table_list")
        if schema == "main"
    }
    sequences = _sequences(connection)
    tables, views, triggers = [], [], []
    for kind, name, table, sql in connection.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid"
    ).fetchall():
        if kind == "table" and not name.startswith("sqlite_"):
            tables.append(_table(connection, name, sql or "", kinds.get(name, _Kind()), sequences.get(name)))
        elif kind == "view":
            views.append(SqliteText(name=name, sql=sql))
        elif kind == "trigger":
            triggers.append(SqliteText(name=name, sql=sql, table=table))
    return SqliteSchema(tables=tuple(tables), views=tuple(views), triggers=tuple(triggers))


def _sequences(connection: sqlite3.Connection) -> dict[str, int]:
    try:
        found = connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
    except sqlite3.OperationalError:
        # There is none before the first AUTOINCREMENT.
        return {}
    return {name: seq for name, seq in found if isinstance(seq, int)}


@dataclass(frozen=True)
class _Kind:
    """What `PRAGMA table_list` says of a table."""

    kind: str = "table"
    without_rowid: bool = False
    strict: bool = False


def _table(connection: sqlite3.Connection, name: str, sql: str, what: _Kind, sequence: int | None) -> SqliteTable:
    try:
        raw = connection.execute(f"PRAGMA table_xinfo({quoted(name)})").fetchall()
    except sqlite3.Error as error:
        raw, unread = [], str(error)
    else:
        unread = "" if raw else "SQLite shows no columns of it: the module that made it is missing here"
    is_plain = what.kind == "table"
    collations = _collations(sql, name, [row[1] for row in raw if row[6] != _HIDDEN]) if is_plain else {}
    columns = tuple(_column(row, collations) for row in raw if row[6] != _HIDDEN)
    key = tuple(row[1] for row in sorted(raw, key=lambda row: row[5]) if row[5])
    indexes = tuple(_indexes(connection, name)) if is_plain else ()
    rowid_column = _rowid_column(raw, key, indexes) if not what.without_rowid and is_plain else ""
    return SqliteTable(
        name=name,
        kind="virtual" if what.kind == "virtual" else "shadow" if what.kind == "shadow" else "table",
        columns=columns,
        key=key,
        row_key=key if what.without_rowid else _rowid_names(columns),
        rowid_column=rowid_column,
        autoincrement="AUTOINCREMENT" in sql.upper() and bool(rowid_column),
        sequence=sequence or 0,
        strict=what.strict,
        indexes=indexes,
        foreign_keys=tuple(_foreign_keys(connection, name)) if is_plain else (),
        checks=checks_in(sql) if is_plain else (),
        sql=sql,
        unread=unread,
    )


def _column(row: tuple[int, str, str, int, str | None, int, int], collations: Mapping[str, str]) -> SqliteColumn:
    _, name, declared, not_null, default, _, hidden = row
    return SqliteColumn(
        name=name,
        declared=declared,
        not_null=bool(not_null),
        default=default,
        generated=hidden in _GENERATED,
        collation=collations.get(name, "BINARY"),
    )


def _rowid_names(columns: tuple[SqliteColumn, ...]) -> tuple[str, ...]:
    """Return the first of SQLite's names for the rowid that no column has taken; none where all are."""
    taken = {column.name.lower() for column in columns}
    return tuple(name for name in (ROWID, "_rowid_", "oid") if name not in taken)[:1]


def _rowid_column(
    raw: list[tuple[int, str, str, int, str | None, int, int]], key: tuple[str, ...], indexes: tuple[SqliteIndex, ...]
) -> str:
    """Return the INTEGER PRIMARY KEY: then the key has no index of its own."""
    if len(key) != 1 or any(index.origin == "pk" for index in indexes):
        return ""
    return next((row[1] for row in raw if row[1] == key[0] and row[2].upper() == "INTEGER"), "")


def _indexes(connection: sqlite3.Connection, table: str) -> Iterator[SqliteIndex]:
    for _, name, unique, origin, partial in connection.execute(f"PRAGMA index_list({quoted(table)})").fetchall():
        parts = [row for row in connection.execute(f"PRAGMA index_xinfo({quoted(name)})").fetchall() if row[5]]
        found = connection.execute(
            "SELECT sql FROM sqlite_master WHERE type = 'index' AND name = ?", (name,)
        ).fetchone()
        yield SqliteIndex(
            name=name,
            unique=bool(unique),
            origin=origin,
            columns=tuple(ROWID if row[1] == -1 else None if row[1] == -2 else row[2] for row in parts),
            collations=tuple(row[4] for row in parts),
            partial=bool(partial),
            sql=found[0] if found else None,
        )


def _foreign_keys(connection: sqlite3.Connection, table: str) -> Iterator[SqliteForeignKey]:
    rows = connection.execute(f"PRAGMA foreign_key_list({quoted(table)})").fetchall()
    for number in sorted({row[0] for row in rows}):
        those = sorted((row for row in rows if row[0] == number), key=lambda row: row[1])
        first = those[0]
        yield SqliteForeignKey(
            number=number,
            table=first[2],
            columns=tuple(row[3] for row in those),
            to=tuple(row[4] for row in those),
            on_update=first[5],
            on_delete=first[6],
        )


def _collations(sql: str, table: str, columns: Sequence[str]) -> dict[str, str]:
    """Return how each column is compared, as an empty copy of the table says it of an index on all of them."""
    with closing(sqlite3.connect(":memory:")) as copy:
        try:
            copy.execute(sql)
            copy.execute(f"CREATE INDEX of_all ON {quoted(table)} ({', '.join(map(quoted, columns))})")
        except sqlite3.Error:
            # A virtual table, or a function that only the program has: no index tells.
            return {}
        return {row[2]: row[4].upper() for row in copy.execute("PRAGMA index_xinfo(of_all)") if row[5]}


def checks_in(sql: str) -> tuple[str, ...]:
    """Return the conditions of a CREATE TABLE, as written; what stands in quotes and comments is none."""
    tokens = _TOKENS.findall(sql)
    found = []
    for place, token in enumerate(tokens):
        if token.upper() != "CHECK":
            continue
        depth, inside = 0, list[str]()
        for one in tokens[place + 1 :]:
            depth += (one == "(") - (one == ")")
            if depth == 0 and inside:
                break
            if depth:
                inside.append(one)
        found.append("".join(one for one in inside[1:] if not one.startswith(("--", "/*"))).strip())
    return tuple(found)
