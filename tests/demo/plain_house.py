"""The demo without its wires: the sequencer, the strategy and the plain house of a what-if on one thread, in recorded time.

What comes out must be what the whole demo prints, and takes seconds. It may be recorded: into what a what-if is asked about.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

from actors.activity import Activity
from actors.engines import Beginning
from actors.ports import Recorder
from actors.recorded import note_beginning
from actors.replay.plain_house import PlainHouse
from actors.replay.sequencer import Sequencer
from actors.replay.sidecar import read_sidecar, recording_name
from actors.replay.stage import demo_settings
from actors.replay.strategy import EntryStrategy
from actors.replay.tally import Tally
from bus.messages.demo import DemoCommits, DemoRecording, DemoSettings, DemoSummary
from bus.messages.envelope import Message, Received
from bus.messages.market import Lifecycle, Quote, SpotPrice
from bus.messages.plain import from_json, to_json, to_plain
from bus.messages.reconcile import VenuesUp
from bus.messages.records import Answer, Commit, OrdersTail, Recovered
from bus.messages.system import Reply
from bus.messages.trades import TradeOpen
from bus.recorded import RecordedEvent, Recording, instant_ns
from config.settings import Settings, load

LATENCY_NS = 50_000_000
_NEWS: dict[str, type[Message]] = {"quote": Quote, "price": SpotPrice, "lifecycle": Lifecycle}


class RecordedHouse(PlainHouse):
    """One whose turns are noted, as far as a what-if reads them."""

    recorder: Recorder | None = None

    def _turn(self, actor: str, word: object) -> Iterable[object]:
        said = list(super()._turn(actor, word))
        if self.recorder is not None and type(word).__module__.startswith("bus.messages"):
            self.recorder.note(actor, word, said, self.now_ns)
        return said


class DemoHouse:
    """The demo's house. `release` returns once every consequence has been applied."""

    def __init__(self, settings: Settings, start_ns: int, recorder: Recorder | None) -> None:
        self.tally = Tally(lambda: 0)
        self.replies: list[Reply] = []
        self.sequencer: Sequencer
        beginning = Beginning(
            recovered=_nothing_yet(settings.stops), instance="plain", epoch=1, streams={}, now_ns=start_ns
        )
        self.house = RecordedHouse(settings, beginning, keep=self._keep, note=self._note)
        self.house.recorder = recorder
        if recorder is not None:
            note_beginning(recorder, settings, beginning)
            recorder.note("trade_desk", OrdersTail(), (), start_ns)

    def begin(self) -> None:
        """Let the house begin."""
        self.house.begin(OrdersTail(), self.sequencer.now_ns())
        self.house.hear(VenuesUp(now_ns=self.sequencer.now_ns()), self.sequencer.now_ns())

    def ask(self, request: TradeOpen) -> None:
        """Hand a trade request to the desk, as NATS would."""
        received = Received(
            message=request,
            subject="trade.request.open",
            key=request.trade_id,
            digest="",
            body=to_json(request),
            received_ns=self.sequencer.now_ns(),
            reply_to="answer",
        )
        self.release(received)

    def release(self, word: object) -> None:
        """Hand on `word` and everything that follows from it."""
        self.tally.released()
        self.house.hear(word, self.sequencer.now_ns())

    def _keep(self, word: object) -> None:
        self.sequencer.keep(word)

    def _note(self, word: object) -> None:
        self.tally.hear(word)
        match word:
            case Commit(answer=Answer(reply=reply)) | Answer(reply=reply):
                self.replies.append(reply)


def _nothing_yet(stops: Mapping[str, object]) -> Recovered:
    return Recovered(
        trades=(),
        seen={},
        settings_version=1,
        layers={("defaults", ""): dict(stops)},
        accounts={},
        progress=(),
        coverage=(),
        fill_ids=frozenset(),
        halted=False,
        reduce_only=frozenset(),
        epoch=1,
    )


def word_of(event: RecordedEvent) -> Quote | SpotPrice | Received[Lifecycle]:
    """Return what the wire would have made of a recorded event."""
    kind = _NEWS[event.subject.split(".")[1]]
    message = from_json(kind, event.payload)
    if isinstance(message, Lifecycle):
        return Received(
            message=message,
            subject=event.subject,
            key=f"{message.ticker}:{message.event}:{message.ts}",
            digest="",
            body=event.payload,
            received_ns=0,
        )
    assert isinstance(message, Quote | SpotPrice)
    return message


def play(recording: Path, recorder: Recorder | None = None) -> tuple[DemoSummary, DemoHouse]:
    """Play a whole recording; return the demo's document, and the house for a look inside."""
    sidecar = read_sidecar(recording)
    settings = demo_settings(load({}), sidecar)
    events = list(Recording(recording, source=sidecar.source))
    house = DemoHouse(settings, instant_ns(events[0].ts), recorder)
    sequencer = house.sequencer = Sequencer(
        start_ns=instant_ns(events[0].ts),
        activity=Activity(),
        release=house.release,
        ask=house.ask,
        horizon=lambda _line, _ns: None,
        strategy=EntryStrategy(sidecar.strategy),
        tail_ns=LATENCY_NS,
    )
    house.begin()
    for order, event in enumerate(events, 1):
        sequencer.hear(order, event.line, word_of(event))
    sequencer.finish(len(events))
    played = sequencer.run()
    summary = house.tally.document(
        DemoRecording(
            name=recording_name(recording),
            events=played.events,
            begin=instant_ns(events[0].ts),
            end=instant_ns(events[-1].ts),
        ),
        DemoSettings(
            source=sidecar.source,
            stops=settings.stops,
            venue={"latency_ms": Decimal(50), "style": "sell", "cutoff_s": Decimal(1), "fee_model": "none"},
            strategy=to_plain(sidecar.strategy),  # type: ignore[arg-type]  # a struct's plain form is a dict
        ),
        round_trips_ns=(),
        commits=DemoCommits(rows=0, transactions=0),
        lost_messages=played.lost,
        now_ns=sequencer.now_ns(),
    )
    return summary, house
