"""An audit as one page of HTML that asks nothing of anybody: summary, matrix, graph, and each file's findings with the code around them.

The audited files may be anybody's. Whatever stands in them is text here: the page carries a policy that lets the browser run the one
script that we put there, by its digest, and load nothing. Without that script everything is there all the same, only not filtered.
"""

import base64
import hashlib
import html
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from config.version import VERSION
from db.migration.reports.drawing import graph
from db.migration.reports.summary import ORDER, by_rule, facts, matrix
from db.migration.rules.catalog import RULES
from db.migration.screen import printable
from db.migration.words import Audit, Finding

_HERE: Final = Path(__file__).parent
_SENTENCE: Final = "What touches a database here, and what breaks when it moves from SQLite to PostgreSQL."
_PARTS: Final = {
    "summary": "Rules", "matrix": "Tables", "graph": "Who calls whom", "databases": "Databases", "around": "Around it", "findings": "Findings",
}  # fmt: skip


def document(found: Audit) -> bytes:
    """Return the page. The same audit gives the same bytes."""
    script, style = (_HERE / "page.js").read_text(), (_HERE / "page.css").read_text()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'"
    told = "".join(f"<div><dt>{_safe(name)}</dt><dd>{_safe(text)}</dd></div>" for name, text in facts(found).items())
    links = "".join(f'<a href="#{name}">{title}</a>' for name, title in _PARTS.items())
    lines = (
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">',
        f"<title>Audit of {_safe(found.root)} - Watchkeeper</title><style>{style}</style></head><body>",
        '<a class="skip" href="#findings">To the findings</a><main>',
        f"<header><h1>Audit of {_safe(found.root)}</h1><p>{_SENTENCE}</p></header>",
        f'<dl>{told}</dl><nav aria-label="Parts">{links}</nav>',
        *_rules(found),
        *_matrix(found),
        *_calls(found),
        *_around(found),
        *_findings(found),
        f"<footer>Watchkeeper {VERSION}. This file is complete: it loads nothing.</footer></main><script>{script}</script></body></html>",
        "",
    )
    return "\n".join(lines).encode(errors="replace")


def _rules(found: Audit) -> Iterator[str]:
    rows = by_rule(found)
    most = max((count for _, _, count, _ in rows), default=1)
    yield '<section id="summary"><h2>Findings by rule</h2><table><thead><tr><th>rule</th><th>severity</th><th class="n">places</th><th></th>'
    yield "<th>why it matters</th></tr></thead><tbody>"
    for rule, severity, count, why in rows:
        bar = f'<span class="bar {severity}" style="width:{max(2, round(120 * count / most))}px"></span>'
        yield (
            f'<tr><td><a href="#findings" data-pick="{rule}">{rule}</a></td><td class="{severity} tag">{severity}</td><td class="n">{count}</td>'
            f"<td>{bar}</td><td>{_safe(why)}</td></tr>"
        )
    yield "</tbody></table></section>"


def _matrix(found: Audit) -> Iterator[str]:
    tables, rows = matrix(found)
    yield '<section id="matrix" class="matrix"><h2>Who reads (r) and writes (w) which table</h2>'
    if not rows:
        yield "<p>No statement names a table.</p></section>"
        return
    heads = "".join(f'<th scope="col"><span>{_safe(table)}</span></th>' for table in tables)
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="Files and tables"><table><thead><tr><th></th>{heads}</tr></thead><tbody>'
    for file, *cells in rows:
        marks = "".join(f'<td class="{cell}">{cell}</td>' if cell else "<td></td>" for cell in cells)
        yield f'<tr><th scope="row">{_safe(file)}</th>{marks}</tr>'
    yield "</tbody></table></div></section>"


def _calls(found: Audit) -> Iterator[str]:
    yield '<section id="graph"><h2>Who calls whom by HTTP</h2>'
    if drawn := graph(found):
        yield '<p class="hint">Red and dashed: a way round. Point at a service, or go to it by Tab, to see its calls alone.</p>'
        yield drawn
    yield from _table("Ways round", ("services",), [(" → ".join((*way, way[0])),) for way in found.cycles])
    rows = [
        (one.caller, one.callee, "; ".join(f"{each.said} ({each.file}:{each.line})" for each in one.calls))
        for one in found.calls
    ]
    yield from _table("Each call", ("caller", "called", "by"), rows)
    yield "</section>"


def _around(found: Audit) -> Iterator[str]:
    rows = [
        (one.path, len(one.places), "yes" if one.there else "", "; ".join(one.spelled), "; ".join(one.copies))
        for one in found.databases
    ]
    yield '<section id="databases"><h2>Databases</h2>'
    yield from _table(
        "Files of SQLite", ("file", "places", "here", "written as", "may be the same database"), rows, is_open=True
    )
    yield from _table(
        "ATTACH",
        ("place", "file", "as"),
        [(f"{one.file}:{one.line}", one.target, one.name) for one in found.attachments],
    )
    opened = [
        (f"{one.file}:{one.line}", one.function, one.library, one.how, one.target or "") for one in found.connections
    ]
    yield from _table("Each connection", ("place", "function", "library", "how", "opens"), opened)
    yield '</section><section id="around"><h2>Around it</h2>'
    loops = [(f"{one.file}:{one.line}", one.function, one.interval or "", ", ".join(one.does)) for one in found.loops]
    yield from _table("Loops that sleep", ("place", "function", "seconds", "each round"), loops)
    uses = [
        (one.name, one.action, one.value or "", one.set_for or "", f"{one.file}:{one.line}") for one in found.variables
    ]
    yield from _table("Environment variables", ("name", "", "value", "for", "place"), sorted(uses))
    yield from _table(
        "Ports",
        ("port", "service", "place"),
        [(one.port, one.service or "", f"{one.file}:{one.line}") for one in found.ports],
    )
    yield from _table(
        "Paths and log files",
        ("path", "kind", "place"),
        [(one.path, one.kind, f"{one.file}:{one.line}") for one in found.paths],
    )
    yield from _table("Not read, or not wholly", ("file", "why"), [(one.file, one.reason) for one in found.unread])
    yield "</section>"


def _table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, is_open: bool = False
) -> Iterator[str]:
    if not rows:
        return
    heads = "".join(f"<th>{_safe(column)}</th>" for column in columns)
    yield f'<details class="table"{" open" if is_open else ""}><summary><b>{_safe(title)}</b><span>{len(rows):,}</span></summary>'
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="{_safe(title)}"><table><thead><tr>{heads}</tr></thead><tbody>'
    for row in rows:
        yield "<tr>" + "".join(f"<td>{_safe(str(cell))}</td>" for cell in row) + "</tr>"
    yield "</tbody></table></div></details>"


def _findings(found: Audit) -> Iterator[str]:
    boxes = "".join(
        f'<label><input type="checkbox" name="severity" value="{one}" checked> {one}</label>' for one in ORDER
    )
    options = "".join(f"<option>{rule}</option>" for rule in dict.fromkeys(rule for rule, *_ in by_rule(found)))
    yield '<section id="findings"><h2>Findings, file by file</h2><div class="filter" hidden>'
    yield f'<label>Words <input type="search" id="words" placeholder="press / to type"></label>{boxes}'
    yield f'<label>Rule <select id="rule"><option value="">all</option>{options}</select></label>'
    yield '<button type="button" id="open">Open or close all</button><output id="shown" aria-live="polite"></output></div>'
    for file, grouped in groupby(found.findings, key=lambda one: one.file):
        those = list(grouped)
        counted = Counter(one.severity for one in those)
        counts = "".join(f'<span class="{one}">{counted[one]} {one}</span>' for one in ORDER if counted[one])
        yield f'<details class="file" data-file="{_safe(file)}"><summary><b>{_safe(file)}</b>{counts}</summary>'
        yield from (_finding(one) for one in those)
        yield "</details>"
    yield "</section>"


def _finding(one: Finding) -> str:
    why = RULES[one.rule][1]
    said = one.explanation.removesuffix(f": {why}")
    where = f" in <code>{_safe(one.function)}</code>" if one.function else ""
    code = "".join(_line(line, number, one) for number, line in enumerate(one.code, one.code_from))
    instead = (
        f'<p class="why">May stand instead:</p><pre class="instead">{_safe(one.rewritten)}</pre>'
        if one.rewritten
        else ""
    )
    return (
        f'<article class="{one.severity}" data-severity="{one.severity}" data-rule="{one.rule}">'
        f'<p><span class="tag {one.severity}">{one.rule}</span> line {one.line}{where}: {_safe(said)}</p>'
        f'<p class="why">{_safe(why)}.</p><pre tabindex="0">{code}</pre>{instead}</article>'
    )


def _line(line: str, number: int, one: Finding) -> str:
    here = ' class="here"' if number == one.line else ""
    return f'<span data-n="{number}"{here}>{_safe(line)}</span>'


def _safe(text: str) -> str:
    return html.escape(printable(text))
