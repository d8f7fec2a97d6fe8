"""The house without its wires: the engines on one thread, in recorded time, with simulated venues.

NATS and PostgreSQL are left out by giving back at once what they would: a commit stands, an order is stored and arrives at its
venue, a report arrives at the desk. Who hears whom, and in what order, is as in `actors.house` under the demo's conductor, so that
the same inputs lead to the same words. What no decision hangs on (notices, health, streams) is not here.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from actors.engines import Beginning, Engines
from actors.ports import Recorder
from actors.recorded import RecordedEngine
from actors.replay.deadlines import VENUE
from actors.replay.simulated_venues import InStream, NotedBook, SimulatedVenues
from actors.rules.record.mirror import Mirror
from actors.watched import Engine
from bus.messages import addresses
from bus.messages.accounts import AccountRules, DrawdownFired
from bus.messages.envelope import Outgoing, Received
from bus.messages.market import Lifecycle, Ticks
from bus.messages.orders import Balance, OrderCancel, OrderReport, OrderSubmit, Position, VenueAnswer, VenueQuestion
from bus.messages.plain import to_json
from bus.messages.reconcile import (
    AccountAnswer,
    AccountQuestion,
    AccountStanding,
    ClosedOutside,
    PositionFound,
    PositionsSeen,
    ReconcileWanted,
    VenuesUp,
)
from bus.messages.recording import PaperRestored
from bus.messages.records import Commit, Kept, OrdersTail, OrderStored
from bus.messages.stops import (
    BidReturned,
    MarkGiven,
    MarkWanted,
    StopCheckGiven,
    StopCheckWanted,
    StopCoverage,
    StopFired,
)
from bus.messages.system import SystemEvent
from bus.messages.timers import CancelTimer, SetTimer, TimerFired
from bus.messages.trades import Trade
from config.settings import Settings

_DESK: Final = "trade_desk"
_STOPS: Final = "auto_stop"
_WATCHER: Final = "trade_watcher"
_RECONCILER: Final = "reconciler"
_HEARERS: Final[dict[type, tuple[str, ...]]] = {
    Ticks: (VENUE, _WATCHER),
    Trade: (_STOPS, _WATCHER, VENUE, _RECONCILER),
    VenueAnswer: (_DESK, _RECONCILER),
    VenueQuestion: (_RECONCILER,),
    MarkWanted: (_WATCHER,),
    **dict.fromkeys((AccountRules, Balance, SystemEvent, StopCheckWanted), (_STOPS,)),
    **dict.fromkeys((AccountAnswer, ReconcileWanted, VenuesUp), (_RECONCILER,)),
    **dict.fromkeys((StopFired, DrawdownFired, MarkGiven, BidReturned, StopCheckGiven, StopCoverage), (_DESK,)),
    **dict.fromkeys((AccountStanding, ClosedOutside, PositionFound, PositionsSeen), (_DESK,)),
}


class _Later(msgspec.Struct, frozen=True):
    """What AutoStop says behind a stop that has fired (`actors.auto_stop`)."""

    words: Sequence[object]


class _InTime:
    """`recorder`, for whom it is what it is in the house."""

    def __init__(self, recorder: Recorder, house: "PlainHouse") -> None:
        self._recorder = recorder
        self._house = house

    def note(self, actor: str, heard: object, said: Sequence[object] = (), at_ns: int | None = None) -> None:
        self._recorder.note(actor, heard, said, self._house.now_ns if at_ns is None else at_ns)

    def tell(self, say: Callable[[object], None]) -> None:
        self._recorder.tell(say)


class PlainHouse:
    """One life. `begin`, then `hear` each input in order: it returns once all that follows has been applied.

    keep: hears `SetTimer` and `CancelTimer`. note: hears everything that is said. history: of the venues; see `SimulatedVenues`.
    record: what PostgreSQL would hold. recorder: notes what the engines hear and say, as in the real house.
    """

    def __init__(
        self,
        settings: Settings,
        beginning: Beginning,
        *,
        keep: Callable[[object], None],
        note: Callable[[object], None],
        history: dict[str, list[InStream]] | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.engines = Engines(settings, beginning)
        self._recorder = recorder
        self._by_actor = {name: self._noted(name, engine) for name, engine in self.engines.all()}
        self.venues = SimulatedVenues(settings, NotedBook(self.engines.paper, self._by_actor[VENUE]), history)
        self.now_ns = beginning.now_ns
        self.record = Mirror(beginning.recovered, epoch=beginning.epoch, streams=beginning.streams, reached={})
        self._keep = keep
        self._note = note
        self._turns: deque[tuple[str, object]] = deque()
        self._stored = 0

    def begin(self, tail: OrdersTail, now_ns: int) -> None:
        """Let the desk say what recovery needs."""
        self._be_at(now_ns)
        said = self.engines.start_desk(tail, self.now_ns)
        self._note_said(_DESK, tail, said)
        self._say_all(said)
        self._work()

    def restore_venues(self, now_ns: int) -> None:
        """Give the venues their orders again."""
        self._be_at(now_ns)
        trades = self.engines.beginning.recovered.trades
        said = self.engines.restore_paper(self.now_ns)
        self._note_said(VENUE, PaperRestored(now_ns=self.now_ns), said)
        self._say_all(said)
        self._say_all(self.venues.restore(trades, self.now_ns))
        self._work()

    def hear(self, word: object, now_ns: int) -> None:
        """Take in an input from outside, or a timer."""
        self._be_at(now_ns)
        match word:
            case TimerFired(owner=owner):
                self._put(owner, word)
            case Received(message=Lifecycle() as lifecycle):
                self._put(_DESK, word)
                self._put(VENUE, lifecycle)
            case Received(message=Position()):
                self._put(_DESK, word)
                self._put(_RECONCILER, word)
            case Ticks():
                self._put(_STOPS, word)
            case VenuesUp():
                self._put(_RECONCILER, word)
            case _:
                self._put(_DESK, word)
        self._work()

    def _noted(self, name: str, engine: Engine) -> Engine:
        return engine if self._recorder is None else RecordedEngine(name, engine, _InTime(self._recorder, self))

    def _note_said(self, actor: str, word: object, said: Sequence[object]) -> None:
        if self._recorder is not None:
            self._recorder.note(actor, word, said, self.now_ns)

    def _be_at(self, now_ns: int) -> None:
        self.now_ns = max(self.now_ns, now_ns)

    def _put(self, actor: str, word: object) -> None:
        self._turns.append((actor, word))

    def _work(self) -> None:
        turns = self._turns
        while turns:
            actor, word = turns.popleft()
            self._say_all(self._turn(actor, word))

    def _turn(self, actor: str, word: object) -> Iterable[object]:
        if isinstance(word, _Later):
            return word.words
        if actor == VENUE:
            return self.venues.handle(word)  # type: ignore[arg-type]  # nothing else is put there
        said = self._by_actor[actor].handle(word)
        if actor == _STOPS:
            return self._stops_said(said, word)
        if actor == _RECONCILER:
            return [self._asked(one) for one in said]
        return said

    def _stops_said(self, said: list[object], word: object) -> list[object]:
        """As `actors.auto_stop`: what fired goes first, everything else at the next turn."""
        if isinstance(word, Ticks):
            said.append(word)
        fired: list[object] = [one for one in said if isinstance(one, StopFired)]
        if not fired:
            return said
        self._put(_STOPS, _Later([one for one in said if not isinstance(one, StopFired)]))
        return fired

    def _asked(self, word: object) -> object:
        """As `actors.reconciler`: its questions go to the venues, which answer at once."""
        return self.venues.answer(word, self.now_ns) if isinstance(word, VenueQuestion | AccountQuestion) else word

    def _say_all(self, words: Iterable[object]) -> None:
        for word in words:
            self._say(word)

    def _say(self, word: object) -> None:
        self._note(word)
        for actor in _HEARERS.get(type(word), ()):
            self._put(actor, word)
        match word:
            case SetTimer() | CancelTimer():
                self._keep(word)
            case Outgoing():
                self._send(word)
            case Commit():
                self._commit(word)
            case OrderReport():
                self._report(word)

    def _send(self, outgoing: Outgoing) -> None:
        """Let an order be stored, and arrive."""
        order = outgoing.message
        if isinstance(order, OrderSubmit):
            self._stored += 1
            stored = OrderStored(
                client_order_id=order.client_order_id,
                trade_id=order.trade_id,
                sequence=self._stored,
                duplicate=False,
                now_ns=self.now_ns,
            )
            self._put(_DESK, stored)
        if isinstance(order, OrderSubmit | OrderCancel):
            venue = addresses.unescape(outgoing.subject.split(".")[2])
            self._say_all(self.venues.take_in(venue, order, self.now_ns))

    def _commit(self, commit: Commit) -> None:
        self.record.hear(Kept(commits=(commit,), reached={}, now_ns=self.now_ns))
        for outgoing in commit.outbox:
            if not outgoing.direct:
                self._send(outgoing)

    def _report(self, report: OrderReport) -> None:
        self.venues.note(report)
        key = addresses.report_id(report)
        subject = addresses.order_report(report.client_order_id)
        body = b"" if self._recorder is None else to_json(report)
        received = Received(message=report, subject=subject, key=key, digest="", body=body, received_ns=self.now_ns)
        self._put(_DESK, received)
