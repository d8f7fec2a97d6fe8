"""Connections that several threads use, and pools that run dry."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from db.migration.reading import Reading, Site
from db.migration.rules.finding import found, found_at
from db.migration.syntax import Scope
from db.migration.words import Finding

_THREADS: Final = frozenset({"Thread", "Timer"})
_HANDS: Final = frozenset({"submit", "map", "apply_async", "to_thread", "start_new_thread"})


def findings(reading: Reading) -> Iterator[Finding]:
    """Yield connections that go from thread to thread, and those that are taken and not given back."""
    yield from _across_threads(reading)
    yield from _in_loops(reading)
    yield from _not_put_back(reading)
    yield from _nested(reading)


def _across_threads(reading: Reading) -> Iterator[Finding]:
    told: set[tuple[Scope, str]] = set()
    for site in reading.sites:
        for run in _run_in_threads(site, reading):
            for node in run.nodes:
                if not isinstance(node, ast.Name | ast.Attribute):
                    continue
                shared = _shared(node, run, reading)
                if shared and (run, shared) not in told:
                    told.add((run, shared))
                    said = f"{run.name} runs in a thread of its own (line {site.call.lineno}) with {shared}, which was opened outside of it"
                    yield found_at("connection-across-threads", node, run, said, subject=shared)


def _run_in_threads(site: Site, reading: Reading) -> Iterator[Scope]:
    last = (site.name or "").rpartition(".")[2] or (
        site.call.func.attr if isinstance(site.call.func, ast.Attribute) else ""
    )
    given: list[ast.expr] = []
    if last in _THREADS:
        given = [word.value for word in site.call.keywords if word.arg in ("target", "function")] or site.call.args[1:2]
    elif last in _HANDS:
        given = site.call.args[:1]
    for one in given:
        if isinstance(one, ast.Name | ast.Attribute) and (
            run := reading.project.function(ast.Call(func=one, args=[], keywords=[]), site.scope)
        ):
            yield run


def _shared(node: ast.AST, run: Scope, reading: Reading) -> str | None:
    """Return the name of a connection that is used in a function and was opened outside of it, or None."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()) if name not in run.assigned and name not in run.parameters():
            values = reading.project.values(name, run)
        case ast.Attribute(value=ast.Name(id="self"), attr=attr, ctx=ast.Load()) if run.owner:
            name, owner = f"self.{attr}", run.owner
            values = [(value, owner) for value in owner.assigned.get(name, [])]
            if any(
                isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store) and ast.unparse(one) == name
                for one in run.nodes
            ):
                return None
        case _:
            return None
    opened = [one for one, around in values if isinstance(one, ast.Call) and reading.connecting.opened(one, around)]
    generators = any(
        True
        for one, around in values
        if isinstance(one, ast.Call) and (its := reading.connecting.opened(one, around)) and its.generator
    )
    return name if opened and not generators else None


def _in_loops(reading: Reading) -> Iterator[Finding]:
    for connection, call, scope in reading.connecting.connections():
        above = scope.module.parents.get(call)
        if not isinstance(above, ast.Assign) or not isinstance(above.targets[0], ast.Name):
            continue
        kept = above.targets[0].id
        loop = next(
            (one for one in scope.module.above(call) if isinstance(one, ast.For | ast.While) or one is scope.node), None
        )
        if isinstance(loop, ast.For | ast.While) and not _is_given_back(loop, kept):
            yield found("pool-exhausted", connection, f"each round opens {kept}, and no round closes it", subject=kept)


def _is_given_back(loop: ast.For | ast.While, kept: str) -> bool:
    for node in ast.walk(loop):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr="close") if name == kept:
                return True
            case ast.Call(args=args) if any(isinstance(one, ast.Name) and one.id == kept for one in args):
                return True
            case ast.Return() | ast.Break() if not isinstance(loop, ast.While):
                return True
            case _:
                pass
    return False


def _not_put_back(reading: Reading) -> Iterator[Finding]:
    for site in reading.sites:
        if not isinstance(site.call.func, ast.Attribute) or site.call.func.attr != "getconn":
            continue
        pool = ast.unparse(site.call.func.value)
        puts = [
            node
            for node in site.scope.nodes
            if isinstance(node, ast.Attribute) and node.attr == "putconn" and ast.unparse(node.value) == pool
        ]
        if not any(_is_final(node, site.scope) for node in puts):
            said = (
                f"{pool}.getconn() is put back on no path"
                if not puts
                else f"{pool}.getconn() is put back only where nothing goes wrong"
            )
            yield found(
                "pool-exhausted",
                site.place,
                said,
                subject=pool,
                rewritten=f"with {pool}.connection() as connection:  # psycopg_pool",
            )


def _is_final(node: ast.AST, scope: Scope) -> bool:
    inner = node
    for around in scope.module.above(node):
        if isinstance(around, ast.Try) and any(inner is one for one in around.finalbody):
            return True
        inner = around
    return False


def _nested(reading: Reading) -> Iterator[Finding]:
    """Yield calls of functions that open a connection, made by one who holds one."""
    opens = {
        scope
        for _, _, scope in reading.connecting.connections()
        if scope not in reading.connecting.helpers and scope.function
    }
    sites: dict[Scope, list[Site]] = defaultdict(list)
    for site in reading.sites:
        if site.scope in opens:
            sites[site.scope].append(site)
    for connection, call, scope in reading.connecting.connections():
        held = _held(call, scope)
        if held is None or scope not in opens:
            continue
        for site in (one for one in sites[scope] if held[0] < one.call.lineno <= held[1]):
            inner = reading.project.function(site.call, scope)
            if inner in opens and inner is not scope:
                said = f"{scope.name} holds a connection (line {connection.line}) while {inner.name} opens another one"
                yield found("pool-exhausted", site.place, said, subject=inner.name)
                break


def _held(call: ast.Call, scope: Scope) -> tuple[int, int] | None:
    """Return from which line to which a connection is held, or None where that cannot be told."""
    above = scope.module.parents.get(call)
    if isinstance(above, ast.Call):
        above = scope.module.parents.get(above)
    if isinstance(above, ast.withitem) and isinstance(
        block := scope.module.parents.get(above), ast.With | ast.AsyncWith
    ):
        return block.lineno, block.end_lineno or block.lineno
    if isinstance(above, ast.Assign) and isinstance(above.targets[0], ast.Name):
        kept = above.targets[0].id
        closes = [
            node.lineno
            for node in scope.nodes
            if isinstance(node, ast.Attribute)
            and node.attr == "close"
            and isinstance(node.value, ast.Name)
            and node.value.id == kept
            and node.lineno > above.lineno
        ]
        return (above.lineno, min(closes)) if closes else None
    return None
