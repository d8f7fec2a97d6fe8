"""The process settings as the rules know them: what is agreed with each venue."""

from functools import partial
from typing import Final

from actors.rules.account.limits import EntryLimits, Limits
from actors.rules.fees import fee
from actors.rules.paper.book import PaperBook
from actors.rules.reconcile.terms import ReconcileTerms
from actors.rules.trade.steps import VenueTerms
from bus.messages.units import NS_PER_MS, seconds_to_ns
from config.settings import AccountLimits, Settings

PAPER: Final = "paper"


def reconcile_terms(settings: Settings) -> ReconcileTerms:
    """Return how accounts are compared with their venues."""
    wanted = settings.reconcile
    return ReconcileTerms(
        interval_ns=seconds_to_ns(wanted.interval_s),
        confirm_ns=seconds_to_ns(wanted.confirm_s),
        unexplained_ns=seconds_to_ns(wanted.unexplained_s),
        look_back_ns=seconds_to_ns(wanted.look_back_s),
        overlap_ns=seconds_to_ns(wanted.overlap_s),
        backoff_max_ns=seconds_to_ns(wanted.backoff_max_s),
        adopt_unknown=wanted.adopt_unknown,
        venues={name: venue_terms(settings, name) for name in settings.venues},
    )


def venue_terms(settings: Settings, name: str) -> VenueTerms:
    """Return what is agreed about a venue."""
    venue = settings.venues[name]
    return VenueTerms(
        name=name,
        style="buy_opposite" if venue.style == "buy_opposite" else "sell",
        netting=venue.netting,
        cutoff_ns=seconds_to_ns(venue.cutoff_s),
        settle_bound_ns=seconds_to_ns(venue.settle_bound_s),
    )


def entry_limits(settings: Settings) -> Limits:
    """Return the hard limits of new risk as the rules want them."""
    return Limits(
        each=_of_account(settings.limits),
        accounts={name: _of_account(own) for name, own in settings.accounts.items()},
        all_per_second=settings.limits.all_per_second,
        all_per_minute=settings.limits.all_per_minute,
    )


def _of_account(own: AccountLimits) -> EntryLimits:
    return EntryLimits(**{name: getattr(own, name) for name in AccountLimits.__struct_fields__})


def paper_book(settings: Settings, venue: str = PAPER) -> PaperBook:
    """Return a simulated venue that knows of no order. venue: whose style and netting it has; one that is not configured has the paper venue's."""
    paper, terms = settings.paper, venue_terms(settings, venue if venue in settings.venues else PAPER)
    return PaperBook(
        latency_ns=int(paper.latency_ms * NS_PER_MS),
        fee_of=partial(fee, paper.fee_model, paper.fee_percent),
        style=terms.style,
        netting=terms.netting,
    )
