"""The demo's entry strategy: simple, the same in every run, and no advice.

It buys the side that the market favours. A contract's quote calls for an entry when its own-side ask lies in the price band, the
spread is narrow, the ticker has entries left, and enough recorded time has passed since the last entry anywhere and on this
ticker. The limit is that ask. On a recording of the underlying alone it goes long and short in turn, at the recorded price.

What became of a trade does not matter to it: it is a function of recorded market data alone, so that the house cannot change
what it asks for. Trade ids come from line numbers. The stops come from the sidecar, one plan after the other; a price in a plan may be
relative to the entry, against (`entry-0.06`) or in favour of (`entry+0.10`) the trade, in dollars or in percent (`entry-0.5%`);
`percent-12` is twelve points below the entry price in percent.
"""

import re
from decimal import Decimal
from typing import Final

import msgspec

from bus.messages.market import Lifecycle, LifecycleEvent, Quote, SpotPrice, Tick
from bus.messages.trades import Side, TradeOpen
from bus.messages.units import HUNDRED, ONE, ZERO, seconds_to_ns

_RELATIVE: Final = re.compile(r"(entry|percent)([+-])(\d+(?:\.\d+)?)(%?)")
_FINEST: Final = Decimal("0.000001")
_OVER: Final = frozenset({LifecycleEvent.CLOSE, LifecycleEvent.DETERMINED, LifecycleEvent.SETTLED})
_REQUESTED_BY: Final = "demo"

Stops = tuple[dict[str, str], ...]


class EntryPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The strategy's settings, as the sidecar has them. Prices in dollars, times in recorded seconds.

    underlying: trade the symbols whose price is recorded, as linear instruments. stops: taken in turn; each a list of rules.
    """

    underlying: bool = False
    price_low: Decimal = Decimal("0.30")
    price_high: Decimal = Decimal("0.80")
    max_spread: Decimal = Decimal("0.04")
    quantity: Decimal = Decimal(10)
    gap_s: int = 120
    ticker_gap_s: int = 3600
    entries_per_ticker: int = 1
    max_trades: int = 300
    account: str = "demo-paper"
    stops: tuple[Stops, ...] = (({"rule": "price", "stop_price": "entry-0.10"},),)


class EntryStrategy:
    """Asks for trades; `plan` says when and with what stops."""

    def __init__(self, plan: EntryPlan) -> None:
        self._plan = plan
        self._entries = 0
        self._last_ns: int | None = None
        self._by_ticker: dict[str, tuple[int, int]] = {}
        self._facts: dict[str, Lifecycle] = {}
        self._shut: set[str] = set()

    def handle(self, word: Tick | Lifecycle, line: int, now_ns: int, /) -> TradeOpen | None:
        """Return the trade to ask for after `word`, None for none. line: of the recording; it names the trade."""
        match word:
            case Lifecycle():
                self._learn(word)
            case Quote(ticker=ticker) if not self._plan.underlying and self._is_time(ticker, now_ns):
                return self._open_contract(word, line, now_ns)
            case SpotPrice(symbol=symbol) if self._plan.underlying and self._is_time(symbol, now_ns):
                side = Side.SHORT if self._entries % 2 else Side.LONG
                return self._open(symbol, side, word.price, line, now_ns)
            case _:
                pass
        return None

    def _learn(self, event: Lifecycle) -> None:
        """Remember what is announced of a market: nobody enters one that is shut, or about to be."""
        if event.close_ts is not None or event.strike is not None:
            self._facts[event.ticker] = event
        if event.event in _OVER or event.event == LifecycleEvent.HALTED:
            self._shut.add(event.ticker)
        elif event.event == LifecycleEvent.RESUMED:
            self._shut.discard(event.ticker)

    def _is_time(self, ticker: str, now_ns: int) -> bool:
        plan = self._plan
        if self._entries >= plan.max_trades or ticker in self._shut:
            return False
        if self._last_ns is not None and now_ns < self._last_ns + seconds_to_ns(plan.gap_s):
            return False
        entries, last_ns = self._by_ticker.get(ticker, (0, 0))
        if entries >= plan.entries_per_ticker or (entries and now_ns < last_ns + seconds_to_ns(plan.ticker_gap_s)):
            return False
        facts = self._facts.get(ticker)
        return facts is None or facts.close_ts is None or now_ns + seconds_to_ns(plan.gap_s) < facts.close_ts

    def _open_contract(self, quote: Quote, line: int, now_ns: int) -> TradeOpen | None:
        bid, ask = quote.yes_bid, quote.yes_ask
        if bid is None or ask is None or not ZERO < bid < ask < ONE or ask - bid > self._plan.max_spread:
            return None
        side = Side.YES if bid + ask >= ONE else Side.NO
        price = ask if side is Side.YES else ONE - bid
        if not self._plan.price_low <= price <= self._plan.price_high:
            return None
        return self._open(quote.ticker, side, price, line, now_ns)

    def _open(self, ticker: str, side: Side, price: Decimal, line: int, now_ns: int) -> TradeOpen:
        plan = self._plan
        stops = plan.stops[self._entries % len(plan.stops)]
        entries, _ = self._by_ticker.get(ticker, (0, 0))
        self._by_ticker[ticker] = (entries + 1, now_ns)
        self._entries += 1
        self._last_ns = now_ns
        facts = self._facts.get(ticker)
        symbol = ticker if plan.underlying else facts.symbol if facts else None
        return TradeOpen(
            trade_id=f"demo-{line}",
            account=plan.account,
            mode="paper",
            ticker=ticker,
            side=side,
            quantity=plan.quantity,
            symbol=symbol,
            limit_price=price,
            strike_type=facts.strike_type if facts else None,
            strike=facts.strike if facts else None,
            close_ts=facts.close_ts if facts else None,
            requested_by=_REQUESTED_BY,
            stops=tuple({name: resolved(text, price, side) for name, text in stop.items()} for stop in stops),
        )


def resolved(text: str, entry: Decimal, side: Side) -> str:
    """Return a plan's value with `entry` put in: `entry-0.06` at an entry of 0.50 is `0.44`, of a short `0.56`."""
    relative = _RELATIVE.fullmatch(text)
    if relative is None:
        return text
    base, sign, amount_text, percent = relative.groups()
    amount = Decimal(amount_text)
    if base == "percent":
        return f"{entry * HUNDRED + (amount if sign == '+' else -amount):f}"
    if percent:
        amount = (entry * amount / HUNDRED).quantize(_FINEST)
    up = (sign == "+") is not (side is Side.SHORT)
    return f"{entry + amount if up else entry - amount:f}"
