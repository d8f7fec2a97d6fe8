"""What one trade saw of its market, tick by tick, and where its stops stood: the lines of its picture.

A read batch is applied here one tick at a time, so that a price that only lasted within a batch, and made a stop fire, is seen.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from actors.rules.market.book import MarketBook
from actors.rules.market.marks import (
    SELL,
    Reading,
    buffer_of,
    exit_sides,
    fed_probability,
    quote_probability,
    value_reading,
)
from actors.rules.market.sight import Sight
from actors.rules.pictures.drawn import Line, Panel, Point, Role, Span, lasting
from actors.rules.pictures.levels import BUFFER, EXIT, MOMENTUM, PROBABILITY, Level, levels, trailing_levels
from actors.rules.pictures.thinning import thin_all
from actors.rules.stops.engine import StopEngine
from bus.messages.market import FeedBeat, Momentum, Probability, Quote, SpotPrice, Tick
from bus.messages.trades import Trade
from bus.messages.units import Number

SIGHT: Final = "price unclear"
"""The row of spans in which the exit price is not, or not quite, known."""
_PANELS: Final = {
    EXIT: ("Exit price of one contract", "$"),
    PROBABILITY: ("Probability that its side wins", "%"),
    MOMENTUM: ("Momentum of the underlying", "%"),
    BUFFER: ("Underlying beyond the strike", "$"),
}
Key = tuple[str, str, Role, bool]
"""The panel, the name, the role, and whether it is a limit."""


class Sightings:
    """The lines of one trade so far."""

    def __init__(self) -> None:
        self._book = MarketBook()
        self._sight: Sight | None = None
        self._trade: Trade | None = None
        self._names: tuple[str, ...] = ()
        self._lines: dict[Key, list[Point]] = {}
        self._unclear: list[tuple[int, str | None]] = []
        self._still: list[Level] = []
        self._trailed: list[Level] | None = None

    def watch(self, trade: Trade, stops: StopEngine | None, now_ns: int) -> None:
        """See `trade` as it is from now on. stops: as they decide, None where nothing can be decided again."""
        is_first = self._trade is None
        self._trade = trade
        self._names = (trade.ticker, trade.symbol or trade.ticker)
        if is_first and stops is not None:
            for ticks in stops.last_ticks():
                list(self._apply(ticks.batch, ticks.received_ns))
        style = SELL if stops is None else stops.roster.sighted(trade).view.style
        self._sight = Sight(trade, self._book, style)
        self._still = levels(trade) if trade.open_quantity else []
        self._trailed = None
        self.look(now_ns)
        self.look_at_limits(stops, now_ns)

    def see(self, ticks: Iterable[Tick], now_ns: int) -> bool:
        """Apply those of `ticks` that concern the trade; say whether there was one."""
        found = False
        for _ in self._apply(ticks, now_ns):
            found = True
            self.look(now_ns)
        return found

    def look(self, now_ns: int) -> None:
        """Note what is seen now: it also changes without a tick, when it grows old."""
        trade, sight = self._trade, self._sight
        if trade is None or sight is None:
            return
        reading = sight.exit(now_ns)
        self._note((EXIT, "exit price", Role.EXIT, False), now_ns, reading.low if reading.known else None)
        bound = None if reading.known or reading.unknown else reading.value
        self._note((EXIT, "exit price at best", Role.BOUND, False), now_ns, bound)
        self._note((EXIT, "ask", Role.ASK, False), now_ns, exit_sides(sight.quote, sight.view)[1])
        if not self._unclear or self._unclear[-1][1] != reading.reason:
            self._unclear.append((now_ns, reading.reason))
        if sight.probability is not None:
            fed = fed_probability(sight.probability, sight.view, now_ns)
            self._note((PROBABILITY, "probability feed", Role.FED, False), now_ns, _value(fed))
            quoted = quote_probability(sight.quote, sight.view, now_ns)
            self._note((PROBABILITY, "probability by the quote", Role.QUOTED, False), now_ns, _value(quoted))
        if sight.momentum is not None:
            momentum = _value(value_reading(sight.momentum, sight.view, now_ns))
            self._note((MOMENTUM, "momentum", Role.VALUE, False), now_ns, momentum)
        if sight.spot is not None and trade.strike is not None:
            spot = _value(value_reading(sight.spot, sight.view, now_ns))
            ahead = None if spot is None else buffer_of(trade, spot)
            self._note((BUFFER, "buffer", Role.VALUE, False), now_ns, ahead)

    def look_at_limits(self, stops: StopEngine | None, now_ns: int) -> None:
        """Note where the stops stand now; those of a trade of which nothing is open do not stand."""
        trailing = self._trailing(stops)
        if trailing == self._trailed:
            return
        self._trailed = trailing
        now = {(level.panel, level.name, level.role, True): level.value for level in (*self._still, *trailing)}
        for key in (*now, *(key for key in self._lines if key[3] and key not in now)):
            self._note(key, now_ns, now.get(key))

    def _trailing(self, stops: StopEngine | None) -> list[Level]:
        trade = self._trade
        if stops is None or trade is None or not trade.open_quantity:
            return []
        armed = stops.roster.find(trade.trade_id)
        rule = None if armed is None else armed.rule("trailing")
        if rule is None:
            return []
        lens = stops.roster.lens(rule)
        if lens is not None:
            lens.settle(rule)
        return trailing_levels(rule)

    def panels(self, end_ns: int) -> Iterator[Panel]:
        """Yield a panel for each unit in which something was ever known."""
        for panel, (name, unit) in _PANELS.items():
            drawn = {key: points for key, points in self._lines.items() if key[0] == panel}
            seen = [key for key, points in drawn.items() if not key[3] and any(at.value is not None for at in points)]
            if seen:
                lines = [
                    Line(name=key[1], role=key[2], limit=key[3], points=(*points, Point(end_ns, points[-1].value)))
                    for key, points in drawn.items()
                    if key in seen or key[3]
                ]
                yield Panel(key=panel, name=name, unit=unit, lines=thin_all(lines), tall=panel == EXIT)

    def unclear(self, end_ns: int) -> Iterator[Span]:
        """Yield where the exit price was only bounded or unknown, and why."""
        for at_ns, until_ns, reason in lasting(self._unclear, end_ns):
            if reason is not None and until_ns > at_ns:
                words = reason.replace("_", " ")
                yield Span(begin_ns=at_ns, end_ns=until_ns, role=Role.UNCLEAR, title=f"exit price: {words}", row=SIGHT)

    @property
    def changed_ns(self) -> int:
        """When anything of it changed last."""
        return max((points[-1].at_ns for points in self._lines.values()), default=0)

    def _apply(self, ticks: Iterable[Tick], now_ns: int) -> Iterator[Tick]:
        """Take each tick in that may concern the trade; yield those of its instrument."""
        for tick in ticks:
            match tick:
                case FeedBeat():
                    self._book.apply(tick, now_ns)
                case Quote(ticker=name) | Probability(ticker=name) | SpotPrice(symbol=name) | Momentum(symbol=name):
                    if name in self._names:
                        self._book.apply(tick, now_ns)
                        yield tick

    def _note(self, key: Key, at_ns: int, value: Number | None) -> None:
        points = self._lines.get(key)
        if points is None:
            if value is not None:
                self._lines[key] = [Point(at_ns, value)]
        elif points[-1].value != value:
            points.append(Point(at_ns, value))


def _value(reading: Reading) -> Number | None:
    return reading.low if reading.known else None
