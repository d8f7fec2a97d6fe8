"""What of the SQL does not survive the move."""

import ast
from collections.abc import Iterable, Iterator

from sqlglot import exp

from db.migration.rules.finding import found
from db.migration.sql import Sql
from db.migration.translation import traits
from db.migration.words import Finding, Statement


def findings(stated: Iterable[tuple[Statement, Sql]]) -> Iterator[Finding]:
    """Yield what is wrong with statements. Those for PostgreSQL already have no placeholders of SQLite, and pass."""
    for statement, sql in stated:
        yield from _placeholders(statement, sql)
        yield from _formatted(statement)
        yield from _sqlite_only(statement, sql)
        yield from _mismatch(statement, sql)


def _placeholders(statement: Statement, sql: Sql) -> Iterator[Finding]:
    foreign = sorted({one for one in sql.placeholders if one.startswith(("?", ":"))})
    if foreign and statement.file.endswith(".py"):
        said = f"placeholders {', '.join(foreign)}"
        yield found("placeholders", statement, said, subject=statement.sql, rewritten=statement.postgres)


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


def _sqlite_only(statement: Statement, sql: Sql) -> Iterator[Finding]:
    for trait in traits(sql):
        said = f"{trait.what} is SQLite's; with PostgreSQL: {trait.advice}"
        if not trait.translated:
            said += " (sqlglot cannot translate it)"
        yield found("sqlite-only-sql", statement, said, subject=trait.what, rewritten=statement.postgres)
    if sql.tree is None:
        said = "sqlglot cannot read this statement, so nobody has translated it"
        yield found("sqlite-only-sql", statement, said, subject="unread")


def _mismatch(statement: Statement, sql: Sql) -> Iterator[Finding]:
    given, wanted = statement.parameters, statement.placeholders
    named = any(one.startswith(":") for one in sql.placeholders)
    if given is not None and wanted is not None and given != wanted and not named and sql.tree is not None:
        yield found(
            "columns-mismatch", statement, f"{wanted} placeholders and {given} parameters", subject="parameters"
        )
    if isinstance(sql.tree, exp.Insert) and isinstance(sql.tree.this, exp.Schema) and not statement.formatted:
        columns = len(sql.tree.this.expressions)
        rows = sql.tree.expression.expressions if isinstance(sql.tree.expression, exp.Values) else []
        for row in rows:
            if isinstance(row, exp.Tuple) and len(row.expressions) != columns:
                said = f"{columns} columns and {len(row.expressions)} values"
                yield found("columns-mismatch", statement, said, subject="columns")
                return
