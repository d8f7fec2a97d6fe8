"""Supervisor: the root. Starts the actors in order, hears of their deaths, rebuilds them, stops them in reverse order.

What must outlive an actor belongs here: its inbox, and whatever its next incarnation is built from. Restarts wait longer each time
and have a limit within a window; beyond it the process ends, and supervisord starts a clean one (DESIGN section 3).

An actor may also be alive and do nothing. So each is asked in rounds, by a beat through its inbox, and so is the wire's thread;
one that neither answers nor finishes anything is stuck, and nothing mends that but another process: a thread cannot be ended.
The rounds come from Timer, and each feeds the watchdog, which notices when Timer or the supervisor hangs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import pykka
from loguru import logger

from actors.database import EXIT_INTERNAL
from actors.inbox import Inbox
from actors.ports import Clock, Say
from actors.rules import notice_words
from actors.rules.crashes import crash_words
from actors.rules.folding.flood import FloodWatch
from actors.rules.pulse import Pulse
from actors.rules.restarts import Restarts
from actors.rules.status import StatusBoard
from actors.turns import Turns
from actors.watchdog import stacks
from actors.watched import Failed, WatchedActor
from bus.messages.accounts import EquityStanding
from bus.messages.envelope import Received
from bus.messages.notices import Notice
from bus.messages.reconcile import AccountStanding
from bus.messages.records import Answer
from bus.messages.stops import StopCoverage
from bus.messages.system import ActorHealth, Reply, Status, SystemCommand, SystemEvent
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.trades import Trade

NAME: Final = "supervisor"
TIMER: Final = "timer"
_HEALTH: Final = "health"
_BEAT: Final = "beat"
_RESTART: Final = "restart"


class ActorFailed(msgspec.Struct, frozen=True, kw_only=True):
    """A child died of `error`, or could not be built."""

    name: str
    error: str
    now_ns: int


@dataclass(slots=True)
class Child:
    """One actor of the tree. `build` makes a new incarnation around `inbox` from what the root holds.

    restarts: of its whole life; history: what the limits look at. answers: how many beats were answered when it was started.
    """

    name: str
    inbox: Inbox
    build: Callable[[Inbox, Failed], WatchedActor]
    history: Restarts
    pulse: Pulse
    actor: WatchedActor | None = None
    restarts: int = 0
    answers: int = 0

    @property
    def is_alive(self) -> bool:
        """Whether its present incarnation works."""
        return self.actor is not None and self.actor.actor_ref.is_alive()

    @property
    def has_answered(self) -> bool:
        """Whether its present incarnation has begun, and has come to its inbox."""
        return self.is_alive and self.inbox.answers > self.answers


class WirePulse:
    """The wire's thread, asked as an actor is. ask: has its argument called on that thread, soon."""

    def __init__(self, ask: Callable[[Callable[[], None]], None], pulse: Pulse) -> None:
        self._ask = ask
        self._pulse = pulse
        self._answers = True

    def is_stuck(self) -> bool:
        """Note one more round, and ask again."""
        if self._pulse.is_stuck(answers=self._answers, done=0):
            return True
        if self._answers:
            self._answers = False
            self._ask(self._answer)
        return False

    def _answer(self) -> None:
        self._answers = True


class Supervisor(WatchedActor):
    """Owns the tree. `escalate` ends the process; `board` counts what `status` tells; `moves` feeds the watchdog."""

    def __init__(
        self,
        inbox: Inbox,
        *,
        children: list[Child],
        wire: WirePulse,
        turns: Turns,
        clock: Clock,
        say: Say,
        board: StatusBoard,
        escalate: Callable[[int, str], None],
        moves: Callable[[], None],
        health_ns: int,
        beat_ns: int,
        stop_timeout_s: float,
    ) -> None:
        super().__init__(inbox, self._escalate_own)
        self._children = {child.name: child for child in children}
        self._wire = wire
        self._turns = turns
        self._clock = clock
        self._say = say
        self._board = board
        self._escalate = escalate
        self._moves = moves
        self._health_ns = health_ns
        self._beat_ns = beat_ns
        self._stop_timeout_s = stop_timeout_s
        self._flood = FloodWatch()

    def begin(self) -> None:
        """Start the children in order."""
        self._moves()
        for child in self._children.values():
            self._start(child)
        now_ns = self._clock.now_ns()
        self._set_timer(_HEALTH, now_ns + self._health_ns)
        self._set_timer(_BEAT, now_ns + self._beat_ns)

    def on_receive(self, message: Any) -> None:  # noqa: ANN401  # pykka's signature
        """Hear failures, count what `status` tells, answer it."""
        match message:
            case ActorFailed():
                self._mend(message)
            case Trade() | StopCoverage() | SystemEvent() | AccountStanding() | EquityStanding() | Notice():
                self._board.note(message)
            case Received(message=SystemCommand(account=account), reply_to=str() as reply_to, received_ns=now_ns):
                status = self.status(now_ns, account)
                reply = Reply(ok=True, instance=status.instance, epoch=status.epoch, ts=now_ns, result=status)
                self._say(Answer(reply_to=reply_to, reply=reply))
            case TimerFired():
                self._hear_timer(message)

    def status(self, now_ns: int, account: str | None = None) -> Status:
        """Return what `system.request.status` answers; see `StatusBoard.status`."""
        actors = tuple(
            ActorHealth(
                name=child.name,
                alive=child.is_alive,
                answers=child.has_answered,
                inbox=child.inbox.waiting(),
                restarts=child.restarts,
                handled=child.inbox.handled,
                folded=child.inbox.folded,
                late=child.inbox.late,
            )
            for child in self._children.values()
        )
        return self._board.status(actors, now_ns, account)

    def on_stop(self) -> None:
        """Stop the children in reverse order, each after what already waits for it."""
        for child in reversed(self._children.values()):
            if child.actor is not None and child.is_alive:
                self._turns.stop(child.actor, self._stop_timeout_s)
        super().on_stop()

    # Life and death

    def _start(self, child: Child) -> None:
        try:
            # `Actor.start` builds and starts in one; ours are built by a closure, so the two steps stand apart.
            actor = child.build(child.inbox, self._tell_failed)
        except Exception as error:  # noqa: BLE001  # to fail in being built is to die
            child.actor = None
            self._tell_failed(child.name, error)
            return
        child.actor = actor
        child.answers = child.inbox.answers
        child.inbox.beat()
        pykka.ActorRegistry.register(actor.actor_ref)
        self._turns.start(actor)

    def _tell_failed(self, name: str, error: BaseException) -> None:
        """Called on the thread of the dying actor."""
        self.inbox.put(ActorFailed(name=name, error=repr(error), now_ns=self._clock.now_ns()))

    def _escalate_own(self, _name: str, error: BaseException) -> None:
        self._escalate(EXIT_INTERNAL, f"the supervisor itself died: {error!r}")

    def _mend(self, failed: ActorFailed) -> None:
        child = self._children[failed.name]
        child.restarts += 1
        logger.bind(action="actor.restarted", actor=child.name).error("{} died: {}", child.name, failed.error)
        wait_ns = child.history.crashed(failed.now_ns, f"{self._board.instance}:{child.name}:{child.restarts}")
        if wait_ns is None:
            self._escalate(EXIT_INTERNAL, f"{child.name} died {child.history.recent} times: {failed.error}")
            return
        poison = child.inbox.after_crash()
        # With the word that crashed it its cause is gone; and without Timer nobody would say that the time has come.
        if wait_ns == 0 or poison is not None or child.name == TIMER:
            self._start(child)
        else:
            self._set_timer(f"{_RESTART}:{child.name}", failed.now_ns + wait_ns)
        for word in crash_words(NAME, child.name, failed.error, failed.now_ns, poison):
            self._say(word)

    # Rounds

    def _hear_timer(self, fired: TimerFired) -> None:
        kind, _, name = fired.key.partition(":")
        if kind == _HEALTH:
            folded = sum(child.inbox.folded for child in self._children.values())
            for notice in (*self._board.protection.check(fired.now_ns), *self._flood.look(folded, fired.now_ns)):
                for word in notice_words.say(notice, sender=NAME):
                    self._say(word)
            self._say(self.status(fired.now_ns))
            self._set_timer(_HEALTH, fired.now_ns + self._health_ns)
        elif kind == _BEAT:
            self._beat()
            self._set_timer(_BEAT, fired.now_ns + self._beat_ns)
        elif kind == _RESTART:
            self._start(self._children[name])

    def _beat(self) -> None:
        for child in self._children.values():
            if child.is_alive:
                if child.pulse.is_stuck(answers=child.inbox.is_answered, done=child.inbox.handled):
                    self._end_stuck(child.name)
                child.inbox.beat()
            elif child.actor is not None and not child.actor.told:
                # pykka ends every actor in silence when one of them raises what is no Exception.
                child.actor.told = True
                self._tell_failed(child.name, RuntimeError("it has stopped without a word"))
        if self._wire.is_stuck():
            self._end_stuck("the NATS thread")
        self._moves()

    def _end_stuck(self, name: str) -> None:
        self._escalate(EXIT_INTERNAL, f"{name} is stuck\n{stacks()}")

    def _set_timer(self, key: str, due_ns: int) -> None:
        self._say(SetTimer(owner=NAME, key=key, due_ns=due_ns))
