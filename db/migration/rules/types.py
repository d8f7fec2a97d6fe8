"""What SQLite is lax about, by what the code declares of its tables: types, capitals, order, groups, columns that are not there."""

import re
from collections.abc import Iterator
from typing import Final

from sqlglot import exp

from db.migration.declared import Tables, affinity
from db.migration.rules.finding import found
from db.migration.sql import Sql
from db.migration.stating import HOLE
from db.migration.translation import generated
from db.migration.words import Finding, Statement

_TIMES: Final = re.compile(
    r"(_at|_ts|_time|_date|timestamp|datetime|created|updated|closed|opened|settled)$|^(time|date)$", re.IGNORECASE
)
_KEPT_AS_TEXT: Final = re.compile(r"DATE|TIME|BOOL|^$|STRING|JSON", re.IGNORECASE)
_ORDERS: Final = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
_SUMS: Final = (exp.Sum, exp.Avg, exp.Add, exp.Sub, exp.Mul, exp.Div)


def findings(statement: Statement, sql: Sql, tables: Tables) -> Iterator[Finding]:
    """Yield what is wrong with one statement that is parsed and for SQLite: those for psycopg have been looked at by PostgreSQL."""
    if sql.tree is None or any(one.startswith("%") for one in sql.placeholders):
        return
    yield from _like(statement, sql, sql.tree)
    yield from _order(statement, sql, sql.tree, tables)
    yield from _declares(statement, sql.tree)
    yield from _compares(statement, sql, sql.tree, tables)
    yield from _groups(statement, sql.tree)
    yield from _columns(statement, sql, sql.tree, tables)


def _like(statement: Statement, sql: Sql, tree: exp.Expr) -> Iterator[Finding]:
    likes = [one for one in tree.find_all(exp.Like) if _has_letters(one.expression)]
    if likes:
        changed = tree.copy()
        for one in list(changed.find_all(exp.Like)):
            one.replace(exp.ILike(this=one.this, expression=one.expression))
        said = f"{likes[0].sql(dialect='sqlite')} finds small and capital letters"
        yield found("like-collation", statement, said, subject="LIKE", rewritten=_written(changed, sql))


def _has_letters(pattern: exp.Expr | None) -> bool:
    return not isinstance(pattern, exp.Literal) or re.search(r"[A-Za-z]", pattern.this) is not None


def _order(statement: Statement, sql: Sql, tree: exp.Expr, tables: Tables) -> Iterator[Finding]:
    names: list[str] = []
    if isinstance(tree, exp.Create):
        # Of an index it says nothing that a query's rows depend on.
        return
    changed = tree.copy()
    for one in list(changed.find_all(exp.Ordered)):
        if (
            isinstance(one.this, exp.Column)
            and not _TIMES.search(one.this.name)
            and _is(one.this, tree, tables, "TEXT")
        ):
            names.append(one.this.name)
            one.this.replace(exp.Collate(this=one.this.copy(), expression=exp.to_identifier("C", quoted=True)))
    if names:
        said = f"ORDER BY {', '.join(names)} orders texts"
        yield found(
            "like-collation", statement, said, subject="ORDER BY", rewritten=_written(changed, sql), severity="low"
        )


def _declares(statement: Statement, tree: exp.Expr) -> Iterator[Finding]:
    if not isinstance(tree, exp.Create) or not isinstance(tree.this, exp.Schema):
        return
    loose = []
    for one in tree.this.expressions:
        kind = one.args.get("kind") if isinstance(one, exp.ColumnDef) else None
        written = kind.sql() if isinstance(kind, exp.Expr) else ""
        if isinstance(one, exp.ColumnDef | exp.Identifier) and _KEPT_AS_TEXT.search(written):
            loose.append(f"{one.name} {written}".strip())
    if loose:
        said = f"{', '.join(loose)}: SQLite keeps any value there, and text as text"
        yield found("type-affinity", statement, said, subject="CREATE")


def _compares(statement: Statement, sql: Sql, tree: exp.Expr, tables: Tables) -> Iterator[Finding]:
    for one in tree.find_all(exp.EQ, exp.NEQ, *_ORDERS):
        if isinstance(one.this, exp.Column) and (kind := tables.type_of(one.this, tree)) is not None:
            said, instead = _compared(one, one.this.name, kind)
            if said:
                rewritten = _instead(tree, *instead, sql) if instead else None
                yield found("type-affinity", statement, said, subject=one.this.name, rewritten=rewritten)
    for sums in tree.find_all(*_SUMS):
        for column in (sums.this, sums.expression):
            if isinstance(column, exp.Column) and _is(column, tree, tables, "TEXT"):
                said = f"{column.name} is declared TEXT and calculated with"
                yield found("type-affinity", statement, said, subject=column.name)


def _compared(one: exp.Expr, name: str, kind: str) -> tuple[str, tuple[exp.Expr, exp.Expr] | None]:
    """Return what is wrong with a comparison, nothing if it is not, and what may stand instead of what."""
    other = one.args.get("low") if isinstance(one, exp.Between) else one.expression
    words = f"{name} is declared {kind or 'without a type'}"
    if isinstance(other, exp.Literal) and not other.is_string:
        if "BOOL" in kind.upper():
            return f"{words} and compared with a number", (other, exp.false() if other.this == "0" else exp.true())
        if affinity(kind) == "TEXT":
            return f"{words} and compared with a number", (other, exp.Literal.string(other.this))
    is_text = affinity(kind) == "TEXT" or "DATE" in kind.upper() or "TIME" in kind.upper()
    if isinstance(one, _ORDERS) and is_text and _TIMES.search(name):
        return f"{words} and compared as text: right only while all of them are of one format and one zone", None
    return "", None


def _instead(tree: exp.Expr, old: exp.Expr, new: exp.Expr, sql: Sql) -> str | None:
    changed = tree.copy()
    for one in list(changed.find_all(type(old))):
        if one == old and isinstance(one.parent, exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE):
            one.replace(new.copy())
    return _written(changed, sql)


def _is(column: exp.Column, tree: exp.Expr, tables: Tables, kind: str) -> bool:
    written = tables.type_of(column, tree)
    return written is not None and bool(written) and affinity(written) == kind


def _groups(statement: Statement, tree: exp.Expr) -> Iterator[Finding]:
    for select in tree.find_all(exp.Select):
        group = select.args.get("group")
        by = list(group.expressions) if group else []
        sums = any(_in_own(one, select) for each in select.expressions for one in each.find_all(exp.AggFunc))
        # Of an expression that is grouped by, nobody can say which others it gives.
        if (by or sums) and all(isinstance(one, exp.Column | exp.Literal) for one in by):
            loose = list(dict.fromkeys(_loose(select, {one.name.lower() for one in by})))
            if loose:
                said = f"{', '.join(loose)}: not grouped, and of no aggregate"
                yield found("group-by-lax", statement, said, subject=", ".join(loose))


def _loose(select: exp.Select, grouped: set[str]) -> Iterator[str]:
    """Yield the columns that a grouped SELECT gives or orders by, and that have many values in each group. grouped: names and numbers."""
    order = select.args.get("order")
    aliases = {one.alias.lower() for one in select.expressions if one.alias}
    given = [one for number, one in enumerate(select.expressions, 1) if not {str(number), one.alias.lower()} & grouped]
    for part in (*given, *(order.expressions if order else ())):
        for column in part.find_all(exp.Column):
            name = column.name.lower()
            known = name in grouped or name.startswith(HOLE) or (part not in given and name in aliases)
            if not known and not _is_covered(column, select):
                yield column.name


def _in_own(one: exp.Expr, select: exp.Select) -> bool:
    return one.find_ancestor(exp.Select) is select and one.find_ancestor(exp.Window) is None


def _is_covered(column: exp.Column, select: exp.Select) -> bool:
    return not _in_own(column, select) or column.find_ancestor(exp.AggFunc) is not None


def _columns(statement: Statement, sql: Sql, tree: exp.Expr, tables: Tables) -> Iterator[Finding]:
    if statement.formatted or not isinstance(tree, exp.Insert | exp.Update) or not sql.writes:
        return
    name = sql.writes[0]
    if isinstance(tree, exp.Insert):
        used = [one.name for one in tree.this.expressions] if isinstance(tree.this, exp.Schema) else []
    else:
        used = [one.this.name for one in tree.expressions if isinstance(one, exp.EQ)]
    lacking: dict[str, list[str]] = {}
    for column in used:
        for one in tables.lacking(name, column):
            lacking.setdefault(one.place, []).append(column)
    if lacking:
        every = len(lacking) == len(tables.of(name))
        told = "; ".join(f"{place} has no {', '.join(columns)}" for place, columns in lacking.items())
        yield found(
            "column-missing",
            statement,
            f"{name} as made by {told}",
            subject=name,
            severity="high" if every else "medium",
        )


def _written(changed: exp.Expr, sql: Sql) -> str | None:
    return None if HOLE in sql.text else generated(changed, with_placeholders=bool(sql.placeholders))
