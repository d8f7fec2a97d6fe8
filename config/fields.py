"""What one setting may be: its kind and limits, how its text is read exactly, how it is shown without giving a secret away."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

Value = int | Decimal | bool | str
"""A setting once it has been read."""

_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12})?")
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")
_USERINFO: Final = re.compile(r"(?<=://)([^:@/]*)(:?).*@", re.DOTALL)
_PASSWORD: Final = re.compile(r"((?:ssl)?password\s*=\s*)('(?:\\.|[^'\\])*'?|(?:\\.|[^\s&\\])+)", re.IGNORECASE)
MASK: Final = "****"


class ConfigurationError(Exception):
    """A setting is wrong: exit 2. Its text names the key, the value (secrets masked), where it came from and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is allowed. `low` and `high` are inclusive; `words` is a closed list; `pattern` is matched against the whole text.

    secret: the value may hold a password, and is masked wherever it is shown.
    says: what `pattern` means, for people.
    """

    low: int | None = None
    high: int | None = None
    words: tuple[str, ...] = ()
    pattern: str | None = None
    says: str = ""
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One setting as the structs of `config.settings` declare it."""

    key: str
    kind: type[Value]
    limits: Limits

    @property
    def allowed(self) -> str:
        """What is allowed, in words: `a whole number from 1 to 65535`."""
        if self.limits.words:
            return "one of " + ", ".join(self.limits.words)
        if self.limits.says:
            return self.limits.says
        noun = {int: "a whole number", Decimal: "a number", bool: "true or false", str: "a text"}[self.kind]
        if self.limits.low is None:
            return noun
        return f"{noun} from {self.limits.low} to {self.limits.high}"

    def shown(self, value: object) -> str:
        """Return `value` as it may be shown."""
        if isinstance(value, bool):
            return "true" if value else "false"
        return mask(str(value)) if self.limits.secret else str(value)

    def exact(self, raw: object) -> Value:
        """Return the value that `raw` stands for, allowed or not. Raises: ValueError if it is of another kind."""
        return _READERS[self.kind](raw)

    def read(self, raw: object) -> Value:
        """Return the exact value that `raw` (a TOML value, or text) stands for.

        Raises: ValueError if it is none that is allowed; its text does not repeat `raw`.
        """
        value, limits = self.exact(raw), self.limits
        if isinstance(value, str):
            wrong = bool(limits.words and value not in limits.words) or bool(
                limits.pattern is not None and not re.fullmatch(limits.pattern, value)
            )
        else:
            wrong = (limits.low is not None and value < limits.low) or (limits.high is not None and value > limits.high)
        if wrong or "\0" in str(value):
            raise ValueError(self.allowed)
        return value


def mask(text: str) -> str:
    """Return a connection text without its password or token: `nats://user:****@host`, `password=**** host=...`.

    Where a password holds `@`, `/` or `,` it may hide more than the password, never less.
    """
    shown = _USERINFO.sub(lambda hit: f"{hit[1]}:{MASK}@" if hit[2] else f"{MASK}@", text)
    return mask_password(shown)


def mask_password(text: str) -> str:
    """Return `text` with each `password=...` masked."""
    return _PASSWORD.sub(lambda hit: hit[1] + MASK, text)


def wrong_value(field: Field, raw: object, origin: object) -> ConfigurationError:
    """Return the error for a value that is not allowed. A secret that cannot be read is not shown at all."""
    shown = MASK if field.limits.secret else repr(raw) if isinstance(raw, str) else field.shown(raw)
    return ConfigurationError(f"{field.key} = {shown} (from {origin}): must be {field.allowed}")


def listed(names: Sequence[str]) -> str:
    """Return `a, b or c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _integer(raw: object) -> Value:
    if isinstance(raw, bool) or not isinstance(raw, int | str) or not _INTEGER.fullmatch(str(raw)):
        raise ValueError("not a whole number")
    return int(raw)


def _number(raw: object) -> Value:
    if isinstance(raw, bool) or not isinstance(raw, int | str | Decimal) or not _NUMBER.fullmatch(str(raw)):
        raise ValueError("not a number")
    return Decimal(raw)


def _switch(raw: object) -> Value:
    if isinstance(raw, bool):
        return raw
    if raw not in ("true", "false"):
        raise ValueError("neither true nor false")
    return raw == "true"


def _text(raw: object) -> Value:
    if not isinstance(raw, str):
        raise ValueError("not a text")  # noqa: TRY004  # one error for the caller
    return raw


_READERS: Final = {int: _integer, Decimal: _number, bool: _switch, str: _text}
