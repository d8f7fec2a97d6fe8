"""Database: whatever queued up goes into the next transaction; what waits for it is let go afterwards."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event

from msgspec.structs import replace

from actors.activity import Activity
from actors.database import Backlog, Database
from actors.rules.record.places import Places
from actors.rules.status import StatusBoard
from bus.messages.envelope import Delivery, Outgoing
from bus.messages.failures import Fenced, StoreUnavailable
from bus.messages.orders import OrderReport, VenueQuestion
from bus.messages.reconcile import AccountQuestion
from bus.messages.records import (
    Answer,
    Commit,
    CommitRefused,
    Kept,
    OrderStored,
    Place,
    Published,
    Query,
    RecordAway,
    RecordBack,
    Recovered,
)
from bus.messages.system import Heartbeat, Reply, Status
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.trades import CloseInEffect, TradeState
from bus.messages.units import NS_PER_S
from tests.actors.builders import FixedClock, Heard, an_inbox, running
from tests.bus.builders import an_order


class FakeStore:
    """Keeps batches; holds the writer at `gate`; is away while `away` is positive."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.marked: list[str] = []
        self.gate = Event()
        self.entered = Event()
        self.gate.set()
        self.away = 0
        self.fenced = False
        self.refuse: set[str] = set()
        self.reached: dict[str, int] = {}

    def recover(self) -> Recovered:
        raise NotImplementedError

    def commit(self, commits: Sequence[Commit]) -> list[tuple[Commit, str]]:
        self.entered.set()
        assert self.gate.wait(10)
        if self.fenced:
            raise Fenced("epoch 4 leads")
        if self.away:
            self.away -= 1
            raise StoreUnavailable("gone")
        self.batches.append([commit.cause for commit in commits])
        return [(commit, "bad row") for commit in commits if commit.cause in self.refuse]

    def mark_published(
        self,
        msg_ids: Sequence[str],
        now_ns: int,  # noqa: ARG002  # the port's
        reached: Mapping[str, int] | None = None,
    ) -> None:
        self.marked.extend(msg_ids)
        self.reached |= reached or {}

    def query(self, query: Query) -> object:
        if query.kind == "away":
            raise StoreUnavailable("gone")
        return {"kind": query.kind}


class FakeWire:
    """Notes what it is told, in order."""

    def __init__(self) -> None:
        self.told: SimpleQueue[tuple[str, object]] = SimpleQueue()

    def publish(self, outgoing: Sequence[Outgoing]) -> None:
        self.told.put(("publish", [row.msg_id for row in outgoing]))

    def publish_report(self, report: OrderReport) -> None:
        self.told.put(("report", report))

    def broadcast(self, status: Status) -> None:
        self.told.put(("broadcast", status))

    def acknowledge(self, delivery: Delivery) -> None:
        self.told.put(("acknowledge", delivery.sequence))

    def pulse(self, answer: Callable[[], None]) -> None:
        answer()

    def reply(self, reply_to: str, reply: Reply) -> None:  # noqa: ARG002  # the port's
        self.told.put(("reply", reply))

    def ask_venue(self, question: VenueQuestion) -> None:
        self.told.put(("ask", question))

    def pause_commands(self) -> None:
        self.told.put(("pause", None))

    def resume_commands(self) -> None:
        self.told.put(("resume", None))

    def look_at_streams(self) -> None:
        self.told.put(("look", None))

    def ask_account(self, question: AccountQuestion) -> None:
        self.told.put(("ask", question))

    def wait_for(self, count: int) -> list[tuple[str, object]]:
        return [self.told.get(timeout=10) for _ in range(count)]


class Room:
    """A Database actor between fakes."""

    def __init__(self, *, batch_max: int = 100, backlog_max: int = 200) -> None:
        self.store, self.wire, self.heard, self.backlog = FakeStore(), FakeWire(), Heard(), Backlog()
        self.status = StatusBoard(instance="test", epoch=3, version="0", live_enabled=False)
        self.activity = Activity()
        self.clock = FixedClock(7)
        self.ended: SimpleQueue[tuple[int, str]] = SimpleQueue()
        self.kept: list[tuple[list[str], Mapping[str, int], int]] = []
        self.inbox = an_inbox("database", self.activity)
        self.readers = ThreadPoolExecutor(1)
        self.actor = Database(
            self.inbox,
            self.heard.failed,
            store=self.store,
            wire=self.wire,
            clock=self.clock,
            say=self.heard,
            backlog=self.backlog,
            batch_max=batch_max,
            backlog_max=backlog_max,
            readers=self.readers,
            activity=self.activity,
            status=self.status,
            escalate=lambda code, why: self.ended.put((code, why)),
            kept=self.note_kept,
        )

    def note_kept(self, kept: Kept) -> None:
        """Note what stands, and how much the wire had been told by then."""
        self.kept.append(([commit.cause for commit in kept.commits], kept.reached, self.wire.told.qsize()))

    def fire(self, timer: object) -> None:
        """Let the deadline pass that the actor has asked for."""
        assert isinstance(timer, SetTimer)
        self.inbox.put(TimerFired(owner="database", key=timer.key, due_ns=timer.due_ns, now_ns=timer.due_ns))

    def quiet(self) -> None:
        """Wait until the word in hand is handled too: the actor counts it off when it asks for the next."""
        self.inbox.put(Published(msg_ids=(), now_ns=0))
        while self.activity.outstanding > 1 or self.inbox.waiting():
            self.activity.quiet(0.01)


def a_commit(cause: str, *outbox: Outgoing, sequence: int | None = None, answer: Answer | None = None) -> Commit:
    delivery = None if sequence is None else Delivery(stream="ORDERS", sequence=sequence, token="t")
    return Commit(sender="trade_desk", cause=cause, now_ns=1, outbox=outbox, delivery=delivery, answer=answer)


def an_outgoing(msg_id: str, *, direct: bool = False) -> Outgoing:
    return Outgoing(subject="s", msg_id=msg_id, message=Heartbeat(service="s", ts=1, status="ok"), direct=direct)


def test_what_queues_up_while_a_commit_runs_goes_into_the_next_in_order() -> None:
    room = Room()
    room.store.gate.clear()
    with running(room.actor):
        room.inbox.put(a_commit("1"))
        assert room.store.entered.wait(10)
        for cause in "2345":
            room.inbox.put(a_commit(cause))
        room.store.gate.set()
        room.quiet()

    assert room.store.batches == [["1"], ["2", "3", "4", "5"]]


def test_an_input_is_acknowledged_and_answered_only_after_its_commit() -> None:
    """K7: the acknowledgement follows the commit."""
    room = Room()
    room.store.gate.clear()
    reply = Reply(ok=True, instance="test", epoch=3, ts=1)
    with running(room.actor):
        room.inbox.put(a_commit("1", sequence=9, answer=Answer(reply_to="r", reply=reply)))
        assert room.store.entered.wait(10)
        early = room.wire.told.qsize()
        room.store.gate.set()
        told = room.wire.wait_for(2)

    assert early == 0
    assert told == [("acknowledge", 9), ("reply", reply)]


def test_what_must_wait_for_its_commit_is_published_after_it_and_what_left_directly_is_not() -> None:
    room = Room()
    with running(room.actor):
        room.inbox.put(a_commit("1", an_outgoing("entry"), an_outgoing("close", direct=True)))

        told = room.wire.wait_for(1)

    assert told == [("publish", ["entry"])]


def test_a_message_that_nats_stored_before_its_row_stood_is_marked_all_the_same() -> None:
    """K11: the acknowledgement may overtake the commit."""
    room = Room()
    with running(room.actor):
        room.inbox.put(OrderStored(client_order_id="t-close-1", trade_id="t", sequence=1, duplicate=False, now_ns=1))
        room.inbox.put(a_commit("1", an_outgoing("submit:t-close-1", direct=True)))
        room.quiet()

    assert room.store.marked == ["submit:t-close-1"]


def test_with_postgresql_away_commits_wait_in_order_and_are_written_when_it_returns() -> None:
    """Fault 16"""
    room = Room()
    room.store.away = 1
    with running(room.actor):
        room.inbox.put(a_commit("1", sequence=1))
        timer, away = room.heard.wait_for(2)
        room.inbox.put(a_commit("2"))
        room.fire(timer)
        back = room.heard.wait_for(1)[0]

    assert room.store.batches == [["1", "2"]]
    assert (type(away), type(back)) == (RecordAway, RecordBack)


def test_a_long_outage_is_caught_up_in_batches_between_which_other_words_are_heard() -> None:
    room = Room(batch_max=2)
    room.store.away = 1
    with running(room.actor):
        room.inbox.put(a_commit("1"))
        timer = room.heard.wait_for(2)[0]
        for cause in "2345":
            room.inbox.put(a_commit(cause))
        room.fire(timer)
        for _ in range(2):
            room.fire(room.heard.wait_for(1)[0])
        assert isinstance(room.heard.wait_for(1)[0], RecordBack)

    assert room.store.batches == [["1", "2"], ["3", "4"], ["5"]]


def test_whoever_waits_for_an_answer_hears_at_once_that_postgresql_is_away_and_nothing_later() -> None:
    room = Room()
    room.store.away = 1
    answer = Answer(reply_to="r", reply=Reply(ok=True, instance="test", epoch=3, ts=1))
    with running(room.actor):
        room.inbox.put(a_commit("1", answer=answer))
        timer = room.heard.wait_for(2)[0]
        room.inbox.put(a_commit("2", answer=answer))
        early = room.wire.wait_for(2)
        room.fire(timer)
        room.heard.wait_for(1)

    assert [reply.error is not None and reply.error.retry for _, reply in early if isinstance(reply, Reply)] == [
        True,
        True,
    ]
    assert room.wire.told.qsize() == 0


def test_a_persons_close_is_answered_when_orders_has_it() -> None:
    room = Room()
    room.store.away = 1
    close = CloseInEffect(trade_id="t", state=TradeState.CLOSING, began=True)
    answer = Answer(reply_to="r", reply=Reply(ok=True, instance="test", epoch=3, ts=1, result=close))
    with running(room.actor):
        room.inbox.put(a_commit("1", answer=answer))
        room.heard.wait_for(2)
        early = room.wire.told.qsize()
        room.inbox.put(OrderStored(client_order_id="t-close-1", trade_id="t", sequence=1, duplicate=False, now_ns=1))
        told = room.wire.wait_for(1)

    assert (early, told) == (0, [("reply", answer.reply)])


def test_commands_stay_in_the_stream_while_too_much_waits() -> None:
    room = Room(backlog_max=4)
    room.store.away = 1
    with running(room.actor):
        room.inbox.put(a_commit("1"))
        timer = room.heard.wait_for(2)[0]
        for cause in "23":
            room.inbox.put(a_commit(cause))
        room.inbox.put(Query(kind="trades", arguments={}, reply_to="r", now_ns=1))
        before = room.wire.wait_for(1)
        room.inbox.put(a_commit("4"))
        paused = room.wire.wait_for(1)
        room.fire(timer)
        resumed = room.wire.wait_for(1)

    assert [kind for kind, _ in before] == ["reply"]
    assert (paused, resumed) == ([("pause", None)], [("resume", None)])


def test_how_far_a_stream_has_had_its_effect_is_noted_once_its_commits_stand() -> None:
    """Fault 7: where the next process must begin to read."""
    room = Room()
    room.clock.ns = 10 * NS_PER_S
    for sequence in (8, 9):
        room.backlog.places.heard("ORDERS", sequence)
    with running(room.actor):
        room.inbox.put(a_commit("1", sequence=8))
        room.wire.wait_for(1)
        room.quiet()

    assert room.store.reached == {"ORDERS": 8}


def test_an_order_of_a_lost_trade_has_had_its_effect_once_its_row_stands() -> None:
    """S10, Fault 18"""
    room = Room()
    room.clock.ns = 10 * NS_PER_S
    room.backlog.places.awaited("ORDERS", 7, an_order().client_order_id)
    room.backlog.places.heard("ORDERS", 8)
    with running(room.actor):
        room.inbox.put(replace(a_commit("1", sequence=8), orders=(an_order(),)))
        room.wire.wait_for(1)
        room.quiet()

    assert room.store.reached == {"ORDERS": 8}


def test_status_says_that_postgresql_is_away_and_why() -> None:
    room = Room()
    room.store.away = 1
    with running(room.actor):
        room.inbox.put(a_commit("1"))
        timer = room.heard.wait_for(2)[0]
        away = room.status.status((), 1)
        room.fire(timer)
        room.heard.wait_for(1)

    assert (away.level, away.databases["postgres"]) == ("critical", "away: gone")
    assert room.status.status((), 1).databases["postgres"] == "up"


def test_the_sender_of_a_refused_commit_is_told_and_its_neighbours_stand() -> None:
    room = Room()
    room.store.refuse = {"2"}
    with running(room.actor):
        room.inbox.put(a_commit("2", an_outgoing("never")))
        refused = room.heard.wait_for(1)[0]
        room.inbox.put(a_commit("3", an_outgoing("sent")))
        told = room.wire.wait_for(1)

    assert isinstance(refused, CommitRefused)
    assert told == [("publish", ["sent"])]


def test_a_question_is_answered_beside_the_writer() -> None:
    room = Room()
    room.store.gate.clear()
    with running(room.actor):
        room.inbox.put(Query(kind="trades", arguments={}, reply_to="r", now_ns=1))
        told = room.wire.wait_for(1)
        room.store.gate.set()

    reply = told[0][1]
    assert isinstance(reply, Reply)
    assert (reply.result, reply.epoch) == ({"kind": "trades"}, 3)


def test_a_question_that_postgresql_cannot_answer_says_so_and_that_asking_again_may_help() -> None:
    room = Room()
    with running(room.actor):
        room.inbox.put(Query(kind="away", arguments={}, reply_to="r", now_ns=1))
        told = room.wire.wait_for(1)

    reply = told[0][1]
    assert isinstance(reply, Reply)
    assert reply.error is not None
    assert reply.error.retry


def test_a_process_that_another_epoch_has_fenced_ends_at_once() -> None:
    """Fault 45: after a takeover an older epoch writes nothing and exits."""
    room = Room()
    room.store.fenced = True
    with running(room.actor):
        room.inbox.put(a_commit("1", sequence=1))
        code, why = room.ended.get(timeout=10)

    assert (code, room.wire.told.qsize()) == (70, 0)
    assert "another leader" in why


def a_close(trade_id: str) -> Outgoing:
    order = an_order(trade_id=trade_id, client_order_id=f"{trade_id}-close-1")
    return Outgoing(
        subject=f"order.submit.paper.{trade_id}", msg_id=f"submit:{order.client_order_id}", message=order, direct=True
    )


def test_a_commit_with_a_close_waits_until_orders_has_it() -> None:
    """Both end at the same disk, and the order is nowhere yet."""
    room = Room()
    with running(room.actor):
        room.inbox.put(a_commit("close", a_close("t1")))
        room.inbox.put(a_commit("other"))
        timer = room.heard.wait_for(1)[0]
        before = list(room.store.batches)
        room.inbox.put(OrderStored(client_order_id="t1-close-1", trade_id="t1", sequence=1, duplicate=False, now_ns=1))
        room.quiet()

    assert isinstance(timer, SetTimer)
    assert before == []
    assert room.store.batches == [["close", "other"]]


def test_a_commit_waits_for_orders_no_longer_than_its_timer() -> None:
    room = Room()
    with running(room.actor):
        room.inbox.put(a_commit("close", a_close("t1")))
        timer = room.heard.wait_for(1)[0]
        assert isinstance(timer, SetTimer)
        room.inbox.put(TimerFired(owner="database", key=timer.key, due_ns=timer.due_ns, now_ns=timer.due_ns))
        room.quiet()

    assert room.store.batches == [["close"]]


def test_a_close_that_orders_had_before_its_commit_came_holds_nothing_up() -> None:
    room = Room()
    with running(room.actor):
        room.inbox.put(OrderStored(client_order_id="t1-close-1", trade_id="t1", sequence=1, duplicate=False, now_ns=1))
        room.inbox.put(a_commit("close", a_close("t1")))
        room.quiet()

    assert room.store.batches == [["close"]]


def test_what_stands_is_heard_here_before_anybody_else_can_know() -> None:
    """The snapshot never lags behind what the house has said of itself."""
    room = Room()
    room.store.refuse = {"bad"}
    room.store.gate.clear()
    with running(room.actor):
        room.inbox.put(a_commit("1", sequence=8))
        assert room.store.entered.wait(10)
        for cause in ("bad", "2"):
            room.inbox.put(a_commit(cause, sequence=9))
        room.store.gate.set()
        room.quiet()

    assert room.kept == [(["1"], {}, 0), (["2"], {}, 1)]


def test_how_far_the_record_reaches_is_told_with_what_stands() -> None:
    room = Room()
    room.backlog.places = Places({"ORDERS": Place(reached=4)})
    with running(room.actor):
        room.inbox.put(a_commit("1"))
        room.quiet()

    assert [reached for _, reached, _ in room.kept] == [{"ORDERS": 4}]


def test_a_message_is_marked_once_nats_has_it_and_once_only() -> None:
    """K12"""
    room = Room()
    with running(room.actor):
        room.inbox.put(a_commit("1", an_outgoing("a"), an_outgoing("b")))
        room.wire.wait_for(1)
        room.inbox.put(Published(msg_ids=("a",), now_ns=1))
        room.inbox.put(Published(msg_ids=("b",), now_ns=1))
        room.quiet()
        room.inbox.put(a_commit("2"))
        room.quiet()

    assert room.store.marked == ["a", "b"]
    assert room.backlog.unconfirmed == set()


def test_an_input_whose_commit_is_refused_is_acknowledged_and_counted() -> None:
    """L5: it stands in quarantine; delivered again it would be refused again."""
    room = Room()
    room.store.refuse = {"bad"}
    with running(room.actor):
        room.inbox.put(a_commit("bad", sequence=9))
        told = room.wire.wait_for(1)
        (refused,) = room.heard.wait_for(1)
        room.quiet()

    assert told == [("acknowledge", 9)]
    assert isinstance(refused, CommitRefused)
    assert (refused.commit.cause, refused.error) == ("bad", "bad row")
    assert room.status.quarantined == 1


def test_a_full_batch_is_written_though_more_waits() -> None:
    room = Room(batch_max=2)
    with running(room.actor) as actor:
        actor.inbox.hold()
        for cause in "123":
            room.inbox.put(a_commit(cause))
        actor.inbox.release()
        room.quiet()

    assert room.store.batches == [["1", "2"], ["3"]]


def test_commands_are_taken_again_once_less_than_half_of_the_limit_waits() -> None:
    room, left = Room(batch_max=1, backlog_max=4), list[int]()
    room.wire.resume_commands = lambda: left.append(len(room.backlog.commits))  # type: ignore[method-assign]  # what is tested
    room.store.away = 1
    with running(room.actor):
        room.inbox.put(a_commit("1"))
        said = room.heard.wait_for(2)[0]
        for cause in "234":
            room.inbox.put(a_commit(cause))
        room.wire.wait_for(1)
        while isinstance(said, SetTimer):
            room.fire(said)
            said = room.heard.wait_for(1)[0]

    assert left == [1]


def test_a_commit_that_waited_out_an_outage_is_let_go_once() -> None:
    """Fault 16, S1: what was written is not written again."""
    room = Room()
    room.store.away = 2
    with running(room.actor):
        room.inbox.put(a_commit("1", an_outgoing("a"), sequence=9))
        timer = room.heard.wait_for(2)[0]
        room.fire(timer)
        room.fire(room.heard.wait_for(1)[0])
        room.heard.wait_for(1)
        room.quiet()

    assert room.store.batches == [["1"]]
    assert room.wire.wait_for(2) == [("acknowledge", 9), ("publish", ["a"])]
    assert room.wire.told.qsize() == 0


def test_work_that_stands_is_under_way_no_longer() -> None:
    room = Room()
    room.store.refuse = {"bad"}
    with running(room.actor):
        for cause in ("1", "bad"):
            room.inbox.put(a_commit(cause))
        room.inbox.put(Query(kind="trades", arguments={}, reply_to="r", now_ns=1))
        room.wire.wait_for(1)
        room.quiet()

    assert room.activity.outstanding == 0
