"""Trades, ticks and an engine for the tests of the stop rules: one instant, one ticker, short words."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, Self

import msgspec

from actors.rules.stops.engine import StopEngine
from bus.messages.market import FeedBeat, Momentum, Probability, Quote, SpotPrice, StrikeType, Tick, Ticks
from bus.messages.records import Commit
from bus.messages.stops import StopDecision, StopFired, StopProgress
from bus.messages.timers import CancelTimer, SetTimer, TimerFired
from bus.messages.trades import Mode, Side, StopSpec, Trade, TradeState
from bus.messages.units import NS_PER_S
from tests.rules.readable import readable

T0: Final = 1_754_222_400 * NS_PER_S
"""2025-08-03T12:00:00Z."""
TICKER: Final = "KXBTCD-25AUG0312-T119499.99"
SYMBOL: Final = "BTC"
COIN: Final = "BTC-USD"
"""A linear instrument."""

GENERAL: Final[dict[str, Decimal | str]] = {
    "confirm_max_wait_s": Decimal(2),
    "divergence_max_s": Decimal(5),
    "max_spread": Decimal("0.20"),
    "crossed_max_s": Decimal(2),
    "max_input_age_s": Decimal(15),
    "max_frozen_s": Decimal(30),
    "max_silence_s": Decimal(30),
    "max_quote_silence_s": Decimal(0),
    "fee_model": "none",
    "fee_percent": Decimal(0),
}


def at(seconds: float | str) -> int:
    """The instant so many seconds after T0."""
    return T0 + int(Decimal(str(seconds)) * NS_PER_S)


def numbers(values: Mapping[str, object]) -> dict[str, Decimal | str]:
    """Settings with their numbers exact; words stay words."""
    words = ("alert", "close", "none", "kalshi", "percent")
    return {key: str(value) if value in words else Decimal(str(value)) for key, value in values.items()}


def stop(rule: str, **settings: object) -> StopSpec:
    """An armed rule: no guard unless it is named."""
    return StopSpec(rule=rule, settings=numbers(settings))


def a_trade(*stops: StopSpec, **changes: object) -> Trade:
    """An open yes trade of 10 contracts bought at 0.60 at T0 with an hour to go."""
    general = changes.pop("general", {})
    assert isinstance(general, dict)
    base = Trade(
        trade_id="t1",
        state=TradeState.OPEN,
        version=3,
        account="paper-1",
        venue="paper",
        mode=Mode.PAPER,
        ticker=TICKER,
        symbol=SYMBOL,
        side=Side.YES,
        quantity=Decimal(10),
        open_quantity=Decimal(10),
        filled_quantity=Decimal(10),
        entry_price=Decimal("0.60"),
        entry_cost=Decimal("6.00"),
        entry_ts=T0,
        ts=T0,
        strike_type=StrikeType.ABOVE,
        strike=Decimal(119_500),
        close_ts=at(3600),
        stops=stops,
        settings={**GENERAL, **numbers(general)},
        settings_version=7,
    )
    return msgspec.structs.replace(base, **changes)


def a_coin_trade(*stops: StopSpec, side: Side = Side.LONG, **changes: object) -> Trade:
    """An open linear trade of 2 units at 100.00 at T0."""
    linear: dict[str, object] = {
        "side": side,
        "ticker": COIN,
        "symbol": COIN,
        "strike_type": None,
        "strike": None,
        "close_ts": None,
        "quantity": Decimal(2),
        "open_quantity": Decimal(2),
        "filled_quantity": Decimal(2),
        "entry_price": Decimal(100),
        "entry_cost": Decimal(200),
    }
    return a_trade(*stops, **(linear | changes))


def exact(value: str | float | None) -> Decimal | None:
    """A price as text."""
    return None if value is None else Decimal(str(value))


def a_quote(
    seconds: float,
    yes_bid: str | None = None,
    yes_ask: str | None = None,
    *,
    no_bid: str | None = None,
    no_ask: str | None = None,
    ticker: str = TICKER,
    source: str | None = "kalshi",
) -> Quote:
    """A quote of an event contract."""
    return Quote(
        ticker=ticker,
        ts=at(seconds),
        source=source,
        yes_bid=exact(yes_bid),
        yes_ask=exact(yes_ask),
        no_bid=exact(no_bid),
        no_ask=exact(no_ask),
    )


def a_coin_quote(seconds: float, bid: str | None, ask: str | None, *, source: str | None = "spot") -> Quote:
    """A quote of the linear instrument."""
    return Quote(ticker=COIN, ts=at(seconds), source=source, bid=exact(bid), ask=exact(ask))


def a_probability(seconds: float, percent: str | float, *, ticker: str = TICKER) -> Probability:
    """A probability of the model."""
    return Probability(ticker=ticker, ts=at(seconds), source="model", probability=Decimal(str(percent)))


def a_momentum(seconds: float, percent: str | float, *, symbol: str = SYMBOL) -> Momentum:
    """A momentum of the underlying."""
    return Momentum(symbol=symbol, ts=at(seconds), source="model", momentum=Decimal(str(percent)))


def a_price(seconds: float, price: str | float, *, symbol: str = SYMBOL) -> SpotPrice:
    """A price of the underlying."""
    return SpotPrice(symbol=symbol, ts=at(seconds), source="coinbase", price=Decimal(str(price)))


def a_beat(seconds: float, source: str = "kalshi", max_silence_s: float = 30) -> FeedBeat:
    """A feed's beat."""
    return FeedBeat(source=source, ts=at(seconds), max_silence_s=max_silence_s)


class Watch:
    """An engine with the timers it has asked for: `tick` and `wait` move its time, `fired` is what it has decided.

    answers: whether somebody begins to close a trade whose stop fires, as TradeDesk does.
    """

    def __init__(self, *words: object, engine: StopEngine | None = None, answers: bool = False) -> None:
        self.engine = engine or StopEngine()
        self.answers = answers
        self.trades: dict[str, Trade] = {}
        self.timers: dict[str, int] = {}
        self.said: list[object] = []
        self.now_ns = T0
        for word in words:
            self.hear(word)

    def hear(self, word: object) -> list[object]:
        """Hand a word over and keep what is said."""
        if isinstance(word, Trade):
            self.trades[word.trade_id] = word
        said = readable(self.engine.handle(word))
        for each in said:
            if isinstance(each, SetTimer):
                self.timers[each.key] = each.due_ns
            elif isinstance(each, CancelTimer):
                self.timers.pop(each.key, None)
        self.said.extend(said)
        if self.answers:
            self._answer([each for each in said if isinstance(each, StopFired)])
        return said

    def _answer(self, fired: list[StopFired]) -> None:
        for stopped in fired:
            trade = self.trades[stopped.decision.trade_id]
            if trade.state is not TradeState.CLOSING:
                self.hear(msgspec.structs.replace(trade, version=trade.version + 1, state=TradeState.CLOSING))

    def tick(self, *ticks: Tick, received: int | None = None) -> Self:
        """Let ticks arrive, each at its own instant, after the timers that are due before it."""
        for each in ticks:
            now_ns = each.ts if received is None else received
            self.run_to(now_ns)
            self.hear(Ticks(batch=(each,), received_ns=now_ns))
        return self

    def wait(self, seconds: float) -> Self:
        """Let time pass to `seconds` after T0."""
        self.run_to(at(seconds))
        return self

    def run_to(self, now_ns: int) -> None:
        """Fire every timer that is due by `now_ns`."""
        while self.timers:
            key, due_ns = min(self.timers.items(), key=lambda item: (item[1], item[0]))
            if due_ns > now_ns:
                break
            del self.timers[key]
            self.now_ns = max(self.now_ns, due_ns)
            self.hear(TimerFired(owner="auto_stop", key=key, due_ns=due_ns, now_ns=self.now_ns))
        self.now_ns = max(self.now_ns, now_ns)

    @property
    def fired(self) -> list[StopFired]:
        """The stops that fired so far."""
        return [word for word in self.said if isinstance(word, StopFired)]

    @property
    def rules(self) -> list[str]:
        """The rules that fired so far."""
        return [word.decision.rule for word in self.fired]

    @property
    def held(self) -> list[StopDecision]:
        """The decisions that guards held back."""
        return [made for commit in self.commits for made in commit.decisions]

    @property
    def commits(self) -> list[Commit]:
        """What was committed."""
        return [word for word in self.said if isinstance(word, Commit)]

    @property
    def notices(self) -> list[str]:
        """The kinds of the notices committed, in order."""
        return [notice.kind for commit in self.commits for notice in commit.notices]

    @property
    def progress(self) -> list[StopProgress]:
        """What was committed of the counts."""
        return [kept for commit in self.commits for kept in commit.progress]


def watching(*stops: StopSpec, **changes: object) -> Watch:
    """An engine that watches `a_trade`; a stop that fires is answered."""
    return Watch(a_trade(*stops, **changes), answers=True)


def guards_of(decision: StopDecision) -> dict[str, bool]:
    """Each guard with whether it passed."""
    return {guard.name: guard.passed for guard in decision.guards}


def fired_ids(said: Iterable[object]) -> list[str]:
    """The ids of fired decisions, in order."""
    return [word.decision.decision_id for word in said if isinstance(word, StopFired)]
