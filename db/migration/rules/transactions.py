"""Cursors, transactions and commits: what is written and never committed, what is asked of the wrong object, what is never ended."""

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from db.migration.reading import Reading, Site
from db.migration.rules.finding import found
from db.migration.stating import EXECUTES
from db.migration.syntax import Scope
from db.migration.words import Finding

_WRITES: Final = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE"})
_FETCHES: Final = frozenset({"fetchone", "fetchall", "fetchmany"})
_ENDS: Final = frozenset({"commit", "rollback", "autocommit", "isolation_level", "set_session"})


def findings(reading: Reading) -> Iterator[Finding]:
    """Yield what is wrong with transactions and cursors."""
    for scope, sites in _by_scope(reading).items():
        yield from _not_committed(scope, sites, reading)
        yield from _in_loops(scope, sites)
    for site in reading.sites:
        yield from _as_cursor(site, reading)
    yield from _left_open(reading)


def _by_scope(reading: Reading) -> dict[Scope, list[Site]]:
    found_in: dict[Scope, list[Site]] = {}
    for site in reading.sites:
        if isinstance(site.call.func, ast.Attribute) and site.call.func.attr in (*EXECUTES, "commit"):
            found_in.setdefault(site.scope, []).append(site)
    return found_in


def _receiver(site: Site) -> str:
    return ast.unparse(site.call.func.value) if isinstance(site.call.func, ast.Attribute) else ""


def _method(site: Site) -> str:
    return site.call.func.attr if isinstance(site.call.func, ast.Attribute) else ""


def _not_committed(scope: Scope, sites: list[Site], reading: Reading) -> Iterator[Finding]:
    for name, values in scope.assigned.items():
        if name.startswith("self.") or not any(
            reading.connecting.opening(value, scope) for value in values if isinstance(value, ast.Call)
        ):
            continue
        if _is_kept_elsewhere(name, scope) or any(_method(site) == "commit" for site in sites):
            continue
        own = {name} | {
            cursor for cursor, made in scope.assigned.items() if any(_is_cursor_of(one, name) for one in made)
        }
        for site in sites:
            if (_receiver(site) in own or _receiver(site) == f"{name}.cursor()") and (
                verb := _verb(site, reading)
            ) in _WRITES:
                said = (
                    f"{verb} by {_receiver(site)}, and {name} is never committed in {scope.function or 'this module'}"
                )
                yield found("write-not-committed", site.place, said, subject=name, rewritten=f"{name}.commit()")
                break


def _is_cursor_of(value: ast.expr, name: str) -> bool:
    match value:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="cursor" | "execute")):
            return owner == name
        case _:
            return False


def _is_kept_elsewhere(name: str, scope: Scope) -> bool:
    """Whether somebody else may commit it: it is returned, handed on, entered, or commits by itself."""
    for node in scope.nodes:
        above = scope.module.parents.get(node)
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            if isinstance(
                above, ast.Return | ast.Yield | ast.withitem | ast.Assign | ast.Tuple | ast.keyword | ast.Global
            ):
                return True
            if isinstance(above, ast.Call) and node in above.args:
                return True
            if isinstance(above, ast.Attribute) and above.attr in _ENDS:
                return True
        elif (
            isinstance(node, ast.withitem)
            and isinstance(node.optional_vars, ast.Name)
            and node.optional_vars.id == name
        ):
            return "closing" not in ast.unparse(node.context_expr)
        elif isinstance(node, ast.keyword) and node.arg in ("isolation_level", "autocommit"):
            return True
    return False


def _verb(site: Site, reading: Reading) -> str:
    if not site.call.args:
        return ""
    words = {
        text.raw.split(maxsplit=1)[0].upper()
        for text in reading.texts.every(site.call.args[0], site.scope)
        if text.raw.strip()
    }
    return words.pop() if len(words) == 1 else ""


def _in_loops(scope: Scope, sites: Iterable[Site]) -> Iterator[Finding]:
    for site in sites:
        loop = next(
            (one for one in scope.module.above(site.call) if isinstance(one, ast.For | ast.While) or one is scope.node),
            None,
        )
        if isinstance(loop, ast.For):
            if _method(site) == "commit" and _is_only_of(loop, scope, _receiver(site)):
                yield found(
                    "commit-in-loop", site.place, f"{_receiver(site)} commits in each round", subject=_receiver(site)
                )
            elif _method(site) in EXECUTES and loop.iter is not site.call and _gives_rows(loop.iter, _receiver(site)):
                said = f"{_receiver(site)} gives the rows of this loop and runs another statement in it"
                yield found("cursor-reused", site.place, said, subject=_receiver(site), rewritten=_all_first(loop.iter))


def _is_only_of(loop: ast.For, scope: Scope, receiver: str) -> bool:
    """Whether a connection is opened outside of a loop, so that its commits could stand there, too."""
    opened_inside = any(
        isinstance(node, ast.Assign) and any(ast.unparse(one) == receiver for one in node.targets)
        for node in ast.walk(loop)
    )
    writes = any(isinstance(node, ast.Attribute) and node.attr in EXECUTES for node in ast.walk(loop))
    return writes and not opened_inside and bool(scope.nodes)


def _gives_rows(rows: ast.expr, receiver: str) -> bool:
    match rows:
        case ast.Call(func=ast.Attribute(value=value, attr="execute")):
            # A connection makes a new cursor for each of its statements.
            return ast.unparse(value) == receiver and "cur" in receiver.lower()
        case ast.Name(id=name):
            return name == receiver
        case _:
            return False


def _all_first(rows: ast.expr) -> str:
    return f"for row in {ast.unparse(rows)}.fetchall():"


def _as_cursor(site: Site, reading: Reading) -> Iterator[Finding]:
    match site.call.func:
        case ast.Attribute(value=ast.Name(id=name) as value, attr=attr) if attr in _FETCHES:
            made = reading.project.values(name, site.scope)
            opened = [
                one for one, around in made if isinstance(one, ast.Call) and reading.connecting.opened(one, around)
            ]
            if opened and len(opened) == len(made):
                said = f"{name} is a connection, and has no {attr}"
                yield found(
                    "connection-as-cursor",
                    site.place,
                    said,
                    subject=ast.unparse(value),
                    rewritten=f"{name}.execute(...).{attr}()",
                )
        case _:
            pass


def _left_open(reading: Reading) -> Iterator[Finding]:
    """Yield connections of a module or of an object that ask and never end what that begins."""
    for connection, call, scope in reading.connecting.connections():
        above = scope.module.parents.get(call)
        if not isinstance(above, ast.Assign) or connection.library not in ("sqlite3", "psycopg", "psycopg2"):
            continue
        target = above.targets[0]
        lasts = isinstance(target, ast.Attribute) or scope is scope.module.top
        if not lasts or any(word.arg in ("autocommit", "isolation_level") for word in call.keywords):
            continue
        kept = ast.unparse(target)
        attributes = {
            node.attr
            for one in scope.module.scopes
            for node in one.nodes
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == kept
        }
        if attributes & {"execute", "cursor"} and not attributes & _ENDS and not _is_entered(kept, scope):
            yield found(
                "transaction-left-open",
                connection,
                f"{kept} is asked and never committed, rolled back or in autocommit",
                subject=kept,
            )


def _is_entered(kept: str, scope: Scope) -> bool:
    return any(
        isinstance(node, ast.withitem) and ast.unparse(node.context_expr) == kept
        for one in scope.module.scopes
        for node in one.nodes
    )
