"""Which service calls which: a graph of HTTP calls, and the ways round in it. A service that waits for one that waits for it stands still."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import Final

from db.migration.addressing import Known, route
from db.migration.project import Project
from db.migration.syntax import Module
from db.migration.words import Edge, HttpCall, PathUse, Place, Port, Service

_FILES_MAX: Final = 2000
_STEPS_MAX: Final = 20_000
"""Ways round are as many as one likes where everybody calls everybody."""


def services(paths: Iterable[PathUse], ports: Iterable[Port], project: Project) -> tuple[Service, ...]:
    """Return the programs of supervisor's configurations and whoever has a port, in the order of names."""
    programs = {one.function: one.path for one in paths if one.kind == "program" and one.function}
    numbers: dict[str, set[int]] = defaultdict(set)
    for one in ports:
        if one.service:
            numbers[one.service].add(one.port)
    modules = {module.file: module for module in project.modules}
    found = []
    for name in sorted({*programs, *numbers}):
        entry = _file_of(programs.get(name) or f"{name}.py", modules)
        files = tuple(sorted(_imported(modules[entry], project))) if entry else ()
        found.append(Service(name=name, program=entry, ports=tuple(sorted(numbers.get(name, ()))), files=files))
    return tuple(found)


def known(found: Iterable[Service]) -> Known:
    """Return what an address may name."""
    whose: dict[int, set[str]] = defaultdict(set)
    names = set()
    for one in found:
        names.add(one.name)
        for port in one.ports:
            whose[port].add(one.name)
    return Known(frozenset(names), {port: next(iter(those)) for port, those in whose.items() if len(those) == 1})


def edges(calls: Iterable[HttpCall], found: Iterable[Service]) -> tuple[Edge, ...]:
    """Return who calls whom. A file that several programs import calls for each of them."""
    found = tuple(found)
    programs = {one.program: one.name for one in found if one.program}
    places: dict[tuple[str, str], list[Place]] = defaultdict(list)
    for call in calls:
        if call.to is None:
            continue
        callers = (
            [programs[call.file]] if call.file in programs else [one.name for one in found if call.file in one.files]
        )
        said = f"{call.method} {route(call.url or '')}"
        place = Place(file=call.file, line=call.line, function=call.function, said=said)
        for caller in callers or [call.file]:
            places[caller, call.to].append(place)
    return tuple(
        Edge(caller=caller, callee=callee, calls=tuple(places[caller, callee])) for caller, callee in sorted(places)
    )


def cycles(found: Iterable[Edge]) -> tuple[tuple[str, ...], ...]:
    """Return the ways round, the shortest first, each once and from its first name on; of very many, some."""
    follows: dict[str, list[str]] = defaultdict(list)
    for one in found:
        follows[one.caller].append(one.callee)
    rounds: list[tuple[str, ...]] = []
    ways: deque[tuple[str, ...]] = deque((start,) for start in sorted(follows))
    steps = 0
    while ways and steps < _STEPS_MAX:
        way = ways.popleft()
        for following in follows.get(way[-1], ()):
            steps += 1
            if following == way[0]:
                rounds.append(way)
            elif following > way[0] and following not in way:
                # A way round begins at its first name, so that each is found once.
                ways.append((*way, following))
    return tuple(rounds)


def _file_of(program: str, modules: Mapping[str, Module]) -> str | None:
    wanted = program.removeprefix("./").lstrip("/")
    ending = [
        file for file in modules if file == wanted or file.endswith(f"/{wanted}") or f"/{wanted}".endswith(f"/{file}")
    ]
    return min(ending, key=len, default=None)


def _imported(entry: Module, project: Project) -> set[str]:
    pending, files = [entry], {entry.file}
    while pending and len(files) < _FILES_MAX:
        module = pending.pop()
        for origin in {origin for scope in module.scopes for origin in scope.imports.values()}:
            other = project.module(origin, module) or project.module(origin.rpartition(".")[0], module)
            if other and other.file not in files:
                files.add(other.file)
                pending.append(other)
    return files
