"""The Python of an audit, read once: its modules, what their expressions mean, and every call with the scope that it stands in."""

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from db.migration.connecting import Connecting
from db.migration.project import Project
from db.migration.syntax import Module, Scope
from db.migration.texts import Texts


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
        self.sites = tuple(self._sites())

    def _sites(self) -> Iterator[Site]:
        for scope in self.project.scopes():
            for node in scope.nodes:
                if isinstance(node, ast.Call):
                    yield Site(node, scope, self.project.qualify(node.func, scope))

    def nodes(self) -> Iterator[tuple[ast.AST, Scope]]:
        """Yield every node with its scope."""
        for scope in self.project.scopes():
            for node in scope.nodes:
                yield node, scope
