"""The demo's wiring: the house of `serve`, with the recording's clock, a sequencer before its door, and listeners for people."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

from msgspec.structs import replace

from actors.activity import Activity
from actors.door import Door
from actors.ports import Recorder, StartingStore, StartingWire
from actors.replay.conductor import Conductor
from actors.replay.counting import Awaited, CountedStore, CountedWire
from actors.replay.outside_timers import OutsideTimers
from actors.replay.screen import LiveTable
from actors.replay.sequencer import HouseStuckError, Played, Sequencer
from actors.replay.sidecar import Sidecar, recording_name
from actors.replay.strategy import EntryStrategy
from actors.replay.tally import Tally
from actors.serving import Serving, Wiring
from actors.terms import PAPER
from bus.messages.demo import DemoCommits, DemoRecording, DemoSettings, DemoSummary
from bus.messages.envelope import Outgoing, Received
from bus.messages.market import FeedBeat, Momentum, Probability, Quote, SpotPrice
from bus.messages.orders import OrderReport
from bus.messages.plain import to_plain
from bus.messages.records import Commit
from bus.messages.stops import MarkSnapshot, StopCoverage
from bus.messages.trades import Trade, TradeOpen
from bus.messages.units import NS_PER_MS
from config.settings import Settings

LINE: Final = "Wk-Line"
ORDER: Final = "Wk-Order"
_RECORDED: Final = (Quote, SpotPrice, Probability, Momentum, FeedBeat, Received)
_NAMES_MAX: Final = 10
_PATIENCE_S: Final = 30.0
_HOUR_MS: Final = 3_600_000
_HOUR_S: Final = Decimal(3600)
_MARKS_MS: Final = 30_000


def demo_settings(settings: Settings, sidecar: Sidecar) -> Settings:
    """Return `settings` as the demo runs with them: the sidecar's stops, and rhythms that fit a day in a minute.

    Accounts and streams are looked at once in a recorded hour, marks told twice in a recorded minute: at full speed a second of
    recorded time passes in a third of a millisecond. Health is not told and nobody is asked whether it moves: here the actors do so
    only while the sequencer waits for them.
    """
    stops = {key: _exact(value) for key, value in sidecar.stops.items()}
    actors = replace(
        settings.actors, health_interval_ms=_HOUR_MS, beat_interval_ms=_HOUR_MS, mark_interval_ms=_MARKS_MS
    )
    reconcile = replace(settings.reconcile, interval_s=_HOUR_S)
    nats = replace(settings.nats, stream_check_s=_HOUR_S)
    return replace(settings, stops={**settings.stops, **stops}, actors=actors, reconcile=reconcile, nats=nats)


def _exact(value: str | bool) -> Decimal | str | bool:  # noqa: FBT001  # a setting's value
    if isinstance(value, bool):
        return value
    return Decimal(value) if value.replace(".", "", 1).isdigit() else value


class Stage:
    """One replay. `clock`, `hear` and `tap` are for the wire; then `open`, `play`, `close`, `document`.

    ask: sends a trade request over NATS and returns once it is answered. horizon: tells the player how far it may go.
    """

    def __init__(
        self,
        settings: Settings,
        recording: Path,
        sidecar: Sidecar,
        *,
        start_ns: int,
        ask: Callable[[TradeOpen], None],
        horizon: Callable[[int, int], None],
        monotonic_ns: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._name = recording_name(recording)
        self._sidecar = sidecar
        self._door = Door()
        self._whole = Activity()
        self._in_hand = Activity(within=self._whole)
        self._conductor = Conductor(self._in_hand, self._whole)
        self._awaited = Awaited(self._in_hand, record=self._whole)
        self._ask_house = ask
        self._asking = ThreadPoolExecutor(1, thread_name_prefix="strategy")
        self.tally = Tally(monotonic_ns)
        self.table = LiveTable()
        self.clock = Sequencer(
            start_ns=start_ns,
            activity=self._conductor,
            release=self._release,
            ask=self._ask,
            horizon=horizon,
            settled=self._conductor.settled,
            strategy=EntryStrategy(sidecar.strategy),
            tail_ns=int(settings.paper.latency_ms * NS_PER_MS),
        )
        self._serving: Serving | None = None
        self._store: CountedStore | None = None
        self._played: Played | None = None

    def hear(self, word: object) -> None:
        """Take in what the wire says of itself, and count off what came back."""
        self._door.hear(word)
        self._awaited.hear(word)

    def tap(self, word: object, headers: Mapping[str, str]) -> None:
        """Take in an input: a recorded one waits for its turn, any other goes straight to the house."""
        if ORDER in headers and isinstance(word, _RECORDED):
            self.clock.hear(int(headers[ORDER]), int(headers[LINE]), word)
        else:
            self.hear(word)

    def open(
        self,
        wire: StartingWire,
        store: StartingStore,
        end: Callable[[int, str], None],
        recorder: Recorder | None = None,
    ) -> None:
        """Start the house."""
        self._store = CountedStore(store)
        wiring = Wiring(
            clock=self.clock,
            wire=cast("StartingWire", CountedWire(wire, self._awaited)),
            store=cast("StartingStore", self._store),
            door=self._door,
            end=end,
            activity=self._in_hand,
            record=self._whole,
            turns=self._conductor,
            recorder=recorder,
            timers=OutsideTimers(self.clock.keep, self.clock, self._door.hear).keep,
            also={
                **dict.fromkeys((Outgoing, OrderReport), self.tally.hear),
                Commit: self._hear_commit,
                **dict.fromkeys((Trade, StopCoverage), self._tell_both),
                MarkSnapshot: self.table.hear,
            },
        )
        self._serving = Serving(self._settings, wiring)
        self._serving.start()

    def play(self) -> Played:
        """Play to the end, or until `clock.stop`."""
        try:
            self._played = self.clock.run()
        except HouseStuckError as stuck:
            names = self._awaited.names
            stuck.add_note(f"awaited: {', '.join(names[:_NAMES_MAX])} ({len(names)} in all)")
            raise
        return self._played

    def close(self) -> bool:
        """Drain and stop the house. Returns False if something was left undone."""
        drained = self._serving is None or self._serving.stop()
        self._asking.shutdown()
        return drained

    def document(self, begin_ns: int | None, end_ns: int | None, round_trips_ns: Sequence[int]) -> DemoSummary:
        """Return what came of it; after `play`."""
        assert self._played is not None
        assert self._store is not None
        recording = DemoRecording(name=self._name, events=self._played.events, begin=begin_ns, end=end_ns)
        return self.tally.document(
            recording,
            self.settings_in_force(),
            round_trips_ns=round_trips_ns,
            commits=DemoCommits(rows=self._store.rows, transactions=self._store.transactions),
            lost_messages=self._played.lost,
            now_ns=self.clock.now_ns(),
        )

    def settings_in_force(self) -> DemoSettings:
        """Return what the trades are decided by."""
        settings, venue = self._settings, self._settings.venues[PAPER]
        plan = to_plain(self._sidecar.strategy)
        assert isinstance(plan, dict)
        return DemoSettings(
            source=self._sidecar.source,
            stops=settings.stops,
            venue={
                "latency_ms": Decimal(settings.paper.latency_ms),
                "fee_model": settings.paper.fee_model,
                "fee_percent": settings.paper.fee_percent,
                "style": venue.style,
                "netting": venue.netting,
                "cutoff_s": venue.cutoff_s,
            },
            strategy=cast("dict[str, object]", plan),
        )

    def _ask(self, request: TradeOpen) -> None:
        """Ask on another thread, for this one has to work the house that answers. Raises: what asking raises."""
        self._in_hand.begin()
        asked = self._asking.submit(self._ask_house, request)
        asked.add_done_callback(lambda _: self._in_hand.end())
        if self._conductor.quiet(_PATIENCE_S):
            asked.result()

    def _release(self, word: object) -> None:
        self.tally.released()
        self._door.hear(word)

    def _hear_commit(self, word: Any) -> None:  # noqa: ANN401  # a listener
        self.tally.hear(word)
        self._awaited.hear_commit(word)

    def _tell_both(self, word: Any) -> None:  # noqa: ANN401  # a listener
        self.tally.hear(word)
        self.table.hear(word)
