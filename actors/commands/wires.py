"""What `serve` and the demo need of the wires: how to make them, for a command reads the settings that they are made from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, Self

from actors.ports import Clock, Say, StartingStore, StartingWire
from bus.messages.envelope import Message
from bus.messages.system import Reply
from config.settings import Nats, Settings


class LeadingWire(StartingWire, Protocol):
    """The NATS side of a process of its own."""

    def still_leads(self) -> bool | None:
        """Return whether the epoch that was taken is in force; None: NATS does not say."""
        ...

    def tell(self, subject: str, body: bytes) -> None:
        """Publish to whoever listens; not stored, not tried again."""
        ...


class MakesWire(Protocol):
    """Makes the way into NATS; see `bus.wire.NatsWire`."""

    def __call__(
        self,
        settings: Nats,
        *,
        clock: Clock,
        say: Say,
        on_fenced: Callable[[str], None],
        on_fatal: Callable[[str], None],
        confirm_publish_ms: int = 500,
        tap: Callable[[object, Mapping[str, str]], None] | None = None,
    ) -> LeadingWire:
        """Return it, not connected yet."""
        ...


@dataclass(frozen=True, kw_only=True)
class Wires:
    """What run.py hands in.

    store: the way into PostgreSQL, given who says whether this process still leads. starting: says in words for people why a
    process cannot take its place. client: a small connection of its own.
    """

    nats: MakesWire
    store: Callable[[Settings, Callable[[], bool | None]], StartingStore]
    starting: Callable[[], AbstractContextManager[None]]
    client: Callable[[Nats], "Asker"]


class Heard(Protocol):
    """A message as it came: its subject without the prefix, and its bytes."""

    @property
    def subject(self) -> str: ...  # noqa: D102
    @property
    def body(self) -> bytes: ...  # noqa: D102


class Asker(Protocol):
    """A small connection for the length of a `with` block; every method blocks (`bus.commands.client`)."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...

    def ask(self, subject: str, message: Message) -> Reply:
        """Return the one reply."""
        ...

    def listen(self, subjects: Sequence[str]) -> Iterator[Heard]:
        """Yield what is published from now on."""
        ...

    def flush(self) -> None:
        """Return once the server has taken all that was sent."""
        ...
