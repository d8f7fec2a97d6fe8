"""A picture as one file of HTML that asks nothing of anybody: figure, tables and plotly.js itself are inside.

A recording may be anybody's, and so may the words in it. The page carries a policy that lets the browser run the two scripts that
we put there, by their digest, and load nothing: what a name or a notice holds is text, whatever it looks like.

Plotly's wheel is only opened as files. No code of it runs here: its Python reaches for servers and browsers, its JavaScript is
what draws. It is packed, to less than half, and unpacked by the browser.
"""

import base64
import gzip
import hashlib
import html
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from actors.replay.drawing import figure
from actors.rules.pictures.drawn import Picture, Table
from config.version import VERSION

_HERE: Final = Path(__file__).parent
_LIBRARY: Final = "package_data/plotly.min.js"
_TIMES: Final = "Times are UTC. "
_HOW: Final = "Drag to look closer, double-click to see all, click a name to hide it."


def write(picture: Picture, path: Path) -> int:
    """Write the page to `path`, whole or not at all; return its size in bytes. Raises: OSError."""
    content = page(picture).encode()
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return len(content)


def page(picture: Picture) -> str:
    """Return the page. The same picture gives the same bytes."""
    script, style, library = (_HERE / "page.js").read_text(), (_HERE / "page.css").read_text(), _library()
    # In a script element only `<` could end it, or begin a comment.
    data = msgspec.json.encode(figure(picture)).replace(b"<", b"\\u003c").decode()
    packed = base64.b64encode(gzip.compress(library.encode(), mtime=0)).decode()
    policy = f"default-src 'none'; script-src {_digest(script)} {_digest(library)}; style-src 'unsafe-inline'; img-src data: blob:"
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{_safe(picture.title)} - Watchkeeper</title>",
            f"<style>{style}</style></head><body><main>",
            *_head(picture),
            f'<section class="chart"><div id="legend"></div><div id="chart" role="img" aria-label="{_axis(picture)}"></div>',
            f'<p id="problem" role="alert"></p><p class="hint">{_HOW if picture.values else _TIMES + _HOW}</p></section>',
            *(part for table in picture.tables for part in _table(table)),
            f"<footer>Watchkeeper {VERSION}. This file is complete: it loads nothing.</footer></main>",
            f'<script type="application/json" id="figure">{data}</script>',
            f'<script type="application/gzip" id="library">{packed}</script>',
            f"<script>{script}</script></body></html>",
            "",
        )
    )


def _axis(picture: Picture) -> str:
    return "What would have happened, by value" if picture.values else "What happened, over time"


def _head(picture: Picture) -> Iterator[str]:
    yield f"<header><h1>{_safe(picture.title)}</h1><p>{_safe(picture.subtitle)}</p></header>"
    facts = "".join(f"<div><dt>{_safe(name)}</dt><dd>{_safe(text)}</dd></div>" for name, text in picture.facts.items())
    yield f"<dl>{facts}</dl>"
    for warning in picture.warnings:
        yield f'<p class="warning">{_safe(warning)}</p>'


def _table(table: Table) -> Iterator[str]:
    heads = "".join(f"<th>{_safe(column)}</th>" for column in table.columns)
    yield f'<section><h2>{_safe(table.title)}</h2><div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>'
    for row in table.rows:
        yield "<tr>" + "".join(f"<td>{_safe(cell)}</td>" for cell in row) + "</tr>"
    yield "</tbody></table></div>"
    if table.left_out:
        yield f"<p>{table.left_out:,} more are not in this file.</p>"
    yield "</section>"


def _library() -> str:
    spec = find_spec("plotly")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return (Path(next(iter(spec.submodule_search_locations))) / _LIBRARY).read_text()


def _digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _safe(text: str) -> str:
    return html.escape(text)
