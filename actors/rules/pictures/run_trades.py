"""The trades of a run: what became of each, and where it stands among the others."""

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Final

from actors.rules.pictures import marks
from actors.rules.pictures.drawn import Mark, Role, Span, clock_text, money_text, span_text
from bus.messages.plain import number_text
from bus.messages.stops import StopCoverage
from bus.messages.trades import Coverage, Trade, TradeState
from bus.messages.units import ZERO, Money, Number

Standing = tuple[Money, int, int]
"""What one trade adds to the totals of all."""
_NOTHING: Final[Standing] = (ZERO, 0, 0)


class RunTrade:
    """One trade, as it stands. before: what it had realised before the recording. held: decisions that guards held back."""

    def __init__(self, trade: Trade, before: Money = ZERO) -> None:
        self.trade = trade
        self.held = 0
        self._before = before
        self._begin_ns: int | None = None
        self._end_ns: int | None = None
        self._bare: list[tuple[int, int | None]] = []

    def become(self, trade: Trade, now_ns: int) -> None:
        """Take its next version in."""
        self.trade = trade
        if trade.open_quantity and self._begin_ns is None:
            self._begin_ns = now_ns
        if self._begin_ns is not None and not trade.open_quantity and self._end_ns is None:
            self._end_ns = now_ns
            self._bare_until(now_ns)

    def cover(self, word: StopCoverage) -> None:
        """Take in whether it is protected."""
        if word.coverage is not Coverage.UNPROTECTED:
            self._bare_until(word.ts)
        elif not self.is_bare:
            self._bare.append((word.ts, None))

    @property
    def is_open(self) -> bool:
        """Whether something of it is open."""
        return bool(self.trade.open_quantity)

    @property
    def is_bare(self) -> bool:
        """Whether it is unprotected."""
        return bool(self._bare) and self._bare[-1][1] is None

    @property
    def gained(self) -> Money:
        """What it realised since the recording began, dollars."""
        return self.trade.pnl - self._before

    @property
    def standing(self) -> Standing:
        """What it adds to the totals."""
        return self.gained, int(self.is_open), int(self.is_bare)

    @property
    def how(self) -> str:
        """What ended it, in a word."""
        by_stop = self.trade.state is TradeState.CLOSED and self.trade.rule
        return by_stop or self.trade.state.replace("_", " ")

    def touches(self, begin_ns: int) -> bool:
        """Whether it was there at `begin_ns` or later."""
        return self._end_ns is None or self._end_ns >= begin_ns

    def bare_ns(self, begin_ns: int, end_ns: int) -> int:
        """Return how long it was unprotected between the two."""
        return sum(max(0, (until or end_ns) - max(since, begin_ns)) for since, until in self._bare)

    def life(self, begin_ns: int, end_ns: int) -> tuple[int, int] | None:
        """Return from when to when something of it was open, within these; None: never."""
        if self._begin_ns is None:
            return None
        return max(self._begin_ns, begin_ns), self._end_ns or end_ns

    def span(self, row: str, life: tuple[int, int]) -> Span:
        """Return its life as it is drawn."""
        trade, (since_ns, until_ns) = self.trade, life
        bare_ns = self.bare_ns(since_ns, until_ns)
        role = (
            Role.OPEN
            if self.is_open
            else Role.GAIN
            if self.gained > 0
            else Role.LOSS
            if self.gained < 0
            else Role.LEVEL
        )
        return Span(
            begin_ns=since_ns,
            end_ns=until_ns,
            role=role,
            title=f"{trade.trade_id}: {trade.side} {number_text(trade.quantity)} {trade.ticker}",
            row=row,
            details=(
                f"{self.how}, PnL {money_text(trade.pnl)}",
                f"entry {_price(trade.entry_price)}, exit {_price(trade.exit_price)}",
                f"open for {span_text(until_ns - since_ns)}",
                *((f"unprotected for {span_text(bare_ns)}",) if bare_ns else ()),
            ),
        )

    def row(self, begin_ns: int, end_ns: int) -> tuple[str, ...]:
        """Return its row in the table."""
        trade = self.trade
        bare_ns = self.bare_ns(begin_ns, end_ns)
        return (
            trade.trade_id,
            trade.ticker,
            trade.side.value,
            number_text(trade.quantity),
            _price(trade.entry_price),
            "" if trade.entry_ts is None else clock_text(trade.entry_ts),
            _price(trade.exit_price),
            "" if trade.exit_ts is None else clock_text(trade.exit_ts),
            self.how,
            money_text(trade.pnl),
            f"{self.held:,}" if self.held else "",
            "still" if self.is_bare else span_text(bare_ns) if bare_ns else "",
        )

    def _bare_until(self, now_ns: int) -> None:
        if self.is_bare:
            self._bare[-1] = (self._bare[-1][0], now_ns)


class RunTrades:
    """All of them by id, and what they come to: kept up to date trade by trade, so that a day of many is told in one pass."""

    def __init__(self) -> None:
        self.by_id: dict[str, RunTrade] = {}
        self.totals: tuple[Money, Number, Number] = (ZERO, ZERO, ZERO)
        """Dollars realised; how many are open; how many of them are unprotected."""

    def become(self, trade: Trade, now_ns: int, *, is_known: bool = False) -> list[Mark]:
        """Take the next version of a trade in; return the fills that are new. is_known: it stood so before this process began."""
        row = self.by_id.get(trade.trade_id)
        before, standing = (None, _NOTHING) if row is None else (row.trade, row.standing)
        if row is None:
            row = self.by_id[trade.trade_id] = RunTrade(trade, trade.pnl if is_known else ZERO)
        row.become(trade, now_ns)
        self._add(standing, row.standing)
        return list(marks.of_fills(before, trade, now_ns))

    def cover(self, word: StopCoverage) -> None:
        """As `RunTrade.cover`; of a trade that nobody has told of nothing is kept."""
        row = self.by_id.get(word.trade_id)
        if row is not None:
            before = row.standing
            row.cover(word)
            self._add(before, row.standing)

    def _add(self, before: Standing, after: Standing) -> None:
        gained, opened, bare = self.totals
        self.totals = (gained + after[0] - before[0], opened + after[1] - before[1], bare + after[2] - before[2])


def packed(trades: Sequence[RunTrade], begin_ns: int, end_ns: int) -> list[Span]:
    """Return the lives of `trades`, in as few rows as there were open at once at most: each takes the first row that is free."""
    lives = sorted(
        (life, trade.trade.trade_id, trade) for trade in trades if (life := trade.life(begin_ns, end_ns)) is not None
    )
    taken: list[tuple[int, int]] = []
    free: list[int] = []
    spans, rows = [], 0
    for life, _, trade in lives:
        while taken and taken[0][0] <= life[0]:
            heappush(free, heappop(taken)[1])
        if free:
            row = heappop(free)
        else:
            row, rows = rows, rows + 1
        heappush(taken, (life[1], row))
        spans.append(trade.span(f"{row:05d}", life))
    return spans


def _price(price: object) -> str:
    return "" if price is None else f"${price}"
