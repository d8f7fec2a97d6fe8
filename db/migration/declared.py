"""What the audited code itself declares of its tables: the columns, types and keys of each CREATE TABLE, every variant of it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from sqlglot import exp

from db.migration.sql import Sql
from db.migration.words import Statement

Affinity = Literal["INTEGER", "TEXT", "BLOB", "REAL", "NUMERIC"]
_NUMBERED: Final = re.compile(
    r"[\"`\[]?\b(\w+)[\"`\]]?\s+INTEGER\s+(?:NOT\s+NULL\s+)?PRIMARY\s+KEY\b(?!\s+DESC)", re.IGNORECASE
)
_WITHOUT_ROWID: Final = re.compile(r"\bWITHOUT\s+ROWID\b", re.IGNORECASE)
_ROWIDS: Final = frozenset({"rowid", "_rowid_", "oid"})


@dataclass(frozen=True)
class Declared:
    """One CREATE TABLE. columns: each with its type as it is written, empty where it has none. keys: each set of columns that is unique.

    numbered: the column that is SQLite's own number of the row, empty where none is.
    """

    place: str
    columns: dict[str, str]
    keys: tuple[tuple[str, ...], ...]
    numbered: str = ""


@dataclass(frozen=True)
class Tables:
    """All of them by name. added: columns that an ALTER TABLE adds or renames to."""

    declared: dict[str, list[Declared]] = field(default_factory=lambda: defaultdict(list))
    added: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def of(self, name: str) -> list[Declared]:
        """Return the variants of a table, none where the code declares none."""
        return self.declared.get(name.rpartition(".")[2].lower(), [])

    def lacking(self, name: str, column: str) -> list[Declared]:
        """Return the variants of a table that have no column of this name."""
        if column.lower() in _ROWIDS or column.lower() in self.added.get(name.lower(), ()):
            return []
        return [one for one in self.of(name) if column.lower() not in one.columns]

    def type_of(self, column: exp.Column, tree: exp.Expr) -> str | None:
        """Return the type of a statement's column as all variants declare it, or None where that cannot be told."""
        found = {
            one.columns[column.name.lower()]
            for name in _tables_of(column, tree)
            for one in self.of(name)
            if column.name.lower() in one.columns
        }
        return found.pop() if len(found) == 1 else None


def read(stated: Iterable[tuple[Statement, Sql]]) -> Tables:
    """Return what the statements of an audit declare."""
    found = Tables()
    for statement, sql in stated:
        if isinstance(sql.tree, exp.Create) and isinstance(sql.tree.this, exp.Schema) and sql.writes:
            place = f"{statement.file}:{statement.line}"
            found.declared[_bare(sql.writes[0])].append(_declared(sql.tree.this, place, sql.text))
        elif isinstance(sql.tree, exp.Alter) and sql.writes:
            found.added[_bare(sql.writes[0])] |= set(_added(sql.tree))
    return found


def affinity(written: str) -> Affinity:
    """Return how SQLite keeps the values of a column that is declared with this type."""
    upper = written.upper()
    if "INT" in upper:
        return "INTEGER"
    if any(one in upper for one in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if "BLOB" in upper or not upper:
        return "BLOB"
    return "REAL" if any(one in upper for one in ("REAL", "FLOA", "DOUB")) else "NUMERIC"


def _bare(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _declared(schema: exp.Schema, place: str, text: str) -> Declared:
    columns: dict[str, str] = {}
    keys: list[tuple[str, ...]] = []
    for one in schema.expressions:
        if isinstance(one, exp.ColumnDef):
            kind = one.args.get("kind")
            columns[one.name.lower()] = kind.sql() if isinstance(kind, exp.Expr) else ""
            if any(
                isinstance(each.args.get("kind"), exp.PrimaryKeyColumnConstraint | exp.UniqueColumnConstraint)
                for each in one.constraints
            ):
                keys.append((one.name.lower(),))
        elif isinstance(one, exp.Identifier):
            columns[one.name.lower()] = ""
        elif isinstance(inner := one.find(exp.PrimaryKey, exp.UniqueColumnConstraint), exp.Expr):
            keys.append(tuple(each.name.lower() for each in inner.find_all(exp.Identifier)))
    # sqlglot takes INT for INTEGER, which for SQLite is another thing: only the latter is the number of the row.
    numbered = [] if _WITHOUT_ROWID.search(text) else _NUMBERED.findall(text)
    return Declared(place, columns, tuple(keys), numbered[0].lower() if len(numbered) == 1 else "")


def _added(alter: exp.Alter) -> Iterator[str]:
    for action in alter.args.get("actions") or ():
        if isinstance(action, exp.ColumnDef):
            yield action.name.lower()
        elif isinstance(action, exp.RenameColumn) and isinstance(to := action.args.get("to"), exp.Expr):
            yield to.name.lower()


def _tables_of(column: exp.Column, tree: exp.Expr) -> list[str]:
    named = [table for table in tree.find_all(exp.Table) if table.name]
    if column.table:
        return [table.name for table in named if column.table in (table.alias_or_name, table.name)]
    return [table.name for table in named]
