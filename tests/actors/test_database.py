"""Database: whatever queued up goes into the next transaction; what waits for it is let go afterwards."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

from loguru import logger
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
    Quarantined,
    Query,
    RecordAway,
    RecordBack,
    Recovered,
)
from bus.messages.system import Error, ErrorCode, Heartbeat, Reply, Status
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.trades import CloseInEffect, TradeState
from bus.messages.units import NS_PER_MS, NS_PER_S
from tests.actors.builders import FixedClock, Heard, an_inbox
from tests.bus.builders import an_order

P = ParamSpec("P")
T = TypeVar("T")
NOW_NS = 7


class FakeStore:
    """Keeps batches; is away while `away` is positive. meanwhile: called while a batch is written."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.marked: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.away = 0
        self.fenced = False
        self.refuse: set[str] = set()
        self.reached: list[tuple[dict[str, int], int]] = []

    def recover(self) -> Recovered:
        raise NotImplementedError

    def commit(self, commits: Sequence[Commit]) -> list[tuple[Commit, str]]:
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        if self.fenced:
            raise Fenced("epoch 4 leads")
        if self.away:
            self.away -= 1
            raise StoreUnavailable("gone")
        self.batches.append([commit.cause for commit in commits])
        return [(commit, "bad row") for commit in commits if commit.cause in self.refuse]

    def mark_published(self, msg_ids: Sequence[str], now_ns: int, reached: Mapping[str, int] | None = None) -> None:
        self.marked.extend(msg_ids)
        if reached:
            self.reached.append((dict(reached), now_ns))

    def query(self, query: Query) -> object:
        match query.kind:
            case "away":
                raise StoreUnavailable("gone")
            case "unreadable":
                raise ValueError("who knows")
        return {"kind": query.kind}


class FakeWire:
    """Notes what it is told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []

    def publish(self, outgoing: Sequence[Outgoing]) -> None:
        self.told.append(("publish", [row.msg_id for row in outgoing]))

    def publish_report(self, report: OrderReport) -> None:
        self.told.append(("report", report))

    def broadcast(self, status: Status) -> None:
        self.told.append(("broadcast", status))

    def acknowledge(self, delivery: Delivery) -> None:
        self.told.append(("acknowledge", delivery.sequence))

    def pulse(self, answer: Callable[[], None]) -> None:
        answer()

    def reply(self, reply_to: str, reply: Reply) -> None:
        self.told.append((f"reply to {reply_to}", reply))

    def ask_venue(self, question: VenueQuestion) -> None:
        self.told.append(("ask", question))

    def pause_commands(self) -> None:
        self.told.append(("pause", None))

    def resume_commands(self) -> None:
        self.told.append(("resume", None))

    def look_at_streams(self) -> None:
        self.told.append(("look", None))

    def ask_account(self, question: AccountQuestion) -> None:
        self.told.append(("ask", question))

    def so_far(self) -> list[tuple[str, object]]:
        """Return what it was told since the last time."""
        told, self.told = self.told, []
        return told


class Readers(Executor):
    """Readers that have time once they are told to."""

    def __init__(self) -> None:
        self._asked: list[Callable[[], object]] = []

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        self._asked.append(lambda: fn(*args, **kwargs))
        return Future()

    def read(self) -> None:
        """Answer what was asked."""
        asked, self._asked = self._asked, []
        for answer in asked:
            answer()


class Room:
    """A Database actor between fakes, worked by the test's own thread."""

    def __init__(self, *, batch_max: int = 100, backlog_max: int = 200) -> None:
        self.store, self.wire, self.heard, self.backlog = FakeStore(), FakeWire(), Heard(), Backlog()
        self.status = StatusBoard(instance="test", epoch=3, version="0", live_enabled=False)
        self.activity = Activity()
        self.clock = FixedClock(NOW_NS)
        self.ended: list[tuple[int, str]] = []
        self.kept: list[tuple[list[str], Mapping[str, int], int, int]] = []
        self.inbox = an_inbox("database", self.activity)
        self.readers = Readers()
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
            escalate=lambda code, why: self.ended.append((code, why)),
            kept=self.note_kept,
        )

    def note_kept(self, kept: Kept) -> None:
        """Note what stands, and how much the wire had been told by then."""
        self.kept.append(([commit.cause for commit in kept.commits], kept.reached, kept.now_ns, len(self.wire.told)))

    def hear(self, *words: object) -> list[object]:
        """Let words come together, and the actor work until nothing waits; return what it says."""
        self.put(*words)
        while self.inbox.waiting():
            self.actor.on_receive(self.inbox.take())
        self.inbox.done()
        return self.heard.so_far()

    def put(self, *words: object) -> None:
        """Let words wait for the actor."""
        for word in words:
            self.inbox.put(word)

    def fire(self, timer: object) -> list[object]:
        """Let the deadline pass that the actor has asked for; return what it says then."""
        assert isinstance(timer, SetTimer)
        return self.hear(TimerFired(owner="database", key=timer.key, due_ns=timer.due_ns, now_ns=timer.due_ns))


def a_commit(cause: str, *outbox: Outgoing, sequence: int | None = None, answer: Answer | None = None) -> Commit:
    delivery = None if sequence is None else Delivery(stream="ORDERS", sequence=sequence, token="t")
    return Commit(sender="trade_desk", cause=cause, now_ns=1, outbox=outbox, delivery=delivery, answer=answer)


def an_outgoing(msg_id: str, *, direct: bool = False) -> Outgoing:
    return Outgoing(subject="s", msg_id=msg_id, message=Heartbeat(service="s", ts=1, status="ok"), direct=direct)


def a_close(trade_id: str) -> Outgoing:
    order = an_order(trade_id=trade_id, client_order_id=f"{trade_id}-close-1")
    return Outgoing(
        subject=f"order.submit.paper.{trade_id}", msg_id=f"submit:{order.client_order_id}", message=order, direct=True
    )


def stored(trade_id: str) -> OrderStored:
    """ORDERS has the close of a trade."""
    return OrderStored(client_order_id=f"{trade_id}-close-1", trade_id=trade_id, sequence=1, duplicate=False, now_ns=1)


def a_question(kind: str) -> Query:
    return Query(kind=kind, arguments={}, reply_to="r", now_ns=1)


def retry(after_ns: int = 0) -> SetTimer:
    """What the actor asks for when it has more to write."""
    return SetTimer(owner="database", key="retry", due_ns=NOW_NS + after_ns)


AGAIN = retry(200 * NS_PER_MS)
DONE = Reply(ok=True, instance="test", epoch=3, ts=1)
ANSWER = Answer(reply_to="r", reply=DONE)


def test_what_queues_up_while_a_commit_runs_goes_into_the_next_in_order() -> None:
    room = Room()
    room.store.meanwhile = lambda: room.put(*map(a_commit, "2345"))

    room.hear(a_commit("1"))

    assert room.store.batches == [["1"], ["2", "3", "4", "5"]]


def test_an_input_is_acknowledged_and_answered_only_after_its_commit() -> None:
    """K7: the acknowledgement follows the commit."""
    room, early = Room(), list[object]()
    room.store.meanwhile = lambda: early.extend(room.wire.told)

    room.hear(a_commit("1", sequence=9, answer=ANSWER))

    assert early == []
    assert room.wire.told == [("acknowledge", 9), ("reply to r", DONE)]


def test_what_must_wait_for_its_commit_is_published_after_it_and_what_left_directly_is_not() -> None:
    room, early = Room(), list[object]()
    room.store.meanwhile = lambda: early.extend(room.wire.told)

    room.hear(a_commit("1", an_outgoing("entry"), an_outgoing("close", direct=True)))

    assert early == []
    assert room.wire.told == [("publish", ["entry"])]


def test_a_message_that_nats_stored_before_its_row_stood_is_marked_all_the_same() -> None:
    """K11: the acknowledgement may overtake the commit."""
    room = Room()

    room.hear(stored("t"))
    room.hear(a_commit("1", an_outgoing("submit:t-close-1", direct=True)))

    assert room.store.marked == ["submit:t-close-1"]
    assert (room.backlog.confirmed_early, room.backlog.unconfirmed) == (set(), set())


def test_with_postgresql_away_commits_wait_in_order_and_are_written_when_it_returns() -> None:
    """Fault 16"""
    room = Room()
    room.store.away = 1

    away = room.hear(a_commit("1", sequence=1))
    waiting = room.hear(a_commit("2"))
    back = room.fire(AGAIN)

    assert (away, waiting, back) == (
        [AGAIN, RecordAway(error="gone", now_ns=NOW_NS)],
        [],
        [RecordBack(now_ns=NOW_NS)],
    )
    assert room.store.batches == [["1", "2"]]


def test_a_long_outage_is_caught_up_in_batches_between_which_other_words_are_heard() -> None:
    room = Room(batch_max=2)
    room.store.away = 1
    room.hear(a_commit("1"))
    room.hear(*map(a_commit, "2345"))

    said = [room.fire(AGAIN), room.fire(retry()), room.fire(retry())]

    assert said == [[retry()], [retry()], [RecordBack(now_ns=NOW_NS)]]
    assert room.store.batches == [["1", "2"], ["3", "4"], ["5"]]


def test_of_an_outage_that_lasts_people_hear_why_and_how_much_waits() -> None:
    """Fault 16"""
    room = Room()
    room.store.away = 2
    room.hear(a_commit("1"))
    room.hear(a_commit("2"))
    room.clock.ns += 2 * NS_PER_S

    [notice] = [notice for word in room.fire(AGAIN) if isinstance(word, Commit) for notice in word.notices]

    assert (notice.kind, notice.ts) == ("database_away", room.clock.ns)
    assert notice.body.startswith("gone. ")
    assert "2 decisions wait" in notice.body


def test_an_outage_is_logged_with_what_waits() -> None:
    room, lines = Room(), list[str]()
    sink = logger.add(lines.append, format="{level} {extra[action]} {extra[waiting]} {message}", level="WARNING")
    room.store.away = 1

    room.hear(a_commit("1"), a_commit("2"))

    logger.remove(sink)
    assert lines == ["WARNING database.away 2 PostgreSQL is away: gone\n"]


def test_whoever_waits_for_an_answer_hears_at_once_that_postgresql_is_away_and_nothing_later() -> None:
    room = Room()
    room.store.away = 1

    room.hear(a_commit("1", answer=ANSWER))
    room.hear(a_commit("2", answer=ANSWER))
    early = room.wire.so_far()
    room.fire(AGAIN)

    replies = [reply for _, reply in early if isinstance(reply, Reply)]
    assert [reply.error is not None and reply.error.retry for reply in replies] == [True, True]
    assert room.wire.told == []


def test_whoever_asks_after_an_outage_is_answered_once_it_stands() -> None:
    room = Room()
    room.store.away = 1
    room.hear(a_commit("1"))
    room.fire(AGAIN)

    room.hear(a_commit("2", answer=ANSWER))

    assert room.wire.told == [("reply to r", DONE)]


def test_a_persons_close_is_answered_when_orders_has_it() -> None:
    room = Room()
    room.store.away = 1
    close = CloseInEffect(trade_id="t", state=TradeState.CLOSING, began=True)
    answer = Answer(reply_to="r", reply=replace(DONE, result=close))

    room.hear(a_commit("1", answer=answer))
    early = room.wire.so_far()
    room.hear(stored("t"))

    assert (early, room.wire.told) == ([], [("reply to r", answer.reply)])


def test_a_persons_close_that_orders_has_is_answered_though_its_commit_must_wait() -> None:
    room = Room()
    room.store.away = 1
    close = CloseInEffect(trade_id="t", state=TradeState.CLOSING, began=True, client_order_id="t-close-1")
    answer = Answer(reply_to="r", reply=replace(DONE, result=close))
    room.hear(stored("t"))

    room.hear(a_commit("1", answer=answer))
    room.hear(a_commit("2", answer=answer))

    assert room.wire.told == [("reply to r", answer.reply)] * 2


def test_commands_stay_in_the_stream_while_too_much_waits() -> None:
    room = Room(backlog_max=4)
    room.store.away = 1
    room.hear(a_commit("1"))
    room.hear(*map(a_commit, "23"))
    before = room.wire.so_far()

    room.hear(a_commit("4"))
    room.hear(a_commit("5"))
    paused = room.wire.so_far()
    room.fire(AGAIN)

    assert (before, paused, room.wire.told) == ([], [("pause", None)], [("resume", None)])


def test_a_flood_of_commits_that_postgresql_takes_keeps_no_command_waiting() -> None:
    room = Room(backlog_max=2)

    room.hear(*map(a_commit, "1234"))

    assert room.wire.told == []


def test_commands_are_taken_again_once_less_than_half_of_the_limit_waits() -> None:
    room, left = Room(batch_max=1, backlog_max=4), list[int]()
    room.wire.resume_commands = lambda: left.append(len(room.backlog.commits))  # type: ignore[method-assign]  # what is tested
    room.store.away = 1
    said = room.hear(a_commit("1"))
    room.hear(*map(a_commit, "234"))

    while isinstance(said[0], SetTimer):
        said = room.fire(said[0])

    assert left == [1]


def test_how_far_a_stream_has_had_its_effect_is_noted_once_its_commits_stand() -> None:
    """Fault 7: where the next process must begin to read."""
    room = Room()
    room.clock.ns = 10 * NS_PER_S
    for sequence in (8, 9):
        room.backlog.places.heard("ORDERS", sequence)

    room.hear(a_commit("1", sequence=8))
    room.hear(a_commit("2", sequence=9))
    room.clock.ns += NS_PER_S
    room.hear(a_commit("3"))

    assert room.store.reached == [({"ORDERS": 8}, 10 * NS_PER_S), ({"ORDERS": 9}, 11 * NS_PER_S)]


def test_an_order_of_a_lost_trade_has_had_its_effect_once_its_row_stands() -> None:
    """S10, Fault 18"""
    room = Room()
    room.clock.ns = 10 * NS_PER_S
    room.backlog.places.awaited("ORDERS", 7, an_order().client_order_id)
    room.backlog.places.heard("ORDERS", 8)

    room.hear(replace(a_commit("1", sequence=8), orders=(an_order(),)))

    assert room.store.reached == [({"ORDERS": 8}, 10 * NS_PER_S)]


def test_status_says_that_postgresql_is_away_and_why() -> None:
    room = Room()
    room.store.away = 1

    room.hear(a_commit("1"))
    away = room.status.status((), 1)
    room.fire(AGAIN)

    assert (away.level, away.databases["postgres"]) == ("critical", "away: gone")
    assert room.status.status((), 1).databases["postgres"] == "up"


def test_the_sender_of_a_refused_commit_is_told_and_its_neighbours_stand() -> None:
    room, bad = Room(), a_commit("2", an_outgoing("never"), answer=ANSWER)
    room.store.refuse = {"2"}

    said = room.hear(bad, a_commit("3", an_outgoing("sent")))

    assert said == [CommitRefused(commit=bad, error="bad row")]
    assert room.wire.told == [("publish", ["sent"])]


def test_a_question_is_answered_beside_the_writer() -> None:
    room = Room()
    room.hear(a_question("trades"))
    assert room.wire.told == []

    room.readers.read()

    answer = Reply(ok=True, instance="test", epoch=3, ts=NOW_NS, result={"kind": "trades"})
    assert room.wire.told == [("reply to r", answer)]


def test_a_question_that_postgresql_cannot_answer_says_so_and_that_asking_again_may_help() -> None:
    room = Room()
    room.hear(a_question("away"))

    room.readers.read()

    error = Error(code=ErrorCode.UNAVAILABLE, message="PostgreSQL does not answer (gone); ask again", retry=True)
    answer = Reply(ok=False, instance="test", epoch=3, ts=NOW_NS, error=error)
    assert room.wire.told == [("reply to r", answer)]


def test_a_question_whose_answer_cannot_be_read_is_not_answered_with_nothing() -> None:
    """Nothing would mean that there is no such trade."""
    room, lines = Room(), list[str]()
    sink = logger.add(lines.append, format="{level} {extra[action]} {message}", level="ERROR")
    room.hear(a_question("unreadable"))

    room.readers.read()

    logger.remove(sink)
    words = "the answer cannot be read (ValueError('who knows')); the log has more"
    answer = Reply(ok=False, instance="test", epoch=3, ts=NOW_NS, error=Error(code=ErrorCode.INTERNAL, message=words))
    assert room.wire.told == [("reply to r", answer)]
    assert room.activity.outstanding == 0
    assert lines[0].startswith("ERROR database.unreadable query unreadable failed\nTraceback")


def test_a_process_that_another_epoch_has_fenced_ends_at_once() -> None:
    """Fault 45: after a takeover an older epoch writes nothing and exits."""
    room = Room()
    room.store.fenced = True

    room.hear(a_commit("1", sequence=1))

    assert room.ended == [(70, "PostgreSQL has another leader: epoch 4 leads")]
    assert room.wire.told == []


def test_a_commit_with_a_close_waits_until_orders_has_it() -> None:
    """Both end at the same disk, and the order is nowhere yet."""
    room = Room()

    said = room.hear(a_commit("close", a_close("t1")), a_commit("other"))
    before = list(room.store.batches)
    room.hear(stored("t1"))

    assert said == [SetTimer(owner="database", key="orders_first", due_ns=NOW_NS + 5 * NS_PER_MS)]
    assert before == []
    assert room.store.batches == [["close", "other"]]


def test_a_commit_waits_for_orders_no_longer_than_its_timer() -> None:
    room = Room()

    [timer] = room.hear(a_commit("close", a_close("t1")))
    room.fire(timer)

    assert room.store.batches == [["close"]]


def test_a_full_batch_waits_for_no_order() -> None:
    room = Room(batch_max=2)

    room.hear(a_commit("close", a_close("t1")))
    room.hear(a_commit("other"))

    assert room.store.batches == [["close", "other"]]


def test_a_close_that_orders_had_before_its_commit_came_holds_nothing_up() -> None:
    room = Room()

    room.hear(stored("t1"))
    room.hear(a_commit("close", a_close("t1")))

    assert room.store.batches == [["close"]]


def test_what_stands_is_heard_here_before_anybody_else_can_know() -> None:
    """The snapshot never lags behind what the house has said of itself."""
    room = Room()
    room.store.refuse = {"bad"}
    room.store.meanwhile = lambda: room.put(a_commit("bad", sequence=9), a_commit("2", sequence=9))

    room.hear(a_commit("1", sequence=8))

    assert room.kept == [(["1"], {}, NOW_NS, 0), (["2"], {}, NOW_NS, 1)]


def test_how_far_the_record_reaches_is_told_with_what_stands() -> None:
    room = Room()
    room.backlog.places = Places({"ORDERS": Place(reached=4)})

    room.hear(a_commit("1"))

    assert [reached for _, reached, *_ in room.kept] == [{"ORDERS": 4}]


def test_a_message_is_marked_once_nats_has_it_and_once_only() -> None:
    """K12"""
    room = Room()
    room.hear(a_commit("1", an_outgoing("a"), an_outgoing("b")))

    room.hear(Published(msg_ids=("a",), now_ns=1))
    room.hear(Published(msg_ids=("b",), now_ns=1))
    room.hear(a_commit("2"))

    assert room.store.marked == ["a", "b"]
    assert room.backlog.unconfirmed == set()


def test_an_input_whose_commit_is_refused_is_acknowledged_and_counted() -> None:
    """L5: it stands in quarantine; delivered again it would be refused again."""
    room = Room()
    room.store.refuse = {"bad"}

    room.hear(a_commit("bad", sequence=9))

    assert room.wire.told == [("acknowledge", 9)]
    assert room.status.quarantined == 1


def test_what_a_commit_puts_into_quarantine_is_counted_once_it_stands() -> None:
    room = Room()
    odd = Quarantined(subject="s", body=b"?", reason="no JSON", received_ns=1)

    room.hear(replace(a_commit("1"), quarantined=(odd, odd)))

    assert room.status.quarantined == 2


def test_a_full_batch_is_written_though_more_waits() -> None:
    room, behind = Room(batch_max=2), list[int]()
    room.store.meanwhile = lambda: behind.append(room.inbox.waiting())

    room.hear(*map(a_commit, "123"))

    assert behind == [1]
    assert room.store.batches == [["1", "2"], ["3"]]


def test_a_commit_that_waited_out_an_outage_is_let_go_once() -> None:
    """Fault 16, S1: what was written is not written again."""
    room = Room()
    room.store.away = 2

    room.hear(a_commit("1", an_outgoing("a"), sequence=9))
    room.fire(AGAIN)
    room.fire(AGAIN)

    assert room.store.batches == [["1"]]
    assert room.wire.told == [("acknowledge", 9), ("publish", ["a"])]


def test_work_that_stands_is_under_way_no_longer() -> None:
    room = Room()
    room.store.refuse = {"bad"}
    under_way = list[int]()
    room.store.meanwhile = lambda: under_way.append(room.activity.outstanding)

    room.hear(a_commit("1"), a_commit("bad"), a_question("trades"))
    under_way.append(room.activity.outstanding)
    room.readers.read()

    assert [*under_way, room.activity.outstanding] == [4, 1, 0]
