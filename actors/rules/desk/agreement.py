"""What the desk does about agreement with the venues: gates by standing, bounds on closes, and positions that are adopted.

Whether an account agrees is Reconciler's to say. Here it decides what waits: an open for its account's first answer, a close for
at most `unheard_ns` (SPEC S6), and nothing at all once the venue has answered.
"""

import hashlib
from dataclasses import replace as with_changes
from typing import Final

from msgspec.structs import replace

from actors.rules.desk import notices as desk_notices
from actors.rules.desk import opens
from actors.rules.desk.commits import Minutes
from actors.rules.desk.requests import accept
from actors.rules.desk.state import DeskState
from actors.rules.reconcile.terms import AccountKey
from actors.rules.trade import lifecycle
from actors.rules.trade.fills import EXACT, average
from actors.rules.trade.outside import own_fill
from bus.messages.envelope import Received
from bus.messages.reconcile import AccountStanding, PositionFound, PositionsSeen
from bus.messages.system import Error
from bus.messages.trades import Mode, Purpose, TradeAdopt, TradeOpen
from bus.messages.units import ZERO

FINDER: Final = "watchkeeper"


def hear(
    state: DeskState, word: AccountStanding | PositionsSeen | PositionFound
) -> tuple[list[object], tuple[Received[TradeOpen], ...]]:
    """Return what is said, and the opens that waited for this: they are to be heard now."""
    match word:
        case AccountStanding():
            return _hear_standing(state, word)
        case PositionsSeen(positions=positions):
            for position in positions:
                state.blotter.hear_position(position)
            return [], ()
        case PositionFound():
            return _adopt_found(state, word), ()


def _hear_standing(state: DeskState, standing: AccountStanding) -> tuple[list[object], tuple[Received[TradeOpen], ...]]:
    """Take note of how an account stands. Once its venue has answered, what waited for that goes on."""
    key = AccountKey(standing.venue, standing.account)
    known = state.standings.get(key)
    state.standings[key] = standing
    if not standing.answered or (known is not None and known.answered):
        return [], ()
    minutes = Minutes(now_ns=standing.now_ns, cause=f"AccountStanding:{key.venue}:{key.account}:{standing.now_ns}")
    for trade in list(state.blotter.live.values()):
        if (trade.venue, trade.account) == key and trade.close_wanted is not None:
            state.tell(minutes, trade, standing)
    return state.conclude(minutes), opens.hear_account(state, standing)


def _adopt_found(state: DeskState, found: PositionFound) -> list[object]:
    """Adopt a position that nobody told us of, at the price of the fills that made it; tell people why not where that cannot be."""
    position = found.position
    total = sum((EXACT.multiply(fill.price, fill.quantity) for fill in found.fills), ZERO)
    price = average(total, position.quantity)
    assert price is not None, "a position of nothing is none"
    word = TradeAdopt(
        trade_id=found_trade_id(found),
        account=found.account,
        mode=state.accounts.get(found.account, Mode.LIVE),
        venue=found.venue,
        ticker=position.ticker,
        side=position.side,
        quantity=position.quantity,
        entry_price=price,
        entry_ts=min(fill.ts for fill in found.fills),
        fees=sum((fill.fees or ZERO for fill in found.fills), ZERO),
        requested_by=FINDER,
    )
    verdict = accept(word, state.room, found.now_ns, is_command=False)
    minutes = Minutes(now_ns=found.now_ns, cause=f"found:{word.trade_id}")
    if isinstance(verdict, Error):
        minutes.notices.append(desk_notices.not_adopted(word, verdict, found.now_ns))
        return state.conclude(minutes)
    fills = tuple(own_fill(verdict, fill, Purpose.ENTRY) for fill in found.fills)
    step = lifecycle.adopt(replace(verdict, fills=fills), state.context(verdict, minutes))
    state.take(minutes, None, with_changes(step, fills=fills))
    state.catch_up(minutes, step.trade)
    return state.conclude(minutes)


def found_trade_id(found: PositionFound) -> str:
    """Return the id of the trade that a found position becomes: `m-` and 16 hex digits of the SHA-256 of its fills."""
    named = "|".join((found.venue, found.account, *sorted(fill.fill_id for fill in found.fills)))
    return f"m-{hashlib.sha256(named.encode()).hexdigest()[:16]}"
