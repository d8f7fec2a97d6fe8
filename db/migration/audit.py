"""One audit of one folder: every file read once, and what was found in the order of files and lines."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from db.migration import calling, services
from db.migration.reading import Reading
from db.migration.rules import every as rules
from db.migration.sources import Source, sources
from db.migration.stating import statements
from db.migration.syntax import Module, read_module
from db.migration.words import (
    Audit,
    Connection,
    HttpCall,
    Inventory,
    Loop,
    MatrixCell,
    PathUse,
    Placed,
    Port,
    Statement,
    Unread,
    Variable,
)

T = TypeVar("T", bound=Placed)


def audit(root: Path) -> Audit:
    """Return what the files below `root` do with databases. root: a folder or one file, which must be there."""
    read: list[Source] = []
    unread: list[Unread] = []
    for each in sources(root):
        if isinstance(each, Source):
            read.append(each)
        else:
            unread.append(each)
    modules = [module for source in read if source.kind == "python" if (module := _parsed(source, unread))]
    reading = Reading(modules)
    stated = [(statement, sql) for statement, sql, _ in statements(reading)]
    found: list[Placed] = [*_of_python(reading), *(statement for statement, _ in stated)]
    for source in read:
        for told in services.read(source) if source.kind != "python" else ():
            match told:
                case Unread():
                    unread.append(told)
                case (statement, sql):
                    stated.append((statement, sql))
                    found.append(statement)
                case _:
                    found.append(told)
    inventory = _inventory(sorted(found, key=lambda one: (one.file, one.line)))
    wrong = rules.findings(reading, inventory, stated, read)
    return Audit(
        **{name: getattr(inventory, name) for name in Inventory.__struct_fields__},
        root=os.fsencode(root).decode(errors="replace"),
        files=dict(sorted(Counter(source.kind for source in read).items())),
        lines=sum(source.text.count("\n") for source in read),
        matrix=matrix(inventory.statements),
        findings=wrong,
        unread=tuple(sorted(unread, key=lambda one: one.file)),
    )


def _inventory(found: Iterable[Placed]) -> Inventory:
    found = tuple(found)
    return Inventory(
        connections=_kind(found, Connection),
        statements=_kind(found, Statement),
        variables=_kind(found, Variable),
        ports=_kind(found, Port),
        paths=_kind(found, PathUse),
        http_calls=_kind(found, HttpCall),
        loops=_kind(found, Loop),
    )


def _parsed(source: Source, unread: list[Unread]) -> Module | None:
    try:
        return read_module(source.file, source.text)
    except SyntaxError as error:
        unread.append(Unread(file=source.file, reason=f"no Python: line {error.lineno}: {error.msg}"))
    except (ValueError, RecursionError, MemoryError) as error:
        unread.append(Unread(file=source.file, reason=f"no Python that can be read: {type(error).__name__}"))
    return None


def _of_python(reading: Reading) -> Iterable[Placed]:
    yield from (connection for connection, _, _ in reading.connecting.connections())
    yield from calling.variables(reading)
    yield from calling.ports(reading)
    yield from calling.paths(reading)
    yield from calling.http_calls(reading)
    yield from (loop for loop, _, _ in calling.loops(reading))


def _kind(found: Iterable[Placed], kind: type[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(one for one in found if isinstance(one, kind)))


def matrix(stated: Iterable[Statement]) -> tuple[MatrixCell, ...]:
    """Return which file reads and writes which table."""
    does: dict[tuple[str, str], set[str]] = {}
    for one in stated:
        for access, tables in (("r", one.reads), ("w", one.writes)):
            for table in tables:
                does.setdefault((one.file, table), set()).add(access)
    return tuple(
        MatrixCell(file=file, table=table, access="".join(sorted(does[file, table])))  # type: ignore[arg-type]  # r, w or rw
        for file, table in sorted(does)
    )
