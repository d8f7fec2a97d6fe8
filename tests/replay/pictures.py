"""A picture with one of everything, as a person might be sent it; some of its words are hostile."""

from decimal import Decimal

from actors.rules.pictures.drawn import Line, Mark, Panel, Picture, Point, Role, Span, Table
from bus.messages.units import NS_PER_S

T0 = 1_784_000_000 * NS_PER_S
HOSTILE = "</script><script>document.title='taken'</script><img src=http://example.invalid/x onerror=alert(1)>"
LINK = '<a href="http://example.invalid/">click</a>'


def at(seconds: int) -> int:
    return T0 + seconds * NS_PER_S


def price(*values: str | None, role: Role = Role.EXIT, limit: bool = False) -> Line:
    points = tuple(Point(at(n), None if value is None else Decimal(value)) for n, value in enumerate(values))
    return Line(name=f"line {role}", role=role, points=points, limit=limit)


def a_picture(**changes: object) -> Picture:
    """All roles, a hostile title, a value with trailing zeros, a gap in a line."""
    marks = tuple(Mark(at_ns=at(n), role=role, title=f"mark {role}", row="events") for n, role in enumerate(Role))
    hostile = Mark(at_ns=at(2), role=Role.CRITICAL, title=HOSTILE, details=(LINK,), row="events")
    fired = Mark(at_ns=at(3), role=Role.FIRED, title="fired", value=Decimal("0.390"))
    lines = (price("0.580", "0.55", None, "0.390", "0.42"), price("0.40", "0.40", role=Role.STOP, limit=True))
    span = Span(begin_ns=at(1), end_ns=at(4), role=Role.UNPROTECTED, title="unprotected", row="spans")
    whole: dict[str, object] = {
        "title": f"Trade {HOSTILE}",
        "subtitle": LINK,
        "begin_ns": at(0),
        "end_ns": at(60),
        "facts": {"entry": "$0.60", HOSTILE: HOSTILE},
        "panels": (
            Panel(key="exit", name="Exit price", unit="$", lines=lines, marks=(fired,), tall=True),
            Panel(key="happened", name=HOSTILE, rows=("spans", "events", LINK), spans=(span,), marks=(*marks, hostile)),
        ),
        "shades": (span, Span(begin_ns=at(3), end_ns=at(3), role=Role.FIRED, title="fired", row="spans")),
        "tables": (Table(title="Table", columns=("a", "b"), rows=((HOSTILE, "2"),), left_out=3),),
        "warnings": ("gap: torn",),
    }
    return Picture(**(whole | changes))  # type: ignore[arg-type]
