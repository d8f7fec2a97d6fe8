"""Events of others as a recording: a house without wires lives through them once, in recorded time, and its engines are noted.

So it can be replayed and asked "what if" as if it had been recorded here. Nothing is said on any wire: there is none.
"""

from collections.abc import Iterable
from typing import Any

from actors.engines import Beginning
from actors.ports import Recorder
from actors.recorded import note_beginning
from actors.replay.deadlines import Deadlines
from actors.replay.plain_house import PlainHouse
from bus.messages.envelope import Received
from bus.messages.market import Ticks
from bus.messages.reconcile import VenuesUp
from bus.messages.records import OrdersTail, Recovered
from bus.messages.trades import Trade
from config.settings import Settings

_INSTANCE = "imported"


class Life:
    """One life over words from elsewhere. settings: in force, those of stops as the program's defaults have them. trades: that were heard of.

    words: that were heard.
    """

    def __init__(self, settings: Settings, recorder: Recorder, begin_ns: int) -> None:
        beginning = Beginning(
            recovered=Recovered(settings_version=1, layers={("defaults", ""): dict(settings.stops)}),
            instance=_INSTANCE,
            epoch=1,
            streams={},
            now_ns=begin_ns,
        )
        self.begin_ns = begin_ns
        self.words = 0
        self.trades: set[str] = set()
        self._deadlines = Deadlines()
        note_beginning(recorder, settings, beginning)
        self._house = PlainHouse(settings, beginning, keep=self._deadlines.keep, note=self._note, recorder=recorder)
        self._house.begin(OrdersTail(), begin_ns)
        self._house.restore_venues(begin_ns)
        self._house.hear(VenuesUp(now_ns=begin_ns), begin_ns)

    def hear(self, word: Ticks | Received[Any], now_ns: int) -> None:
        """Take in the next word, after every deadline before it."""
        self.pass_time(now_ns)
        self.words += len(word.batch) if isinstance(word, Ticks) else 1
        self._house.hear(word, now_ns)

    @property
    def now_ns(self) -> int:
        """How far it has come."""
        return self._house.now_ns

    def pass_time(self, until_ns: int) -> None:
        """Meet every deadline up to and including `until_ns`, each at its own instant."""
        while (fired := self._deadlines.take(until_ns)) is not None:
            self._house.hear(fired, fired.now_ns)

    def _note(self, word: object) -> None:
        if isinstance(word, Trade):
            self.trades.add(word.trade_id)


def live_through(
    words: Iterable[tuple[Ticks | Received[Any], int]], settings: Settings, recorder: Recorder
) -> Life | None:
    """Return the life that heard all of `words`, each with its instant, in order; None if there was none."""
    life = None
    for word, now_ns in words:
        life = life or Life(settings, recorder, now_ns)
        life.hear(word, now_ns)
    return life
