"""What requests are judged against: the gate, the settings in force, what is open, and the hard limits of new risk."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from actors.rules.account import limits
from actors.rules.account.entries import Entries
from actors.rules.account.limits import Limits
from actors.rules.desk.blotter import Blotter
from actors.rules.reconcile.terms import AccountKey
from actors.rules.settings.layers import Resolver
from actors.rules.trade.steps import VenueTerms
from bus.messages.reconcile import AccountStanding
from bus.messages.system import Error, ErrorCode
from bus.messages.trades import Trade
from bus.messages.units import Price

EVERY_ACCOUNT: Final = ""
"""In `Gate.reduce_only`: all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What new risk must pass.

    unreadable: settings that nobody could read at the start; while there are any, nothing passes.
    record_away: PostgreSQL takes nothing, so nothing passes that adds risk (DESIGN idea 6).
    """

    live_enabled: bool
    venues: Mapping[str, VenueTerms]
    halted: bool = False
    reduce_only: frozenset[str] = frozenset()
    unreadable: tuple[str, ...] = ()
    record_away: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The settings in force, at one version."""

    resolver: Resolver
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Everything that a request is judged against."""

    gate: Gate
    rules: Rules
    blotter: Blotter
    accounts: Mapping[str, str]
    standings: Mapping[AccountKey, AccountStanding]
    limits: Limits
    entries: Entries

    def exceeded(self, trade: Trade, now_ns: int) -> Error | None:
        """Return the hard limit that an entry would exceed, as far as it is known without the market."""
        there = self.blotter.on(trade.ticker)
        same = sum(other.account == trade.account and other.side is trade.side for other in there)
        exposure = self.blotter.exposures.of(trade.account)
        return limits.refusal(trade, self.limits, self.entries, exposure, same=same, now_ns=now_ns)

    def exceeded_at(self, trade: Trade, price: Price | None) -> Error | None:
        """Return the same by what entering would cost now; None as a price: nobody quotes."""
        return limits.refusal_by_price(trade, self.limits, self.blotter.exposures.of(trade.account), price)


def refuse(code: ErrorCode, message: str, *, retry: bool = False) -> Error:
    """Return a refusal. retry: the same words may succeed later."""
    return Error(code=code, message=message, retry=retry)
