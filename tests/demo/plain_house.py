"""The demo without its wires: the sequencer, the strategy and the four engines on one thread, in recorded time.

NATS and PostgreSQL are left out by giving back at once what they would: a commit stands, an order arrives at the venue, a report at
the desk. What comes out must therefore be what the whole demo prints, and takes seconds.
"""

from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path

from actors.activity import Activity
from actors.replay.sequencer import Sequencer
from actors.replay.sidecar import Sidecar, read_sidecar, recording_name
from actors.replay.strategy import EntryStrategy
from actors.replay.tally import Tally
from actors.rules.coverage.board import CoverageBoard
from actors.rules.desk.desk import Desk
from actors.rules.fees import fee
from actors.rules.paper.book import PaperBook
from actors.rules.stops.engine import StopEngine
from actors.rules.trade.steps import VenueTerms
from bus.messages.demo import DemoCommits, DemoRecording, DemoSettings, DemoSummary
from bus.messages.envelope import Message, Outgoing, Received
from bus.messages.market import Lifecycle, Quote, SpotPrice, Ticks
from bus.messages.orders import (
    OrderArrived,
    OrderCancel,
    OrderReport,
    OrderSubmit,
    VenueAnswer,
    VenueOrdersRequest,
    VenueQuestion,
)
from bus.messages.plain import from_json, to_plain
from bus.messages.reconcile import AccountStanding, ReconcileWanted
from bus.messages.records import Answer, Commit, Recovered
from bus.messages.stops import (
    BidReturned,
    MarkGiven,
    MarkWanted,
    StopCheckGiven,
    StopCheckWanted,
    StopCoverage,
    StopFired,
)
from bus.messages.system import Reply
from bus.messages.timers import CancelTimer, SetTimer, TimerFired
from bus.messages.trades import Trade, TradeOpen
from bus.recorded import RecordedEvent, Recording, instant_ns
from config.settings import load

LATENCY_NS = 50_000_000
_NEWS: dict[str, type[Message]] = {"quote": Quote, "price": SpotPrice, "lifecycle": Lifecycle}


Engine = Desk | StopEngine | CoverageBoard | PaperBook


class PlainHouse:
    """The engines and who hears whom. `release` returns once every consequence has been applied."""

    def __init__(self, sidecar: Sidecar) -> None:
        self.stops = {**load({}).stops, **sidecar.stops}
        self.tally = Tally(lambda: 0)
        self.replies: list[Reply] = []
        self._arrivals = 0
        self._words: deque[object] = deque()
        self._stop_engine = StopEngine()
        self._coverage = CoverageBoard(0)
        self._paper = PaperBook(latency_ns=LATENCY_NS, fee_of=partial(fee, "none", Decimal(0)))
        self._desk = Desk(
            _nothing_yet(self.stops),
            epoch=1,
            instance="plain",
            live_enabled=False,
            venues={"paper": VenueTerms(name="paper")},
        )
        self._owners: dict[str, Engine] = {
            "trade_desk": self._desk,
            "auto_stop": self._stop_engine,
            "trade_watcher": self._coverage,
            "paper_venue": self._paper,
        }
        self._hearers: dict[type, tuple[Engine, ...]] = {
            Ticks: (self._coverage, self._paper, self._stop_engine),
            Trade: (self._stop_engine, self._coverage, self._paper),
            StopCheckWanted: (self._stop_engine,),
            MarkWanted: (self._coverage,),
            **dict.fromkeys(
                (Received, VenueAnswer, StopFired, MarkGiven, BidReturned, StopCheckGiven, StopCoverage), (self._desk,)
            ),
            AccountStanding: (self._desk,),
        }

    def ask(self, request: TradeOpen, sequencer: Sequencer) -> None:
        """Hand a trade request to the desk, as NATS would."""
        self.release(_received(request, request.trade_id, sequencer.now_ns(), reply_to="answer"), sequencer)

    def release(self, word: object, sequencer: Sequencer) -> None:
        """Hand on `word` and everything that follows from it."""
        self.tally.released()
        self._words.append(word)
        while self._words:
            self._hand_on(self._words.popleft(), sequencer)

    def _hand_on(self, word: object, sequencer: Sequencer) -> None:
        self.tally.hear(word)
        for engine in self._listeners(word):
            self._words.extend(engine.handle(word))
        now_ns = sequencer.now_ns()
        match word:
            case SetTimer() | CancelTimer():
                sequencer.keep(word)
            case Outgoing(message=OrderSubmit() | OrderCancel() as order):
                self._arrive(order, now_ns)
            case VenueQuestion():
                self._words.append(self._answer(word, now_ns))
            case ReconcileWanted(venue=venue, account=account):
                agreed = AccountStanding(venue=venue, account=account, began_ns=now_ns, answered=True, now_ns=now_ns)
                self._words.append(agreed)
            case OrderReport(client_order_id=client_order_id):
                self._words.append(_received(word, f"{client_order_id}:{word.fill_id or word.status}", now_ns))
            case Commit():
                self._commit(word, now_ns)
            case Answer(reply=reply):
                self.replies.append(reply)

    def _listeners(self, word: object) -> tuple[Engine, ...]:
        """Return who hears `word`. Those who only take note come before those who decide."""
        if isinstance(word, TimerFired):
            return (self._owners[word.owner],)
        if isinstance(word, Received) and isinstance(word.message, Lifecycle):
            return self._desk, self._paper
        return self._hearers.get(type(word), ())

    def _arrive(self, order: OrderSubmit | OrderCancel, now_ns: int) -> None:
        self._arrivals += 1
        arrived = OrderArrived(order=order, token="", sequence=self._arrivals, now_ns=now_ns)
        self._words.extend(self._paper.handle(arrived))

    def _answer(self, question: VenueQuestion, now_ns: int) -> VenueAnswer:
        request = VenueOrdersRequest(account=question.account, client_order_id=question.client_order_id)
        orders = self._paper.orders(request).orders
        return VenueAnswer(
            client_order_id=question.client_order_id,
            trade_id=question.trade_id,
            order=orders[0] if orders else None,
            error=None,
            now_ns=now_ns,
            fills=self._paper.fills(request).fills,
        )

    def _commit(self, commit: Commit, now_ns: int) -> None:
        if commit.answer is not None:
            self.replies.append(commit.answer.reply)
        for outgoing in commit.outbox:
            if not outgoing.direct and isinstance(outgoing.message, OrderSubmit | OrderCancel):
                self._arrive(outgoing.message, now_ns)


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


def _received(message: Message, key: str, now_ns: int, reply_to: str | None = None) -> Received[Message]:
    return Received(message=message, subject="", key=key, digest="", body=b"", received_ns=now_ns, reply_to=reply_to)


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


def play(recording: Path) -> tuple[DemoSummary, PlainHouse]:
    """Play a whole recording; return the demo's document, and the house for a look inside."""
    sidecar = read_sidecar(recording)
    events = list(Recording(recording, source=sidecar.source))
    house = PlainHouse(sidecar)
    sequencer = Sequencer(
        start_ns=instant_ns(events[0].ts),
        activity=Activity(),
        release=lambda word: house.release(word, sequencer),
        ask=lambda request: house.ask(request, sequencer),
        horizon=lambda _line, _ns: None,
        strategy=EntryStrategy(sidecar.strategy),
        tail_ns=LATENCY_NS,
    )
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
            stops=house.stops,
            venue={"latency_ms": Decimal(50), "style": "sell", "cutoff_s": Decimal(1), "fee_model": "none"},
            strategy=to_plain(sidecar.strategy),  # type: ignore[arg-type]  # a struct's plain form is a dict
        ),
        round_trips_ns=(),
        commits=DemoCommits(rows=0, transactions=0),
        lost_messages=played.lost,
        now_ns=sequencer.now_ns(),
    )
    return summary, house
