"""The house put together: which actors there are, what each is built from, and who hears which word.

Everything that must outlive an actor stands here: inboxes, deadlines, the last word of each trade, the Database's backlog. A
crashed AutoStop or TradeWatcher is built anew from the trades, the progress and the last ticks; a crashed TradeDesk goes on with
its own engine, whose state is the one before the word that crashed it (`rules.desk`).
"""

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any, Final

from actors.activity import Activity
from actors.auto_stop import AutoStop
from actors.database import EXIT_INTERNAL, Backlog, Database
from actors.engines import Engines
from actors.inbox import Inbox
from actors.notifier import Notifier
from actors.paper_venue import PaperVenue
from actors.ports import Clock, Recorder, SnapshotFile, Store, Wire
from actors.reconciler import Reconciler
from actors.recorded import RecordedDesk, RecordedEngine
from actors.router import Listener, Router
from actors.rules.folding.terms import FoldTerms, touched, widened
from actors.rules.notice_policy import NoticePolicy
from actors.rules.pulse import Pulse
from actors.rules.record import recording
from actors.rules.record.snapshots import OWNER as SNAPSHOTS
from actors.rules.record.snapshots import Snapshots
from actors.rules.restarts import RestartLimits, Restarts
from actors.rules.status import StatusBoard
from actors.rules.timers import TimerQueue
from actors.snapshot_keeper import SnapshotKeeper, counted
from actors.supervisor import Child, Supervisor, WirePulse
from actors.tick_inbox import TickInbox
from actors.timer import Timer
from actors.trade_desk import TradeDesk
from actors.trade_watcher import TradeWatcher
from actors.turns import OwnThreads, Turns
from actors.watched import Engine, EngineActor, Failed, WatchedActor
from bus.messages.accounts import AccountRules, DrawdownFired, EquityStanding
from bus.messages.envelope import Malformed, Outgoing, Received
from bus.messages.lead import InstanceHeard, NobodyHeard, TicksMissed, WireDown, WireUp
from bus.messages.market import Lifecycle, Ticks
from bus.messages.notices import Notice
from bus.messages.orders import Balance, OrderArrived, OrderReport, Position, VenueAnswer, VenueQuestion
from bus.messages.reconcile import (
    AccountAnswer,
    AccountStanding,
    ClosedOutside,
    PositionFound,
    PositionsSeen,
    ReconcileWanted,
    VenuesUp,
)
from bus.messages.recording import EngineRebuilt, RangesRecorded, RecorderFailed, RecorderWorks
from bus.messages.records import (
    Answer,
    Commit,
    CommitRefused,
    Kept,
    OrderRefused,
    OrdersTail,
    OrderStored,
    Place,
    Published,
    Query,
    RecordAway,
    RecordBack,
)
from bus.messages.stops import (
    BidReturned,
    MarkGiven,
    MarkSnapshot,
    MarkWanted,
    StopCheckGiven,
    StopCheckWanted,
    StopCoverage,
    StopFired,
)
from bus.messages.streams import StreamsSeen, StreamsWanted
from bus.messages.system import Status, SystemCommand, SystemEvent
from bus.messages.timers import CancelTimer, SetTimer
from bus.messages.trades import Trade
from bus.messages.units import NS_PER_MS, NS_PER_S
from config.settings import Settings

_ACTORS: Final = (
    "supervisor",
    "timer",
    "database",
    "notifier",
    "trade_desk",
    "auto_stop",
    "trade_watcher",
    "paper_venue",
    "reconciler",
    "transport",
)
_TOGETHER: Final = ("trade_desk", "auto_stop")
"""A stop's way from its tick to its order."""
_HEARS_TICKS: Final = ("auto_stop", "trade_watcher", "paper_venue")
STATUS_SUBJECT: Final = "system.request.status"
_START_S: Final = 20.0
_STOP_SHARE: Final = 0.25
"""Of the time allowed for the whole stop: what one actor gets, once nothing is left to do."""
_COMMIT_TRIES: Final = 6
_STRANGERS_NS: Final = 24 * 3600 * NS_PER_S
"""Whose trade is not on record after a day is not waited for any more: what follows it in ORDERS need not be read at each start."""


def _everything(_word: object) -> None:
    return None


class HouseNotStandingError(Exception):
    """An actor does not begin to work: the process should end."""


class House:
    """All actors of one process. `start` begins work, `hear` is the wires' way in, `stop` drains.

    activity: the work of all actors; record: that of Database alone, where the two are told apart. turns: who works the actors;
    None: each has a thread. timers: who keeps deadlines; None: the Timer actor. escalate: ends the process with an exit code
    and a reason. moves: feeds the watchdog. also: further listeners by type of word, such as the demo's live table.
    snapshots: when they are written, and where; None: nowhere. recorder: notes what the engines hear and say; None: nobody does.
    """

    def __init__(
        self,
        *,
        store: Store,
        wire: Wire,
        clock: Clock,
        settings: Settings,
        places: Mapping[str, Place] | None = None,
        engines: Engines,
        board: StatusBoard,
        activity: Activity,
        escalate: Callable[[int, str], None],
        moves: Callable[[], None] = lambda: None,
        record: Activity | None = None,
        turns: Turns | None = None,
        timers: Listener | None = None,
        also: Mapping[type, Listener] | None = None,
        snapshots: tuple[Snapshots, SnapshotFile] | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self._store = store
        self._wire = wire
        self._clock = clock
        self._settings = settings
        self._escalate = escalate
        self._moves = moves
        self._activity = activity
        self._record = record or activity
        self._turns = turns or OwnThreads(activity, _TOGETHER)
        self._engines = engines
        self._recorder = recorder
        self.board = board
        self.router = Router()
        recovered, now_ns = engines.beginning.recovered, engines.beginning.now_ns
        for standing in engines.reconcile.standings(now_ns):
            board.note(standing)
        self._trades: dict[str, Trade] = {trade.trade_id: trade for trade in recovered.trades}
        self._fold_terms = reduce(widened, recovered.trades, FoldTerms())
        self._coverage = {coverage.trade_id: coverage for coverage in recovered.coverage}
        board.protection.begin(recovered.trades, recovered.coverage, now_ns)
        self._timers = TimerQueue()
        self._notice_policy = NoticePolicy()
        self._backlog = Backlog(places)
        self._readers = self._turns.readers(settings.postgres.readers)
        self._snapshots = snapshots
        self._snapshot_writer = None if snapshots is None else self._turns.readers(1)
        self._root: Supervisor | None = None
        self._inboxes = {
            name: self._new_inbox(name) for name in (*_ACTORS, *(() if snapshots is None else (SNAPSHOTS,)))
        }
        # A venue's first answer comes as soon as the actors stand: the desk must know first what has left.
        self._inboxes["trade_desk"].hold()
        self._connect(timers, also or {})

    @property
    def activity(self) -> Activity:
        """How much work is under way."""
        return self._activity

    def start(self, tail: OrdersTail | None = None, hear_market: Callable[[], None] = lambda: None) -> None:
        """Start every actor, then let the desk say what recovery needs. Inputs may flow afterwards.

        Nothing is said before every actor has begun and a beat has come back through its inbox. Raises: HouseNotStandingError.
        tail: the end of ORDERS that the record does not know. hear_market: called in between, so that each trade is first judged by the
        ticks in force: said before them, every trade would be unprotected for a moment, and its people told.
        """
        actors = self._settings.actors
        supervisor = Supervisor(
            self._inboxes["supervisor"],
            children=self._children(),
            wire=WirePulse(self._wire.pulse, Pulse(self._rounds(actors.stuck_after_s))),
            turns=self._turns,
            clock=self._clock,
            say=self.router.say,
            board=self.board,
            escalate=self._escalate,
            moves=self._moves,
            health_ns=actors.health_interval_ms * NS_PER_MS,
            beat_ns=actors.beat_interval_ms * NS_PER_MS,
            stop_timeout_s=actors.stop_timeout_s * _STOP_SHARE,
        )
        self._root = supervisor
        for name, inbox in self._inboxes.items():
            if name != "supervisor":
                inbox.beat()
        self._turns.start(supervisor)
        if not self._turns.settled(_START_S):
            raise HouseNotStandingError(f"not every actor has begun within {_START_S:g} s")
        hear_market()
        tail = tail or OrdersTail()
        for word in tail.reports:
            self._note_heard(word)
        now_ns = self._clock.now_ns()
        said = self._engines.start_desk(tail, now_ns)
        strangers = self._engines.desk.strangers(now_ns - _STRANGERS_NS)
        for order, sequence in zip(tail.submits, tail.sequences, strict=True):
            if order.client_order_id in strangers:
                self._backlog.places.awaited(tail.stream, sequence, order.client_order_id)
        if self._recorder is not None:
            self._recorder.tell(self.router.say)
            self._recorder.note("trade_desk", tail, said, now_ns)
        self.router.say_all(said)
        self._inboxes["trade_desk"].release()

    def hear(self, word: object) -> None:
        """Take in a word from the wires, on any thread. Questions for the status go to the root, the rest by type."""
        if isinstance(word, Received | Malformed):
            self._note_heard(word)
        match word:
            case Received(message=SystemCommand(), subject=subject) if subject == STATUS_SUBJECT:
                self._inboxes["supervisor"].put(word)
            case Received(message=Lifecycle() as lifecycle):
                self._inboxes["trade_desk"].put(word)
                self._inboxes["paper_venue"].put(lifecycle)
            case Received(message=Position()):
                self._inboxes["trade_desk"].put(word)
                self._inboxes["reconciler"].put(word)
            case Ticks():
                # AutoStop hands them on to everybody else.
                self._inboxes["auto_stop"].put(word)
            case _:
                self.router.say(word)

    def expect_published(self, rows: Iterable[Outgoing]) -> None:
        """Mark these outbox rows, which an earlier life wrote, once NATS has them; say so before they are published."""
        self._backlog.unconfirmed.update(row.msg_id for row in rows)

    def _note_heard(self, word: Received[Any] | Malformed) -> None:
        if word.delivery is not None:
            self._backlog.places.heard(word.delivery.stream, word.delivery.sequence)

    def status(self, now_ns: int) -> Status:
        """Return what `system.request.status` answers; any thread."""
        assert self._root is not None, "nobody can be asked before the house has started"
        return self._root.status(now_ns)

    def stop(self, timeout_s: float) -> bool:
        """Drain and stop; inputs must have ended. Returns False if work was left after `timeout_s`."""
        drained = self._turns.settled(timeout_s)
        if self._root is not None:
            self._turns.stop(self._root, timeout_s)
        self._readers.shutdown(wait=drained)
        if self._snapshot_writer is not None:
            self._snapshot_writer.shutdown(wait=False, cancel_futures=True)
        return drained

    # Building

    def _new_inbox(self, name: str) -> Inbox:
        if name in _HEARS_TICKS:
            most = self._settings.actors.inbox_max
            # The venue decides each order by the quotes that stood at its instant.
            about = _everything if name == "paper_venue" else touched
            return TickInbox(name, self._activity, most=most, terms=lambda: self._fold_terms, touched=about)
        return Inbox(name, self._record if name == "database" else self._activity)

    def _children(self) -> list[Child]:
        builders: dict[str, Callable[[Inbox, Failed], WatchedActor]] = {
            "timer": self._build_timer,
            "database": self._build_database,
            "notifier": lambda inbox, failed: Notifier(inbox, failed, policy=self._notice_policy),
            "trade_desk": self._build_desk,
            "trade_watcher": self._build_watcher,
            "auto_stop": self._build_auto_stop,
            "paper_venue": lambda inbox, failed: PaperVenue(
                inbox, failed, engine=self._engines.paper, say=self.router.say
            ),
            "reconciler": self._build_reconciler,
            SNAPSHOTS: self._build_keeper,
            "transport": lambda inbox, failed: EngineActor(
                inbox, failed, engine=self._engines.transport, say=self.router.say
            ),
        }
        actors = self._settings.actors
        limits = RestartLimits(
            count_max=actors.restart_max,
            window_ns=actors.restart_window_s * NS_PER_S,
            second_ns=actors.restart_second_ms * NS_PER_MS,
            longest_ns=actors.restart_longest_ms * NS_PER_MS,
        )
        return [
            Child(
                name=name,
                inbox=self._inboxes[name],
                build=build,
                history=Restarts(limits),
                pulse=Pulse(self._rounds(self._patience_s(name))),
            )
            for name, build in builders.items()
            if name in self._inboxes
        ]

    def _patience_s(self, name: str) -> float:
        """Return how long an actor may take over one word before it is stuck.

        Database waits for PostgreSQL, never without end: it connects, writes one batch and writes it again where PostgreSQL gave
        way, each statement within its timeout. Meanwhile nothing else waits for it (DESIGN, idea 6).
        """
        actors, postgres = self._settings.actors, self._settings.postgres
        if name != "database":
            return actors.stuck_after_s
        return actors.stuck_after_s + postgres.connect_timeout_s + _COMMIT_TRIES * postgres.statement_timeout_ms / 1000

    def _rounds(self, patience_s: float) -> int:
        """Return how many rounds of beats lie within `patience_s`, the one before the first question taken off."""
        return max(1, int(patience_s * 1000 / self._settings.actors.beat_interval_ms) - 1)

    def _build_timer(self, inbox: Inbox, failed: Failed) -> WatchedActor:
        return Timer(inbox, failed, timers=self._timers, clock=self._clock, say=self.router.say)

    def _build_database(self, inbox: Inbox, failed: Failed) -> WatchedActor:
        return Database(
            inbox,
            failed,
            store=self._store,
            wire=self._wire,
            clock=self._clock,
            say=self.router.say,
            backlog=self._backlog,
            batch_max=self._settings.postgres.max_batch_rows,
            backlog_max=self._settings.postgres.backlog_max,
            readers=self._readers,
            activity=self._record,
            status=self.board,
            escalate=self._escalate,
            kept=None if self._snapshots is None else self._inboxes[SNAPSHOTS].put,
        )

    def _build_keeper(self, inbox: Inbox, failed: Failed) -> WatchedActor:
        assert self._snapshots is not None
        assert self._snapshot_writer is not None
        engine, file = self._snapshots
        return SnapshotKeeper(
            inbox,
            failed,
            engine=engine,
            say=self.router.say,
            file=file,
            clock=self._clock,
            writer=self._snapshot_writer,
        )

    def _build_desk(self, inbox: Inbox, failed: Failed) -> WatchedActor:
        desk = self._engines.desk
        engine = desk if self._recorder is None else RecordedDesk(desk, self._recorder)
        return TradeDesk(inbox, failed, engine=engine, say=self.router.say)

    def _build_auto_stop(self, inbox: Inbox, failed: Failed) -> WatchedActor:
        self._rebuild(inbox)
        watcher = self._inboxes["trade_watcher"].put
        return AutoStop(inbox, failed, engine=self._engine(inbox.name), say=self.router.say, watcher=watcher)

    def _build_watcher(self, inbox: Inbox, failed: Failed) -> WatchedActor:
        self._rebuild(inbox)
        return TradeWatcher(inbox, failed, engine=self._engine(inbox.name), say=self.router.say)

    def _build_reconciler(self, inbox: Inbox, failed: Failed) -> WatchedActor:
        if self._rebuild(inbox):
            inbox.put(VenuesUp(now_ns=self._clock.now_ns()))
        return Reconciler(inbox, failed, engine=self._engine(inbox.name), say=self.router.say, wire=self._wire)

    def _engine(self, name: str) -> Engine:
        """Return what decides for this actor, noted if there is a recorder."""
        engine = self._engines.find(name)
        assert engine is not None, name
        return engine if self._recorder is None else RecordedEngine(name, engine, self._recorder)

    def _rebuild(self, inbox: Inbox) -> bool:
        """Build anew what decides for an actor that has crashed; what it says is said. Returns whether there was a crash."""
        if inbox.crashes:
            known = EngineRebuilt(
                trades=tuple(self._trades.values()),
                coverage=tuple(self._coverage.values()),
                now_ns=self._clock.now_ns(),
            )
            said = self._engines.rebuild(inbox.name, known)
            if self._recorder is not None:
                self._recorder.note(inbox.name, known, said)
            self.router.say_all(said)
        return bool(inbox.crashes)

    # Who hears what

    def _connect(self, timers: Listener | None, also: Mapping[type, Listener]) -> None:
        put = {name: inbox.put for name, inbox in self._inboxes.items()}
        desk, watcher, stops, paper = put["trade_desk"], put["trade_watcher"], put["auto_stop"], put["paper_venue"]
        reconciler = put["reconciler"]
        timer = timers or put["timer"]
        keeper: tuple[Listener, ...] = (put[SNAPSHOTS],) if SNAPSHOTS in put else ()
        wire = self._wire
        listeners: dict[type, tuple[Listener, ...]] = {
            Ticks: (paper, watcher),
            Received: (desk,),
            Malformed: (desk,),
            # The root hears of a trade before anybody can say how it is covered.
            Trade: (self._remember, stops, put["supervisor"], watcher, paper, reconciler),
            StopFired: (desk,),
            RangesRecorded: (desk,),
            DrawdownFired: (desk,),
            AccountRules: (stops,),
            EquityStanding: (put["supervisor"],),
            Balance: (stops,),
            SystemEvent: (stops, put["supervisor"]),
            # AutoStop hands it on, in its place among the ticks.
            MarkWanted: (stops,),
            MarkGiven: (desk,),
            BidReturned: (desk,),
            StopCheckWanted: (stops,),
            StopCheckGiven: (desk,),
            StopCoverage: (self._remember, desk, put["supervisor"]),
            MarkSnapshot: (),
            SetTimer: (timer,),
            CancelTimer: (timer,),
            Commit: (put["database"], *(counted(each) for each in keeper)),
            Published: (put["database"],),
            Query: (put["database"],),
            **dict.fromkeys((RecordAway, RecordBack), (desk,)),
            OrderStored: (desk, put["database"]),
            OrderRefused: (desk,),
            OrderArrived: (paper,),
            OrderReport: (wire.publish_report,),  # type: ignore[dict-item]  # as above
            VenueQuestion: (reconciler,),
            VenueAnswer: (desk, reconciler),
            AccountAnswer: (reconciler,),
            ReconcileWanted: (reconciler,),
            VenuesUp: (reconciler,),
            AccountStanding: (desk, put["supervisor"]),
            **dict.fromkeys((ClosedOutside, PositionFound, PositionsSeen), (desk,)),
            Outgoing: (lambda word: wire.publish((word,)),),  # type: ignore[arg-type]  # as above
            Answer: (lambda word: wire.reply(word.reply_to, word.reply),),  # type: ignore[attr-defined]  # as above
            Status: (wire.broadcast,),  # type: ignore[dict-item]  # as above
            Notice: (put["notifier"], put["supervisor"]),
            WireUp: (
                lambda _: self.board.note_wire(None),
                put["transport"],
                lambda word: reconciler(VenuesUp(now_ns=word.now_ns)),  # type: ignore[attr-defined]  # as above
            ),
            WireDown: (lambda word: self.board.note_wire(word.why), put["transport"]),  # type: ignore[attr-defined]  # as above
            TicksMissed: (self.board.note_missed,),  # type: ignore[dict-item]  # as above
            StreamsWanted: (lambda _: wire.look_at_streams(),),
            StreamsSeen: (self.board.note_streams, put["transport"], *keeper),  # type: ignore[arg-type]  # as above
            Kept: keeper,
            **dict.fromkeys((InstanceHeard, NobodyHeard), ()),
            **dict.fromkeys(
                (RecorderFailed, RecorderWorks), (lambda word: self.router.say_all(recording.handle(word)),)
            ),
        }
        for kind, listener in also.items():
            # Database has a thread of its own: whoever waits for what a commit brings must expect it before Database has it.
            listeners[kind] = (listener, *listeners[kind]) if kind is Commit else (*listeners[kind], listener)
        owners: dict[str, Listener] = {**put, "trade_desk": self._tell_desk}
        self.router.connect(owners, listeners)

    def _tell_desk(self, word: object) -> None:
        """Hand the desk its timers; a refused commit of its own means that its state is ahead of the record."""
        if isinstance(word, CommitRefused) and (word.commit.trades or word.commit.settings or word.commit.system):
            self._escalate(
                EXIT_INTERNAL, f"the record refused {word.commit.cause}: {word.error}; starting again from the record"
            )
            return
        self._inboxes["trade_desk"].put(word)

    def _remember(self, word: object) -> None:
        """Keep the last word of each trade that has not ended, for whoever is rebuilt."""
        match word:
            case Trade(trade_id=trade_id, state=state) if state.is_terminal:
                self._trades.pop(trade_id, None)
                self._coverage.pop(trade_id, None)
            case Trade(trade_id=trade_id):
                self._trades[trade_id] = word
                self._fold_terms = widened(self._fold_terms, word)
            case StopCoverage(trade_id=trade_id):
                self._coverage[trade_id] = word
