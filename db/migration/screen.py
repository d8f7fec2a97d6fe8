"""An audit for people at a terminal."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from config.pictures import card, table
from db.migration.rules.catalog import RULES
from db.migration.words import Audit, Finding

_ORDER: Final = ("high", "medium", "low")
_STYLES: Final = {"high": "bold red", "medium": "yellow", "low": "cyan"}
_SHOWN_MAX: Final = 3
"""Of one rule in one file; the others are named by their lines."""
_TABLES_MAX: Final = 40
"""A matrix is for reading; all of it stands in the JSON."""


def render(found: Audit) -> RenderableType:
    """Return summary, connections, the matrix of files and tables, loops, and what was not read."""
    return Group(*(part for picture in _pictures(found) for part in (picture, Text(""))))


def _pictures(found: Audit) -> Iterator[RenderableType]:
    opened = Counter(f"{one.library} {one.how}" for one in found.connections)
    yield card(
        f"Audit of {found.root}",
        {
            "files": found.files,
            "lines": f"{found.lines:,}",
            "connections": f"{len(found.connections)} in {len({one.file for one in found.connections})} files",
            "opened by": opened,
            "statements": f"{len(found.statements)}, of them {sum(one.postgres is not None for one in found.statements)} translated",
            "variables": len({one.name for one in found.variables}),
            "ports": len({one.port for one in found.ports}),
            "paths": len({one.path for one in found.paths}),
            "HTTP calls": f"{len(found.http_calls)}, of them {sum(not one.timeout for one in found.http_calls)} without a time-out",
            "polling loops": len(found.loops),
            "findings": f"{len(found.findings)}" + (f", and {found.known} known ones" if found.known else ""),
            "not read": len(found.unread) or None,
        },
    )
    yield table(
        "Connections by file",
        ("file", "direct", "through helpers", "databases"),
        [
            (
                file,
                sum(one.how != "helper" for one in found.connections if one.file == file) or None,
                sum(one.how == "helper" for one in found.connections if one.file == file) or None,
                sorted({one.target for one in found.connections if one.file == file and one.target}),
            )
            for file in sorted({one.file for one in found.connections})
        ],
    )
    yield _matrix(found)
    yield from _wholes(found)
    loops = [(f"{one.file}:{one.line}", one.function, one.interval, ", ".join(one.does)) for one in found.loops]
    yield table("Loops that sleep", ("place", "function", "seconds", "each round"), loops)
    yield from _findings(found)
    if found.unread:
        yield table("Not read, or not wholly", ("file", "why"), [(one.file, one.reason) for one in found.unread])


def _wholes(found: Audit) -> Iterator[RenderableType]:
    databases = [
        (one.path, len(one.places), "yes" if one.there else None, one.spelled[1:] or None, "\n".join(one.copies))
        for one in found.databases
    ]
    yield table("Databases", ("file", "places", "here", "also written", "may be the same database"), databases)
    attached = [(f"{one.file}:{one.line}", one.target, one.name) for one in found.attachments]
    yield table("ATTACH", ("place", "file", "as"), attached)
    calls = [
        (one.caller, one.callee, "\n".join(f"{call.said} ({call.file}:{call.line})" for call in one.calls))
        for one in found.calls
    ]
    yield table("Who calls whom by HTTP", ("caller", "called", "by"), calls)
    yield table("Ways round in it", ("services",), [(" -> ".join((*way, way[0])),) for way in found.cycles])


def _findings(found: Audit) -> Iterator[RenderableType]:
    counted = Counter((one.severity, one.rule) for one in found.findings)
    order = sorted(counted, key=lambda one: (_ORDER.index(one[0]), -counted[one]))
    rows = [(rule, severity, counted[severity, rule], RULES[rule][1]) for severity, rule in order]
    yield table("Findings by rule", ("rule", "severity", "places", "why it matters"), rows)
    for file, those in groupby(found.findings, key=lambda one: one.file):
        yield Group(Text(file, style="bold"), *_of_file(list(those)))


def _of_file(findings: list[Finding]) -> Iterator[Text]:
    by_rule: dict[str, list[Finding]] = {}
    for one in findings:
        by_rule.setdefault(one.rule, []).append(one)
    for rule, those in sorted(by_rule.items(), key=lambda item: (_ORDER.index(item[1][0].severity), item[0])):
        for one in those[:_SHOWN_MAX]:
            yield from _finding(one)
        if more := those[_SHOWN_MAX:]:
            yield Text(f"  {rule}: {len(more)} more, in lines {', '.join(str(one.line) for one in more)}", style="dim")


def _finding(one: Finding) -> Iterator[Text]:
    said = one.explanation.removesuffix(f": {RULES[one.rule][1]}")
    where = f" in {one.function}" if one.function else ""
    yield Text.assemble("  ", (one.rule, _STYLES[one.severity]), f", line {one.line}{where}: {said}")
    for number, line in enumerate(one.code, one.code_from):
        mark = ">" if number == one.line else " "
        yield Text(f"    {mark}{number:>5} {printable(line)}", style="" if number == one.line else "dim")
    if one.rewritten:
        yield Text(f"      as   {' '.join(printable(one.rewritten).split())}", style="green")


def printable(line: str) -> str:
    """Return a line of somebody's file without what would command a terminal."""
    return "".join(one if one.isprintable() else " " if one in "\t\n" else "?" for one in line)


def _matrix(found: Audit) -> RenderableType:
    does = {(cell.file, cell.table): cell.access for cell in found.matrix}
    used = Counter(table for _, table in does)
    rows = []
    for name, files in sorted(used.items(), key=lambda one: (-one[1], one[0]))[:_TABLES_MAX]:
        by = {
            access: sorted(file for file, its in does if its == name and does[file, its] == access)
            for access in ("rw", "w", "r")
        }
        rows.append((name, files, *("\n".join(by[access]) for access in ("rw", "w", "r"))))
    left_out = len(used) - len(rows)
    title = "Tables and who uses them" + (f" ({left_out} more in --json)" if left_out > 0 else "")
    return table(title, ("table", "files", "reads and writes", "writes", "reads"), rows)
