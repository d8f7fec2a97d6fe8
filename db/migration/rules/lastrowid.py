"""`lastrowid`: what stands instead of it, where one INSERT is plainly the one that it asks about."""

import ast
from collections.abc import Iterable, Iterator, Mapping

from sqlglot import exp

from db.migration.declared import Tables, read
from db.migration.reading import Reading
from db.migration.rules.connections import knows_sqlite
from db.migration.rules.finding import found_at
from db.migration.sql import Sql
from db.migration.syntax import Scope
from db.migration.translation import generated, translated
from db.migration.words import Finding, Statement

_Stated = Mapping[tuple[str, int], Sql]


def findings(reading: Reading, stated: Iterable[tuple[Statement, Sql]]) -> Iterator[Finding]:
    """Yield each `lastrowid`, with the two lines that give the same number, where they can be told."""
    stated = tuple(stated)
    tables = read(stated)
    by_place: dict[tuple[str, int], Sql] = {}
    several = set()
    for statement, sql in stated:
        where = (statement.file, statement.line)
        several |= {where} & by_place.keys()
        by_place[where] = sql
    alone = {where: sql for where, sql in by_place.items() if where not in several}
    for node, scope in reading.nodes(ast.Attribute):
        if node.attr == "lastrowid" and isinstance(node.ctx, ast.Load) and knows_sqlite(scope):
            said = "lastrowid is sqlite3's; with PostgreSQL: INSERT ... RETURNING id"
            yield found_at(
                "sqlite-only-api",
                node,
                scope,
                said,
                subject="lastrowid",
                rewritten=_instead(node, scope, alone, tables),
            )


def _instead(node: ast.Attribute, scope: Scope, stated: _Stated, tables: Tables) -> str | None:
    call = _insert_before(node, scope)
    # A statement is told where its text begins, which may be a line below the call.
    sql = (
        next((stated[at] for at in ((scope.module.file, line) for line in _lines(call)) if at in stated), None)
        if call
        else None
    )
    if call is None or sql is None or sql.tree is None or not (column := _numbered(sql.tree, tables)):
        return None
    if translated(sql) is None:
        return None
    tree = sql.tree.copy()
    tree.set("returning", exp.Returning(expressions=[exp.column(column)]))
    text = generated(tree, with_placeholders=bool(sql.placeholders))
    if text is None:
        return None
    given = "".join(f", {ast.unparse(one)}" for one in call.args[1:])
    kept = ast.unparse(node.value)
    begin = f"{kept} = " if _is_kept_as(call, kept, scope) else ""
    return f"{begin}{ast.unparse(call.func)}({text!r}{given})\n{kept}.fetchone()[0]"


def _lines(call: ast.Call) -> range:
    return range(call.lineno, (call.args[0].end_lineno or call.lineno) + 1)


def _insert_before(node: ast.Attribute, scope: Scope) -> ast.Call | None:
    """Return the one execute of the same cursor that ran before, whatever way led here; None if that cannot be told."""
    kept = ast.unparse(node.value)
    ran = [
        one
        for one in scope.nodes
        if isinstance(one, ast.Call) and _runs(one, kept, scope) and one.lineno <= node.lineno
    ]
    last = max(ran, key=lambda one: one.lineno, default=None)
    if last is None or not isinstance(last.func, ast.Attribute) or last.func.attr != "execute":
        return None
    statement = next((one for one in scope.module.above(last) if isinstance(one, ast.stmt)), None)
    block = scope.module.parents.get(statement) if statement is not None else None
    # What stands in the same block, or further inside, comes after it; but a row is fetched once, and a loop comes round again.
    return last if block is not None and statement is not None and _follows(node, statement, block, scope) else None


def _follows(node: ast.AST, statement: ast.stmt, block: ast.AST, scope: Scope) -> bool:
    inner = node
    for around in scope.module.above(node):
        if around is block:
            parts = [
                part for name in ("body", "orelse", "finalbody") if statement in (part := getattr(block, name, []))
            ]
            return any(inner in part and part.index(inner) > part.index(statement) for part in parts)
        if isinstance(around, ast.For | ast.While):
            return False
        inner = around
    return False


def _runs(call: ast.Call, kept: str, scope: Scope) -> bool:
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr.startswith("execute")
        and (ast.unparse(call.func.value) == kept or _is_kept_as(call, kept, scope))
    )


def _is_kept_as(call: ast.Call, kept: str, scope: Scope) -> bool:
    above = scope.module.parents.get(call)
    return isinstance(above, ast.Assign) and [ast.unparse(one) for one in above.targets] == [kept]


def _numbered(tree: exp.Expr, tables: Tables) -> str | None:
    """Return the column that SQLite numbers, of an INSERT of exactly one row into a table which every declaration gives one; else None."""
    if not isinstance(tree, exp.Insert) or tree.args.get("alternative") or tree.args.get("conflict"):
        return None
    values = tree.expression
    if not isinstance(values, exp.Values) or len(values.expressions) != 1 or tree.args.get("returning"):
        return None
    target = tree.find(exp.Table)
    names = {one.numbered for one in tables.of(target.name)} if target is not None else set()
    return (names.pop() or None) if len(names) == 1 else None
