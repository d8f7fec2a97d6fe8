"""The router: an actor says a typed word and holds no reference to a sibling; who listens is decided here, by type.

A word reaches its local listeners at once, in order, on the thread that said it: each listener only puts it into an inbox or
hands it to the wire. Moving an actor to another process means another table, nothing else.
"""

from collections.abc import Callable, Mapping

from bus.messages.records import CommitRefused
from bus.messages.timers import TimerFired

Listener = Callable[[object], None]


class Router:
    """Hands words to their listeners. `listeners` by type of word; `owners` by name, for words that name their receiver."""

    def __init__(self) -> None:
        self._listeners: dict[type, tuple[Listener, ...]] = {}
        self._owners: dict[str, Listener] = {}

    def connect(self, owners: Mapping[str, Listener], listeners: Mapping[type, tuple[Listener, ...]]) -> None:
        """Set who listens; before anybody speaks."""
        self._owners = dict(owners)
        self._listeners = dict(listeners)

    def say(self, word: object) -> None:
        """Hand `word` to whoever listens for its type. Raises: AssertionError if nobody does, which is a broken house."""
        match word:
            case TimerFired(owner=owner):
                self._owners[owner](word)
            case CommitRefused(commit=commit):
                self._owners[commit.sender](word)
            case _:
                listeners = self._listeners.get(type(word))
                assert listeners is not None, f"nobody listens for {type(word).__name__}"
                for listener in listeners:
                    listener(word)

    def say_all(self, words: list[object]) -> None:
        """Say `words` in order."""
        for word in words:
            self.say(word)
