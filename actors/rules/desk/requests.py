"""Requests to open and to adopt: accepted as a trade in state `requested`, or refused with a word of what to do.

A refusal is an outcome, not an exception. Gates (halt, reduce_only, closed markets) stand before new risk only: nothing here
is asked when a trade is closed.
"""

from typing import Final

from msgspec.structs import replace

from actors.rules.desk.blotter import Market
from actors.rules.desk.room import EVERY_ACCOUNT, Gate, Room, Rules, refuse
from actors.rules.reconcile.terms import AccountKey
from actors.rules.settings.layers import Identity, Overrides, Resolved, incomplete, named_stops
from bus.messages.market import Lifecycle
from bus.messages.stops import Rule
from bus.messages.system import Error, ErrorCode
from bus.messages.trades import Mode, Trade, TradeAdopt, TradeOpen, TradeState, Waiver
from bus.messages.units import ONE, ZERO

PAPER_VENUE: Final = "paper"
PAPER_WAIVER: Final = Waiver(by="paper", reason="a paper trade without a stop")


def accept(word: TradeOpen, room: Room, now_ns: int, *, is_command: bool) -> Trade | Error:
    """Return the trade in state `requested`, version 0, its stops resolved; or why it is refused.

    A `TradeAdopt` adds no risk: gates, live_enabled and closed markets do not hold it back.
    """
    is_adopted = isinstance(word, TradeAdopt)
    mode = _mode(word)
    if isinstance(mode, Error):
        return mode
    for refusal in (
        _refused_by_id(word, room),
        _refused_by_numbers(word),
        _refused_by_account(word, mode, room),
        None if is_adopted else _refused_by_time(word, room, now_ns, is_command=is_command),
        None if is_adopted else _refused_by_gate(word, mode, room.gate),
        None if is_adopted else _refused_by_standing(word, mode, room),
        _refused_by_netting(word, mode, room),
    ):
        if refusal is not None:
            return refusal
    trade = _requested(word, mode, room, now_ns)
    # The last gate: what stands before it says more of why an entry cannot be.
    exceeded = None if is_adopted else room.exceeded(trade, now_ns)
    return exceeded or _with_stops(trade, word, room.rules)


def identity_of(trade: Trade) -> Identity:
    """Return what chooses the settings of `trade`."""
    return Identity(account=trade.account, is_event=trade.side.is_event, strategy=trade.strategy, symbol=trade.symbol)


def protects(resolved: Resolved) -> bool:
    """Whether a rule is armed that can end a loss; `stale` only watches the inputs of others."""
    return any(stop.rule != Rule.STALE for stop in resolved.stops)


def _mode(word: TradeOpen) -> Mode | Error:
    if word.mode not in tuple(Mode):
        return refuse(
            ErrorCode.UNKNOWN_MODE, f"The mode {word.mode!r} is neither paper nor live: nothing was opened. Say one."
        )
    return Mode(word.mode)


def _refused_by_id(word: TradeOpen, room: Room) -> Error | None:
    if room.blotter.is_taken(word.trade_id):
        return refuse(
            ErrorCode.CONFLICT, f"The trade id {word.trade_id} was used before: the first stands. Choose a new one."
        )
    return None


def _refused_by_numbers(word: TradeOpen) -> Error | None:
    prices = {"limit_price": word.limit_price}
    if isinstance(word, TradeAdopt):
        prices["entry_price"] = word.entry_price
    if word.quantity <= ZERO:
        return refuse(ErrorCode.MALFORMED, f"The quantity must be above 0, not {word.quantity}.")
    for name, price in prices.items():
        if price is not None and word.side.is_event and not ZERO < price <= ONE:
            return refuse(
                ErrorCode.MALFORMED, f"The {name} of an event contract lies within 0 and 1 dollar, not at {price}."
            )
        if price is not None and price <= ZERO:
            return refuse(ErrorCode.MALFORMED, f"The {name} must be above 0, not {price}.")
    return None


def _refused_by_account(word: TradeOpen, mode: Mode, room: Room) -> Error | None:
    known = room.accounts.get(word.account)
    if known is not None and known != mode:
        message = f"The account {word.account} is {known}: it cannot hold a {mode} trade. Use another account."
        return refuse(ErrorCode.ACCOUNT_MODE, message)
    if mode is Mode.PAPER:
        return None
    if word.venue is None:
        return refuse(ErrorCode.VENUE_REQUIRED, "A live trade needs a venue: say where it is.")
    if word.venue not in room.gate.venues or word.venue == PAPER_VENUE:
        known_venues = ", ".join(name for name in room.gate.venues if name != PAPER_VENUE) or "none"
        message = f"The venue {word.venue} is not in the settings (known: {known_venues}): add [venues.{word.venue}]."
        return refuse(ErrorCode.VENUE_UNKNOWN, message)
    return None


def _refused_by_time(word: TradeOpen, room: Room, now_ns: int, *, is_command: bool) -> Error | None:
    if is_command and word.expires_ts is None:
        return refuse(ErrorCode.MALFORMED, "A command to open must carry expires_ts: nobody may open it hours later.")
    if word.expires_ts is not None and word.expires_ts <= now_ns:
        return refuse(
            ErrorCode.EXPIRED, "It came after its expires_ts: nothing was opened. Ask again if it still holds."
        )
    market = room.blotter.market(word.ticker)
    close_ts = _close_ts(word, market)
    if (close_ts is not None and close_ts <= now_ns) or (market is not None and market.is_closed):
        return refuse(ErrorCode.MARKET_CLOSED, f"The market {word.ticker} has closed: nothing can be opened there.")
    if market is not None and market.is_halted:
        return refuse(
            ErrorCode.HALTED, f"The market {word.ticker} is halted: ask again once it has resumed.", retry=True
        )
    return None


def _refused_by_gate(word: TradeOpen, mode: Mode, gate: Gate) -> Error | None:
    if gate.unreadable:
        message = (
            f"Settings cannot be read ({'; '.join(gate.unreadable)[:500]}): no new trades until they are set again."
        )
        return refuse(ErrorCode.NOT_READY, message, retry=True)
    if gate.halted:
        message = "Trading is halted by a person: no new trades until `run.py system resume`. Closes go on."
        return refuse(ErrorCode.HALTED, message, retry=True)
    if gate.reduce_only & {EVERY_ACCOUNT, word.account}:
        message = (
            f"The account {word.account} is reduce-only: no new trades until `run.py system resume`. Closes go on."
        )
        return refuse(ErrorCode.HALTED, message, retry=True)
    if mode is Mode.LIVE and not gate.live_enabled:
        message = "Live trading is off: a person sets trading.live_enabled = true and starts the process again."
        return refuse(ErrorCode.LIVE_DISABLED, message)
    return None


def _refused_by_standing(word: TradeOpen, mode: Mode, room: Room) -> Error | None:
    """Nothing is added where something does not agree. A venue that has not answered yet refuses nothing: the open waits."""
    key = AccountKey(_venue(word, mode), word.account)
    unknown = room.blotter.unknown_in(key)
    standing = room.standings.get(key)
    if unknown:
        what = f"nobody knows yet what became of an order of {', '.join(unknown[:3])}"
    elif standing is not None and standing.answered and standing.unresolved:
        what = standing.unresolved[0]
    else:
        return None
    message = f"In {key} something is not resolved ({what}): no new trades there until it is. Closes go on."
    return refuse(ErrorCode.UNRECONCILED, message, retry=True)


def _refused_by_netting(word: TradeOpen, mode: Mode, room: Room) -> Error | None:
    venue = _venue(word, mode)
    terms = room.gate.venues.get(venue)
    if terms is None or not terms.netting:
        return None
    for other in room.blotter.on(word.ticker):
        if other.account == word.account and other.venue == venue and other.side is word.side.opposite:
            message = (
                f"The trade {other.trade_id} holds {other.side} of {word.ticker}, and {venue} nets both sides: "
                f"close it first."
            )
            return refuse(ErrorCode.OPPOSITE_OPEN, message, retry=True)
    return None


def _venue(word: TradeOpen, mode: Mode) -> str:
    """Paper goes to the paper venue, whatever the request says."""
    return PAPER_VENUE if mode is Mode.PAPER or word.venue is None else word.venue


def _close_ts(word: TradeOpen, market: Market | None) -> int | None:
    return word.close_ts if word.close_ts is not None or market is None else market.facts.close_ts


def _requested(word: TradeOpen, mode: Mode, room: Room, now_ns: int) -> Trade:
    """Return the bare trade; what the request leaves out is taken from the market's own events."""
    market = room.blotter.market(word.ticker)
    facts = market.facts if market is not None else Lifecycle(ticker=word.ticker, ts=now_ns, event="none")
    trade = Trade(
        trade_id=word.trade_id,
        state=TradeState.REQUESTED,
        version=0,
        account=word.account,
        venue=_venue(word, mode),
        mode=mode,
        ticker=word.ticker,
        side=word.side,
        quantity=word.quantity,
        ts=now_ns,
        symbol=word.symbol or facts.symbol,
        limit_price=word.limit_price,
        strike_type=word.strike_type or facts.strike_type,
        strike=facts.strike if word.strike is None else word.strike,
        cap_strike=facts.cap_strike if word.cap_strike is None else word.cap_strike,
        close_ts=facts.close_ts if word.close_ts is None else word.close_ts,
        tick_size=facts.tick_size if word.tick_size is None else word.tick_size,
        lot_size=facts.lot_size if word.lot_size is None else word.lot_size,
        strategy=word.strategy,
        requested_by=word.requested_by,
        expires_ts=word.expires_ts,
        requested_ts=now_ns,
        halted=market is not None and market.is_halted,
    )
    if isinstance(word, TradeAdopt):
        return replace(trade, entry_price=word.entry_price, entry_ts=word.entry_ts, fees=word.fees)
    return trade


def _with_stops(trade: Trade, word: TradeOpen, rules: Rules) -> Trade | Error:
    overrides: Overrides | Error = {}
    if word.stops is not None:
        overrides = named_stops(word.stops, is_event=word.side.is_event)
    if isinstance(overrides, Error):
        return overrides
    identity = identity_of(trade)
    refusal = incomplete(rules.resolver.merged(identity, overrides))
    if refusal is not None:
        return refusal
    resolved = rules.resolver.resolve(identity, overrides)
    waiver = _waiver(word, trade.mode, resolved)
    if isinstance(waiver, Error):
        return waiver
    return replace(
        trade,
        stops=resolved.stops,
        settings=resolved.settings,
        overrides=overrides,
        settings_version=rules.version,
        waiver=waiver,
    )


def _waiver(word: TradeOpen, mode: Mode, resolved: Resolved) -> Waiver | Error | None:
    if protects(resolved):
        return None
    if word.no_stop_reason:
        return Waiver(by=word.requested_by or word.account, reason=word.no_stop_reason)
    if mode is Mode.PAPER:
        return PAPER_WAIVER
    message = "A live trade needs a stop: name one under `stops`, or give `no_stop_reason` to go without."
    return refuse(ErrorCode.STOP_REQUIRED, message)
