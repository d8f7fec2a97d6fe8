"""Bytes to messages: the one place where an input can be malformed.

What is cheap comes first: size, then depth, then the parse into a typed struct, then whether subject and payload agree.
Money messages are also read once without types, which finds what a typed decoder does not tell: a key that stands twice
(msgspec lets the last win), NUL, and the canonical body whose digest tells "the same again" from "another under the same
key". Ticks, thousands a second and without an inbox row, are spared that.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple, cast

import msgspec
from msgspec import inspect

from bus.messages import units
from bus.messages.addresses import report_id
from bus.messages.envelope import Delivery, Malformed, Message, Received
from bus.messages.market import Lifecycle, Tick
from bus.messages.orders import Balance, OrderReport, Position, Settlement
from bus.messages.plain import from_json
from bus.messages.trades import TradeAdopt, TradeClose, TradeOpen
from bus.quick_ticks import Reader, reader
from bus.subjects import TICKS, Address, Prefix, Route, UnknownSubject, parse

MAX_BYTES: Final = 65_536
MAX_DEPTH: Final = 32
MAX_DIGITS: Final = 400
MSG_ID: Final = "Nats-Msg-Id"

_SUBJECTS_MAX: Final = 65_536
_YEAR_NS: Final = 365 * 86_400 * units.NS_PER_S
_TEXTS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS: Final = re.compile(rb"[\[{]|[\]}]")
_LONG_NUMBER: Final = re.compile(rb"[0-9]{%d}" % MAX_DIGITS)


class _Bad(ValueError):  # noqa: N818  # an outcome, not a fault
    """This input is malformed; the text says why."""


class Codec:
    """Reads what arrives under one prefix. max_bytes: of a body."""

    def __init__(self, prefix: Prefix | None = None, *, max_bytes: int = MAX_BYTES) -> None:
        self._prefix = prefix or Prefix()
        self._max_bytes = max_bytes
        self._readers = {kind: reader(kind) for kind in TICKS}
        self._ticks: dict[str, _TickSubject] = {}

    def decode(
        self,
        subject: str,
        body: bytes,
        headers: Mapping[str, str],
        received_ns: int,
        *,
        delivery: Delivery | None = None,
        reply_to: str | None = None,
    ) -> "Tick | Received[Message] | Malformed":
        """Return what `body`, which came on `subject` (with prefix), says. Raises nothing: bad input is `Malformed`."""
        name = subject
        try:
            name = self._prefix.remove(subject)
            address = parse(name)
            message = self._message(address, body)
            if isinstance(message, TICKS):
                return message
            canonical = _canonical(body)
            digest = blake2b(canonical, digest_size=16).hexdigest()
            return Received(
                message=message,
                subject=name,
                key=dedupe_key(
                    address.route,
                    message,
                    msg_id=headers.get(MSG_ID),
                    digest=digest,
                    asked_as=reply_to or str(received_ns),
                ),
                digest=digest,
                body=body,
                received_ns=received_ns,
                delivery=delivery,
                reply_to=reply_to,
            )
        except (_Bad, UnknownSubject, msgspec.DecodeError, UnicodeDecodeError) as error:
            return Malformed(
                subject=name,
                body=body[: self._max_bytes],
                reason=str(error)[:500],
                received_ns=received_ns,
                delivery=delivery,
                reply_to=reply_to,
            )

    def tick(self, subject: str, body: bytes, received_ns: int) -> "Tick | Malformed":
        """As `decode`, for market data. Raises nothing."""
        try:
            known = self._ticks.get(subject) or self._learn(subject)
            self._check(body)
            tick = known.read(body)
            if getattr(tick, known.field) != known.token or tick.ts < _YEAR_NS:
                raise _contradiction(known, tick)
        except (_Bad, UnknownSubject, msgspec.DecodeError, UnicodeDecodeError) as error:
            return Malformed(
                subject=subject, body=body[: self._max_bytes], reason=str(error)[:500], received_ns=received_ns
            )
        return tick

    def _learn(self, subject: str) -> "_TickSubject":
        """Find out once for each subject what is said on it."""
        address = parse(self._prefix.remove(subject))
        kind = address.route.message
        if kind not in TICKS:
            raise UnknownSubject(f"no market data is said on {subject[:200]!r}")
        ((field, token),) = address.tokens
        if len(self._ticks) >= _SUBJECTS_MAX:
            self._ticks.clear()
        known = self._ticks[subject] = _TickSubject(self._readers[kind], field, token)
        return known

    def _check(self, body: bytes) -> None:
        """Refuse what must not be parsed. Raises: _Bad."""
        if len(body) > self._max_bytes:
            raise _Bad(f"{len(body)} bytes; a message has at most {self._max_bytes}")
        # Nearly every message is one flat object.
        if (b"[" in body or body.count(b"{") > 1) and body.count(b"[") + body.count(b"{") > MAX_DEPTH:
            _check_depth(body)
        if len(body) > MAX_DIGITS and _LONG_NUMBER.search(body):
            raise _Bad(f"a number of {MAX_DIGITS} digits or more")
        if b"\\u0000" in body or b"\x00" in body:
            raise _Bad("a text holds NUL")

    def _message(self, address: Address, body: bytes) -> Message:
        self._check(body)
        message = from_json(address.route.message, body)
        for name, token in address.tokens:
            if name in address.route.fields and getattr(message, name) != token:
                raise _disagreement(name, token, message)
        for name in instants(address.route.message):
            instant = getattr(message, name)
            if instant is not None and instant < _YEAR_NS:
                raise _Bad(f"{name} lies in 1970")
        return message


class _TickSubject(NamedTuple):
    """What is said on one subject: how to read it, and which field must be its last token."""

    read: Reader
    field: str
    token: str


def _contradiction(known: _TickSubject, tick: Tick) -> _Bad:
    is_early = tick.ts < _YEAR_NS
    return _Bad("ts lies in 1970") if is_early else _disagreement(known.field, known.token, tick)


def _disagreement(name: str, token: str, message: Message) -> _Bad:
    said = str(getattr(message, name))
    return _Bad(f"the subject says {name} {token[:128]!r}, the payload {said[:128]!r}")


@lru_cache(maxsize=256)
def instants(message: type[Message]) -> tuple[str, ...]:
    """Return the names of the fields of `message` that hold an instant."""
    return tuple(item.name for item in msgspec.structs.fields(message) if _is_instant(inspect.type_info(item.type)))


def _is_instant(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.UnionType):
        return any(map(_is_instant, kind.types))
    return isinstance(kind, inspect.CustomType) and kind.cls is cast("object", units.UtcNs)


def _check_depth(body: bytes) -> None:
    depth = 0
    for bracket in _BRACKETS.findall(_TEXTS.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise _Bad(f"nested deeper than {MAX_DEPTH}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Bad(f"the key {max(names, key=names.count)[:128]!r} stands twice")
    return found


def _no_constant(text: str) -> object:
    raise _Bad(f"{text} is no JSON")


# Numbers stay texts: a digest must tell 0.1 from 0.10000000000000001, and 5,000 digits must not become an int.
_PLAIN: Final = json.JSONDecoder(object_pairs_hook=_once, parse_float=str, parse_int=str, parse_constant=_no_constant)


def _canonical(body: bytes) -> bytes:
    """Return `body` without `ts`, keys sorted, no spaces."""
    try:
        plain = _PLAIN.decode(body.decode())
    except (json.JSONDecodeError, RecursionError) as error:
        raise _Bad(f"not JSON: {error}") from None
    if isinstance(plain, dict):
        plain.pop("ts", None)
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()


def digest_of(body: bytes) -> str:
    """Return the hash that tells two bodies apart, their `ts` and their spelling aside. Raises: ValueError."""
    return blake2b(_canonical(body), digest_size=16).hexdigest()


def dedupe_key(route: Route, message: Message, *, msg_id: str | None, digest: str, asked_as: str) -> str:
    """Return what makes this input the same as another one (DESIGN section 5).

    `Nats-Msg-Id` counts within its kind of message, so that one sender's numbering cannot hide another's message.
    A close without `command_id` is the same as one of the same words only; a request that has no id of its own (arm,
    set, halt, get: all of them states, not steps) is the same as nothing else, or arming again would do nothing:
    `asked_as` is its reply subject.
    """
    kind = _kind(route)
    if msg_id:
        return msg_id if msg_id.startswith(f"{kind}:") else f"{kind}:{msg_id}"
    match message:
        case OrderReport():
            return report_id(message)
        case Position() | Settlement():
            return f"{kind}:{message.account}:{message.ticker}:{message.ts}"
        case Balance():
            return f"{kind}:{message.account}:{message.ts}"
        case Lifecycle():
            return f"{kind}:{message.ticker}:{message.event}:{message.ts}"
        case TradeOpen() | TradeAdopt():
            return f"{kind}:{message.trade_id}"
        case TradeClose():
            return f"{kind}:{message.trade_id}:{message.command_id or digest}"
        case _:
            return f"{kind}:{asked_as}"


def _kind(route: Route) -> str:
    family, group, *_ = route.tokens
    if family == "order" or (family == "market" and group == "lifecycle"):
        return group
    if family == "account":
        return group
    # The same trade asked for by request and by command is one and the same.
    return f"command:{route.verb}" if family == "trade" else f"{family}:{route.verb}"
