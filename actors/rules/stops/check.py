"""Would a stop fire at once? Asked before a trade is opened, so that nobody opens what the next tick would close."""

import msgspec

from actors.rules.market.sight import Sight
from actors.rules.stops.armed import ArmedTrade
from actors.rules.stops.conditions import holds
from actors.rules.stops.lens_index import Lenses
from actors.rules.stops.roster import Roster
from bus.messages.stops import StopCheckGiven
from bus.messages.trades import Trade
from bus.messages.units import Price


def checked(trade: Trade, roster: Roster, now_ns: int) -> StopCheckGiven:
    """Return what the market says of a trade that is not open yet."""
    sight = roster.sighted(trade)
    rules = _rules_that_fire_at_once(trade, sight, now_ns)
    price = sight.mark(trade, now_ns).sell_ask
    return StopCheckGiven(trade_id=trade.trade_id, rules=rules, now_ns=now_ns, price=price)


def _rules_that_fire_at_once(trade: Trade, sight: Sight, now_ns: int) -> tuple[str, ...]:
    """Return the rules whose condition holds already, as if the trade were filled at `now_ns`.

    Guards are not asked: they would only put off what is certain. The entry is taken at the limit price, else at the ask.
    """
    armed = ArmedTrade(_as_if_filled(trade, sight, now_ns), sight, order=0)
    lenses = Lenses()
    firing = []
    for rule in armed.rules:
        lens = lenses.lens_of(rule)
        if holds(rule, None if lens is None else lens.look(now_ns), now_ns):
            firing.append(rule.rule.value)
    return tuple(firing)


def _as_if_filled(trade: Trade, sight: Sight, now_ns: int) -> Trade:
    price: Price | None = trade.limit_price
    if price is None:
        mark = sight.mark(trade, now_ns)
        price = mark.sell_ask if mark.sell_ask is not None else mark.high
    return msgspec.structs.replace(trade, open_quantity=trade.quantity, entry_price=price, entry_ts=now_ns)
