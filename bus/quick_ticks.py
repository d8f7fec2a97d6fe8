"""Ticks read the quick way: as texts in C, then one look-up turns all numbers of a message at once.

`bus.messages.plain` asks Python for each number and instant, which is half of what a tick costs. Quotes repeat: the numbers of
one are mostly those of another before it. So a message is first read into a struct of texts, and its texts together are the key
of a message that was read before and is now said again of another ticker, at another instant. Whatever is not plain (a number
instead of a text, a bad digit, anything missing) is left to `plain`, which reads it or says what is wrong: here nothing is ever
refused, and nothing is read that `plain` reads otherwise.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

import msgspec
from msgspec import inspect
from msgspec.structs import FieldInfo, fields, replace

from bus.messages import units
from bus.messages.market import FeedBeat, Tick
from bus.messages.plain import from_json, read_instant

_KEPT_MAX: Final = 16_384

Reader = Callable[[bytes], Tick]


def reader(kind: type[Tick]) -> Reader:
    """Return what reads a tick of `kind`. It raises as `plain.from_json` does."""
    if kind is FeedBeat:
        return lambda body: from_json(kind, body)
    numbers = tuple(field.name for field in fields(kind) if _is_number(field))
    decode = msgspec.json.Decoder(_texts(kind, numbers)).decode
    # With one name only, `attrgetter` gives the text itself: as good a key.
    texts_of = attrgetter(*numbers)
    has_ticker = "ticker" in kind.__struct_fields__
    kept: dict[object, Any] = {}

    def read(body: bytes) -> Tick:
        try:
            raw: Any = decode(body)
            ts = read_instant(raw.ts)
        except (msgspec.DecodeError, ValueError):
            return from_json(kind, body)
        texts = texts_of(raw)
        before = kept.get(texts)
        if before is None:
            found = from_json(kind, body)
            if len(kept) >= _KEPT_MAX:
                kept.clear()
            kept[texts] = found
            return found
        said: Tick = (
            replace(before, ticker=raw.ticker, source=raw.source, ts=ts)
            if has_ticker
            else replace(before, symbol=raw.symbol, source=raw.source, ts=ts)
        )
        return said

    return read


def _is_number(field: FieldInfo) -> bool:
    kind = inspect.type_info(field.type)
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    return any(isinstance(one, inspect.CustomType) and issubclass(one.cls, units.Number) for one in kinds)


def _texts(kind: type[Tick], numbers: tuple[str, ...]) -> type[msgspec.Struct]:
    """Return `kind` with a text in the place of each number and instant."""
    found: list[tuple[str, Any, Any]] = []
    for field in fields(kind):
        is_text = field.name in numbers or field.name == "ts"
        annotation = (str if field.required else str | None) if is_text else field.type
        found.append((field.name, annotation, field.default))
    return msgspec.defstruct(f"{kind.__name__}Texts", found, kw_only=True, gc=False)
