"""How often and how patiently venues are asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from actors.rules.trade.steps import VenueTerms
from bus.messages.trades import Side
from bus.messages.units import NS_PER_S

OWNER: Final = "reconciler"


class AccountKey(NamedTuple):
    """An account at a venue."""

    venue: str
    account: str

    def __str__(self) -> str:
        return f"{self.account} at {self.venue}"


class Place(NamedTuple):
    """One side of one ticker."""

    ticker: str
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileTerms:
    """The settings of `[reconcile]`.

    interval_ns: between two looks at an account. confirm_ns: a difference counts once it has stood so long, for positions lag
    behind fills. unexplained_ns: one that no fill explains closes a trade once it has stood so long. look_back_ns: how far back
    the first look reads. overlap_ns: how far each later one reads behind the one before. backoff_max_ns: longest pause for a
    venue that fails. adopt_unknown: whether positions of nobody are adopted.
    """

    interval_ns: int = 60 * NS_PER_S
    confirm_ns: int = 5 * NS_PER_S
    unexplained_ns: int = 60 * NS_PER_S
    look_back_ns: int = 86_400 * NS_PER_S
    overlap_ns: int = 300 * NS_PER_S
    backoff_max_ns: int = 15 * NS_PER_S
    adopt_unknown: bool = False
    venues: Mapping[str, VenueTerms] = field(default_factory=dict)

    def nets(self, venue: str) -> bool:
        """Whether both sides of one ticker cancel each other at `venue`."""
        terms = self.venues.get(venue)
        return terms is not None and terms.netting
