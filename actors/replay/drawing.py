"""A picture as a figure of plotly.js: plain data, in plotly's own names. Colours are names that the page resolves (`@exit`).

Instants are whole microseconds, values are texts, digit for digit: `page.js` makes plotly's numbers of them and shows the texts.
"""

import html
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from actors.replay.looks import LOOKS
from actors.rules.pictures.drawn import Line, Mark, Panel, Picture, Point, Role, Span, clock_text
from bus.messages.plain import number_text
from bus.messages.units import NS_PER_US

Plain = dict[str, Any]

_TALL_PX: Final = 300
_USUAL_PX: Final = 150
_ROW_PX: Final = 26
_LOW_ROW_PX: Final = 11
_ROWS_MOST_PX: Final = 560
_ROWS_LEAST_PX: Final = 60
_GAP_PX: Final = 42
_TOP_PX: Final = 30
_BOTTOM_PX: Final = 64
_WRAP: Final = 84
"""Characters of a line in what the pointer shows."""
_CROWD: Final = 60
"""So many marks of one kind in a panel are drawn smaller."""
_CROWDED: Final = 0.7
_PAD_PART: Final = 60
"""Of the whole time, how much is left free on both sides: a mark at the very edge is seen whole."""


def figure(picture: Picture) -> Plain:
    """Return traces, layout and the names of the legend. In `layout`, too, instants are microseconds where page.js looks for them."""
    heights = [_height(panel) for panel in picture.panels]
    whole = sum(heights) + _GAP_PX * max(0, len(heights) - 1)
    layout = _layout(picture, whole)
    traces: list[Plain] = []
    above = 0
    for number, (panel, height) in enumerate(zip(picture.panels, heights, strict=True), 1):
        axis = "y" if number == 1 else f"y{number}"
        top, bottom = 1 - above / whole, 1 - (above + height) / whole
        layout[f"yaxis{number}" if number > 1 else "yaxis"] = _scale(panel, [max(0, bottom), top])
        layout["annotations"].append(_heading(panel, top))
        traces += _traces(panel, axis, picture.place_text)
        above += height + _GAP_PX
    layout["xaxis"]["anchor"] = "y" if len(heights) == 1 else f"y{len(heights)}"
    return {"data": traces, "layout": layout}


def _height(panel: Panel) -> int:
    if not panel.rows:
        return _TALL_PX if panel.tall else _USUAL_PX
    each = _ROW_PX if panel.named else _LOW_ROW_PX
    return max(_ROWS_LEAST_PX, min(_ROWS_MOST_PX, each * len(panel.rows)))


def _layout(picture: Picture, height: int) -> Plain:
    begin, end = _us(picture.begin_ns), _us(picture.end_ns)
    pad = (end - begin) // _PAD_PART + 1
    return {
        "height": height + _TOP_PX + _BOTTOM_PX,
        "margin": {"t": _TOP_PX, "b": _BOTTOM_PX, "l": 104, "r": 18},
        "xaxis": (_values(picture.values) if picture.values else _TIME)
        | {
            "range": [begin - pad, end + pad],
            "showspikes": True,
            "spikemode": "across",
            "spikesnap": "cursor",
            "spikethickness": 1,
            "spikedash": "dot",
            "spikecolor": "@muted",
            "gridcolor": "@grid",
            "linecolor": "@grid",
            "tickfont": {"color": "@muted"},
        },
        "shapes": [_shade(span) for span in picture.shades],
        "annotations": [],
        "barmode": "overlay",
        "bargap": 0.25,
        "showlegend": False,
        "hovermode": "closest",
        "hoverdistance": 24,
        "dragmode": "zoom",
        "paper_bgcolor": "@paper",
        "plot_bgcolor": "@paper",
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": "@ink"},
        "hoverlabel": {
            "align": "left",
            "bgcolor": "@card",
            "bordercolor": "@grid",
            "namelength": -1,
            "font": {"color": "@ink", "size": 12},
        },
    }


_TIME: Final[Plain] = {
    "type": "date",
    "title": {"text": "UTC"},
    "tickformatstops": [
        {"dtickrange": [None, 1000], "value": "%H:%M:%S.%L\n%Y-%m-%d"},
        {"dtickrange": [1000, 86_400_000], "value": "%H:%M:%S\n%Y-%m-%d"},
        {"dtickrange": [86_400_000, None], "value": "%Y-%m-%d"},
    ],
    "nticks": 9,
}


def _values(values: Sequence[str]) -> Plain:
    return {"type": "linear", "tickvals": list(range(len(values))), "ticktext": list(map(_safe, values))}


def _scale(panel: Panel, domain: list[float]) -> Plain:
    axis: Plain = {
        "domain": domain,
        "gridcolor": "@grid",
        "linecolor": "@grid",
        "zeroline": False,
        "fixedrange": bool(panel.rows),
        "tickfont": {"color": "@muted"},
    }
    if panel.rows:
        positions = list(range(len(panel.rows)))
        axis |= {"range": [len(panel.rows) - 0.4, -0.6], "showgrid": panel.named, "griddash": "dot"}
        axis |= (
            {"tickvals": positions, "ticktext": list(map(_safe, panel.rows))}
            if panel.named
            else {"showticklabels": False}
        )
    elif panel.unit == "$":
        axis["tickformat"] = "$,~f"
    elif panel.unit:
        axis["ticksuffix"] = f" {panel.unit}"
    return axis


def _heading(panel: Panel, top: float) -> Plain:
    return {
        "text": f"<b>{_safe(panel.name)}</b>",
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": top,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 4,
        "showarrow": False,
        "font": {"size": 13},
    }


def _shade(span: Span) -> Plain:
    """What is seen through all panels: a stretch as a tint, an instant as a line."""
    shape: Plain = {"xref": "x", "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    shape |= {"x0": _us(span.begin_ns), "x1": _us(span.end_ns)}
    if span.begin_ns == span.end_ns:
        return shape | {"type": "line", "line": {"color": f"@{span.role}", "width": 1, "dash": "dash"}}
    return shape | {"type": "rect", "fillcolor": f"@{span.role}", "opacity": 0.12, "line": {"width": 0}}


def _traces(panel: Panel, axis: str, when: Callable[[int], str]) -> Iterator[Plain]:
    places = {row: place for place, row in enumerate(panel.rows)}
    for line in panel.lines:
        yield _line(line, panel.unit, axis)
    for role, spans in _by_role(span for span in panel.spans if span.row in places):
        yield _bars(role, spans, places, axis)
    for role, marks in _by_role(mark for mark in panel.marks if _y(mark, places) is not None):
        yield _dots(role, marks, places, axis, when)


def _line(line: Line, unit: str, axis: str) -> Plain:
    look = LOOKS[line.role]
    points = list(_held(line.points))
    return _trace(line.role, line.name, axis) | {
        "mode": "lines",
        "x": [_us(point.at_ns) for point in points],
        "y": list(map(_text, points)),
        "meta": unit,
        "line": {"shape": "hv", "width": look.width, "dash": look.dash, "color": f"@{line.role}"},
        "hovertemplate": f"<b>{_safe(line.name)}</b> %{{customdata[0]}}<br>from %{{customdata[1]}}<extra></extra>",
    }


def _held(points: Iterable[Point]) -> Iterator[Point]:
    """Yield points so that a value is drawn up to the instant from which it is unknown."""
    before: Point | None = None
    for point in points:
        if point.value is None and before is not None and before.value is not None:
            yield Point(point.at_ns, before.value)
        yield point
        before = point


def _bars(role: Role, spans: list[Span], places: dict[str, int], axis: str) -> Plain:
    return _trace(role, LOOKS[role].name, axis) | {
        "type": "bar",
        "orientation": "h",
        "base": [_us(span.begin_ns) for span in spans],
        "x": [_us(span.end_ns) - _us(span.begin_ns) for span in spans],
        "y": [places[span.row] for span in spans],
        "width": 0.62,
        # A line of its own keeps what lasted a moment as wide as a pixel.
        "marker": {"color": f"@{role}", "opacity": 0.85, "line": {"width": 1, "color": f"@{role}"}},
        "text": list(map(_span_text, spans)),
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
    }


def _dots(role: Role, marks: list[Mark], places: dict[str, int], axis: str, when: Callable[[int], str]) -> Plain:
    look = LOOKS[role]
    size = look.size if len(marks) <= _CROWD else round(look.size * _CROWDED)
    return _trace(role, look.name, axis) | {
        "mode": "markers",
        "x": [_us(mark.at_ns) for mark in marks],
        "y": [_y(mark, places) for mark in marks],
        "text": [_words((mark.title, *mark.details, when(mark.at_ns))) for mark in marks],
        "marker": {
            "symbol": look.symbol,
            "size": size,
            "opacity": 0.9,
            "color": f"@{role}",
            "line": {"width": 1.5, "color": f"@{role}"},
        },
        "cliponaxis": False,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _trace(role: Role, name: str, axis: str) -> Plain:
    return {"type": "scatter", "name": _safe(name), "legendgroup": f"{role}", "xaxis": "x", "yaxis": axis}


def _by_role(drawn: Iterable[Any]) -> Iterator[tuple[Role, list[Any]]]:
    order = list(Role)
    for role, group in groupby(sorted(drawn, key=lambda one: order.index(one.role)), key=lambda one: one.role):
        yield role, list(group)


def _y(mark: Mark, places: dict[str, int]) -> int | str | None:
    if places:
        return None if mark.row is None else places.get(mark.row)
    return None if mark.value is None else number_text(mark.value)


def _text(point: Point) -> str | None:
    return None if point.value is None else number_text(point.value)


def _span_text(span: Span) -> str:
    return _words((span.title, *span.details, f"{clock_text(span.begin_ns)} to", clock_text(span.end_ns)))


def _words(lines: Iterable[str]) -> str:
    first, *rest = (part for line in lines for part in textwrap.wrap(line, _WRAP) or [""])
    return "<br>".join((f"<b>{_safe(first)}</b>", *map(_safe, rest)))


def _safe(text: str) -> str:
    """Return `text` so that plotly takes none of it for its own markup."""
    return html.escape(text, quote=False)


def _us(instant_ns: int) -> int:
    return instant_ns // NS_PER_US
