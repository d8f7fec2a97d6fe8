"""A house under other settings, over all lives of a recording.

It dies and is born again where the recorded process did: then it begins with its own record, to which only those trades are added that
the recorded one holds alone, because the moment in which they were opened was lost.
"""

from collections.abc import Callable
from dataclasses import replace as with_changes

from msgspec.structs import replace

from actors.replay.changes import Changes
from actors.replay.deadlines import Deadlines
from actors.replay.inputs import Input
from actors.replay.lives import Begun
from actors.replay.plain_house import PlainHouse
from actors.replay.retelling import ReadSettings
from actors.rules.outcomes import Followed
from actors.rules.record.mirror import bring_up
from actors.terms import PAPER
from bus.messages.recording import PaperRestored
from bus.messages.records import LedgerNews, OrdersTail, Recovered
from bus.messages.timers import CancelTimer, SetTimer, TimerFired
from bus.messages.trades import Trade


class Rerun:
    """Hears the inputs of a recording, the beginnings of its lives among them. will_meet: see `LookAhead`. trades: as they become."""

    def __init__(self, changes: Changes, read_settings: ReadSettings, will_meet: Callable[[TimerFired], bool]) -> None:
        self.trades = Followed()
        self._changes = changes
        self._read_settings = read_settings
        self._will_meet = will_meet
        self._house: PlainHouse | None = None
        self._is_first = True
        self._deadlines = Deadlines()
        self._due: dict[tuple[str, str], TimerFired] = {}
        """Deadlines that have passed, and were met a little later in the recording."""

    @property
    def simulated(self) -> tuple[str, ...]:
        """The venues whose fills were real ones."""
        return () if self._house is None else self._house.venues.simulated

    def hear(self, heard: Input) -> None:
        """Take in the next one, after every deadline before it. The first one is the beginning of a life."""
        word, now_ns = heard.word, heard.now_ns
        if isinstance(word, Begun):
            self._begin(word)
            return
        house = self._house
        assert house is not None, "no input comes before a life has begun"
        match word:
            case TimerFired(owner=owner, key=key, due_ns=due_ns):
                self._meet_deadlines(due_ns)
                mine = self._due.get((owner, key))
                if mine is not None and mine.due_ns == due_ns:
                    del self._due[owner, key]
                    house.hear(replace(mine, now_ns=now_ns), now_ns)
            case OrdersTail():
                house.begin(word if self._is_first else OrdersTail(), now_ns)
            case PaperRestored():
                house.restore_venues(now_ns)
            case _:
                self._meet_deadlines(now_ns)
                house.hear(word, now_ns)

    def end(self, now_ns: int) -> None:
        """Let everything happen that had to by then."""
        if self._house is not None:
            self._meet_deadlines(now_ns)

    def _begin(self, begun: Begun) -> None:
        before, beginning = self._house, begun.beginning
        recovered = beginning.recovered if before is None else _own(before, beginning.recovered)
        history = None if before is None else before.venues.history
        self._is_first = before is None
        self._deadlines, self._due = Deadlines(), {}
        for trade in recovered.trades:
            self._note(trade)
        self._house = PlainHouse(
            self._changes.settings(begun.settings, self._read_settings),
            with_changes(
                beginning,
                recovered=self._changes.recovered(recovered),
                paper=beginning.paper if history is None else tuple(history.get(PAPER, ())),
            ),
            keep=self._keep,
            note=self._note,
            history=history,
        )

    def _keep(self, word: object) -> None:
        if isinstance(word, SetTimer | CancelTimer):
            self._due.pop((word.owner, word.key), None)
            self._deadlines.keep(word)

    def _note(self, word: object) -> None:
        if isinstance(word, Trade):
            self.trades.hear(word)

    def _meet_deadlines(self, until_ns: int) -> None:
        """Meet every deadline up to and including `until_ns` at its own instant, but for those that have a place of their own."""
        house = self._house
        assert house is not None
        while (fired := self._deadlines.take(until_ns)) is not None:
            if self._will_meet(fired):
                self._due[fired.owner, fired.key] = fired
            else:
                now_ns = max(house.now_ns, fired.due_ns)
                house.hear(replace(fired, now_ns=now_ns), now_ns)


def _own(before: PlainHouse, recorded: Recovered) -> Recovered:
    """Return what a house that dies now leaves on record, with the trades of `recorded` of which it never heard."""
    snapshot = before.record.snapshot(before.now_ns)
    own = bring_up(snapshot, LedgerNews())
    known = {trade.trade_id for trade in own.trades} | own.ended_ids | recorded.ended_ids
    return replace(
        own,
        trades=(*own.trades, *(trade for trade in recorded.trades if trade.trade_id not in known)),
        accounts={**recorded.accounts, **own.accounts},
        reduce_only=frozenset(snapshot.reduce_only),
        epoch=recorded.epoch,
        positions=recorded.positions,
        settlements=recorded.settlements,
    )
