"""Routes that one service asks another one for and that the other one does not have."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from db.migration.reading import Reading
from db.migration.rules.finding import found
from db.migration.syntax import Module
from db.migration.words import Audit, Finding

_METHODS: Final = frozenset({"get", "post", "put", "delete", "patch", "head", "options"})
_ANY: Final = frozenset({"websocket", "api_route", "add_url_rule", "add_api_route", "add_route"})
_HOLE: Final = re.compile(r"\{(?:[^{}]|\{[^{}]*\})*\}|<[^<>]*>")
Route = tuple[tuple[str, ...], frozenset[str]]
"""The parts of a path, those that may be anything empty, and its methods; without any, all of them."""


def findings(reading: Reading, whole: Audit) -> Iterator[Finding]:
    """Yield calls of routes that are not there. Where a service's routes or a call's path cannot be told, nothing is said."""
    modules = {module.file: module for module in reading.project.modules}
    services = {one.name: [modules[file] for file in one.files if file in modules] for one in whole.services}
    told = set()
    for edge in whole.calls:
        those = services.get(edge.callee, [])
        routes = [route for module in those for route in _routes(module)]
        has_prefix = any(_has_prefix(module) for module in those)
        for call in edge.calls if routes else ():
            method, _, path = call.said.partition(" ")
            parts = _parts(path)
            alike = [methods for wanted, methods in routes if _fits(parts, wanted, has_prefix=has_prefix)]
            is_there = any(not methods or method in methods for methods in alike)
            if any(parts) and not is_there and (call.file, call.line) not in told:
                told.add((call.file, call.line))
                said = f"{edge.callee} has no {method} {path}" + (", only another method of it" if alike else "")
                yield found("route-missing", call, said, subject=f"{edge.callee} {method} {path}")


def _has_prefix(module: Module) -> bool:
    """Whether routers have prefixes in a file, so that its routes are only the ends of paths."""
    return any(
        isinstance(node, ast.keyword) and node.arg in ("prefix", "url_prefix")
        for scope in module.scopes
        for node in scope.nodes
    )


def _routes(module: Module) -> Iterator[Route]:
    for scope in module.scopes:
        for node in scope.nodes:
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
                continue
            attr, first = node.func.attr, node.args[0]
            if (
                not isinstance(first, ast.Constant)
                or not isinstance(first.value, str)
                or not first.value.startswith("/")
            ):
                continue
            if attr == "mount":
                yield (*_parts(first.value), "**"), frozenset()
            elif attr in _ANY:
                yield _parts(first.value), frozenset()
            elif attr == "route":
                yield _parts(first.value), _methods(node)
            elif attr in _METHODS and isinstance(module.parents.get(node), ast.FunctionDef | ast.AsyncFunctionDef):
                yield _parts(first.value), frozenset({attr.upper()})


def _methods(route: ast.Call) -> frozenset[str]:
    for word in route.keywords:
        if word.arg == "methods" and isinstance(word.value, ast.List | ast.Tuple | ast.Set):
            return frozenset(
                one.value.upper()
                for one in word.value.elts
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            )
    return frozenset({"GET", "HEAD", "OPTIONS"})


def _parts(path: str) -> tuple[str, ...]:
    """Return the parts of a path; what may be anything is empty, what may be any number of parts `**`."""
    before, rest, _ = path.partition("{") if ":path}" in path else path.partition("<path:")
    if rest:
        return (*_parts(before), "**")
    return tuple("" if _HOLE.search(part) else part for part in _HOLE.sub("{}", path).strip("/").split("/"))


def _fits(parts: tuple[str, ...], wanted: tuple[str, ...], *, has_prefix: bool) -> bool:
    if wanted[-1] == "**":
        return parts[: len(wanted) - 1] == wanted[:-1]
    end = parts[-len(wanted) :] if has_prefix else parts
    return len(end) == len(wanted) and all(
        not one or not other or one == other for one, other in zip(end, wanted, strict=True)
    )
