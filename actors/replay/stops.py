"""Where `replay --step` stops, and what is looked at there: the trades that a word concerns, before and after it."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from actors.engines import Engines
from actors.replay.replaying import Wanted, shown_words
from actors.replay.resuming import parts
from actors.replay.retelling import ReadSettings, Retelling, Told
from actors.rules.stops.explaining import standings
from bus.messages.accounts import DRAWDOWN, DrawdownFired
from bus.messages.envelope import Received
from bus.messages.market import Ticks
from bus.messages.records import Commit
from bus.messages.replay import Stopped, TradeLook
from bus.messages.stops import StopFired
from bus.messages.timers import TimerFired
from bus.recorder.segments import Block
from bus.recorder.words import UnreadableWord, pack, unpack

CONCERNED_MAX: Final = 20
"""Trades looked at in one stop: a word may concern thousands."""


class Watcher:
    """Decides where to stop, and looks. rule: stop only where it decides. blind_below: entries before it are counted, not looked at."""

    def __init__(self, wanted: Wanted, rule: str | None) -> None:
        self.blind_below = 0
        self._wanted = wanted
        self._rule = rule
        self._stops = 0
        self._before: dict[str, TradeLook] = {}

    @property
    def since_ns(self) -> int:
        """Before this instant it stops nowhere."""
        return self._wanted.since_ns

    @property
    def is_dense(self) -> bool:
        """Whether it stops at about every entry."""
        return self._rule is None and self._wanted.trade_id is None

    def before(self, told: Told, engines: Engines | None) -> None:
        """Look at the trades that an entry concerns, if it may be one to stop at."""
        self._before = {}
        if told.number >= self.blind_below and engines is not None and self._may_stop(told):
            recorded = [_read(told.block, index) for index in told.entry.said]
            self._before = self._look([told.heard, *recorded], engines, told.entry.at_ns)

    def after(self, told: Told, engines: Engines | None) -> Stopped | None:
        """Return the stop at this entry; None: there is none, or nobody wants to see it."""
        is_one = self._wanted.holds(told) and (self._may_stop(told) or self._decides(told.said or ()))
        self._stops += is_one
        if not is_one or told.number < self.blind_below:
            return None
        said = told.said
        difference = None if said is None else told.difference()
        after = {} if engines is None else self._look([told.heard, *(said or ())], engines, told.entry.at_ns)
        if engines is not None:
            after |= {
                name: found for name in self._before if (found := _look(name, engines, told.entry.at_ns)) is not None
            }
        [heard] = shown_words([told.block.words[told.entry.heard]])
        return Stopped(
            stop=self._stops,
            number=told.number,
            at=told.entry.at_ns,
            actor=told.entry.actor,
            heard=heard,
            said=None if said is None else shown_words(map(pack, said)),
            recorded=None
            if difference is None
            else shown_words([told.block.words[index] for index in told.entry.said]),
            before=self._before,
            after=after,
        )

    def _may_stop(self, told: Told) -> bool:
        if not self._wanted.holds(told):
            return False
        return self._rule is None or self._decides(_read(told.block, index) for index in told.entry.said)

    def _decides(self, said: Iterable[object]) -> bool:
        """Whether the rule fires, or is held back, by what is said."""
        return self._rule is not None and any(self._rule in _deciding(word) for word in said)

    def _look(self, words: Sequence[object], engines: Engines, now_ns: int) -> dict[str, TradeLook]:
        names = dict.fromkeys(name for word in words for name in _concerned(word, engines))
        if self._wanted.trade_id is not None:
            names = dict.fromkeys([self._wanted.trade_id])
        looks: dict[str, TradeLook] = {}
        for name in names:
            found = _look(name, engines, now_ns)
            if found is not None and len(looks) < CONCERNED_MAX:
                looks[name] = found
        return looks


def stops(place: Path, watcher: Watcher, read_settings: ReadSettings, until_ns: int) -> Iterator[Stopped]:
    """Yield each stop in the recording at `place`. Raises: NoRecording."""
    retelling = Retelling(read_settings, lambda told: watcher.before(told, retelling.living()))
    for part in parts(place, retelling, watcher.since_ns):
        if not isinstance(part, Block):
            retelling.miss(part)
            continue
        for told in retelling.hear(part, until_ns):
            found = watcher.after(told, retelling.engines)
            if found is not None:
                yield found


def _read(block: Block, index: int) -> object:
    try:
        return unpack(block.words[index])
    except UnreadableWord:
        return None


def _look(trade_id: str, engines: Engines, now_ns: int) -> TradeLook | None:
    trade = engines.desk.find(trade_id)
    if trade is None:
        return None
    return TradeLook(trade=trade, rules=standings(engines.stops.roster, trade_id, now_ns))


def _deciding(word: object) -> tuple[str, ...]:
    """Return the rules that decide by this word."""
    match word:
        case StopFired(decision=decision):
            return (decision.rule,)
        case DrawdownFired():
            return (DRAWDOWN,)
        case Commit(sender="auto_stop", decisions=decisions):
            return tuple(decision.rule for decision in decisions)
        case _:
            return ()


def _concerned(word: Any, engines: Engines) -> Iterator[str]:  # noqa: ANN401  # any word of the house
    """Yield the ids of trades that a word is about; some may be none."""
    match word:
        case Ticks(batch=batch):
            for tick in batch:
                yield from _looking_at(tick, engines)
        case Received(message=message):
            yield from _concerned(message, engines)
        case TimerFired(key=key):
            for part in key.split(":"):
                yield part
                yield part.rsplit("-", 2)[0]
        case Commit(trades=trades, decisions=decisions):
            yield from (trade.trade_id for trade in trades)
            yield from (decision.trade_id for decision in decisions)
        case _:
            yield from _named(word, engines)


def _named(word: Any, engines: Engines) -> Iterator[str]:  # noqa: ANN401  # as above
    about = getattr(word, "decision", None) or getattr(word, "order", None) or getattr(word, "trade", None) or word
    trade_id, order_id = getattr(about, "trade_id", None), getattr(about, "client_order_id", None)
    if isinstance(trade_id, str):
        yield trade_id
    elif isinstance(order_id, str):
        yield order_id.rsplit("-", 2)[0]
    else:
        yield from _looking_at(about, engines)


def _looking_at(tick: Any, engines: Engines) -> Iterator[str]:  # noqa: ANN401  # as above
    ticker, symbol = getattr(tick, "ticker", None), getattr(tick, "symbol", None)
    if isinstance(ticker, str):
        yield from (trade.trade_id for trade in engines.desk.on(ticker))
    elif isinstance(symbol, str):
        trades = (armed.trade for armed in engines.stops.roster.armed())
        yield from (trade.trade_id for trade in trades if symbol in (trade.symbol, trade.ticker))
