"""Fewer points for the same picture: what a line does in a stretch of time is its first, its lowest, its highest and its last value.

A picture has some thousand columns of pixels, a day has hundreds of thousands of ticks. Beyond the four of each stretch every
point stays at which the line meets, crosses or leaves a limit, or is not known before or behind: those are what one looks for.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from actors.rules.pictures.drawn import Line, Point
from bus.messages.units import Number

POINTS_MAX: Final = 4000
"""Of a line, crossings not counted: a thousand stretches."""
_OF_A_STRETCH: Final = 4


def thin_all(lines: Sequence[Line], most: int = POINTS_MAX) -> tuple[Line, ...]:
    """Return the lines of a panel thinned; each keeps where it crosses a limit, and a limit keeps where it crosses any other line."""
    return tuple(
        Line(
            name=line.name,
            role=line.role,
            points=thin(line.points, [other.points for other in lines if other.limit is not line.limit], most),
            limit=line.limit,
        )
        for line in lines
    )


def thin(points: Sequence[Point], limits: Sequence[Sequence[Point]] = (), most: int = POINTS_MAX) -> tuple[Point, ...]:
    """Return about `most` of `points`, oldest first, with every lowest, highest and crossing of one of `limits`."""
    if len(points) <= most:
        return tuple(points)
    kept = {*_ends(points), *_extremes(points, max(1, most // _OF_A_STRETCH))}
    for limit in limits:
        kept.update(_crossings(points, limit))
    return tuple(points[index] for index in sorted(kept))


def _ends(points: Sequence[Point]) -> Iterator[int]:
    """Yield the first point, the last one, and those beside a stretch in which nothing is known."""
    yield 0
    yield len(points) - 1
    for index in range(1, len(points)):
        if (points[index].value is None) is not (points[index - 1].value is None):
            yield from (index - 1, index)


def _extremes(points: Sequence[Point], stretches: int) -> Iterator[int]:
    begin_ns, end_ns = points[0].at_ns, points[-1].at_ns
    width_ns = max(1, -(-(end_ns - begin_ns + 1) // stretches))
    first = 0
    for index in range(1, len(points) + 1):
        if index < len(points) and (points[index].at_ns - begin_ns) // width_ns == (
            (points[first].at_ns - begin_ns) // width_ns
        ):
            continue
        known = [(value, at) for at in range(first, index) if (value := points[at].value) is not None]
        yield from (first, index - 1)
        if known:
            yield from (min(known)[1], max(known)[1])
        first = index


def _crossings(points: Sequence[Point], limit: Sequence[Point]) -> Iterator[int]:
    """Yield each point that stands to the limit otherwise than the one before it, and that one."""
    at, before = -1, None
    for index, (at_ns, value) in enumerate(points):
        while at + 1 < len(limit) and limit[at + 1].at_ns <= at_ns:
            at += 1
        now = _side(value, limit[at].value if at >= 0 else None)
        if index and now != before:
            yield from (index - 1, index)
        before = now


def _side(value: Number | None, limit: Number | None) -> int | None:
    if value is None or limit is None:
        return None
    return (value > limit) - (value < limit)
