"""Works actors that were never started: what pykka's own loop does with a word, on the caller's thread (4.5, private methods)."""

import sys
from collections.abc import Callable

from actors.inbox import Inbox
from actors.watched import WatchedActor


def begin(actor: WatchedActor) -> bool:
    """Let `actor` do what stands before its first word; return whether it lives."""
    try:
        actor.on_start()
    except Exception:  # noqa: BLE001  # the root knows, and builds another
        actor._handle_failure(*sys.exc_info())  # noqa: SLF001  # as below
        return False
    return True


def give_turn(actor: WatchedActor, inbox: Inbox, word: object) -> bool:
    """Let `actor` work a word, which it took from `inbox`; return whether it lives."""
    try:
        actor.on_receive(word)
    except Exception:  # noqa: BLE001  # the root decides, as it does for an actor with a thread
        actor._handle_failure(*sys.exc_info())  # noqa: SLF001  # what pykka's own loop calls
        actor.on_failure(*sys.exc_info())
        return False
    inbox.done()
    return True


class Hands:
    """Works actors that have no thread of their own: a word of an inbox at a time, on whatever thread asks for it."""

    def __init__(self) -> None:
        self._actors: dict[Inbox, WatchedActor] = {}

    def __len__(self) -> int:
        """Return how many actors there are to work."""
        return len(self._actors)

    def take_on(self, actor: WatchedActor, ring: Callable[[Inbox], None]) -> None:
        """Begin to work `actor`. ring: called for each word in its inbox, also those that were there before it."""
        if not begin(actor):
            return
        self._actors[actor.inbox] = actor
        actor.inbox.ring = ring
        # What came before it was here, or was left by the incarnation before it.
        for _ in range(actor.inbox.waiting()):
            ring(actor.inbox)

    def let_go(self, actor: WatchedActor) -> bool:
        """Stop `actor`, which has no turn just now; False if it is not worked here."""
        if self._actors.pop(actor.inbox, None) is None:
            return False
        actor._stop()  # noqa: SLF001  # as above
        return True

    def work(self, inbox: Inbox) -> None:
        """Give the actor of `inbox` one turn; none if it is dead, or has nothing to do."""
        actor = self._actors.get(inbox)
        word = None if actor is None else inbox.take(0)
        if actor is None or word is None:
            return
        if not give_turn(actor, inbox, word):
            self._actors.pop(inbox, None)
