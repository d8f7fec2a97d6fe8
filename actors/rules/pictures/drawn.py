"""The vocabulary of pictures: panels above each other over one axis, mostly of time. Nothing here knows of a browser."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeVar

import msgspec

from bus.messages.plain import instant_text, number_text
from bus.messages.units import NS_PER_MS, Money, Number, UtcNs

T = TypeVar("T")


class Role(StrEnum):
    """What something means in a picture; it has one colour and one shape everywhere."""

    EXIT = "exit"
    ASK = "ask"
    BOUND = "bound"
    ENTRY = "entry"
    STOP = "stop"
    TRAIL = "trail"
    PROFIT = "profit"
    FED = "fed"
    QUOTED = "quoted"
    VALUE = "value"
    GAIN = "gain"
    LOSS = "loss"
    LEVEL = "level"
    OPEN = "open"
    ARMED = "armed"
    CLOSING = "closing"
    WAIVED = "waived"
    UNPROTECTED = "unprotected"
    STATE = "state"
    FIRED = "fired"
    HELD = "held"
    ENTRY_ORDER = "entry_order"
    CLOSE_ORDER = "close_order"
    REPORT = "report"
    BOUGHT = "bought"
    CLOSED = "closed"
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    UNCLEAR = "unclear"
    MARKET = "market"
    PERSON = "person"
    SYSTEM = "system"
    DIFFERENCE = "difference"
    OTHER_RUN = "other_run"


class Point(NamedTuple):
    """A value from this instant on, until the next point; None: unknown from here on."""

    at_ns: UtcNs
    value: Number | None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A value over time, in the unit of its panel, held from point to point. limit: what the others are held against."""

    name: str
    role: Role
    points: tuple[Point, ...]
    limit: bool = False


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened at an instant.

    row: of a panel with rows. value: where it stands in a panel with values; None: nowhere there. title, details: in words.
    """

    at_ns: UtcNs
    role: Role
    title: str
    details: tuple[str, ...] = ()
    row: str | None = None
    value: Number | None = None


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Something that lasted, in a row. begin_ns <= end_ns."""

    begin_ns: UtcNs
    end_ns: UtcNs
    role: Role
    title: str
    row: str
    details: tuple[str, ...] = ()


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One stripe of a picture: either values on a scale, or rows under each other, of which `rows` is the order, the topmost first.

    key: names it in the page. tall: it gets more room than others. named: whether rows have their names beside them.
    """

    key: str
    name: str
    unit: str = ""
    lines: tuple[Line, ...] = ()
    marks: tuple[Mark, ...] = ()
    spans: tuple[Span, ...] = ()
    rows: tuple[str, ...] = ()
    tall: bool = False
    named: bool = True


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """What stands below the picture, in words; of each row a text for each column. left_out: rows that are not here."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """The whole. begin_ns < end_ns. facts: name -> text. shades: spans that are seen through all panels. warnings: what it lacks.

    values: what stands on the axis beside each other instead of time; an instant is then a place among them, see `place_ns`.
    """

    title: str
    subtitle: str
    begin_ns: UtcNs
    end_ns: UtcNs
    facts: dict[str, str]
    panels: tuple[Panel, ...]
    shades: tuple[Span, ...] = ()
    tables: tuple[Table, ...] = ()
    warnings: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    def place_text(self, at_ns: UtcNs) -> str:
        """Return what stands on the axis there, in words."""
        return self.values[at_ns // NS_PER_MS] if self.values else clock_text(at_ns)


def place_ns(number: int) -> UtcNs:
    """Return where the value of that number stands, from 0, in a picture that has values."""
    return number * NS_PER_MS


def clock_text(instant_ns: int) -> str:
    """Return an instant for people: UTC, with its seconds and, if there are any, their fractions."""
    return instant_text(instant_ns).replace("T", " ").replace("Z", " UTC")


def money_text(amount: Money) -> str:
    """Return dollars, digit for digit, the sign first."""
    return f"-${number_text(-amount)}" if amount < 0 else f"${number_text(amount)}"


def span_text(span_ns: int) -> str:
    """Return how long something lasted, to the millisecond, or to the second if that was long."""
    thousandths = span_ns // 1_000_000
    seconds, thousandths = divmod(thousandths, 1000)
    if seconds < 60:
        return f"{seconds}.{thousandths:03d} s" if thousandths else f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min {seconds:02d} s" if hours else f"{minutes} min {seconds:02d} s"


def changes(points: Iterable[Point]) -> list[Point]:
    """Return the points without those that change nothing; of one instant the last one stands, unless it hides another value."""
    kept: list[Point] = []
    for point in points:
        if not kept or kept[-1].value != point.value:
            kept.append(point)
    return kept


def lasting(begun: Sequence[tuple[int, T]], end_ns: int) -> Iterator[tuple[int, int, T]]:
    """Yield (from, to, what) of things each of which lasts until the next one begins, the last one until `end_ns`."""
    ends = [at_ns for at_ns, _ in begun[1:]] + [end_ns]
    for (at_ns, what), until_ns in zip(begun, ends, strict=False):
        yield at_ns, until_ns, what


def cut(table: Table, most: int) -> Table:
    """Return a table of `most` rows at most, which says how many it leaves out."""
    rows: Sequence[tuple[str, ...]] = table.rows
    return msgspec.structs.replace(table, rows=tuple(rows[:most]), left_out=max(0, len(rows) - most))
