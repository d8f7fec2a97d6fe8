"""What one SQL statement does: its operation, tables, columns and placeholders. Read by sqlglot, in SQLite's dialect or PostgreSQL's."""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_LOOKS: Final = re.compile(
    r"\s*(--[^\n]*\n\s*)*(SELECT\s.+\sFROM\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|REPLACE\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s"
    r"|(CREATE|DROP|ALTER)\s+(TEMP\w*\s+|UNIQUE\s+|VIRTUAL\s+)?(TABLE|INDEX|VIEW|TRIGGER)\s|PRAGMA\s+\w|ATTACH\s+|WITH\s+\w+\s+AS\s*\(|VACUUM\b)",
    re.IGNORECASE | re.DOTALL,
)
_TABLES: Final = re.compile(
    r"\b(FROM|JOIN|INTO|UPDATE|TABLE(?:\s+IF\s+(?:NOT\s+)?EXISTS)?)\s+[\"`\[]?(\w+)", re.IGNORECASE
)
_PERCENT: Final = re.compile(r"%s|%\(\w+\)s")
_QUOTED: Final = re.compile(r"'(?:[^']|'')*'")
_LENGTH_MAX: Final = 100_000
"""A longer text is data; to parse it takes minutes."""
# sqlglot warns of what it keeps as it stands; that is told by `tree`.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Sql:
    """One statement. tree: None where it cannot be parsed; tables are then those that its words name."""

    text: str
    operation: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    columns: tuple[str, ...]
    placeholders: tuple[str, ...]
    tree: exp.Expr | None


def looks_like_sql(text: str) -> bool:
    """Whether a text begins as a statement does."""
    return bool(_LOOKS.match(text[:2000]))


@lru_cache(maxsize=10_000)
def statements_in(text: str) -> tuple[Sql, ...]:
    """Return the statements of a text; one that cannot be parsed as one."""
    if not text.strip():
        return ()
    try:
        dialect = "postgres" if _percents(text) else "sqlite"
        trees = sqlglot.parse(text, read=dialect) if len(text) <= _LENGTH_MAX else [None]
    except (SqlglotError, RecursionError, ValueError, IndexError, AttributeError, TypeError):
        # It is a parser that meets texts with holes and of any dialect; what it cannot read is told, whatever it stumbled over.
        trees = [None]
    found = [tree for tree in trees if tree is not None and not isinstance(tree, exp.Semicolon)]
    if not found:
        return (_by_words(text),)
    if len(found) == 1:
        return (_by_tree(text.strip(), found[0]),)
    return tuple(_by_tree(tree.sql(dialect="sqlite"), tree) for tree in found)


def _percents(text: str) -> tuple[str, ...]:
    """Return psycopg's placeholders; a text between quotes has none."""
    return tuple(_PERCENT.findall(_QUOTED.sub("''", text)))


def _by_words(text: str) -> Sql:
    words = text.split()
    named = [(verb.upper(), table) for verb, table in _TABLES.findall(text)]
    writes = tuple(
        dict.fromkeys(table for verb, table in named if verb not in ("FROM", "JOIN") or words[0].upper() == "DELETE")
    )
    reads = tuple(dict.fromkeys(table for verb, table in named if table not in writes))
    placeholders = tuple("?" for _ in range(text.count("?"))) or _percents(text)
    return Sql(text.strip(), words[0].upper(), reads, writes, (), placeholders, None)


def _by_tree(text: str, tree: exp.Expr) -> Sql:
    if isinstance(tree, exp.Command):
        return _by_words(text)
    target = _target(tree)
    ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
    tables = [table for table in tree.find_all(exp.Table) if table.name and table.name not in ctes]
    names = [column.name for column in (*tree.find_all(exp.Column), *tree.find_all(exp.ColumnDef))]
    listed = tree.this.expressions if isinstance(tree, exp.Insert) and isinstance(tree.this, exp.Schema) else []
    names += [column.name for column in listed]
    return Sql(
        text=text,
        operation=_operation(tree),
        reads=_names(
            table for table in tables if table is not target and not isinstance(tree, exp.Create | exp.Drop | exp.Alter)
        ),
        writes=(_full(target),) if target is not None else (),
        columns=tuple(dict.fromkeys(name for name in names if name)),
        placeholders=_percents(text) or tuple(one.sql(dialect="sqlite") for one in tree.find_all(exp.Placeholder)),
        tree=tree,
    )


def _target(tree: exp.Expr) -> exp.Table | None:
    if not isinstance(tree, exp.Insert | exp.Update | exp.Delete | exp.Create | exp.Drop | exp.Alter):
        return None
    this = tree.this or next(iter(tree.args.get("tables") or ()), None)
    if isinstance(this, exp.Index):
        this = this.args.get("table")
    found = this.find(exp.Table) if isinstance(this, exp.Expr) else None
    return found if isinstance(found, exp.Table) else None


def _operation(tree: exp.Expr) -> str:
    if isinstance(tree, exp.Create | exp.Drop):
        return f"{tree.key.upper()} {str(tree.args.get('kind') or '').upper()}".strip()
    return "SELECT" if isinstance(tree, exp.Query) else tree.key.upper()


def _names(tables: Iterable[exp.Table]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_full(table) for table in tables))


def _full(table: exp.Table) -> str:
    return f"{table.db}.{table.name}" if table.db else table.name
