"""How a trade had to end: its fills, its close attempts, its settlement (SPEC 1.3). Part of the independent check."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from tests.acceptance.independent.book import Book
from tests.acceptance.independent.stops import Asked, Watch
from tests.acceptance.independent.tape import Event, Market, S, seconds

CENT = Decimal("0.01")
RETRIES_NS = [S // 4, S // 2, S, 2 * S, 4 * S, 5 * S, 5 * S]
"""How long after the death of each attempt the next one leaves; afterwards every 30 s."""
LATER_RETRIES_NS = 30 * S


@dataclass
class Fate:
    """How a trade had to end."""

    state: str
    rule: str | None = None
    exit_price: Decimal | None = None
    exit_ts: int | None = None
    pnl: Decimal = Decimal(0)


class Life:
    """Plays one trade against its market. At one instant timers come first, then the venue, then market data."""

    def __init__(self, asked: Asked, market: Market, settings: dict[str, Any], begin_line: int, end_ts: int) -> None:
        general, venue = settings["stops"], settings["venue"]
        self._asked = asked
        self._general = general
        self._latency = int(Decimal(str(venue["latency_ms"])) * 1_000_000)
        self._cutoff = seconds(venue["cutoff_s"])
        self._end_ts = end_ts
        self._book = Book(asked.side, seconds(general["crossed_max_s"]), Decimal(str(general["max_spread"])))
        self._events = market.events
        self._next = 0
        self._now = 0
        while self._next < len(self._events) and self._events[self._next].line <= begin_line:
            self._book.move(self._events[self._next])
            self._next += 1

    def fill_of_entry(self, begin_ts: int) -> Decimal | None:
        """Return at what the entry, limited at the ask of its line, is filled one latency later; None: not at all."""
        bought = self._asked.side != "short"
        limit = self._book.own()[1 if bought else 0]
        self._roll_to(begin_ts + self._latency)
        offer = self._book.own()[1 if bought else 0]
        if offer is None or limit is None or self._book.halted or self._has_ended():
            return None
        return offer if (offer <= limit if bought else offer >= limit) else None

    def play(self) -> Fate:
        rule = self._watch()
        if rule is None:
            return self._after_the_end(None)
        return self._close(rule)

    def _watch(self) -> str | None:
        """Return the rule that fires, and leave the clock at its instant; None: the market or the recording ended first."""
        watch = Watch(self._asked, self._general)
        self._now = self._asked.entry_ts
        while True:
            rule = watch.look(self._book, self._now)
            if rule is not None:
                return rule
            wake, event = watch.next_wake(), self._peek()
            close = self._book.close_ts if self._asked.side in ("yes", "no") else None
            due = min((ts for ts in (wake, close) if ts is not None), default=None)
            if due is not None and (event is None or due <= event.ts):
                if due > self._end_ts or due == close:
                    return None
                self._now = due
            elif event is None:
                return None
            else:
                self._step()
                if self._has_ended():
                    return None

    def _close(self, rule: str) -> Fate:
        """Send attempt after attempt until one is filled, the market ends or the recording does."""
        nth = 1
        while self._wait_until_tradable():
            how, price = self._attempt(nth)
            if price is not None:
                return self._closed(rule, price)
            if how == "in flight":
                return self._after_the_end(rule, in_flight=not self._has_ended())
            again = self._now + (S if how == "unpriced" else _wait_after(nth))
            self._roll_to(again)
            if self._is_over(again):
                break
            nth += how == "dead"
        return self._after_the_end(rule)

    def _attempt(self, nth: int) -> tuple[str, Decimal | None]:
        """Send one order: `filled` with its price, `dead`, `unpriced` (not sent), or `in flight` when all ends."""
        sent_ts = self._now
        terms = self._terms(nth)
        if terms is None:
            return "unpriced", None
        limit, rests = terms
        decided = sent_ts + self._latency
        self._roll_to(decided)
        if self._is_over(decided):
            return "in flight", None
        offer = self._offer(limit)
        if offer is not None:
            return "filled", offer
        if rests and self._rest(limit, sent_ts):
            return "filled", limit
        return ("in flight", None) if self._is_over(self._now) else ("dead", None)

    def _wait_until_tradable(self) -> bool:
        """A halted market uses no attempt: wait for its resumption. Returns False where no order may leave any more."""
        while self._book.halted:
            if self._peek() is None:
                return False
            self._step()
            if self._has_ended():
                return False
        close = self._book.close_ts if self._asked.side in ("yes", "no") else None
        return close is None or self._now < close - self._cutoff

    def _terms(self, nth: int) -> tuple[Decimal, bool] | None:
        """Return the limit of the `nth` attempt and whether it rests; None: no price can be named now."""
        value = self._book.exit(self._now)
        doubled = 2 ** (nth - 1)
        linear = self._asked.side in ("long", "short")
        if linear:
            if value is None or value.low is None:
                return None
            slip = value.low * Decimal(str(self._general["close_slippage_percent"])) * doubled / 100
            if self._asked.side == "short":
                return max(_on_tick(value.low + slip, ROUND_CEILING), value.low), False
            return min(max(CENT, _on_tick(value.low - slip, ROUND_FLOOR)), value.low), False
        slip = Decimal(str(self._general["close_slippage"])) * doubled
        if value is not None and value.low:
            return min(max(CENT, _on_tick(value.low - slip, ROUND_FLOOR)), value.low), False
        if self._book.is_held(self._now):
            return None
        ask = self._book.own()[1]
        limit = CENT if ask is None else max(CENT, _on_tick(ask - slip, ROUND_FLOOR))
        return limit, self._general["close_empty_book"] == "rest"

    def _offer(self, limit: Decimal) -> Decimal | None:
        """Return the quote that meets an order at `limit` now."""
        if self._book.halted or self._has_ended():
            return None
        bid, ask = self._book.own()
        if self._asked.side == "short":
            return ask if ask is not None and ask <= limit else None
        return bid if bid is not None and bid >= limit else None

    def _rest(self, limit: Decimal, sent_ts: int) -> bool:
        """Rest until a bid reaches the limit (True), or the order has been cancelled: its time is over, or a bid is back."""
        gone = sent_ts + seconds(self._general["rest_max_s"]) + self._latency
        while (event := self._peek()) is not None and event.ts < gone:
            self._step()
            if self._has_ended():
                return False
            if event.kind != "lifecycle":
                if self._offer(limit) is not None:
                    return True
                if self._book.own()[0] is not None:
                    gone = min(gone, event.ts + self._latency)
        self._now = gone
        return False

    def _closed(self, rule: str, price: Decimal) -> Fate:
        gain = (price - self._asked.entry_price) * self._asked.quantity
        return Fate("closed", rule, price, self._now, -gain if self._asked.side == "short" else gain)

    def _after_the_end(self, rule: str | None, *, in_flight: bool = False) -> Fate:
        """Return what becomes of a trade that nothing closed: expired and settled by its market, or still there."""
        while self._peek() is not None:
            self._step()
        book, asked = self._book, self._asked
        linear = asked.side in ("long", "short")
        ends = [ts for ts in (book.ended_at, book.close_ts) if ts is not None and ts <= self._end_ts]
        if linear or not ends:
            return Fate("closing" if in_flight else "open", rule)
        if book.result not in ("yes", "no"):
            return Fate("expired", rule)
        paid = Decimal(1) if book.result == asked.side else Decimal(0)
        return Fate("settled", rule, paid, min(ends), (paid - asked.entry_price) * asked.quantity)

    # The clock

    def _peek(self) -> Event | None:
        return self._events[self._next] if self._next < len(self._events) else None

    def _step(self) -> None:
        event = self._events[self._next]
        self._next += 1
        self._now = max(self._now, event.ts)
        self._book.move(event)

    def _roll_to(self, now: int) -> None:
        """Apply what was recorded before `now`, not at it, up to the market's end."""
        while (event := self._peek()) is not None and event.ts < now and not self._has_ended():
            self._step()
        if not self._has_ended():
            self._now = now

    def _has_ended(self) -> bool:
        return self._asked.side in ("yes", "no") and self._book.ended_at is not None

    def _is_over(self, due: int) -> bool:
        close = self._book.close_ts if self._asked.side in ("yes", "no") else None
        return self._has_ended() or due > self._end_ts or (close is not None and due >= close)


def _wait_after(nth: int) -> int:
    """Return how long after the death of the `nth` attempt the next one leaves."""
    return RETRIES_NS[nth - 1] if nth <= len(RETRIES_NS) else LATER_RETRIES_NS


def _on_tick(price: Decimal, rounding: str) -> Decimal:
    return (price / CENT).to_integral_value(rounding) * CENT
