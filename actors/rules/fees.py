"""What a venue takes for a fill (SPEC 1.1, `fee_model`): estimated for exits, charged by the simulated venue."""

from decimal import ROUND_CEILING, Decimal
from typing import Final

from bus.messages.units import HUNDRED, ONE, ZERO, Money, Percent, Price, Quantity

_CENT: Final = Decimal("0.01")
_KALSHI: Final = Decimal("0.07")


def fee(model: object, percent: Percent, price: Price, quantity: Quantity) -> Money:
    """Return the fee of one fill, dollars. model: `none`, `kalshi` (rounded up to the cent) or `percent` of the proceeds."""
    match model:
        case "kalshi":
            return (_KALSHI * quantity * price * (ONE - price)).quantize(_CENT, rounding=ROUND_CEILING)
        case "percent":
            return price * quantity * percent / HUNDRED
        case _:
            return ZERO
