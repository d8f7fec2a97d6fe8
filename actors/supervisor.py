"""Supervisor: the root. Starts the actors in order, hears of their deaths, rebuilds them, stops them in reverse order.

What must outlive an actor belongs here: its inbox, and whatever its next incarnation is built from. Restarts have a limit
within a window; beyond it the process ends, and supervisord starts a clean one (DESIGN section 3).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import pykka
from loguru import logger

from actors.database import EXIT_INTERNAL
from actors.inbox import Inbox
from actors.ports import Clock, Say
from actors.rules import notice_words
from actors.rules.status import StatusBoard
from actors.turns import Turns
from actors.watched import Failed, WatchedActor
from bus.messages.accounts import EquityStanding
from bus.messages.addresses import notice as notice_subject
from bus.messages.envelope import Malformed, Outgoing, Received
from bus.messages.notices import Notice, Severity
from bus.messages.reconcile import AccountStanding
from bus.messages.records import Answer, Commit, Quarantined
from bus.messages.stops import StopCoverage
from bus.messages.system import ActorHealth, Reply, Status, SystemCommand, SystemEvent
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.trades import Trade
from bus.messages.units import NS_PER_MS

NAME: Final = "supervisor"


class ActorFailed(msgspec.Struct, frozen=True, kw_only=True):
    """A child died of `error`."""

    name: str
    error: str
    now_ns: int


@dataclass(slots=True)
class Child:
    """One actor of the tree. `build` makes a new incarnation around `inbox` from what the root holds."""

    name: str
    inbox: Inbox
    build: Callable[[Inbox, Failed], WatchedActor]
    actor: WatchedActor | None = None
    restarts: int = 0
    recent_ns: deque[int] = field(default_factory=deque)

    @property
    def is_alive(self) -> bool:
        """Whether its present incarnation works."""
        return self.actor is not None and self.actor.actor_ref.is_alive()


class Supervisor(WatchedActor):
    """Owns the tree. `escalate` ends the process; `board` counts what `status` tells; `stamp` knows who and which epoch."""

    def __init__(
        self,
        inbox: Inbox,
        *,
        children: list[Child],
        turns: Turns,
        clock: Clock,
        say: Say,
        board: StatusBoard,
        escalate: Callable[[int, str], None],
        restart_max: int,
        restart_window_ns: int,
        health_interval_ns: int,
    ) -> None:
        super().__init__(inbox, self._escalate_own)
        self._children = {child.name: child for child in children}
        self._turns = turns
        self._clock = clock
        self._say = say
        self._board = board
        self._escalate = escalate
        self._restart_max = restart_max
        self._restart_window_ns = restart_window_ns
        self._health_interval_ns = health_interval_ns

    def begin(self) -> None:
        """Start the children in order."""
        for child in self._children.values():
            self._start(child)
        self._set_health_timer(self._clock.now_ns())

    def on_receive(self, message: Any) -> None:  # noqa: ANN401  # pykka's signature
        """Hear failures, count what `status` tells, answer it."""
        match message:
            case ActorFailed():
                self._rebuild(message)
            case Trade() | StopCoverage() | SystemEvent() | AccountStanding() | EquityStanding() | Notice():
                self._board.note(message)
            case Received(message=SystemCommand(account=account), reply_to=str() as reply_to, received_ns=now_ns):
                status = self.status(now_ns, account)
                reply = Reply(ok=True, instance=status.instance, epoch=status.epoch, ts=now_ns, result=status)
                self._say(Answer(reply_to=reply_to, reply=reply))
            case TimerFired(now_ns=now_ns):
                for notice in self._board.protection.check(now_ns):
                    for word in notice_words.say(notice, sender=NAME):
                        self._say(word)
                self._say(self.status(now_ns))
                self._set_health_timer(now_ns)

    def status(self, now_ns: int, account: str | None = None) -> Status:
        """Return what `system.request.status` answers; see `StatusBoard.status`."""
        actors = tuple(
            ActorHealth(
                name=child.name,
                alive=child.is_alive,
                inbox=child.inbox.waiting(),
                restarts=child.restarts,
                handled=child.inbox.handled,
            )
            for child in self._children.values()
        )
        return self._board.status(actors, now_ns, account)

    def on_stop(self) -> None:
        """Stop the children in reverse order, each after what already waits for it."""
        for child in reversed(self._children.values()):
            if child.actor is not None and child.is_alive:
                self._turns.stop(child.actor)
        super().on_stop()

    def _start(self, child: Child) -> None:
        # `Actor.start` builds and starts in one; ours are built by a closure, so the two steps stand apart.
        child.actor = child.build(child.inbox, self._tell_failed)
        pykka.ActorRegistry.register(child.actor.actor_ref)
        self._turns.start(child.actor)

    def _tell_failed(self, name: str, error: BaseException) -> None:
        """Called on the thread of the dying actor."""
        self.inbox.put(ActorFailed(name=name, error=repr(error), now_ns=self._clock.now_ns()))

    def _escalate_own(self, _name: str, error: BaseException) -> None:
        self._escalate(EXIT_INTERNAL, f"the supervisor itself died: {error!r}")

    def _rebuild(self, failed: ActorFailed) -> None:
        child = self._children[failed.name]
        child.restarts += 1
        child.recent_ns.append(failed.now_ns)
        while failed.now_ns - child.recent_ns[0] > self._restart_window_ns:
            child.recent_ns.popleft()
        logger.bind(action="actor.restarted", actor=child.name).error("{} died: {}", child.name, failed.error)
        if len(child.recent_ns) > self._restart_max:
            self._escalate(EXIT_INTERNAL, f"{child.name} died {len(child.recent_ns)} times: {failed.error}")
            return
        poison = child.inbox.after_crash()
        self._start(child)
        self._say(_crash_record(child, failed, poison))

    def _set_health_timer(self, now_ns: int) -> None:
        self._say(SetTimer(owner=NAME, key="health", due_ns=now_ns + self._health_interval_ns))


def _crash_record(child: Child, failed: ActorFailed, poison: object | None) -> Commit:
    """Keep what is known of a crash: a notice, and the word that caused it if it was given up."""
    critical = poison is not None
    notice = Notice(
        notice_id=f"actor-{child.name}-{failed.now_ns // NS_PER_MS}",
        kind="actor_restarted",
        severity=Severity.CRITICAL if critical else Severity.WARNING,
        title=f"{child.name} was restarted",
        body=f"It died of {failed.error[:500]}. "
        + ("The word that crashed it twice is in quarantine." if critical else "The word in hand is tried once more."),
        dedupe_key=f"actor_restarted:{child.name}",
        ts=failed.now_ns,
    )
    outgoing = Outgoing(
        subject=notice_subject(notice.severity, notice.kind), msg_id=f"notice:{notice.notice_id}", message=notice
    )
    return Commit(
        sender=NAME,
        cause=f"crash:{child.name}:{failed.now_ns}",
        now_ns=failed.now_ns,
        notices=(notice,),
        quarantined=(_quarantine(poison, failed),) if poison is not None else (),
        outbox=(outgoing,),
        delivery=poison.delivery if isinstance(poison, Received | Malformed) else None,
    )


def _quarantine(poison: object, failed: ActorFailed) -> Quarantined:
    if isinstance(poison, Received):
        return Quarantined(
            subject=poison.subject,
            body=poison.body,
            reason=failed.error,
            received_ns=poison.received_ns,
            key=poison.key,
        )
    return Quarantined(
        subject=f"actor.{failed.name}",
        body=repr(poison).encode()[:65_536],
        reason=failed.error,
        received_ns=failed.now_ns,
    )
