"""The graph of services as an SVG: services on an ellipse, hosts outside beside it; ways round stand out by colour and by dashes."""

import html
import math
from collections.abc import Iterator, Sequence
from typing import Final

from db.migration.words import Audit, Edge

_WIDTH: Final = 1100
_BOX: Final = (190, 30)
_SHOWN_MAX: Final = 40
"""Of more services nobody sees anything in a circle; the table beside has them all."""
Place = tuple[int, int]


def graph(found: Audit) -> str:
    """Return the SVG, or nothing where no service calls anybody."""
    services = {one.name for one in found.services}
    drawn = [one for one in found.calls if one.caller in services]
    inner = sorted({name for one in drawn for name in (one.caller, one.callee) if name in services})[:_SHOWN_MAX]
    outer = sorted({one.callee for one in drawn} - services)[:_SHOWN_MAX]
    if not drawn:
        return ""
    height = max(420, 46 * max(len(inner), len(outer)))
    places = _places(inner, outer, height)
    legs = {leg for way in found.cycles for leg in zip(way, (*way[1:], way[0]), strict=True)}
    edges = [one for one in drawn if one.caller in places and one.callee in places]
    parts = (
        *(_edge(one, places, is_round=(one.caller, one.callee) in legs) for one in edges),
        *_nodes(places, services, edges),
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="group" aria-label="Who calls whom by HTTP; the table below says the same">'
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse">'
        '<path d="M0 0L10 5L0 10z"/></marker><marker id="arrow-round" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        'markerHeight="7" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z"/></marker></defs>'
        f"{''.join(parts)}</svg>"
    )


def _places(inner: Sequence[str], outer: Sequence[str], height: int) -> dict[str, Place]:
    width = _WIDTH - _BOX[0] - 40 if outer else _WIDTH
    across, up = width / 2 - _BOX[0] / 2 - 12, height / 2 - 70
    placed = {}
    for number, name in enumerate(inner):
        angle = 2 * math.pi * number / len(inner) - math.pi / 2
        placed[name] = (round(width / 2 + across * math.cos(angle)), round(height / 2 + up * math.sin(angle)))
    for number, name in enumerate(outer):
        placed[name] = (_WIDTH - _BOX[0] // 2 - 4, round(height * (number + 1) / (len(outer) + 1)))
    return placed


def _edge(one: Edge, places: dict[str, Place], *, is_round: bool) -> str:
    (x, y), (to_x, to_y) = places[one.caller], places[one.callee]
    told = html.escape(
        f"{one.caller} calls {one.callee}: "
        + "; ".join(f"{each.said} ({each.file}:{each.line})" for each in one.calls[:12])
    )
    data = f'data-ends="{html.escape(one.caller)} {html.escape(one.callee)}"'
    kind = "edge round" if is_round else "edge"
    if one.caller == one.callee:
        path = f"M{x - 30} {y - 15}C{x - 60} {y - 62},{x + 60} {y - 62},{x + 30} {y - 15}"
        return f'<path class="{kind}" {data} d="{path}"><title>{told}</title></path>'
    # Bent to the right of the way that is gone, so that there and back are two lines.
    middle = ((x + to_x) / 2 - (to_y - y) * 0.13, (y + to_y) / 2 + (to_x - x) * 0.13)
    start, end = _border((x, y), middle), _border((to_x, to_y), middle)
    path = f"M{start[0]:.0f} {start[1]:.0f}Q{middle[0]:.0f} {middle[1]:.0f},{end[0]:.0f} {end[1]:.0f}"
    return f'<path class="{kind}" {data} d="{path}"><title>{told}</title></path>'


def _border(box: Place, towards: tuple[float, float]) -> tuple[float, float]:
    """Return where a line from the middle of a box leaves it."""
    x, y = towards[0] - box[0], towards[1] - box[1]
    share = min(_BOX[0] / 2 / abs(x) if x else math.inf, _BOX[1] / 2 / abs(y) if y else math.inf, 1)
    return box[0] + x * share, box[1] + y * share


def _nodes(places: dict[str, Place], services: set[str], edges: Sequence[Edge]) -> Iterator[str]:
    for name, (x, y) in places.items():
        calls = sum(len(one.calls) for one in edges if one.caller == name)
        called = sum(len(one.calls) for one in edges if one.callee == name)
        told = html.escape(f"{name}: {calls} calls of others, called {called} times")
        shown = html.escape(name if len(name) <= 25 else f"{name[:24]}…")
        kind = "node" if name in services else "node outside"
        yield (
            f'<g class="{kind}" tabindex="0" role="img" aria-label="{told}" data-name="{html.escape(name)}"><title>{told}</title>'
            f'<rect x="{x - _BOX[0] // 2}" y="{y - _BOX[1] // 2}" width="{_BOX[0]}" height="{_BOX[1]}" rx="7"/>'
            f'<text x="{x}" y="{y + 4}">{shown}</text></g>'
        )
