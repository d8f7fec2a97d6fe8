"""What of the SQL does not survive the move."""

import ast
from collections.abc import Iterable, Iterator

from sqlglot import exp

from db.migration.declared import Tables, read
from db.migration.rewriting import rewritten
from db.migration.rules import types
from db.migration.rules.finding import found
from db.migration.sql import Sql
from db.migration.translation import traits
from db.migration.words import Finding, Statement


def findings(stated: Iterable[tuple[Statement, Sql]]) -> Iterator[Finding]:
    """Yield what is wrong with statements. Those for PostgreSQL already have no placeholders of SQLite, and pass."""
    stated = tuple(stated)
    tables = read(stated)
    for statement, sql in stated:
        postgres = statement.postgres or rewritten(sql, tables)
        yield from _placeholders(statement, sql, postgres)
        yield from _formatted(statement)
        yield from _sqlite_only(statement, sql, postgres)
        yield from _mismatch(statement, sql, tables)
        yield from types.findings(statement, sql, tables)


def _placeholders(statement: Statement, sql: Sql, postgres: str | None) -> Iterator[Finding]:
    foreign = sorted({one for one in sql.placeholders if one.startswith(("?", ":"))})
    if foreign and statement.file.endswith(".py"):
        said = f"placeholders {', '.join(foreign)}"
        yield found("placeholders", statement, said, subject=statement.sql, rewritten=postgres)


def _formatted(statement: Statement) -> Iterator[Finding]:
    if not statement.formatted or not statement.executed or not statement.file.endswith(".py"):
        return
    if all(_makes_placeholders(each) for each in _holes(statement.sql)):
        return
    said = f"{statement.operation} is put together when it runs"
    yield found("sql-formatted", statement, said, subject=statement.sql)


def _holes(sql: str) -> list[str]:
    return [part.partition("}")[0] for part in sql.split("{")[1:]]


def _makes_placeholders(expression: str) -> bool:
    """Whether an expression only repeats question marks, one for each value."""
    try:
        tree = ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError):
        return False
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return any("?" in text for text in texts) and all(set(text) <= set("?, %s") for text in texts)


def _sqlite_only(statement: Statement, sql: Sql, postgres: str | None) -> Iterator[Finding]:
    for trait in traits(sql):
        said = f"{trait.what} is SQLite's; with PostgreSQL: {trait.advice}"
        if postgres is None:
            said += " (no translation of this statement is certain)"
        yield found("sqlite-only-sql", statement, said, subject=trait.what, rewritten=postgres)
    if sql.tree is None:
        said = "sqlglot cannot read this statement, so nobody has translated it"
        yield found("sqlite-only-sql", statement, said, subject="unread")


def _mismatch(statement: Statement, sql: Sql, tables: Tables) -> Iterator[Finding]:
    given, wanted = statement.parameters, statement.placeholders
    named = any(one.startswith(":") for one in sql.placeholders)
    if given is not None and wanted is not None and given != wanted and not named and sql.tree is not None:
        yield found(
            "columns-mismatch", statement, f"{wanted} placeholders and {given} parameters", subject="parameters"
        )
    if isinstance(sql.tree, exp.Insert) and not statement.formatted:
        columns = _columns(sql.tree, tables)
        for values in _given(sql.tree.expression):
            if columns and values not in columns:
                said = f"{' or '.join(str(one) for one in sorted(columns))} columns and {values} values"
                yield found("columns-mismatch", statement, said, subject="columns")
                return


def _columns(insert: exp.Insert, tables: Tables) -> set[int]:
    """Return how many values an INSERT may have: as many as columns it lists, or else the table has."""
    if isinstance(insert.this, exp.Schema):
        return {len(insert.this.expressions)}
    name = insert.this.name if isinstance(insert.this, exp.Table) else ""
    return set() if name in tables.added else {len(one.columns) for one in tables.of(name)}


def _given(source: exp.Expr | None) -> Iterator[int]:
    """Yield how many values each row of an INSERT has, as far as that can be told."""
    if isinstance(source, exp.Values):
        yield from (len(row.expressions) for row in source.expressions if isinstance(row, exp.Tuple))
    elif isinstance(source, exp.Select) and not any(one.is_star for one in source.expressions):
        yield len(source.expressions)
