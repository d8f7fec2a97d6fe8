"""All Python files of an audit together: which function, class or value a name means, followed through imports and assignments."""

import ast
from collections.abc import Iterable, Iterator

from db.migration.syntax import Function, Module, Scope

_DEEP = 20
"""A chain of names longer than this goes round in a circle."""


class Project:
    """Modules that know each other, by any ending of their dotted names: sys.path is set in many ways."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self.modules = tuple(modules)
        self._by_ending: dict[str, list[Module]] = {}
        for module in self.modules:
            parts = module.dotted.split(".")
            for start in range(len(parts)):
                self._by_ending.setdefault(".".join(parts[start:]), []).append(module)

    def scopes(self) -> Iterator[Scope]:
        """Yield every scope of every module."""
        for module in self.modules:
            yield from module.scopes

    def module(self, dotted: str, near: Module) -> Module | None:
        """Return the module of this name; of several, the one that is nearest to who asks."""
        found = self._by_ending.get(dotted, [])
        return max(found, key=lambda one: _shared(one.file, near.file), default=None)

    def qualify(self, expression: ast.expr, scope: Scope, deep: int = 0) -> str | None:
        """Return the dotted name that an expression stands for, aliases followed, or None if it is no name."""
        match expression:
            case ast.Attribute(value=value, attr=attr):
                inner = self.qualify(value, scope, deep)
                return f"{inner}.{attr}" if inner else None
            case ast.Name(id=name):
                for around in _outwards(scope):
                    if name in around.imports:
                        return around.imports[name]
                    values = around.assigned.get(name, [])
                    if len(values) == 1 and isinstance(values[0], ast.Name | ast.Attribute) and deep < _DEEP:
                        return self.qualify(values[0], around, deep + 1)
                    if values or name in around.inner:
                        return name
                return name
            case _:
                return None

    def function(self, call: ast.Call, scope: Scope) -> Scope | None:
        """Return the function of the audited code that a call reaches, or None."""
        match call.func:
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=attr):
                owner = scope.owner
                return _function(owner.inner.get(attr)) if owner else None
            case ast.Name(id=name):
                for around in _outwards(scope):
                    if name in around.inner:
                        return _function(around.inner[name])
            case _:
                pass
        return _function(self._defined(self.qualify(call.func, scope), scope))

    def values(self, name: str, scope: Scope) -> list[tuple[ast.expr, Scope]]:
        """Return what a plain name is given, in the nearest scope that gives it anything, imports followed."""
        for around in _outwards(scope):
            if name in around.parameters():
                return []
            if name in around.assigned:
                return [(value, around) for value in around.assigned[name]]
            if name in around.imports:
                origin, _, own = around.imports[name].rpartition(".")
                module = self.module(origin, scope.module)
                return [(value, module.top) for value in module.top.assigned.get(own, [])] if module else []
        return []

    def constant(self, expression: ast.expr, scope: Scope) -> list[tuple[ast.expr, Scope]]:
        """Return what a name of another module is given there."""
        origin, _, name = (self.qualify(expression, scope) or "").rpartition(".")
        module = self.module(origin, scope.module) if origin else None
        return [(value, module.top) for value in module.top.assigned.get(name, [])] if module else []

    def _defined(self, qualified: str | None, scope: Scope) -> Scope | None:
        origin, _, name = (qualified or "").rpartition(".")
        module = self.module(origin, scope.module) if origin else None
        return module.top.inner.get(name) if module else None


def _function(scope: Scope | None) -> Scope | None:
    return scope if scope and isinstance(scope.node, Function) else None


def _outwards(scope: Scope) -> Iterator[Scope]:
    """Yield a scope and those around it that its names are looked up in: a class is not one of them for its methods."""
    yield scope
    around = scope.parent
    while around:
        if not isinstance(around.node, ast.ClassDef):
            yield around
        around = around.parent


def _shared(one: str, other: str) -> int:
    same = 0
    for a, b in zip(one.split("/"), other.split("/"), strict=False):
        if a != b:
            break
        same += 1
    return same
