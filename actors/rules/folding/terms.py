"""What the stops of open trades use, as far as it decides what must be kept of a flood."""

from decimal import Decimal

import msgspec

from bus.messages.stops import Rule
from bus.messages.trades import Trade
from bus.messages.units import Number


class FoldTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What the stops of open trades use: every `confirm_ticks`, every limit of `max_quote_disagreement`, the quote's middle."""

    confirms: tuple[int, ...] = (1,)
    limits: tuple[Number, ...] = ()
    middle: bool = False


def widened(terms: FoldTerms, trade: Trade) -> FoldTerms:
    """Return `terms` with what the stops of `trade` use; what was used once is kept."""
    numbers = [
        (key, value) for spec in trade.stops for key, value in spec.settings.items() if isinstance(value, Decimal)
    ]
    confirms = {int(value) for key, value in numbers if key == "confirm_ticks"}.difference(terms.confirms)
    limits = {value for key, value in numbers if key == "max_quote_disagreement"}.difference(terms.limits)
    middle = terms.middle or any(spec.rule == Rule.PROBABILITY for spec in trade.stops)
    if not confirms and not limits and middle == terms.middle:
        return terms
    return FoldTerms(
        confirms=(*terms.confirms, *sorted(confirms)), limits=(*terms.limits, *sorted(limits)), middle=middle
    )
