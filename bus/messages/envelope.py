"""What every message shares, and what surrounds it on its way through the house."""

from typing import Generic, TypeVar

import msgspec

from bus.messages.units import UtcNs


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A word. Subclasses repeat `frozen=True, kw_only=True, omit_defaults=True`: msgspec does not inherit `kw_only`.

    Recordings outlive code: a field is added with a default; a new meaning is a new message.
    """


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Where a durable input came from, and what acknowledges it once its commit stands."""

    stream: str
    sequence: int
    token: str
    """The JetStream reply subject that acknowledges it."""
    attempt: int = 1
    """How often it has been delivered, this time included."""


M_co = TypeVar("M_co", bound=Message, covariant=True)


class Received(msgspec.Struct, Generic[M_co], frozen=True, kw_only=True):
    """An input that asks for exactly one effect: a request, a command, a report, a position, a lifecycle event.

    key: the dedupe key (DESIGN section 5); the same key with another `digest` is quarantined, the first stands.
    digest: hash of the body without `ts`, hex.
    received_ns: the only "now" that rules see.
    """

    message: M_co
    subject: str
    key: str
    digest: str
    body: bytes
    received_ns: UtcNs
    delivery: Delivery | None = None
    reply_to: str | None = None
    """Where the answer goes, if somebody asked."""


class Malformed(msgspec.Struct, frozen=True, kw_only=True):
    """An input that could not be read: quarantined with its raw bytes while later ones flow."""

    subject: str
    body: bytes
    reason: str
    received_ns: UtcNs
    delivery: Delivery | None = None
    reply_to: str | None = None


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """One message for NATS, which has its outbox row.

    direct: it leaves as soon as it is decided (DESIGN idea 6); the relay only makes sure. Else it leaves after its commit.
    """

    subject: str
    msg_id: str
    message: Message
    direct: bool = False
    cause: str = ""
