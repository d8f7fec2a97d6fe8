"""What programs do while they run: polling, logging, waiting for others, and errors that nobody hears of."""

import ast
import copy
import re
from collections.abc import Iterator
from decimal import Decimal

from db.migration.calling import http_calls, loops
from db.migration.reading import Reading, Site
from db.migration.rules.finding import found, found_at
from db.migration.syntax import Scope
from db.migration.words import Finding

_SLOW_S = 10
"""A loop that sleeps for longer writes few lines."""
_LOGS = frozenset({"print", "log", "debug", "info", "warning", "error", "critical", "exception"})
_ANY = frozenset({"Exception", "BaseException"})
_WAITS = frozenset(
    {"time.sleep", "sqlite3.connect", "urllib.request.urlopen", "subprocess.run", "subprocess.check_output"}
)


def findings(reading: Reading) -> Iterator[Finding]:
    """Yield what is wrong with what programs do."""
    intervals: dict[ast.AST, str | None] = {}
    for loop, loop_node, _ in loops(reading):
        intervals[loop_node] = loop.interval
        does = ", ".join(loop.does[:6]) or "nothing"
        said = f"every {loop.interval} s: {does}" if loop.interval else f"round after round: {does}"
        yield found("polling-loop", loop, said)
    for node, scope in reading.nodes(ast.While):
        yield from _logging(node, scope, intervals.get(node))
    for handler, scope in reading.nodes(ast.ExceptHandler):
        yield from _swallowed(handler, scope)
    yield from _without_timeout(reading)
    for site in reading.sites:
        if isinstance(site.scope.node, ast.AsyncFunctionDef) and _blocks(site):
            yield found(
                "blocking-in-async", site.place, f"{site.name} in async {site.scope.name}", subject=site.name or ""
            )


def _blocks(site: Site) -> bool:
    return site.name in _WAITS or (site.name or "").startswith(
        ("requests.get", "requests.post", "requests.put", "requests.request")
    )


def _logging(loop: ast.While, scope: Scope, interval: str | None) -> Iterator[Finding]:
    if interval and re.fullmatch(r"\d+(\.\d+)?", interval) and Decimal(interval) > _SLOW_S:
        return
    for statement in _each_round(loop.body):
        call = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in _LOGS:
            said = f"{ast.unparse(call.func)} in every round" + (f", every {interval} s" if interval else "")
            yield found_at("logging-in-loop", call, scope, said, subject=ast.unparse(call.func))
            return


def _each_round(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that every round runs: conditions and handlers are for what happens sometimes."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.Try | ast.With | ast.AsyncWith):
            yield from _each_round(statement.body)


def _swallowed(handler: ast.ExceptHandler, scope: Scope) -> Iterator[Finding]:
    caught = "" if handler.type is None else ast.unparse(handler.type)
    every = handler.type is None or any(word.strip() in _ANY for word in caught.strip("()").split(","))
    if every and all(_is_nothing(statement) for statement in handler.body):
        yield found_at(
            "swallowed-exception", handler, scope, f"except {caught}".strip() + " does nothing with any error"
        )


def _is_nothing(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass | ast.Continue) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _without_timeout(reading: Reading) -> Iterator[Finding]:
    sites = {
        (site.scope.module.file, site.call.lineno, (site.name or "").rpartition(".")[2]): site for site in reading.sites
    }
    for call, _, _ in http_calls(reading):
        if not call.timeout:
            site = sites.get((call.file, call.line, call.method.lower())) or sites.get(
                (call.file, call.line, "urlopen")
            )
            said = f"{call.method} {call.url or ''}".strip() + " waits without limit"
            yield found("http-without-timeout", call, said, subject=call.url or "", rewritten=_limited(site))


def _limited(site: Site | None) -> str | None:
    if site is None:
        return None
    limited = copy.copy(site.call)
    limited.keywords = [*limited.keywords, ast.keyword(arg="timeout", value=ast.Constant(value=5))]
    return ast.unparse(limited)
