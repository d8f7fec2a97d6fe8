"""The stops of one trade: which had to fire, and when (SPEC 1.2). Part of the independent check."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.acceptance.independent.book import Book, Bound, at_least, at_most, either
from tests.acceptance.independent.tape import seconds


@dataclass
class Stop:
    """One stop of one trade, with what it has counted."""

    rule: str
    settings: dict[str, Decimal]
    confirms: int = 0
    counted_ts: int = -1
    since: int | None = None
    best: Decimal | None = None
    wake: int | None = None


@dataclass
class Asked:
    """What the document says was asked for and filled."""

    side: str
    quantity: Decimal
    entry_price: Decimal
    entry_ts: int
    stops: list[Stop]

    @property
    def cost(self) -> Decimal:
        return self.entry_price * self.quantity

    def exit_at(self, pnl: Decimal) -> Decimal:
        """Return the exit price that brings `pnl` dollars."""
        each = pnl / self.quantity
        return self.entry_price - each if self.side == "short" else self.entry_price + each


class Watch:
    """The stops of one trade: `look` says which fires."""

    def __init__(self, asked: Asked, general: dict[str, Any]) -> None:
        self._asked = asked
        self._wait_ns = seconds(general["confirm_max_wait_s"])
        self.stops = asked.stops

    def look(self, book: Book, now: int) -> str | None:
        """Let every stop look at the book, in the trade's order; return the first that fires."""
        for stop in self.stops:
            stop.wake = None
            if self._fires(stop, book, now):
                return stop.rule
        return None

    def next_wake(self) -> int | None:
        return min((stop.wake for stop in self.stops if stop.wake is not None), default=None)

    def _fires(self, stop: Stop, book: Book, now: int) -> bool:
        if stop.rule == "stale":
            return False
        if stop.rule == "time":
            due = self._time_due(stop, book)
            stop.wake = due
            return due is not None and now >= due
        value = book.probability(now) if stop.rule == "probability" else book.exit(now)
        if book.crossed_since is not None and book.is_held(now):
            stop.wake = book.crossed_since + book.crossed_max_ns
        trusted = self._trusts(stop, book)
        if stop.rule == "trailing" and value is not None and trusted:
            self._follow(stop, value)
        holds = None if value is None else self._holds(stop, value)
        if holds is None or not holds:
            stop.since = None
            if holds is False:
                stop.confirms = 0
            return False
        assert value is not None
        if stop.since is None:
            stop.since = now
        if value.ts > stop.counted_ts:
            stop.confirms, stop.counted_ts = stop.confirms + 1, value.ts
        return self._passes(stop, book, value, now) and trusted

    def _time_due(self, stop: Stop, book: Book) -> int | None:
        dues = []
        if "max_age_s" in stop.settings:
            dues.append(self._asked.entry_ts + seconds(stop.settings["max_age_s"]))
        if "close_before_s" in stop.settings and book.close_ts is not None:
            dues.append(book.close_ts - seconds(stop.settings["close_before_s"]))
        return min(dues, default=None)

    def _trusts(self, stop: Stop, book: Book) -> bool:
        limit, apart = stop.settings.get("max_quote_disagreement"), book.disagreement()
        return limit is None or apart is None or apart <= limit

    def _follow(self, stop: Stop, value: Bound) -> None:
        """Move a trailing stop's best; it never loosens, and what is only bounded does not move it up."""
        sure = value.high if self._asked.side == "short" else value.low
        if sure is None:
            return
        sign = -1 if self._asked.side == "short" else 1
        at = stop.settings.get("activate_at")
        if stop.best is None:
            if at is None or sure * sign >= at * sign:
                stop.best = sure
        elif sure * sign > stop.best * sign:
            stop.best = sure

    def _holds(self, stop: Stop, value: Bound) -> bool | None:
        asked, settings, short = self._asked, stop.settings, self._asked.side == "short"
        below, above = (at_least, at_most) if short else (at_most, at_least)
        match stop.rule:
            case "probability":
                reached = at_least(value, settings["floor_percent"])
                return None if reached is None else not reached
            case "price":
                return below(value, settings["stop_price"])
            case "trailing":
                return either([below(value, level) for level in self._levels(stop)])
            case "loss":
                claims = [below(value, asked.exit_at(-settings["max_loss"]))] if "max_loss" in settings else []
                if "max_loss_percent" in settings:
                    claims.append(below(value, asked.exit_at(-settings["max_loss_percent"] * asked.cost / 100)))
                return either(claims)
            case _:
                claims = [above(value, settings["take_profit_price"])] if "take_profit_price" in settings else []
                if "take_profit_amount" in settings:
                    claims.append(above(value, asked.exit_at(settings["take_profit_amount"])))
                if "take_profit_percent" in settings:
                    claims.append(above(value, asked.exit_at(settings["take_profit_percent"] * asked.cost / 100)))
                return either(claims)

    def _levels(self, stop: Stop) -> list[Decimal]:
        if stop.best is None:
            return []
        sign = 1 if self._asked.side == "short" else -1
        levels = [stop.best + sign * stop.settings["trail"]] if "trail" in stop.settings else []
        if "trail_percent" in stop.settings:
            levels.append(stop.best + sign * stop.best * stop.settings["trail_percent"] / 100)
        return levels

    def _passes(self, stop: Stop, book: Book, value: Bound, now: int) -> bool:
        """Whether the guards that end by themselves let it pass; else when to look again."""
        due = [now]
        if "min_age_s" in stop.settings:
            due.append(self._asked.entry_ts + seconds(stop.settings["min_age_s"]))
        if "dwell_s" in stop.settings:
            assert stop.since is not None
            due.append(stop.since + seconds(stop.settings["dwell_s"]))
        if stop.confirms < stop.settings.get("confirm_ticks", 1):
            due.append(value.ts + self._wait_ns)
        left = stop.settings.get("min_time_to_close_s")
        if left is not None and book.close_ts is not None and book.close_ts - now < seconds(left):
            return False
        if max(due) > now:
            stop.wake = max(due)
            return False
        return True
