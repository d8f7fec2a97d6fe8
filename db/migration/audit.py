"""One audit of one folder: every file read once, and what was found in the order of files and lines."""

import gc
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from db.migration import calling, graph, services
from db.migration.addressing import Known, reached
from db.migration.attaching import attachments
from db.migration.databases import databases
from db.migration.reading import Reading
from db.migration.rules import every as rules
from db.migration.sources import Source, sources
from db.migration.stating import statements
from db.migration.syntax import Module, read_module
from db.migration.words import (
    Attachment,
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
    collects = gc.isenabled()
    # Millions of nodes live to the end: to look again and again for garbage among them takes longer than to read them.
    gc.disable()
    try:
        return _audit(root)
    finally:
        if collects:
            gc.enable()


def _audit(root: Path) -> Audit:
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
    found += attachments((statement for statement, _ in stated), reading)
    inventory = _inventory(sorted(found, key=lambda one: (one.file, one.line)))
    there = graph.services(inventory.paths, inventory.ports, reading.project)
    inventory = msgspec.structs.replace(
        inventory, http_calls=_addressed(inventory.http_calls, graph.known(there), reading)
    )
    calls = graph.edges(inventory.http_calls, there)
    whole = Audit(
        **{name: getattr(inventory, name) for name in Inventory.__struct_fields__},
        root=os.fsencode(root).decode(errors="replace"),
        files=dict(sorted(Counter(source.kind for source in read).items())),
        lines=sum(source.text.count("\n") for source in read),
        matrix=matrix(inventory.statements),
        databases=databases(reading, inventory.paths, inventory.connections, root),
        services=there,
        calls=calls,
        cycles=graph.cycles(calls),
        unread=tuple(sorted(unread, key=lambda one: one.file)),
    )
    return msgspec.structs.replace(whole, findings=rules.findings(reading, whole, stated, read))


def _addressed(calls: Iterable[HttpCall], known: Known, reading: Reading) -> tuple[HttpCall, ...]:
    """Return the calls with whom they reach."""
    to = {call: reached(url, scope, known, reading.project) for call, url, scope in calling.http_calls(reading) if url}
    return tuple(msgspec.structs.replace(one, to=to.get(one) or known.of_address(one.url or "")) for one in calls)


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
        attachments=_kind(found, Attachment),
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
    yield from (call for call, _, _ in calling.http_calls(reading))
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
