"""Units: what a number or a text in a message means.

Money, prices, quantities and percentages are exact `Decimal`s, instants are integers of nanoseconds since the epoch, UTC.
On the wire the first are decimal strings and the second RFC 3339 in UTC. msgspec's own `Decimal` and `datetime` let through
what must not pass (`Infinity`, `1E+1000000`, foreign digits, naive instants), so every such field is one of the marker
classes below: msgspec does not know them, hence it asks `bus.messages.plain`, the one place that reads money and time. The markers
exist at run time only; for the type checker, and in memory, a `Price` is a `Decimal` and a `UtcNs` an `int`.
"""

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec

if TYPE_CHECKING:
    Price = Decimal
    """Dollars for one contract, or for one unit of the underlying; >= 0."""
    Money = Decimal
    """Dollars; may be negative."""
    Quantity = Decimal
    """Contracts or units; > 0 in requests, >= 0 elsewhere."""
    Percent = Decimal
    """Percent: 25 is a quarter."""
    Number = Decimal
    """Any other exact number, such as a strike."""
    SettingValue = Decimal | str
    """A stop setting's value on a trade: an exact number, or a word."""
    UtcNs = int
    """Nanoseconds since 1970-01-01T00:00:00Z."""
else:

    class _Marker(type):
        """Makes `isinstance(Decimal("1"), Price)` true, which is what msgspec asks after the codec's hook."""

        def __instancecheck__(cls, value: object) -> bool:
            return type(value) is cls.inner

    class Number(metaclass=_Marker):
        """Any exact number; `minimum` is checked on decode."""

        inner: ClassVar[type] = Decimal
        minimum: ClassVar[Decimal | None] = None

    class Money(Number):
        """Dollars."""

    class Percent(Number):
        """Percent."""

    class Price(Number):
        """Dollars, not negative."""

        minimum = Decimal(0)

    class Quantity(Number):
        """Contracts or units, not negative."""

        minimum = Decimal(0)

    class _Either(type):
        """As `_Marker`, for what has several types in memory."""

        def __instancecheck__(cls, value: object) -> bool:
            return type(value) in cls.inner

    class SettingValue(metaclass=_Either):
        """A number, a word or a switch: msgspec refuses a union of a marker and a text."""

        inner: ClassVar[tuple[type, ...]] = (Decimal, str, bool)

    class UtcNs(metaclass=_Marker):
        """Nanoseconds since the epoch."""

        inner: ClassVar[type] = int


NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
NS_PER_US = 1_000

ZERO = Decimal(0)
ONE = Decimal(1)
HUNDRED = Decimal(100)

TradeId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
"""1 to 40 of `A-Z a-z 0-9 _ -`."""
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
"""An account, a ticker, a symbol, a venue, a source: any text that a subject token can carry once escaped."""
Text = Annotated[str, msgspec.Meta(max_length=2000)]
"""Words for people: reasons, titles, bodies."""


def seconds_to_ns(seconds: Decimal | int) -> int:
    """Return `seconds` as whole nanoseconds (exact for up to nine decimals)."""
    return int(seconds * NS_PER_S)
