"""What-if: the inputs of a recording, heard by the same engines under other settings, and what becomes of each trade.

Houses with different settings hear the same inputs side by side, so that a sweep reads its recording once.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from actors.replay.changes import Changes
from actors.replay.inputs import Input, Inputs, LookAhead
from actors.replay.replaying import Wanted
from actors.replay.rerun import Rerun
from actors.replay.retelling import ReadSettings
from actors.rules.outcomes import Followed, compare, totals
from actors.rules.paper.quotes import PaperQuotes
from bus.messages.market import Ticks
from bus.messages.orders import Action
from bus.messages.trades import Side, Trade
from bus.messages.units import Price
from bus.messages.what_if import Ground, Sweep, Swept, TradeCompared, WhatIf
from bus.recorder.reading import read


def what_if(place: Path, wanted: Wanted, changes: Changes, read_settings: ReadSettings) -> WhatIf:
    """Return what `changes` would have made of the recording at `place`. Raises: NoRecording."""
    played = _Play(place, wanted, [changes], read_settings)
    [trades] = played.compared
    return WhatIf(ground=played.ground(changes), totals=totals(trades), trades=tuple(trades))


def sweep(
    place: Path, wanted: Wanted, over: tuple[str, Sequence[Changes]], base: Changes, read_settings: ReadSettings
) -> Sweep:
    """Return what each value of a setting, over `base`, would have made of it. over: its key, and the values. Raises: NoRecording."""
    key, values = over
    played = _Play(place, wanted, [value.over(base) for value in values], read_settings)
    rows = [
        Swept(value=value.shown[key], totals=totals(trades))
        for value, trades in zip(values, played.compared, strict=True)
    ]
    return Sweep(ground=played.ground(base), key=key, rows=tuple(rows))


class _Play:
    """One reading of a recording. compared: the trades of each rerun beside the recorded ones."""

    def __init__(self, place: Path, wanted: Wanted, changes: Sequence[Changes], read_settings: ReadSettings) -> None:
        self._place = place
        self._recorded = Followed()
        self._quotes = PaperQuotes()
        self._inputs = Inputs(self._recorded.hear, wanted.until_ns)
        ahead = LookAhead(self._inputs.read(read(place)))
        self._reruns = [Rerun(each, read_settings, ahead.will_meet) for each in changes]
        for heard in ahead:
            self._hear(heard)
        for rerun in self._reruns:
            rerun.end(self._inputs.count.last_ns or 0)
        self.compared = [list(self._compare(rerun, wanted)) for rerun in self._reruns]

    def _hear(self, heard: Input) -> None:
        if isinstance(heard.word, Ticks):
            for tick in heard.word.batch:
                self._quotes.take(tick)
        for rerun in self._reruns:
            rerun.hear(heard)

    def _compare(self, rerun: Rerun, wanted: Wanted) -> Iterator[TradeCompared]:
        recorded, now = self._recorded, rerun.trades
        for trade_id in dict.fromkeys((*recorded.by_id, *now.by_id)):
            newest = recorded.by_id.get(trade_id) or now.by_id[trade_id]
            ended = [trades.by_id[trade_id] for trades in (recorded, now) if trade_id in trades.by_id]
            if wanted.trade_id not in (None, trade_id) or all(_is_over(trade, wanted.since_ns) for trade in ended):
                continue
            yield compare(newest, recorded.outcome(trade_id, self._exit), now.outcome(trade_id, self._exit))

    def _exit(self, trade: Trade) -> Price | None:
        """Return at what price the trade could be closed at the end, by the last quote of all."""
        offer = self._quotes.best(trade.ticker, trade.side, Action.BUY if trade.side is Side.SHORT else Action.SELL)
        return None if offer is None else offer.price

    def ground(self, changes: Changes) -> Ground:
        """Return what it stands on. changes: those that hold for all reruns."""
        count = self._inputs.count
        return Ground(
            place=str(self._place),
            begin=count.first_ns,
            end=count.last_ns,
            settings=changes.shown,
            lives=self._inputs.lives.count,
            inputs=count.inputs,
            skipped=count.skipped,
            lost=count.lost,
            gaps=tuple(count.gaps),
            simulated=tuple(sorted({venue for rerun in self._reruns for venue in rerun.simulated})),
        )


def _is_over(trade: Trade, since_ns: int) -> bool:
    return trade.state.is_terminal and trade.ts < since_ns
