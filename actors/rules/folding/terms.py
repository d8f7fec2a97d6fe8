"""What the stops of open trades use, as far as it decides what must be kept of a flood."""

from decimal import Decimal

import msgspec

from actors.rules.folding.levels import Input
from bus.messages.market import Momentum, Probability, Quote, SpotPrice
from bus.messages.stops import Rule, StopCheckWanted
from bus.messages.trades import Trade
from bus.messages.units import Number


class FoldTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What the stops of open trades use: every `confirm_ticks`, every limit of `max_quote_disagreement`, the quote's middle."""

    confirms: tuple[int, ...] = (1,)
    limits: tuple[Number, ...] = ()
    middle: bool = False


def touched(word: object) -> tuple[Input, ...]:
    """Return the inputs whose order with `word` matters: a trade is judged by what comes after it, and by nothing before."""
    trade = word.trade if isinstance(word, StopCheckWanted) else word
    if not isinstance(trade, Trade):
        return ()
    symbol = trade.symbol if trade.side.is_event else trade.symbol or trade.ticker
    own = (Quote, trade.ticker), (Probability, trade.ticker)
    return own if symbol is None else (*own, (SpotPrice, symbol), (Momentum, symbol))


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
