"""Engines to bytes and back: what a checkpoint keeps of them.

What is read may have been written by anybody. So nothing is made of it but what decides, and the words it knows: those are pure, and
whatever they are told to do has no effect outside of themselves. And only by the very code that wrote it: what an engine keeps is its
own business, and no older code's is guessed at.
"""

import hashlib
import io
import pickle
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

if TYPE_CHECKING:
    from actors.watched import Engine

_ROOT: Final = Path(__file__).parents[2]
_DECIDING: Final = (
    *("actors/rules/**/*.py", "bus/messages/*.py", "actors/engines.py", "actors/paper_venue.py", "actors/terms.py"),
    *("config/settings.py", "config/defaults.toml", "actors/replay/freezing.py"),
)
"""What may change how an engine goes on."""
_ROOMS: Final = ("actors.rules.", "bus.messages.")
_OTHERS: Final = frozenset(
    {
        ("actors.paper_venue", "SharedPaperBook"),
        ("collections", "OrderedDict"),
        ("collections", "deque"),
        ("decimal", "Decimal"),
        ("functools", "partial"),
        (__name__, "_made"),
        ("sortedcontainers.sorteddict", "SortedDict"),
        ("sortedcontainers.sortedlist", "SortedList"),
    }
)


class NotFrozenError(ValueError):
    """These bytes are no engine of ours; the text says why."""


def freeze(engine: "Engine") -> bytes:
    """Return how an engine stands."""
    frozen = io.BytesIO()
    _Freezing(frozen, protocol=5).dump(engine)
    return frozen.getvalue()


def thaw(frozen: bytes) -> "Engine":
    """Return an engine that stands so. Raises: NotFrozenError."""
    try:
        found = _Thawing(io.BytesIO(frozen)).load()
    except Exception as error:
        raise NotFrozenError(f"{type(error).__name__}: {error}") from error
    if not callable(getattr(found, "handle", None)):
        raise NotFrozenError(f"a {type(found).__name__} decides nothing")
    return cast("Engine", found)


@cache
def code_mark() -> str:
    """Return what is another one for other code, settings, or another interpreter."""
    found = hashlib.sha256(f"{sys.version} {msgspec.__version__}".encode())
    for path in sorted(path for pattern in _DECIDING for path in _ROOT.glob(pattern)):
        found.update(path.relative_to(_ROOT).as_posix().encode())
        found.update(path.read_bytes())
    return found.hexdigest()


class _Freezing(pickle.Pickler):
    """Leaves out of a word what nobody has given it: msgspec writes a field of the default's value, but not the default itself.

    Or what a thawed engine says would be the same, and written otherwise.
    """

    def reducer_override(self, obj: object) -> Any:  # noqa: ANN401  # as pickle has it
        """Reduce a word to what it was given; everything else as always."""
        if not isinstance(obj, msgspec.Struct):
            return NotImplemented
        given = {name: value for name, default in _defaults(type(obj)) if (value := getattr(obj, name)) is not default}
        return _made, (type(obj), given)


def _made(kind: type[msgspec.Struct], given: dict[str, object]) -> msgspec.Struct:
    return kind(**given)


@cache
def _defaults(kind: type[msgspec.Struct]) -> tuple[tuple[str, object], ...]:
    return tuple((field.name, field.default) for field in msgspec.structs.fields(kind))


class _Thawing(pickle.Unpickler):
    """Finds nothing but what an engine is made of."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401  # as pickle has it
        """Return what a name in a room of ours, or one of a few others, stands for. Raises: pickle.UnpicklingError."""
        if (module, name) in _OTHERS:
            return super().find_class(module, name)
        if module.startswith(_ROOMS) and "." not in name:
            found = super().find_class(module, name)
            # Not what was only imported there.
            if getattr(found, "__module__", None) == module:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of an engine")
