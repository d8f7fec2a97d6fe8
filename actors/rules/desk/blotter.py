"""What the desk knows of trades, markets and accounts: memory only, changed after a decision stands complete."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from actors.rules.account.exposure import Exposures
from actors.rules.memory import remember
from actors.rules.reconcile.terms import AccountKey
from actors.rules.trade.draft import in_flight
from actors.rules.trade.steps import VenueTerms
from bus.messages.market import Lifecycle, LifecycleEvent
from bus.messages.orders import Position, Settlement
from bus.messages.trades import AttemptState, Purpose, Side, Trade
from bus.messages.units import ZERO

_ENDED_MAX: Final = 5_000
_MARKETS_MAX: Final = 50_000
_POSITIONS_MAX: Final = 50_000


@dataclass(frozen=True, slots=True)
class Market:
    """What lifecycle events said of one ticker. facts: the newest word that brought each fact; ends: closing and result."""

    facts: Lifecycle
    is_halted: bool = False
    ends: tuple[Lifecycle, ...] = ()

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be opened there any more."""
        return bool(self.ends)


class Blotter:
    """Trades by id and by ticker, the last ones that ended, markets, positions, the mode of each account."""

    def __init__(self, trades: Iterable[Trade], ended: Iterable[Trade], ended_ids: Iterable[str]) -> None:
        self.live: dict[str, Trade] = {}
        self.exposures = Exposures()
        self._by_ticker: dict[str, dict[str, None]] = {}
        self._unknown: dict[AccountKey, dict[str, None]] = {}
        self._ended: OrderedDict[str, Trade] = OrderedDict()
        self._ended_ids = set(ended_ids)
        self._markets: OrderedDict[str, Market] = OrderedDict()
        self._positions: OrderedDict[tuple[str, str, Side], Position] = OrderedDict()
        self._settlements: OrderedDict[tuple[str, str], Settlement] = OrderedDict()
        for trade in (*ended, *trades):
            self.put(trade)

    def find(self, trade_id: str) -> Trade | None:
        """Return that trade: open, or ended lately."""
        return self.live.get(trade_id) or self._ended.get(trade_id)

    def is_taken(self, trade_id: str) -> bool:
        """Whether a trade has, or ever had, this id."""
        return trade_id in self.live or trade_id in self._ended or trade_id in self._ended_ids

    def on(self, ticker: str) -> tuple[Trade, ...]:
        """Return the trades on `ticker` that have not ended, oldest first."""
        return tuple(self.live[trade_id] for trade_id in self._by_ticker.get(ticker, ()))

    def unknown_in(self, key: AccountKey) -> tuple[str, ...]:
        """Return the trades of an account of whose orders nobody knows what became of one."""
        return tuple(self._unknown.get(key, ()))

    def _note_unknown(self, trade: Trade) -> None:
        key = AccountKey(trade.venue, trade.account)
        if any(attempt.state is AttemptState.UNKNOWN for attempt in trade.attempts) and not trade.state.is_terminal:
            self._unknown.setdefault(key, {})[trade.trade_id] = None
        elif key in self._unknown:
            self._unknown[key].pop(trade.trade_id, None)

    def put(self, trade: Trade) -> None:
        """Take a trade as it now stands."""
        self._note_unknown(trade)
        self.exposures.note(trade)
        if not trade.state.is_terminal:
            self.live[trade.trade_id] = trade
            self._by_ticker.setdefault(trade.ticker, {}).setdefault(trade.trade_id)
            return
        self.live.pop(trade.trade_id, None)
        there = self._by_ticker.get(trade.ticker)
        if there is not None:
            there.pop(trade.trade_id, None)
            if not there:
                del self._by_ticker[trade.ticker]
        self._ended_ids.add(trade.trade_id)
        remember(self._ended, trade.trade_id, trade, _ENDED_MAX)

    # Markets

    def market(self, ticker: str) -> Market | None:
        """Return what is known of a ticker's market."""
        return self._markets.get(ticker)

    def hear_market(self, event: Lifecycle) -> None:
        """Take a lifecycle event. Unknown events bring nothing."""
        known = self._markets.get(event.ticker) or Market(event)
        facts = Lifecycle(
            ticker=event.ticker,
            ts=event.ts,
            event=event.event,
            symbol=event.symbol or known.facts.symbol,
            strike_type=event.strike_type or known.facts.strike_type,
            strike=known.facts.strike if event.strike is None else event.strike,
            cap_strike=known.facts.cap_strike if event.cap_strike is None else event.cap_strike,
            close_ts=known.facts.close_ts if event.close_ts is None else event.close_ts,
            tick_size=known.facts.tick_size if event.tick_size is None else event.tick_size,
            lot_size=known.facts.lot_size if event.lot_size is None else event.lot_size,
        )
        is_halted, ends = known.is_halted, known.ends
        match event.event:
            case LifecycleEvent.HALTED:
                is_halted = True
            case LifecycleEvent.RESUMED | LifecycleEvent.OPEN:
                is_halted = False
            case LifecycleEvent.CLOSE | LifecycleEvent.DETERMINED | LifecycleEvent.SETTLED:
                ends = (*ends, event)[-3:]
            case _:
                pass
        remember(self._markets, event.ticker, Market(facts, is_halted, ends), _MARKETS_MAX)

    # Accounts

    def hear_position(self, position: Position) -> None:
        """Take what a venue says we hold, if it is newer than what it said before."""
        key = (position.account, position.ticker, position.side)
        known = self._positions.get(key)
        if known is None or position.ts >= known.ts:
            remember(self._positions, key, position, _POSITIONS_MAX)

    def hear_settlement(self, settlement: Settlement) -> None:
        """Take how a venue settled a ticker."""
        remember(self._settlements, (settlement.account, settlement.ticker), settlement, _POSITIONS_MAX)

    def past_of(self, trade: Trade) -> tuple[Lifecycle | Settlement, ...]:
        """Return what a trade born just now has missed: the end of its market, and its settlement."""
        market = self._markets.get(trade.ticker)
        ends: tuple[Lifecycle | Settlement, ...] = market.ends if market is not None else ()
        settlement = self._settlements.get((trade.account, trade.ticker))
        return ends if settlement is None else (*ends, settlement)

    def held(self, trade: Trade, terms: VenueTerms, changed: Iterable[Trade] = ()) -> Decimal | None:
        """Return how much a close of `trade` may use (SPEC 1.3, Netting venues), None where the venue does not net.

        changed: trades as the word in hand leaves them, not put here yet.
        """
        if not terms.netting:
            return None
        newest = {other.trade_id: other for other in (*self.on(trade.ticker), *changed, trade)}
        siblings = [
            other
            for other in newest.values()
            if (other.ticker, other.account, other.venue) == (trade.ticker, trade.account, trade.venue)
            and other.side is trade.side
        ]
        own = sum((other.open_quantity for other in siblings), ZERO)
        last_fill_ns = max((fill.ts for other in siblings for fill in other.fills), default=0)
        position = self._positions.get((trade.account, trade.ticker, trade.side))
        held = position.quantity if position is not None and position.ts > last_fill_ns else own
        taken = sum(
            (
                attempt.quantity - attempt.filled
                for other in siblings
                if other.trade_id != trade.trade_id
                for attempt in in_flight(other)
                if attempt.purpose is Purpose.CLOSE
            ),
            ZERO,
        )
        return max(ZERO, held - taken)
