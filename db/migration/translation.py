"""A statement of SQLite as PostgreSQL takes it, and what of it is SQLite's alone. What cannot be translated is said, never guessed."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from db.migration.sql import Sql


@dataclass(frozen=True)
class Trait:
    """Something of SQLite alone. advice: what PostgreSQL has instead. translated: whether sqlglot's translation is right here."""

    what: str
    advice: str
    translated: bool = False


_WORDS: Final[tuple[tuple[str, Trait], ...]] = (
    (r"^\s*PRAGMA\b|\bpragma_\w+\s*\(", Trait("PRAGMA", "PostgreSQL has settings (SET) and catalogues (information_schema) instead")),
    (r"^\s*ATTACH\b", Trait("ATTACH", "one database with several schemas instead of several files")),
    (r"^\s*VACUUM\b", Trait("VACUUM", "autovacuum does this; inside a transaction it is refused")),
    (r"\bINSERT\s+OR\s+REPLACE\b|^\s*REPLACE\s+INTO\b", Trait("INSERT OR REPLACE", "ON CONFLICT (the key) DO UPDATE SET ...; the old row is not deleted first")),
    (r"\bINSERT\s+OR\s+IGNORE\b", Trait("INSERT OR IGNORE", "ON CONFLICT DO NOTHING", translated=True)),
    (r"\bINSERT\s+OR\s+(ABORT|FAIL|ROLLBACK)\b", Trait("INSERT OR ...", "PostgreSQL ends the statement and the transaction")),
    (r"\bAUTOINCREMENT\b", Trait("AUTOINCREMENT", "an identity column; set its sequence above the largest id", translated=True)),
    (r"\bsqlite_(master|schema|sequence|stat1)\b", Trait("sqlite_master", "information_schema.tables, pg_catalog")),
    (r"\b(_rowid_|rowid)\b", Trait("rowid", "name a key of the table's own")),
    (r"\blast_insert_rowid\s*\(", Trait("last_insert_rowid()", "INSERT ... RETURNING id")),
    (r"\b(total_)?changes\s*\(", Trait("changes()", "the cursor's rowcount")),
    (r"\bstrftime\s*\(", Trait("strftime", "to_char or date_trunc on a timestamptz; on text it compares text")),
    (r"\b(datetime|date|time|julianday|unixepoch)\s*\(", Trait("SQLite's date functions", "now(), intervals and timestamptz columns")),
    (r"\bGLOB\b", Trait("GLOB", "LIKE or a regular expression (~)")),
    (r"\b(total|printf|randomblob|zeroblob|typeof|iif|json_extract)\s*\(", Trait("a function of SQLite", "PostgreSQL has another one or none")),
    (r"\bWITHOUT\s+ROWID\b", Trait("WITHOUT ROWID", "leave it out")),
    (r"\bCREATE\s+VIRTUAL\s+TABLE\b", Trait("a virtual table", "an extension or an index of PostgreSQL")),
    (r"\bCOLLATE\s+NOCASE\b", Trait("COLLATE NOCASE", "lower() or a nondeterministic collation")),
    (r"\bIFNULL\s*\(", Trait("IFNULL", "COALESCE", translated=True)),
    (r"\bGROUP_CONCAT\s*\(", Trait("group_concat", "string_agg", translated=True)),
    (r"\bBEGIN\s+(IMMEDIATE|EXCLUSIVE|DEFERRED)\b", Trait("BEGIN IMMEDIATE", "BEGIN, and row locks where two may write")),
    (r"\bLIMIT\s+[\w?]+\s*,", Trait("LIMIT a, b", "LIMIT b OFFSET a", translated=True)),
)  # fmt: skip
_PATTERNS: Final = tuple((re.compile(pattern, re.IGNORECASE), trait) for pattern, trait in _WORDS)
_TEXTS: Final = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_DOUBLE: Final = Trait("a text in double quotes", "single quotes: PostgreSQL takes it for a column")


def traits(sql: Sql) -> tuple[Trait, ...]:
    """Return what a statement has that SQLite alone understands; texts and comments in it count for nothing."""
    bare = _TEXTS.sub("''", sql.text)
    found = [trait for pattern, trait in _PATTERNS if pattern.search(bare)]
    return (*found, *([_DOUBLE] if _has_double_quoted_text(sql.tree) else []))


def _has_double_quoted_text(tree: exp.Expr | None) -> bool:
    if tree is None:
        return False
    compared = (side for one in tree.find_all(exp.EQ, exp.NEQ, exp.Like) for side in (one.expression,))
    return any(isinstance(side, exp.Column) and side.this.args.get("quoted") and not side.table for side in compared)


def translated(sql: Sql) -> str | None:
    """Return the statement in PostgreSQL's words, with psycopg's placeholders, or None where no translation is certain."""
    if sql.tree is None or not all(trait.translated for trait in traits(sql)):
        return None
    return _generated(sql)


@lru_cache(maxsize=10_000)
def _generated(sql: Sql) -> str | None:
    assert sql.tree is not None
    return generated(sql.tree.copy(), with_placeholders=bool(sql.placeholders))


def generated(tree: exp.Expr, *, with_placeholders: bool) -> str | None:
    """Return a tree, which is changed, in PostgreSQL's words as psycopg takes them, or None where sqlglot cannot say them."""
    if isinstance(tree, exp.Insert) and str(tree.args.get("alternative") or "").upper() == "IGNORE":
        tree.set("alternative", None)
        tree.set("conflict", exp.OnConflict(action=exp.var("DO NOTHING")))
    for kind in tree.find_all(exp.DataType):
        if kind.this == exp.DataType.Type.INT:
            # An INTEGER of SQLite has 64 bits.
            kind.set("this", exp.DataType.Type.BIGINT)
    for order in tree.find_all(exp.Ordered):
        if order.find_ancestor(exp.OnConflict, exp.Index, exp.Create):
            # PostgreSQL refuses it in a conflict's target; in an index it says nothing that matters.
            order.replace(order.this)
    if with_placeholders:
        for literal in tree.find_all(exp.Literal):
            if literal.is_string and "%" in literal.this:
                # psycopg reads a single % as a placeholder's beginning.
                literal.set("this", literal.this.replace("%", "%%"))
    try:
        return tree.sql(dialect="postgres", unsupported_level=ErrorLevel.RAISE, comments=False)
    except (SqlglotError, RecursionError, ValueError):
        return None
