"""An audit as Markdown, for a review or a wiki: summary, matrix, graph, and the findings of each file with the code around them."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from db.migration.reports.summary import by_rule, facts, matrix
from db.migration.rules.catalog import RULES
from db.migration.screen import printable
from db.migration.words import Audit, Edge, Finding

_MARKS: Final = re.compile(r"([\\`*_\[\]<>|#])")


def document(found: Audit) -> bytes:
    """Return the whole document. What the audited files hold is text in it and nothing else."""
    return "\n".join(_lines(found)).encode(errors="replace")


def _lines(found: Audit) -> Iterator[str]:
    yield from (f"# Audit of {_text(found.root)}", "", *_table(("", ""), list(facts(found).items())))
    yield from ("## Findings by rule", "")
    yield from _table(("rule", "severity", "places", "why it matters"), by_rule(found))
    columns, rows = matrix(found)
    yield from ("## Who reads and writes which table", "", *_table(("file", *columns), rows))
    yield from ("## Who calls whom", "", *_graph(found.calls, {one.name for one in found.services}))
    rounds = [(" -> ".join((*way, way[0])),) for way in found.cycles]
    yield from _table(("ways round",), rounds)
    places = [
        (one.caller, one.callee, ", ".join(f"{each.said} ({each.file}:{each.line})" for each in one.calls))
        for one in found.calls
    ]
    yield from _table(("caller", "called", "by"), places)
    databases = [
        (one.path, len(one.places), "yes" if one.there else "", ", ".join(one.copies)) for one in found.databases
    ]
    yield from ("## Databases", "", *_table(("file", "places", "here", "may be the same database"), databases))
    yield from ("## Findings", "")
    for file, those in groupby(found.findings, key=lambda one: one.file):
        yield from (f"### {_text(file)}", "")
        for one in those:
            yield from _finding(one)
    yield from (
        "## Not read, or not wholly",
        "",
        *_table(("file", "why"), [(one.file, one.reason) for one in found.unread]),
    )


def _finding(one: Finding) -> Iterator[str]:
    said = one.explanation.removesuffix(f": {RULES[one.rule][1]}")
    where = f" in `{_code(one.function)}`" if one.function else ""
    yield from (f"**{one.rule}** ({one.severity}), line {one.line}{where}: {_text(said)}", "")
    lines = [
        f"{number:>5} {'>' if number == one.line else ' '} {printable(line)}"
        for number, line in enumerate(one.code, one.code_from)
    ]
    yield from _fenced(lines)
    if one.rewritten:
        yield from ("May stand instead:", "", *_fenced(one.rewritten.splitlines()))


def _fenced(lines: Sequence[str]) -> Iterator[str]:
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (f"{fence}text", *(printable(line) for line in lines), fence, "")


def _graph(calls: Sequence[Edge], services: set[str]) -> Iterator[str]:
    """Yield the graph of the services for mermaid; files of none of them are in the table below it."""
    drawn = [one for one in calls if one.caller in services]
    names = {
        name: f"n{number}"
        for number, name in enumerate(dict.fromkeys(name for one in drawn for name in (one.caller, one.callee)))
    }
    if not drawn:
        return
    yield from ("```mermaid", "graph LR")
    for name, short in names.items():
        label = re.sub(r"[^\w.:-]", "_", name)
        yield f'  {short}["{label}"]' if name in services else f'  {short}(["{label}"])'
    yield from (f"  {names[one.caller]} -->|{len(one.calls)}| {names[one.callee]}" for one in drawn)
    yield from ("```", "")


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    if not rows:
        yield from ("None.", "")
        return
    yield from (_row(columns), "|" + "---|" * len(columns), *(_row(row) for row in rows), "")


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(_text(str(cell)) for cell in cells) + " |"


def _text(words: str) -> str:
    return _MARKS.sub(r"\\\1", printable(words))


def _code(words: str) -> str:
    return printable(words).replace("`", "'")
