"""What decides: one engine for each actor that decides, built from the same facts in the house and in a replay of its recording.

Nothing here reads a clock or reaches a wire: two sets of engines that begin with the same and hear the same say the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from msgspec.structs import replace

from actors.paper_venue import SharedPaperBook
from actors.rules.coverage.board import CoverageBoard
from actors.rules.desk.desk import Desk
from actors.rules.reconcile.reconciler import ReconcileEngine
from actors.rules.stops.engine import StopEngine
from actors.rules.transport.watch import TransportWatch
from actors.terms import entry_limits, paper_book, reconcile_terms
from actors.watched import Engine
from bus.messages.orders import OrderCancel, OrderReport, OrderSubmit
from bus.messages.recording import EngineRebuilt
from bus.messages.records import OrdersTail, Recovered
from bus.messages.units import NS_PER_MS, seconds_to_ns
from config.settings import Settings

E = TypeVar("E", StopEngine, CoverageBoard)


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
    """The engines of one life; an engine is another one after its actor has crashed."""

    def __init__(self, settings: Settings, beginning: Beginning) -> None:
        self._settings = settings
        self.beginning = beginning
        recovered, now_ns = beginning.recovered, beginning.now_ns
        self._styles: dict[str, str] = {name: venue.style for name, venue in settings.venues.items()}
        self._terms = reconcile_terms(settings)
        self.desk = Desk(
            recovered,
            epoch=beginning.epoch,
            instance=beginning.instance,
            live_enabled=settings.trading.live_enabled,
            venues=self._terms.venues,
            unheard_ns=seconds_to_ns(settings.reconcile.timeout_s),
            limits=entry_limits(settings),
        )
        self.transport = TransportWatch(
            dict(beginning.streams),
            interval_ns=seconds_to_ns(settings.nats.stream_check_s),
            fill_percent_max=settings.nats.stream_alarm_percent,
        )
        self.paper = SharedPaperBook(paper_book(settings))
        trades = (*recovered.ended, *recovered.trades)
        self.reconcile = ReconcileEngine(self._terms, trades, now_ns, stated=recovered.positions)
        self.stops = self._new_stops(now_ns)
        for progress in recovered.progress:
            # Nobody has looked in between: only from now on everything is seen.
            self.stops.handle(replace(progress, since=None))
        for standing in recovered.account_progress:
            self.stops.handle(standing)
        self.stops.remember(trades)
        for balance in recovered.balances:
            self.stops.handle(balance)
        self.watch = self._new_watch()
        for coverage in recovered.coverage:
            self.watch.handle(coverage)
        self._by_actor = self._named()

    def by_actor(self) -> Mapping[str, Engine]:
        """Return the engine of each actor by the actor's name; ask again after one was rebuilt."""
        return self._by_actor

    def start_desk(self, tail: OrdersTail, now_ns: int) -> list[object]:
        """Return what the desk says first; before any other word."""
        return self.desk.start(now_ns, tail)

    def restore_paper(self, now_ns: int) -> list[object]:
        """Give PaperVenue its orders again; return what it says."""
        return self.paper.restore(self.beginning.paper, self.beginning.recovered.trades, now_ns)

    def rebuild(self, actor: str, known: EngineRebuilt) -> list[object]:
        """Build the engine of `actor` anew if it is one of those that a crash may have left in the middle; return what it says."""
        said = self._rebuild(actor, known)
        self._by_actor = self._named()
        return said

    def _named(self) -> dict[str, Engine]:
        return {
            "trade_desk": self.desk,
            "auto_stop": self.stops,
            "trade_watcher": self.watch,
            "paper_venue": self.paper,
            "reconciler": self.reconcile,
            "transport": self.transport,
        }

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
                self.reconcile = ReconcileEngine(self._terms, known.trades, known.now_ns, gone.accounts, gone.stated)
        return []

    def _new_stops(self, now_ns: int) -> StopEngine:
        interval_ns = int(self._settings.actors.progress_interval_ms * NS_PER_MS)
        return StopEngine(interval_ns, styles=self._styles, started_ns=now_ns)

    def _new_watch(self) -> CoverageBoard:
        # With nobody to hear them, no marks are said: thousands of trades four times a second.
        interval_ns = int(self._settings.actors.mark_interval_ms * NS_PER_MS) if self.beginning.marks else 0
        return CoverageBoard(interval_ns, styles=self._styles)


def _taught(old: E, new: E, known: EngineRebuilt) -> list[object]:
    """Feed a new engine what it must know: the last ticks, then the trades. Returns what it says."""
    words: Iterable[object] = (*old.last_ticks(), *known.trades)
    return [said for word in words for said in new.handle(word)]
