"""Works an actor that was never started: what pykka's own loop does with a word, on the caller's thread (4.5, private methods)."""

import sys

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
