"""Words to bytes and back, exactly: what one actor of the house says to another, kept in a recording.

On the wire money is rounded to twelve decimals and an instant to the microsecond; here nothing is, or a replay would decide by other
numbers than the actor did. So a number is written as `str` gives it, digit for digit, and read by the type of its field. What was
received is read from its own bytes again, by the type that its subject names.

Recordings outlive code: a field is added with a default, and a word that newer code does not know is `UnreadableWord`.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final, Literal, cast

import msgspec

from bus import messages
from bus.messages import units
from bus.messages.envelope import Delivery, Malformed, Message, Received
from bus.messages.market import FeedBeat, Momentum, Part, Probability, Quote, SpotPrice, Tick, Ticks
from bus.messages.orders import OrderArrived, OrderCancel, OrderSubmit
from bus.messages.plain import from_json, read_setting
from bus.messages.records import OrdersTail
from bus.messages.stops import StopDecision
from bus.messages.units import Name
from bus.subjects import UnknownSubject, parse

Packed = tuple[str, msgspec.Raw]
"""The name of a word's type, and the word in msgpack."""
_TICKS: Final[tuple[type[Tick], ...]] = (Quote, SpotPrice, Probability, Momentum, FeedBeat)
"""By their number in a recording: never another order."""
_TICK_NUMBER: Final = {kind: number for number, kind in enumerate(_TICKS)}
_RECEIVED: Final = tuple[str, str, str, bytes, int, Delivery | None, str | None]
_TAIL: Final = tuple[tuple[OrderSubmit, ...], list[Packed], tuple[StopDecision, ...], str, int]
_ENCODER: Final = msgspec.msgpack.Encoder()


class UnreadableWord(ValueError):  # noqa: N818  # an outcome
    """This word of a recording cannot be read; the text says why."""


class _Batch(msgspec.Struct, frozen=True, array_like=True):
    """`Ticks` in a recording; later fields come last, with defaults."""

    received_ns: int
    ticks: list[tuple[int, msgspec.Raw]]
    part: Part = Part.WHOLE


class WrittenQuote(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A `Quote` as it is written, field by field: its numbers are texts, and read in half the time that a hook takes."""

    ticker: Name
    ts: int
    source: Name | None = None
    yes_bid: str | None = None
    yes_ask: str | None = None
    no_bid: str | None = None
    no_ask: str | None = None
    bid: str | None = None
    ask: str | None = None
    yes_bid_size: str | None = None
    yes_ask_size: str | None = None
    no_bid_size: str | None = None
    no_ask_size: str | None = None
    bid_size: str | None = None
    ask_size: str | None = None


class _Quotes(msgspec.Struct, frozen=True, array_like=True):
    """The same where all of it are quotes, which most batches are: read at once."""

    received_ns: int
    ticks: list[tuple[Literal[0], WrittenQuote]]
    part: Part = Part.WHOLE


def pack(word: object) -> Packed:
    """Return `word`, one of the structs of `bus.messages`, as bytes."""
    kind = type(word)
    plain = _PLAIN.get(kind)
    return kind.__name__, msgspec.Raw(_ENCODER.encode(word if plain is None else plain(word)))


def unpack(packed: Packed) -> object:
    """Return the word. Raises: UnreadableWord."""
    name, body = packed
    try:
        return (_READERS.get(name) or _reader_of(name))(body)
    except (msgspec.DecodeError, ValueError, ArithmeticError, UnknownSubject, LookupError) as error:
        raise UnreadableWord(f"a {name[:100]} cannot be read: {str(error)[:300]}") from error


def look(packed: Packed) -> object:
    """Return the word as plain data, for people: also of a type that is not known here. Raises: UnreadableWord."""
    try:
        return msgspec.msgpack.decode(packed[1])
    except (msgspec.DecodeError, ValueError) as error:
        raise UnreadableWord(f"a {packed[0][:100]} is no msgpack: {error}") from error


def outgoing(packed: Packed) -> list[tuple[str, Message]]:
    """Return (subject, message) of everything that a word has had sent; most words: nothing. Raises: UnreadableWord."""
    name, body = packed
    if name != "Commit":
        return []
    try:
        rows = _decode(_decode(body, dict[str, msgspec.Raw])["outbox"], list[dict[str, msgspec.Raw]])
        subjects = [str(_decode(row["subject"], str)) for row in rows]
        return [
            (subject, _decode(row["message"], parse(subject).route.message))
            for subject, row in zip(subjects, rows, strict=True)
        ]
    except (msgspec.DecodeError, ValueError, ArithmeticError, UnknownSubject, LookupError) as error:
        raise UnreadableWord(f"what a {name} has sent cannot be read: {str(error)[:300]}") from error


def _ticks(word: Ticks) -> tuple[object, ...]:
    ticks = [(_TICK_NUMBER[type(tick)], tick) for tick in word.batch]
    return (word.received_ns, ticks) if word.part is Part.WHOLE else (word.received_ns, ticks, word.part)


def _arrived(word: OrderArrived) -> tuple[object, ...]:
    return type(word.order).__name__, word


def _tail(word: OrdersTail) -> tuple[object, ...]:
    return word.submits, [pack(each) for each in word.reports], word.decisions, word.stream, word.last


def _received(word: Received[Any]) -> tuple[object, ...]:
    return (word.subject, word.key, word.digest, word.body, word.received_ns, word.delivery, word.reply_to)


def _decode(body: msgspec.Raw | bytes, kind: Any) -> Any:  # noqa: ANN401  # what `kind` says, as msgspec reads it
    decoder = _DECODERS.get(kind)
    if decoder is None:
        decoder = _DECODERS[kind] = msgspec.msgpack.Decoder(kind, dec_hook=_read_value)
    return decoder.decode(body)


def _read_value(kind: Any, value: Any) -> Any:  # noqa: ANN401  # msgspec's signature
    """Read what `units` marks: a number from its text, a setting as it may be; the others are what they are in memory.

    Where a field may hold anything (`object`) it holds settings.
    """
    if type(value) is not str:
        return value
    if kind is units.SettingValue or kind is object:
        return _setting(value)
    return _number(value) if kind.inner is Decimal else value


@lru_cache(maxsize=10_000)
def _setting(text: str) -> Decimal | str | bool:
    """Return the setting, likewise: it stands in every version of every trade that has it."""
    return read_setting(text)


@lru_cache(maxsize=10_000)
def _number(text: str) -> Decimal:
    """Return the number: the same few prices are said over and over."""
    return Decimal(text)


def _reader_of(name: str) -> Callable[[msgspec.Raw], object]:
    """Return what reads words of this name, from now on without asking again. Raises: UnreadableWord."""
    kind = _kinds().get(name)
    if kind is None:
        raise UnreadableWord(f"no word is called {name[:100]}")
    reader = _READERS[name] = msgspec.msgpack.Decoder(kind, dec_hook=_read_value).decode
    return reader


def _read_ticks(body: msgspec.Raw) -> Ticks:
    try:
        quotes = _QUOTES.decode(body)
    except msgspec.ValidationError:
        found: _Batch = _decode(body, _Batch)
        batch = tuple(_decode(tick, _TICKS[number]) for number, tick in found.ticks)
        return Ticks(batch=batch, received_ns=found.received_ns, part=found.part)
    batch = tuple([_quote(written) for _, written in quotes.ticks])
    return Ticks(batch=batch, received_ns=quotes.received_ns, part=quotes.part)


def _quote(written: WrittenQuote) -> Quote:
    it = written
    if (
        it.bid
        is it.ask
        is it.yes_bid_size
        is it.yes_ask_size
        is it.no_bid_size
        is it.no_ask_size
        is it.bid_size
        is it.ask_size
        is None
    ):
        # As nearly every quote of an event contract is recorded: one field after the other by its name costs as much as a hook.
        return Quote(
            ticker=it.ticker,
            ts=it.ts,
            source=it.source,
            yes_bid=None if it.yes_bid is None else _number(it.yes_bid),
            yes_ask=None if it.yes_ask is None else _number(it.yes_ask),
            no_bid=None if it.no_bid is None else _number(it.no_bid),
            no_ask=None if it.no_ask is None else _number(it.no_ask),
        )
    numbers = {name: _number(text) for name in _NUMBERS if (text := getattr(it, name)) is not None}
    return Quote(ticker=it.ticker, ts=it.ts, source=it.source, **numbers)


def _read_received(body: msgspec.Raw) -> Received[Message]:
    subject, key, digest, text, received_ns, delivery, reply_to = _decode(body, _RECEIVED)
    return Received(
        message=from_json(parse(subject).route.message, text),
        subject=subject,
        key=key,
        digest=digest,
        body=text,
        received_ns=received_ns,
        delivery=delivery,
        reply_to=reply_to,
    )


def _read_arrived(body: msgspec.Raw) -> OrderArrived:
    name, raw = _decode(body, tuple[str, msgspec.Raw])
    kind = {"OrderSubmit": OrderSubmit, "OrderCancel": OrderCancel}[name]
    fields = _decode(raw, dict[str, msgspec.Raw])
    token, sequence, now_ns = (_decode(fields[name], Any) for name in ("token", "sequence", "now_ns"))
    return OrderArrived(order=_decode(fields["order"], kind), token=token, sequence=sequence, now_ns=now_ns)


def _read_tail(body: msgspec.Raw) -> OrdersTail:
    submits, reports, decisions, stream, last = _decode(body, _TAIL)
    return OrdersTail(
        submits=submits,
        reports=tuple(cast("Received[Any] | Malformed", unpack(each)) for each in reports),
        decisions=decisions,
        stream=stream,
        last=last,
    )


_NUMBERS: Final = WrittenQuote.__struct_fields__[3:]
_QUOTES: Final = msgspec.msgpack.Decoder(_Quotes)
_DECODERS: Final[dict[object, msgspec.msgpack.Decoder[Any]]] = {}
_PLAIN: Final[dict[type, Callable[[Any], tuple[object, ...]]]] = {
    Ticks: _ticks,
    Received: _received,
    OrderArrived: _arrived,
    OrdersTail: _tail,
}
"""How words are written that are not written as they are."""
_READERS: Final[dict[str, Callable[[msgspec.Raw], object]]] = {
    "Ticks": _read_ticks,
    "Received": _read_received,
    "OrderArrived": _read_arrived,
    "OrdersTail": _read_tail,
}
"""By name, what reads a word; those that are read as they are come with their first one."""
_KINDS: Final[dict[str, type[msgspec.Struct]]] = {}


def _kinds() -> dict[str, type[msgspec.Struct]]:
    """Return every struct of `bus.messages` by its name."""
    if not _KINDS:
        for module in iter_modules(messages.__path__, "bus.messages."):
            found = vars(import_module(module.name)).values()
            _KINDS.update(
                (kind.__name__, kind)
                for kind in found
                if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind.__module__ == module.name
            )
    return _KINDS
