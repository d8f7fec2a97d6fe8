"""Where connections are opened: by a library's own name, by an alias of it, or by a function of the audited code that returns one."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from db.migration.project import Project
from db.migration.syntax import Function, Scope
from db.migration.texts import Texts
from db.migration.words import Connection

OPENERS: Final = {
    "sqlite3.connect": "sqlite3", "sqlite3.dbapi2.connect": "sqlite3", "sqlite3.Connection": "sqlite3", "aiosqlite.connect": "aiosqlite",
    "apsw.Connection": "apsw", "pysqlite3.connect": "sqlite3", "sqlite_utils.Database": "sqlite3",
    "psycopg2.connect": "psycopg2", "psycopg2.pool.SimpleConnectionPool": "psycopg2", "psycopg2.pool.ThreadedConnectionPool": "psycopg2",
    "psycopg.connect": "psycopg", "psycopg.Connection.connect": "psycopg", "psycopg.AsyncConnection.connect": "psycopg",
    "psycopg_pool.ConnectionPool": "psycopg", "asyncpg.connect": "asyncpg", "asyncpg.create_pool": "asyncpg",
    "sqlalchemy.create_engine": "sqlalchemy", "pymysql.connect": "pymysql", "duckdb.connect": "duckdb",
}  # fmt: skip
SQLITE: Final = frozenset({"sqlite3", "aiosqlite", "apsw"})
_ROUNDS: Final = 6
"""Helpers that call helpers are followed this far."""


@dataclass(frozen=True)
class Opening:
    """What opening a connection comes to. generator: the function yields it, so that what is called returns no connection."""

    library: str
    helper: Scope | None = None
    generator: bool = False


class Connecting:
    """Knows which expressions of a project are connections."""

    def __init__(self, project: Project, texts: Texts) -> None:
        self._project = project
        self._texts = texts
        self.helpers: dict[Scope, Opening] = {}
        functions = [scope for scope in project.scopes() if isinstance(scope.node, Function)]
        for _ in range(_ROUNDS):
            known = len(self.helpers)
            for scope in functions:
                if scope not in self.helpers and (opening := self._given_back(scope)):
                    self.helpers[scope] = opening
            if len(self.helpers) == known:
                break

    def _given_back(self, scope: Scope) -> Opening | None:
        for values, generator in ((scope.returned(), False), (scope.yielded(), True)):
            for value in values:
                if opening := self.opening(value, scope):
                    return Opening(opening.library, scope, generator=generator)
        return None

    def opening(self, expression: ast.expr, scope: Scope, deep: int = 0) -> Opening | None:
        """Return what opens the connection that an expression is, or None if it is none."""
        match expression:
            case ast.Await(value=value):
                return self.opening(value, scope, deep)
            case ast.Call():
                return self.opened(expression, scope)
            case ast.Name(id=name) if deep < _ROUNDS:
                values = self._project.values(name, scope)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=attr) if deep < _ROUNDS and scope.owner:
                owner = scope.owner
                values = [(value, owner) for value in owner.assigned.get(f"self.{attr}", [])]
            case _:
                return None
        found = (self.opening(value, around, deep + 1) for value, around in values if value is not expression)
        return next((one for one in found if one), None)

    def opened(self, call: ast.Call, scope: Scope) -> Opening | None:
        """Return what a call opens, or None."""
        name = self._project.qualify(call.func, scope)
        if name in OPENERS:
            return Opening(OPENERS[name])
        function = self._project.function(call, scope)
        if function in self.helpers:
            return self.helpers[function]
        if name and name.rpartition(".")[2] in ("closing", "enter_context", "enter_async_context") and call.args:
            return self.opening(call.args[0], scope)
        return None

    def is_cursor(self, expression: ast.expr, scope: Scope, deep: int = 0) -> bool:
        """Whether an expression is a connection or a cursor of one."""
        match expression:
            case ast.Call(func=ast.Attribute(attr="cursor", value=value)):
                return True if self.opening(value, scope) else isinstance(value, ast.Name | ast.Attribute)
            case ast.Name(id=name) if deep < _ROUNDS:
                values = self._project.values(name, scope)
                if any(self.is_cursor(value, around, deep + 1) for value, around in values if value is not expression):
                    return True
        return self.opening(expression, scope) is not None

    def connections(self) -> Iterator[tuple[Connection, ast.Call, Scope]]:
        """Yield every place that opens a connection, with its call."""
        for scope in self._project.scopes():
            for node in scope.nodes:
                if isinstance(node, ast.Call) and (found := self._connection(node, scope)):
                    yield found, node, scope

    def _connection(self, call: ast.Call, scope: Scope) -> Connection | None:
        name = self._project.qualify(call.func, scope)
        function = None if name in OPENERS else self._project.function(call, scope)
        if name not in OPENERS and function not in self.helpers:
            return None
        through = f"{function.module.dotted}.{function.name}" if function else None
        return Connection(
            file=scope.module.file,
            line=call.lineno,
            function=scope.function,
            library=OPENERS[name] if name in OPENERS else self.helpers[function].library,  # type: ignore[index]  # known above
            how="helper" if function else "direct" if ast.unparse(call.func) == name else "aliased",
            through=through,
            target=self._target(call, scope),
        )

    def target_of(self, call: ast.Call, scope: Scope) -> tuple[ast.expr, Scope] | None:
        """Return the expression of what a call opens, followed into the helper that opens it, or None where it has none."""
        function = None if self._project.qualify(call.func, scope) in OPENERS else self._project.function(call, scope)
        if function is None:
            given = call.args[:1] or [
                word.value for word in call.keywords if word.arg in ("database", "dsn", "conninfo", "dbname")
            ]
            return (given[0], scope) if given else None
        inner = (node for node in function.nodes if isinstance(node, ast.Call) and self.opened(node, function))
        opener = next(inner, None)
        name = self._project.qualify(opener.func, function) if opener else None
        return self.target_of(opener, function) if opener and name in OPENERS else None

    def _target(self, call: ast.Call, scope: Scope) -> str | None:
        target = self.target_of(call, scope)
        return self._texts.of(*target).shown if target else None
