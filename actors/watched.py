"""What every actor of the house shares: an inbox that outlives it, and a root that hears of its death.

What pykka 4.5 does, read in its source and tried: an exception from a told message stops the actor for good and calls
`on_failure`, not `on_stop`; one from `on_start` calls neither. So `on_start` here is guarded too, and both end in `failed`.
"""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from itertools import dropwhile
from operator import is_not
from typing import TYPE_CHECKING, Any, Protocol

import pykka
from pykka._envelope import Envelope

from actors.inbox import Inbox, Tap

if TYPE_CHECKING:
    from types import TracebackType

Failed = Callable[[str, BaseException], None]
"""Tells the root that the named actor has died, and of what."""


class Engine(Protocol):
    """A decision maker: pure, single-threaded; returns what it says, in order."""

    def handle(self, word: Any) -> list[object]:  # noqa: ANN401  # each engine knows its own words
        """Decide about `word`. State changes only after everything that can raise has been computed."""
        ...


class WatchedActor(pykka.ThreadingActor):
    """An actor with a name, an inbox of the supervisor's, and a root that watches it."""

    def __init__(self, inbox: Inbox, failed: Failed) -> None:
        tap = Tap(inbox)
        # pykka asks the class for an inbox; ours is handed in, because it outlives this incarnation.
        self._create_actor_inbox = lambda: tap  # type: ignore[method-assign]
        super().__init__()
        self.inbox = inbox
        self.ended = threading.Event()
        """Set once it will do nothing more, however it ended."""
        self.told = False
        """Whether the root knows that it has ended, and of what."""
        self._failed = failed

    def begin(self) -> None:
        """Do what must be done before the first word; a failure here counts as a crash."""

    def next_due_ns(self) -> int | None:
        """Return when it wants a turn without a word; None: never. For whoever gives turns; a thread of its own waits by itself."""
        return None

    def on_start(self) -> None:
        """Start, and tell the root if that fails: pykka would not."""
        try:
            self.begin()
        except Exception as error:
            self._tell(error)
            raise

    def on_stop(self) -> None:
        """Say that it has ended in order."""
        if isinstance(self.inbox.in_hand, Envelope):
            # That was the word to stop; nobody needs it any more.
            self.inbox.done()
        self.ended.set()

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: "TracebackType | None",
    ) -> None:
        """Tell the root."""
        assert exception_type is not None or traceback is None
        self._tell(exception_value or RuntimeError("died without an exception"))

    def _tell(self, error: BaseException) -> None:
        self.told = True
        self._failed(self.inbox.name, error)
        self.ended.set()


class EngineActor(WatchedActor):
    """A thin shell around an engine: hands it each word, and says what it decides.

    An engine has gone on once it has decided: what it says must be heard, also if saying it crashes this actor.
    """

    def __init__(self, inbox: Inbox, failed: Failed, *, engine: Engine, say: Callable[[object], None]) -> None:
        super().__init__(inbox, failed)
        self._engine = engine
        self._say = say

    def begin(self) -> None:
        """Say first what the incarnation before could not."""
        unsaid = self.inbox.unsaid
        while unsaid:
            self._say(unsaid[0])
            unsaid.popleft()

    def on_receive(self, message: Any) -> None:  # noqa: ANN401  # pykka's signature
        """Let the engine decide, and say what it says, in order."""
        self._say_all(self._engine.handle(message))

    def _say_all(self, said: Sequence[object]) -> None:
        say = self._say
        word: object = None
        try:
            for word in said:
                say(word)
        except Exception:
            self.inbox.leave_unsaid(dropwhile(partial(is_not, word), said))
            raise
