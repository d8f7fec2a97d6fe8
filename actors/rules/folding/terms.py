"""What the stops of open trades use, as far as it decides what must be kept of a flood."""

from decimal import Decimal

import msgspec

from actors.rules.folding.levels import Input
from actors.rules.market.freshness import setting_ns
from bus.messages.market import Momentum, Probability, Quote, SpotPrice
from bus.messages.stops import Rule, StopCheckWanted
from bus.messages.trades import Trade
from bus.messages.units import Number


class FoldTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What the stops of open trades use, each thing once.

    confirms: every `confirm_ticks`. limits: of `max_quote_disagreement`. patiences: for how long a crossed book is held, ns.
    spreads: `max_spread` where a stop reads a probability. activations: `activate_at`. trails, dwells: whether there is such a stop.
    """

    confirms: frozenset[int] = frozenset({1})
    limits: frozenset[Number] = frozenset()
    patiences: frozenset[int] = frozenset({0})
    spreads: frozenset[Number | None] = frozenset()
    activations: frozenset[Number] = frozenset()
    trails: bool = False
    dwells: bool = False


def trade_of(word: object) -> Trade | None:
    """Return the trade that a word is about, and that is judged by what comes after it."""
    trade = word.trade if isinstance(word, StopCheckWanted) else word
    return trade if isinstance(trade, Trade) else None


def touched(word: object) -> tuple[Input, ...]:
    """Return the inputs whose order with `word` matters: a trade is judged by what comes after it, and by nothing before."""
    trade = trade_of(word)
    if trade is None:
        return ()
    symbol = trade.symbol if trade.side.is_event else trade.symbol or trade.ticker
    own = (Quote, trade.ticker), (Probability, trade.ticker)
    return own if symbol is None else (*own, (SpotPrice, symbol), (Momentum, symbol))


def widened(terms: FoldTerms, trade: Trade) -> FoldTerms:
    """Return `terms` with what the stops of `trade` use; what was used once is kept."""
    spread = trade.settings.get("max_spread")
    rules = {spec.rule for spec in trade.stops}
    wider = FoldTerms(
        confirms=terms.confirms | {int(value) for value in _numbers(trade, "confirm_ticks")},
        limits=terms.limits | _numbers(trade, "max_quote_disagreement"),
        patiences=terms.patiences | {setting_ns(trade.settings, "crossed_max_s") or 0},
        spreads=terms.spreads | ({None if isinstance(spread, str) else spread} if Rule.PROBABILITY in rules else set()),
        activations=terms.activations | _numbers(trade, "activate_at"),
        trails=terms.trails or Rule.TRAILING in rules,
        dwells=terms.dwells or any(_numbers(trade, "dwell_s")),
    )
    return terms if wider == terms else wider


def _numbers(trade: Trade, key: str) -> set[Number]:
    values = (spec.settings.get(key) for spec in trade.stops)
    return {value for value in values if isinstance(value, Decimal)}
