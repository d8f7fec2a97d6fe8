"""How connections are opened, held and given back."""

import ast
from collections.abc import Iterator

from db.migration.connecting import SQLITE, Opening
from db.migration.reading import Reading
from db.migration.rules.finding import found, found_at
from db.migration.syntax import Scope
from db.migration.words import Connection, Finding

_APIS = {
    "total_changes": "the cursor's rowcount",
    "row_factory": "psycopg's own row factories, such as dict_row",
    "executescript": "one execute for each statement",
    "text_factory": "PostgreSQL's text is always Unicode",
    "isolation_level": "the connection's autocommit",
}


def findings(reading: Reading) -> Iterator[Finding]:
    """Yield what is wrong with connections."""
    for connection, call, scope in reading.connecting.connections():
        if connection.library in SQLITE and connection.how != "helper":
            target = f" ({connection.target})" if connection.target else ""
            yield found("direct-sqlite", connection, f"opens an SQLite file{target}", subject=connection.target or "")
        opening = reading.connecting.opened(call, scope)
        if opening and opening.generator:
            yield from _generator(connection, call, scope, opening)
        else:
            yield from _left_open(connection, call, scope)
        if any(word.arg == "check_same_thread" and _is_false(word.value) for word in call.keywords):
            yield found(
                "connection-across-threads", connection, "check_same_thread=False lets every thread use this connection"
            )
    yield from _apis(reading)


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def _generator(connection: Connection, call: ast.Call, scope: Scope, opening: Opening) -> Iterator[Finding]:
    parent = scope.module.parents.get(call)
    entered = isinstance(parent, ast.Call) and ast.unparse(parent.func).rpartition(".")[2] in (
        "enter_context", "enter_async_context", "next", "anext",
    )  # fmt: skip
    if entered or isinstance(
        parent, ast.withitem | ast.For | ast.AsyncFor | ast.Return | ast.YieldFrom | ast.comprehension
    ):
        return
    kept = parent.targets[0] if isinstance(parent, ast.Assign) else None
    name = opening.helper.name if opening.helper else ""
    yield found(
        "generator-as-connection",
        connection,
        f"{name} yields its connection, and is used here as if it returned it",
        rewritten=f"with {ast.unparse(call)} as {ast.unparse(kept) if kept else 'connection'}:",
    )


def _left_open(connection: Connection, call: ast.Call, scope: Scope) -> Iterator[Finding]:
    parent = scope.module.parents.get(call)
    if isinstance(parent, ast.withitem) and connection.library == "sqlite3":
        said = "`with` on a connection of sqlite3 ends the transaction and leaves the connection open"
        yield found(
            "connection-not-closed",
            connection,
            said,
            rewritten=f"with contextlib.closing({ast.unparse(call)}) as connection:",
        )
    elif isinstance(parent, ast.Attribute):
        yield found("connection-not-closed", connection, "nobody holds this connection, so nobody closes it")
    elif isinstance(parent, ast.Assign | ast.AnnAssign):
        target = parent.targets[0] if isinstance(parent, ast.Assign) else parent.target
        if open_still := _unclosed(target, parent, scope):
            kept = ast.unparse(target)
            rewritten = (
                f"with contextlib.closing({ast.unparse(call)}) as {kept}:" if isinstance(target, ast.Name) else None
            )
            yield found("connection-not-closed", connection, open_still, rewritten=rewritten)


def _unclosed(target: ast.expr, opened: ast.stmt, scope: Scope) -> str | None:
    """Return how a connection that was given a name stays open, or None if it does not or somebody else is to close it."""
    kept = ast.unparse(target)
    around = scope if isinstance(target, ast.Name) else scope.owner or scope
    uses = [node for node in _below(around) if _is_named(node, kept)]
    above = [around.module.parents.get(node) for node in uses]
    if any(isinstance(node, ast.Return | ast.Yield | ast.Global | ast.withitem) for node in above) or _handed_on(above):
        return None
    closes = [
        node
        for node in above
        if isinstance(node, ast.Attribute)
        and node.attr == "close"
        and isinstance(around.module.parents.get(node), ast.Call)
    ]
    if not closes:
        return f"{kept} is never closed"
    if not isinstance(target, ast.Name) or any(_is_final(node, scope) for node in closes) or _at_once(opened, closes):
        return None
    return f"{kept} stays open when an exception, or a return before its close, leaves the function"


def _is_named(node: ast.AST, kept: str) -> bool:
    match node:
        case ast.Name(id=name):
            return name == kept
        case ast.Attribute(value=ast.Name(id="self" | "cls" as owner), attr=attr):
            return f"{owner}.{attr}" == kept
        case _:
            return False


def _below(scope: Scope) -> Iterator[ast.AST]:
    yield from scope.nodes
    for inner in scope.inner.values():
        yield from _below(inner)


def _handed_on(above: list[ast.AST | None]) -> bool:
    """Whether somebody else gets it: as an argument of closing or a stack, or in an attribute."""
    for node in above:
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in (
            "closing",
            "callback",
            "enter_context",
            "append",
        ):
            return True
        if (
            isinstance(node, ast.Assign)
            and any(not isinstance(one, ast.Name) for one in node.targets)
            and isinstance(node.value, ast.Name)
        ):
            return True
    return False


def _is_final(node: ast.AST, scope: Scope) -> bool:
    """Whether it stands in a `finally`."""
    inner = node
    for around in scope.module.above(node):
        if isinstance(around, ast.Try) and any(inner is one for one in around.finalbody):
            return True
        inner = around
    return False


def _at_once(opened: ast.stmt, closes: list[ast.Attribute]) -> bool:
    return any(node.lineno == (opened.end_lineno or opened.lineno) + 1 for node in closes)


def _apis(reading: Reading) -> Iterator[Finding]:
    for node, scope in reading.nodes(ast.Attribute):
        if node.attr in _APIS and knows_sqlite(scope):
            said = f"{node.attr} is sqlite3's; with PostgreSQL: {_APIS[node.attr]}"
            yield found_at("sqlite-only-api", node, scope, said, subject=node.attr)


def knows_sqlite(scope: Scope) -> bool:
    """Whether the module of this scope imports sqlite3: only there its names are its."""
    return any(origin.startswith("sqlite3") for one in scope.module.scopes for origin in one.imports.values())
