"""What decides: one engine for each actor that decides, built from the same facts in the house and in a replay of its recording.

Nothing here reads a clock or reaches a wire: two sets of engines that begin with the same and hear the same say the same.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec.structs import replace

from bus.messages.orders import OrderCancel, OrderReport, OrderSubmit
from bus.messages.recording import EngineRebuilt
from bus.messages.records import OrdersTail, Recovered
from bus.messages.trades import Trade
from bus.messages.units import NS_PER_MS, seconds_to_ns
from config.settings import Settings

if TYPE_CHECKING:
    from actors.paper_venue import SharedPaperBook
    from actors.rules.coverage.board import CoverageBoard
    from actors.rules.desk.desk import Desk
    from actors.rules.reconcile.reconciler import ReconcileEngine
    from actors.rules.stops.engine import StopEngine
    from actors.rules.transport.watch import TransportWatch
    from actors.watched import Engine

E = TypeVar("E", "StopEngine", "CoverageBoard")
_ENGINES: Final = {
    "trade_desk": "desk",
    "auto_stop": "stops",
    "trade_watcher": "watch",
    "paper_venue": "paper",
    "reconciler": "reconcile",
    "transport": "transport",
}
"""By actor, the engine that decides for it."""
ACTORS: Final = tuple(_ENGINES)
"""Those that decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a life begins with. paper: the orders at PaperVenue and what it reported. marks: somebody hears marks; see `House.also`."""

    recovered: Recovered
    instance: str
    epoch: int
    streams: Mapping[str, str]
    now_ns: int
    paper: Sequence[OrderSubmit | OrderCancel | OrderReport] = ()
    marks: bool = False


class Engines:
    """The engines of one life; an engine is another one after its actor has crashed.

    Each is imported and built once it is asked for: they share nothing, and `explain` needs but one of them.
    """

    def __init__(self, settings: Settings, beginning: Beginning) -> None:
        self._settings = settings
        self.beginning = beginning
        self._styles: dict[str, str] = {name: venue.style for name, venue in settings.venues.items()}
        self._found: dict[str, Engine] = {}

    def find(self, actor: str) -> "Engine | None":
        """Return the engine of an actor; ask again after it was rebuilt. None: that one decides nothing."""
        found = self._found.get(actor)
        if found is None and actor in _ENGINES:
            found = self._found[actor] = getattr(self, _ENGINES[actor])
        return found

    def all(self) -> Iterator[tuple[str, "Engine"]]:
        """Yield every engine with the name of its actor."""
        for actor in _ENGINES:
            found = self.find(actor)
            assert found is not None
            yield actor, found

    def take_over(self, actor: str, engine: "Engine") -> None:
        """Let this engine decide for an actor from now on."""
        setattr(self, _ENGINES[actor], engine)
        self._found[actor] = engine

    @cached_property
    def desk(self) -> "Desk":
        """Decides for TradeDesk."""
        from actors.rules.desk.desk import Desk
        from actors.terms import entry_limits, reconcile_terms

        return Desk(
            self.beginning.recovered,
            epoch=self.beginning.epoch,
            instance=self.beginning.instance,
            live_enabled=self._settings.trading.live_enabled,
            venues=reconcile_terms(self._settings).venues,
            unheard_ns=seconds_to_ns(self._settings.reconcile.timeout_s),
            limits=entry_limits(self._settings),
        )

    @cached_property
    def transport(self) -> "TransportWatch":
        """Decides whether the streams are as they should be."""
        from actors.rules.transport.watch import TransportWatch

        return TransportWatch(
            dict(self.beginning.streams),
            interval_ns=seconds_to_ns(self._settings.nats.stream_check_s),
            fill_percent_max=self._settings.nats.stream_alarm_percent,
        )

    @cached_property
    def paper(self) -> "SharedPaperBook":
        """Decides for PaperVenue."""
        from actors.paper_venue import SharedPaperBook
        from actors.terms import paper_book

        return SharedPaperBook(paper_book(self._settings))

    @cached_property
    def reconcile(self) -> "ReconcileEngine":
        """Decides for Reconciler."""
        from actors.rules.reconcile.reconciler import ReconcileEngine
        from actors.terms import reconcile_terms

        beginning = self.beginning
        return ReconcileEngine(
            reconcile_terms(self._settings), self._trades, beginning.now_ns, stated=beginning.recovered.positions
        )

    @cached_property
    def stops(self) -> "StopEngine":
        """Decides for AutoStop."""
        recovered = self.beginning.recovered
        stops = self._new_stops(self.beginning.now_ns)
        for progress in recovered.progress:
            # Nobody has looked in between: only from now on everything is seen.
            stops.handle(replace(progress, since=None))
        for standing in recovered.account_progress:
            stops.handle(standing)
        stops.remember(self._trades)
        for balance in recovered.balances:
            stops.handle(balance)
        return stops

    @cached_property
    def watch(self) -> "CoverageBoard":
        """Decides for TradeWatcher."""
        watch = self._new_watch()
        for coverage in self.beginning.recovered.coverage:
            watch.handle(coverage)
        return watch

    @property
    def _trades(self) -> tuple[Trade, ...]:
        return (*self.beginning.recovered.ended, *self.beginning.recovered.trades)

    def start_desk(self, tail: OrdersTail, now_ns: int) -> list[object]:
        """Return what the desk says first; before any other word."""
        return self.desk.start(now_ns, tail)

    def restore_paper(self, now_ns: int) -> list[object]:
        """Give PaperVenue its orders again; return what it says."""
        return self.paper.restore(self.beginning.paper, self.beginning.recovered.trades, now_ns)

    def rebuild(self, actor: str, known: EngineRebuilt) -> list[object]:
        """Build the engine of `actor` anew if it is one of those that a crash may have left in the middle; return what it says."""
        self._found.pop(actor, None)
        return self._rebuild(actor, known)

    def _rebuild(self, actor: str, known: EngineRebuilt) -> list[object]:
        match actor:
            case "auto_stop":
                old, self.stops = self.stops, self._new_stops(known.now_ns)
                for word in old.progress():
                    self.stops.handle(word)
                self.stops.remember(known.trades)
                return _taught(old, self.stops, known)
            case "trade_watcher":
                before, self.watch = self.watch, self._new_watch()
                for coverage in known.coverage:
                    self.watch.handle(coverage)
                return _taught(before, self.watch, known)
            case "reconciler":
                gone = self.reconcile
                self.reconcile = type(gone)(gone.terms, known.trades, known.now_ns, gone.accounts, gone.stated)
        return []

    def _new_stops(self, now_ns: int) -> "StopEngine":
        from actors.rules.stops.engine import StopEngine

        interval_ns = int(self._settings.actors.progress_interval_ms * NS_PER_MS)
        return StopEngine(interval_ns, styles=self._styles, started_ns=now_ns)

    def _new_watch(self) -> "CoverageBoard":
        from actors.rules.coverage.board import CoverageBoard

        # With nobody to hear them, no marks are said: thousands of trades four times a second.
        interval_ns = int(self._settings.actors.mark_interval_ms * NS_PER_MS) if self.beginning.marks else 0
        return CoverageBoard(interval_ns, styles=self._styles)


def _taught(old: E, new: E, known: EngineRebuilt) -> list[object]:
    """Feed a new engine what it must know: the last ticks, then the trades. Returns what it says."""
    words: Iterable[object] = (*old.last_ticks(), *known.trades)
    return [said for word in words for said in new.handle(word)]
