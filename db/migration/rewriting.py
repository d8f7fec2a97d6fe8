"""A statement as PostgreSQL may take it where sqlglot alone cannot say: by what the code declares of its tables, and by the clock's texts.

Only what gives the same values is written. Everything else stays for a person, and the finding says so.
"""

import re
from typing import Final

from sqlglot import exp

from db.migration.declared import Tables
from db.migration.sql import Sql, statements_in
from db.migration.translation import generated, traits

_FORMATS: Final = {"datetime": "YYYY-MM-DD HH24:MI:SS", "date": "YYYY-MM-DD", "time": "HH24:MI:SS"}
_CODES: Final = {"%Y": "YYYY", "%m": "MM", "%d": "DD", "%H": "HH24", "%M": "MI", "%S": "SS"}
_NOW: Final = re.compile(
    r"\b(?:(?P<plain>datetime|date|time)\s*\(\s*|strftime\s*\(\s*'(?P<format>[^']*)'\s*,\s*)'now'"
    r"\s*(?:,\s*'(?P<by>[+-]?\d+ (?:second|minute|hour|day)s?)'\s*)?\)",
    re.IGNORECASE,
)
_STAND_IN: Final = re.compile(r"\bstands_for_(\d+)\(\)", re.IGNORECASE)
_TABLE_INFO: Final = re.compile(r"^\s*PRAGMA\s+table_info\s*\(\s*[\"'`]?(\w+)[\"'`]?\s*\)\s*;?\s*$", re.IGNORECASE)
_LIST: Final = re.compile(
    r"^\s*SELECT\s+name\s+FROM\s+sqlite_(?:master|schema)\s+WHERE\s+type\s*=\s*'table'(?P<more>\s+AND\s+name\s*=\s*(?:\?|'\w+'))?\s*;?\s*$",
    re.IGNORECASE,
)


def rewritten(sql: Sql, tables: Tables) -> str | None:
    """Return the statement for psycopg, or None where nothing is certain."""
    if match := _TABLE_INFO.match(sql.text):
        return (
            "SELECT ordinal_position - 1 AS cid, column_name AS name, data_type AS type FROM information_schema.columns"
            f" WHERE table_name = '{match[1]}' ORDER BY ordinal_position"
        )
    if match := _LIST.match(sql.text):
        more = re.sub(r"name\s*=\s*\?", "table_name = %s", match["more"] or "", flags=re.IGNORECASE)
        more = re.sub(r"\bname\s*=", "table_name =", more, flags=re.IGNORECASE)
        return f"SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema(){more}"
    return _by_tree(sql, tables)


def _by_tree(sql: Sql, tables: Tables) -> str | None:
    now: list[str] = []
    text = _NOW.sub(lambda match: _stand_in(match, now), sql.text)
    parsed = statements_in(text)
    tree = parsed[0].tree.copy() if len(parsed) == 1 and parsed[0].tree is not None else None
    if tree is None or "hole_" in text:
        return None
    said = {trait.what for trait in traits(parsed[0]) if not trait.translated}
    if "INSERT OR REPLACE" in said and _replaces(tree, tables):
        said.discard("INSERT OR REPLACE")
    if "a text in double quotes" in said and _quoted_once(tree, tables):
        said.discard("a text in double quotes")
    made = None if said else generated(tree, with_placeholders=bool(sql.placeholders))
    return made and _STAND_IN.sub(lambda match: now[int(match[1])], made)


def _stand_in(match: re.Match[str], now: list[str]) -> str:
    """Return a call that no dialect changes, and note what it stands for; or the words themselves, where that is not certain."""
    pattern = _FORMATS[match["plain"].lower()] if match["plain"] else _pattern(match["format"])
    if pattern is None:
        return match[0]
    moved = f" + interval '{match['by']}'" if match["by"] else ""
    now.append(f"to_char(now() AT TIME ZONE 'UTC'{moved}, '{pattern}')")
    return f"stands_for_{len(now) - 1}()"


def _pattern(written: str) -> str | None:
    parts = re.split(r"(%.)", written)
    if any(part not in _CODES for part in parts[1::2]) or any(re.search(r"[A-Za-z\"]", part) for part in parts[::2]):
        return None
    return "".join(_CODES.get(part, part) for part in parts)


def _replaces(tree: exp.Expr, tables: Tables) -> bool:
    """Turn INSERT OR REPLACE into ON CONFLICT, where a table has one key and every column of it is given: then both leave the same row."""
    if not isinstance(tree, exp.Insert) or not isinstance(tree.this, exp.Schema):
        return False
    columns = [one.name.lower() for one in tree.this.expressions]
    variants = tables.of(tree.this.this.name)
    if not variants or any(len(one.keys) != 1 or set(one.columns) != set(columns) for one in variants):
        return False
    (key,) = variants[0].keys
    if any(one.keys != (key,) for one in variants):
        return False
    others = [name for name in columns if name not in key]
    names = [exp.to_identifier(name) for name in key]
    if others:
        sets = [exp.EQ(this=exp.column(name), expression=exp.column(name, table="EXCLUDED")) for name in others]
        conflict = exp.OnConflict(action=exp.var("DO UPDATE"), conflict_keys=names, expressions=sets)
    else:
        conflict = exp.OnConflict(action=exp.var("DO NOTHING"), conflict_keys=names)
    tree.set("alternative", None)
    tree.set("conflict", conflict)
    return True


def _quoted_once(tree: exp.Expr, tables: Tables) -> bool:
    """Put texts in double quotes into single ones, where every table of the statement is declared and has no such column."""
    named = [table.name for table in tree.find_all(exp.Table)]
    if not named or not all(tables.of(name) for name in named):
        return False
    for one in list(tree.find_all(exp.Column)):
        if one.this.args.get("quoted") and not one.table:
            if not all(tables.lacking(name, one.name) for name in named):
                return False
            one.replace(exp.Literal.string(one.name))
    return True
