r"""Structs to JSON and back, exactly: the one place that reads and writes money and time.

What is written: money and quantities as plain decimal strings, never in scientific notation; instants as RFC 3339 in UTC, `Z`,
with up to microseconds. `msgspec` cannot do this by itself: in memory a `Price` is a `Decimal` and a `UtcNs` an `int`, so only
the field's annotation knows what the number means. Hence one plan of conversions for each struct type, made once.

What is read: decimal strings `-?\d{1,18}(\.\d{1,12})?` in ASCII, and JSON numbers within the same bounds, exactly (a float's
text, never the float). NaN, infinities, foreign digits, `-0` and more digits are refused, not rounded.

Two losses, both far below what anybody trades in: an instant is written to the microsecond below, and a quotient (an average
price) is rounded half-even to twelve decimals. Clocks of this house therefore tick in whole microseconds.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from bus.messages import units

T = TypeVar("T")
Reader = Callable[[object], object]
Converter = Callable[[Any], object]

_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,12})?")
_SECOND: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")
_FRACTION_NS: Final[dict[int, int]] = {places: 10 ** (9 - places) for places in range(1, 7)}
_NO_INSTANT: Final = "expected an instant such as 2025-07-16T17:00:00.123456Z"
_LIMIT: Final = 10**18
_LITERAL_MAX: Final = 40
_FINEST: Final = -12
_STEP: Final = Decimal(1).scaleb(_FINEST)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_YEAR: Final = 2261


def to_json(value: object) -> bytes:
    """Return `value`, a struct or plain data that may hold structs, as one JSON document.

    Raises: ValueError for a number or an instant that could not be read back.
    """
    return _ENCODER.encode(to_plain(value))


def from_json(kind: type[T], body: bytes | str) -> T:
    """Return the `kind` that `body` holds; unknown fields are ignored.

    Raises: msgspec.DecodeError (msgspec.ValidationError is one) with the path of what is wrong.
    """
    try:
        return _decoder(kind).decode(body)
    except RecursionError:
        raise msgspec.DecodeError("nested too deeply") from None
    except UnicodeDecodeError:
        raise msgspec.DecodeError("not UTF-8") from None


def to_plain(value: object) -> object:
    """Return `value` with every struct as a dict, every Decimal as its text, every `UtcNs` field as RFC 3339."""
    convert = _BY_TYPE.get(type(value))
    if convert is not None:
        return convert(value)
    if isinstance(value, msgspec.Struct):
        return _plan(type(value))(value)
    if isinstance(value, dict):
        return {key: to_plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_plain(inner) for inner in value]
    return value


# Numbers


def number_text(number: Decimal) -> str:
    """Return `number` in plain notation, at most twelve decimals. Raises: ValueError if it is not finite or too large."""
    text = str(number)
    if "E" not in text and len(text) <= 13:
        # At most twelve decimals and twelve digits: the usual case, told by its length alone. `NaN` has no digit last.
        if text[-1].isdecimal():
            return text
        raise ValueError(f"{text} is not a number")
    if not number.is_finite() or abs(number) >= _LIMIT:
        raise ValueError(f"{number} is outside what a message can carry")
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return format(number if exponent >= _FINEST else number.quantize(_STEP), "f")


def read_number(text: str) -> Decimal:
    """Return the number that `text` is, digit for digit. Raises: ValueError."""
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is not a decimal number of at most 18 digits before and 12 after the point")
    number = Decimal(text)
    if number.is_zero() and number.is_signed():
        raise ValueError("-0 is not a number here")
    return number


def _read_literal(text: str) -> Decimal:
    """Read a JSON number that is no integer; publishers write small ones as `1e-05`."""
    if "e" not in text and "E" not in text:
        return read_number(text)
    if len(text) > _LITERAL_MAX:
        raise ValueError("number too long")
    number = Decimal(text)
    if not -_LIMIT < number.adjusted() < _LIMIT or abs(number.adjusted()) > _LITERAL_MAX:
        raise ValueError("number out of range")
    return read_number(format(number, "f"))


def _read_any_number(value: object) -> Decimal:
    match value:
        case str():
            return read_number(value)
        case bool():
            raise ValueError("expected a number, got a boolean")
        case int():
            if not -_LIMIT < value < _LIMIT:
                raise ValueError("number out of range")
            return Decimal(value)
        case Decimal():
            return value
        case _:
            raise ValueError(f"expected a decimal number, got {type(value).__name__}")


def _number_reader(minimum: Decimal | None) -> Reader:
    if minimum is None:
        return _read_any_number
    low = minimum

    def read(value: object) -> Decimal:
        number = _read_any_number(value)
        if number < low:
            raise ValueError(f"{number} is below {low}")
        return number

    return read


def read_setting(value: object) -> Decimal | str | bool:
    """Return a setting's value: what looks like a number is one (no word of the catalog does), a switch stays a switch."""
    if isinstance(value, str):
        return read_number(value) if _NUMBER.fullmatch(value) else value
    return value if isinstance(value, bool) else _read_any_number(value)


# Instants


def instant_text(instant_ns: int) -> str:
    """Return RFC 3339 in UTC, to the microsecond below, without trailing zeros. Raises: ValueError outside 1970 to 2261."""
    seconds, rest_ns = divmod(instant_ns, units.NS_PER_S)
    second = _second_text(seconds)
    if not rest_ns:
        return second + "Z"
    return f"{second}.{rest_ns // 1000:06d}".rstrip("0").rstrip(".") + "Z"


@lru_cache(maxsize=4096)
def _second_text(seconds: int) -> str:
    try:
        when = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError(f"{seconds} s is not an instant") from None
    if not _EPOCH.year <= when.year <= _LAST_YEAR:
        raise ValueError(f"{when} is outside 1970 to {_LAST_YEAR}")
    return when.strftime("%Y-%m-%dT%H:%M:%S")


def read_instant(value: object) -> int:
    """Return nanoseconds since the epoch, UTC. Raises: ValueError for anything but RFC 3339 in UTC up to microseconds."""
    if type(value) is not str:
        raise ValueError(_NO_INSTANT)
    second_ns = _read_second(value[:19])
    digits, zone = value[20:-1], value[-1:]
    if zone != "Z":
        digits, zone = value[20:-6], value[-6:]
        if zone != "+00:00":
            raise ValueError(_NO_INSTANT)
    if len(value) == 19 + len(zone):
        return second_ns
    scale = _FRACTION_NS.get(len(digits))
    if scale is None or value[19] != "." or not (digits.isascii() and digits.isdigit()):
        raise ValueError(_NO_INSTANT)
    return second_ns + int(digits) * scale


@lru_cache(maxsize=4096)
def _read_second(text: str) -> int:
    if _SECOND.fullmatch(text) is None:
        raise ValueError(_NO_INSTANT)
    when = datetime.fromisoformat(text).replace(tzinfo=UTC)
    if not _EPOCH.year <= when.year <= _LAST_YEAR:
        raise ValueError(f"year {when.year} is outside 1970 to {_LAST_YEAR}")
    return (when - _EPOCH) // timedelta(seconds=1) * units.NS_PER_S


# Plans


def _converter(annotation: object) -> Converter | None:
    try:
        return _field_converter(inspect.type_info(annotation))
    except TypeError:
        # msgspec reads no union of untagged structs; what is only said inside may have one (`Ticks.batch`).
        return to_plain


def _field_converter(kind: inspect.Type) -> Converter | None:
    """Return how a field of this type is written; None: as msgspec writes it."""
    match kind:
        case inspect.CustomType(cls=units.UtcNs):
            return instant_text
        case inspect.CustomType(cls=cls) if issubclass(cls, units.Number):
            return number_text
        case inspect.CustomType() | inspect.AnyType() | inspect.StructType():
            return to_plain
        case (
            inspect.VarTupleType(item_type=item)
            | inspect.ListType(item_type=item)
            | inspect.FrozenSetType(item_type=item)
        ):
            return _sequence_converter(_field_converter(item))
        case inspect.DictType(value_type=inner):
            return _dict_converter(_field_converter(inner))
        case inspect.UnionType(types=types):
            return _union_converter([inner for inner in types if not isinstance(inner, inspect.NoneType)])
        case _:
            return None


def _sequence_converter(convert: Converter | None) -> Converter | None:
    return convert and (lambda values: [convert(value) for value in values])


def _dict_converter(convert: Converter | None) -> Converter | None:
    return convert and (lambda values: {key: convert(value) for key, value in values.items()})


def _union_converter(kinds: list[inspect.Type]) -> Converter | None:
    convert = _field_converter(kinds[0]) if len(kinds) == 1 else to_plain
    return convert and (lambda value: None if value is None else convert(value))


@cache
def _plan(kind: type[msgspec.Struct]) -> Converter:
    """Return how a struct of this type is written: a dict of its fields, those at their default left out where it says so."""
    omits = kind.__struct_config__.omit_defaults
    steps = [
        (field.name, field.encode_name, field.default if omits else msgspec.NODEFAULT, _converter(field.type))
        for field in msgspec.structs.fields(kind)
    ]
    # A mutable default stands in the struct as a factory; such a field is left out when empty.
    empties = {f.name for f in msgspec.structs.fields(kind) if omits and f.default_factory is not msgspec.NODEFAULT}

    def convert(value: msgspec.Struct) -> dict[str, object]:
        written: dict[str, object] = {}
        for name, key, default, step in steps:
            inner = getattr(value, name)
            if (
                inner is default
                or (default is not msgspec.NODEFAULT and inner == default)
                or (not inner and name in empties)
            ):
                continue
            written[key] = step(inner) if step is not None else inner
        return written

    _BY_TYPE[kind] = convert
    return convert


_MARKERS: Final[dict[str, type]] = vars(units)
"""By name, because for the type checker a marker is no class."""
_READERS: Final[dict[type, Reader]] = {
    _MARKERS["UtcNs"]: read_instant,
    _MARKERS["SettingValue"]: read_setting,
    **{
        marker: _number_reader(vars(marker).get("minimum"))
        for marker in (_MARKERS[name] for name in ("Number", "Money", "Percent", "Price", "Quantity"))
    },
}
_BY_TYPE: Final[dict[type, Converter]] = {Decimal: number_text}
_ENCODER: Final = msgspec.json.Encoder()
_DECODERS: Final[dict[type, msgspec.json.Decoder[Any]]] = {}


def _read(kind: type, value: object) -> object:
    # Only texts are remembered: as keys, the numbers 0.30 and 0.300 are the same, and a list is none.
    return _read_text(kind, value) if type(value) is str else _READERS[kind](value)


@lru_cache(maxsize=16_384)
def _read_text(kind: type, text: str) -> object:
    return _READERS[kind](text)


def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    decoder = _DECODERS.get(kind)
    if decoder is None:
        decoder = _DECODERS[kind] = msgspec.json.Decoder(kind, dec_hook=_read, float_hook=_read_literal)
    return decoder
