"""Every SQL statement of Python sources: what cursors and connections are given, and texts that read as SQL."""

import ast
from collections.abc import Iterator
from typing import Final

from db.migration.reading import Reading, Site, place
from db.migration.sql import Sql, looks_like_sql, statements_in
from db.migration.syntax import Scope
from db.migration.texts import Text
from db.migration.translation import translated
from db.migration.words import Statement

EXECUTES: Final = frozenset(
    {"execute", "executemany", "executescript", "execute_fetchall", "fetch", "fetchrow", "fetchval"}
)
_READERS: Final = frozenset({"read_sql", "read_sql_query"})
HOLE: Final = "hole_"


def statements(reading: Reading) -> Iterator[tuple[Statement, Sql, ast.expr]]:
    """Yield every statement, parsed, with the expression that makes it."""
    told: set[int] = set()
    for site in reading.sites:
        if (given := _given(site)) is None:
            continue
        texts = [text for text in reading.texts.every(given, site.scope) if _is_meant(text, site, reading)]
        for text in texts:
            told |= {id(node) for node in ast.walk(given)} | _origins(given, site.scope, reading)
            yield from _told(text, given, site.scope, _parameters(site), executed=True)
    for node, scope in reading.nodes(ast.Constant, ast.JoinedStr):
        if id(node) not in told and _stands_alone(node, scope):
            text = reading.texts.of(node, scope)
            # Sentences of people begin like statements, too, but not in capitals.
            if text.raw.split(maxsplit=1)[:1] == text.raw.upper().split(maxsplit=1)[:1] and looks_like_sql(
                text.filled(HOLE)
            ):
                yield from _told(text, node, scope, None, executed=False)


def _given(site: Site) -> ast.expr | None:
    last = site.call.func.attr if isinstance(site.call.func, ast.Attribute) else ""
    if not site.call.args or (last not in EXECUTES and (site.name or "").rpartition(".")[2] not in _READERS):
        return None
    return site.call.args[0]


def _is_meant(text: Text, site: Site, reading: Reading) -> bool:
    if looks_like_sql(text.filled(HOLE)):
        return True
    receiver = site.call.func.value if isinstance(site.call.func, ast.Attribute) else None
    return receiver is not None and reading.connecting.is_cursor(receiver, site.scope)


def _origins(given: ast.expr, scope: Scope, reading: Reading) -> set[int]:
    if not isinstance(given, ast.Name):
        return set()
    return {id(node) for value, _ in reading.project.values(given.id, scope) for node in ast.walk(value)}


def _stands_alone(node: ast.expr, scope: Scope) -> bool:
    """Whether a text is neither a docstring nor part of a longer one."""
    if isinstance(node, ast.Constant) and (not isinstance(node.value, str) or len(node.value) < len("VACUUM")):
        return False
    return not isinstance(scope.module.parents.get(node), ast.Expr | ast.JoinedStr | ast.FormattedValue | ast.BinOp)


def _parameters(site: Site) -> int | None:
    if not isinstance(site.call.func, ast.Attribute) or site.call.func.attr != "execute":
        return None
    if len(site.call.args) == 1 and not site.call.keywords:
        return 0
    given = site.call.args[1] if len(site.call.args) == 2 else None
    if isinstance(given, ast.Tuple | ast.List) and not any(isinstance(one, ast.Starred) for one in given.elts):
        return len(given.elts)
    return None


def _told(
    text: Text, node: ast.expr, scope: Scope, parameters: int | None, *, executed: bool
) -> Iterator[tuple[Statement, Sql, ast.expr]]:
    for sql in statements_in(text.filled(HOLE)):
        yield statement_of(sql, text, place(node, scope), parameters, executed=executed), sql, node


def statement_of(
    sql: Sql, text: Text, where: dict[str, object], parameters: int | None, *, executed: bool
) -> Statement:
    """Return one parsed statement as an audit tells it."""
    named = dict(zip((f"{HOLE}{number}" for number in range(1000)), text.holes(), strict=False))

    def shown(words: str) -> str:
        for number in range(len(named) - 1, -1, -1):
            words = words.replace(f"{HOLE}{number}", "{" + named[f"{HOLE}{number}"] + "}")
        return words

    return Statement(
        **where,  # type: ignore[arg-type]  # file, line and function
        operation="UNKNOWN" if sql.operation.lower().startswith(HOLE) else sql.operation,
        reads=tuple(shown(name) for name in sql.reads),
        writes=tuple(shown(name) for name in sql.writes),
        columns=tuple(shown(name) for name in sql.columns if not name.startswith(HOLE)),
        placeholders=None if text.formatted else len(sql.placeholders),
        parameters=parameters,
        executed=executed,
        formatted=text.formatted,
        sql=shown(sql.text),
        postgres=shown(found) if (found := translated(sql)) else None,
    )
