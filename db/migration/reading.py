"""The Python of an audit, read once: its modules, what their expressions mean, and every call with the scope that it stands in."""

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

from db.migration.connecting import Connecting
from db.migration.project import Project
from db.migration.syntax import Module, Scope
from db.migration.texts import Texts

Node = TypeVar("Node", bound=ast.AST)


class Site(NamedTuple):
    """A call where it stands. name: dotted, aliases followed; None where what is called has no name."""

    call: ast.Call
    scope: Scope
    name: str | None

    @property
    def place(self) -> dict[str, object]:
        """File, line and function, as every finding carries them."""
        return place(self.call, self.scope)

    def keyword(self, *names: str) -> ast.expr | None:
        """Return the first of these keyword arguments."""
        return next((word.value for word in self.call.keywords if word.arg in names), None)


def place(node: ast.expr | ast.stmt | ast.excepthandler, scope: Scope) -> dict[str, object]:
    """Return file, line and function of a node."""
    return {"file": scope.module.file, "line": node.lineno, "function": scope.function}


class Reading:
    """All of it, for those that look for something."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self.project = Project(modules)
        self.texts = Texts(self.project)
        self.connecting = Connecting(self.project, self.texts)
        self._by_kind: dict[type, list[tuple[ast.AST, Scope]]] = {}
        for scope in self.project.scopes():
            for node in scope.nodes:
                self._by_kind.setdefault(type(node), []).append((node, scope))
        self.sites = tuple(self._sites())

    def _sites(self) -> Iterator[Site]:
        for call, scope in self.nodes(ast.Call):
            yield Site(call, scope, self.project.qualify(call.func, scope))

    def nodes(self, *kinds: type[Node]) -> Iterator[tuple[Node, Scope]]:
        """Yield every node of these kinds with its scope, kind by kind."""
        for kind in kinds:
            yield from self._by_kind.get(kind, ())  # type: ignore[misc]  # each kind holds nodes of its own
