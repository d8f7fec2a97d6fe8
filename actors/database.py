"""Database: the only owner of connections. One writer with group commit, a few readers.

While a commit runs on this actor's thread, others queue up in its inbox; all of them go into the next transaction, in order.
What waits for a commit to stand (an acknowledgement, an answer, an entry order) is let go afterwards, from here.
With PostgreSQL away everything waits here, in order, and is written when it returns: one batch for each word, so that what
else comes is heard in between. Above `backlog_max` commits no more commands are pulled; reports and closes go on.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from typing import Any, Final

from loguru import logger
from msgspec.structs import replace

from actors.activity import Activity
from actors.inbox import Inbox
from actors.ports import Clock, Say, Store, Wire
from actors.rules.record.early_answers import EarlyAnswers
from actors.rules.record.orders_first import KEY as ORDERS_FIRST
from actors.rules.record.orders_first import OrdersFirst
from actors.rules.record.outage import OWNER, RETRY, Outage
from actors.rules.record.places import Places
from actors.rules.status import StatusBoard
from actors.watched import Failed, WatchedActor
from bus.messages.addresses import submitted
from bus.messages.failures import Fenced, StoreUnavailable
from bus.messages.records import Answer, Commit, CommitRefused, Kept, OrderStored, Place, Published, Query
from bus.messages.system import Error, ErrorCode, Reply
from bus.messages.timers import SetTimer, TimerFired

EXIT_INTERNAL: Final = 70


class Backlog:
    """What is not written yet, and which direct messages NATS has. Belongs to the supervisor: it outlives the actor."""

    def __init__(self, places: Mapping[str, Place] | None = None) -> None:
        self.places = Places(places)
        """How far each stream has had its effect."""
        self.commits: list[Commit] = []
        self.published: list[str] = []
        self.confirmed_early: set[str] = set()
        """Direct messages that NATS stored before their row stood."""
        self.unconfirmed: set[str] = set()
        """Messages whose row stands and which NATS may not have."""
        self.outage = Outage()
        self.early_answers = EarlyAnswers()
        self.commands_paused = False


class Database(WatchedActor):
    """Serialises access to PostgreSQL. batch_max: commits in one transaction; backlog_max: waiting, before commands stop.

    kept: hears what stands, before anybody else can know.
    """

    def __init__(
        self,
        inbox: Inbox,
        failed: Failed,
        *,
        store: Store,
        wire: Wire,
        clock: Clock,
        say: Say,
        backlog: Backlog,
        batch_max: int,
        backlog_max: int,
        readers: Executor,
        activity: Activity,
        status: StatusBoard,
        escalate: Callable[[int, str], None],
        kept: Callable[[Kept], None] | None = None,
    ) -> None:
        super().__init__(inbox, failed)
        self._store = store
        self._wire = wire
        self._clock = clock
        self._say = say
        self._backlog = backlog
        self._batch_max = batch_max
        self._backlog_max = backlog_max
        self._readers = readers
        self._activity = activity
        self._status = status
        self._escalate = escalate
        self._kept = kept
        self._may_try = True
        self._orders_first = OrdersFirst()

    def on_receive(self, message: Any) -> None:  # noqa: ANN401  # pykka's signature
        """Queue up; write once nothing else waits, or the batch is full."""
        match message:
            case Commit():
                self._activity.begin()
                self._take_on(message)
            case Published(msg_ids=msg_ids):
                self._note_published(msg_ids)
            case OrderStored(client_order_id=client_order_id):
                self._orders_first.order_stored(submitted(client_order_id))
                self._note_published((submitted(client_order_id),))
                self._reply(self._backlog.early_answers.order_stored(message))
            case Query():
                self._activity.begin()
                self._readers.submit(self._answer, message)
            case TimerFired(key=key) if key == ORDERS_FIRST:
                self._orders_first.give_up()
            case TimerFired():
                self._may_try = True
        is_time = self.inbox.is_idle() and not self._orders_first
        if self._may_try and (is_time or len(self._backlog.commits) >= self._batch_max):
            self._flush()

    def _take_on(self, commit: Commit) -> None:
        backlog = self._backlog
        backlog.commits.append(commit)
        self._say_all(self._orders_first.hear(commit, backlog.confirmed_early, self._clock.now_ns()))
        if backlog.outage.is_on:
            self._reply(backlog.early_answers.hear(commit, backlog.confirmed_early))
            if not backlog.commands_paused and len(backlog.commits) >= self._backlog_max:
                backlog.commands_paused = True
                self._wire.pause_commands()

    def _flush(self) -> None:
        """Write one batch; what is left is written after what else waits in the inbox."""
        backlog = self._backlog
        try:
            if backlog.commits:
                commits = backlog.commits[: self._batch_max]
                refused = self._store.commit(commits)
                del backlog.commits[: len(commits)]
                self._let_go(commits, refused)
            now_ns = self._clock.now_ns()
            reached = backlog.places.to_note(now_ns)
            if backlog.published or reached:
                self._store.mark_published(backlog.published, now_ns, reached)
                backlog.places.noted(reached, now_ns)
                backlog.published = []
        except Fenced as error:
            self._escalate(EXIT_INTERNAL, f"PostgreSQL has another leader: {error}")
        except StoreUnavailable as error:
            self._wait(str(error))
        else:
            self._go_on()

    def _wait(self, error: str) -> None:
        backlog = self._backlog
        logger.bind(action="database.away", waiting=len(backlog.commits)).warning("PostgreSQL is away: {}", error)
        self._may_try = False
        if not backlog.outage.is_on:
            for commit in backlog.commits:
                self._reply(backlog.early_answers.hear(commit, backlog.confirmed_early))
        self._status.note_record(error)
        self._say_all(backlog.outage.failed(error, len(backlog.commits), self._clock.now_ns()))

    def _go_on(self) -> None:
        backlog = self._backlog
        if backlog.commits:
            self._may_try = False
            self._say(SetTimer(owner=OWNER, key=RETRY, due_ns=self._clock.now_ns()))
        elif backlog.outage.is_on:
            self._status.note_record(None)
            backlog.early_answers.end()
            self._say_all(backlog.outage.caught_up(self._clock.now_ns()))
        if backlog.commands_paused and len(backlog.commits) < self._backlog_max // 2:
            backlog.commands_paused = False
            self._wire.resume_commands()

    def _say_all(self, words: Iterable[object]) -> None:
        for word in words:
            self._say(word)

    def _reply(self, answers: Iterable[Answer]) -> None:
        for answer in answers:
            self._wire.reply(answer.reply_to, answer.reply)

    def _let_go(self, commits: list[Commit], refused: list[tuple[Commit, str]]) -> None:
        """Tell the wire and the senders what stands and what does not."""
        reasons = {id(commit): reason for commit, reason in refused}
        if self._kept is not None:
            stand = tuple(commit for commit in commits if id(commit) not in reasons)
            reached = self._backlog.places.on_record()
            self._kept(Kept(commits=stand, reached=reached, now_ns=self._clock.now_ns()))
        for commit in commits:
            reason = reasons.get(id(commit))
            if commit.delivery is not None:
                self._backlog.places.settled(commit.delivery.stream, commit.delivery.sequence)
                self._wire.acknowledge(commit.delivery)
            if reason is not None:
                self._status.note_refused()
                self._say(CommitRefused(commit=commit, error=reason))
            else:
                self._status.note_kept(commit)
                for order in commit.orders:
                    self._backlog.places.stands(order.client_order_id)
                if commit.outbox:
                    self._relay(commit)
                if commit.answer is not None:
                    answer = self._backlog.early_answers.take(commit)
                    self._reply(() if answer is None else (answer,))
            self._activity.end()

    def _relay(self, commit: Commit) -> None:
        """Publish what had to wait for the commit. What left directly is only looked after."""
        backlog = self._backlog
        for outgoing in commit.outbox:
            if outgoing.msg_id in backlog.confirmed_early:
                backlog.confirmed_early.remove(outgoing.msg_id)
                backlog.published.append(outgoing.msg_id)
            else:
                backlog.unconfirmed.add(outgoing.msg_id)
        waiting = [outgoing for outgoing in commit.outbox if not outgoing.direct]
        if waiting:
            self._wire.publish(waiting)

    def _note_published(self, msg_ids: Iterable[str]) -> None:
        backlog = self._backlog
        for msg_id in msg_ids:
            if msg_id in backlog.unconfirmed:
                backlog.unconfirmed.remove(msg_id)
                backlog.published.append(msg_id)
            else:
                backlog.confirmed_early.add(msg_id)

    def _answer(self, query: Query) -> None:
        """Answer a question on a reader's thread, which is a door: whoever asked always gets an answer, and nobody else hears of a fault."""
        reply = Reply(ok=True, instance=self._status.instance, epoch=self._status.epoch, ts=self._clock.now_ns())
        try:
            reply = replace(reply, result=self._store.query(query))
        except StoreUnavailable as error:
            words = f"PostgreSQL does not answer ({error}); ask again"
            reply = replace(reply, ok=False, error=Error(code=ErrorCode.UNAVAILABLE, message=words, retry=True))
        except Exception as error:  # noqa: BLE001  # as the docstring says
            logger.bind(action="database.unreadable").opt(exception=error).error("query {} failed", query.kind)
            words = f"the answer cannot be read ({error!r}); the log has more"
            reply = replace(reply, ok=False, error=Error(code=ErrorCode.INTERNAL, message=words))
        finally:
            self._wire.reply(query.reply_to, reply)
            self._activity.end()
