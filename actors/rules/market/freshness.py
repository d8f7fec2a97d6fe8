"""How old an input may be before it is unknown. A limit is the last good age: at the limit an input is fresh, after it stale.

A quote stays in force while its feed lives (a healthy ticker is silent for minutes), so its feed's age counts, not its own.
Underlying prices and model outputs have an age of their own, and may not stand still for ever.
"""

from collections.abc import Mapping

import msgspec

from actors.rules.market.book import QuoteInForce, ValueInForce
from actors.rules.market.feeds import Feed
from bus.messages.units import NS_PER_S, Number

NEVER_FED = "never_fed"
STALE_REASONS = frozenset({"clock_ahead", "feed_silent", "frozen", "quote_silent", "stale", "unit_suspect"})
"""Why an input that was there once must not be used now. `never_fed`, `crossed` and `empty_book` are not among them."""


class FreshnessLimits(msgspec.Struct, frozen=True):
    """The limits in nanoseconds, as a trade's settings have them; 0: off for the frozen and the quote limit, None: off."""

    max_input_age_ns: int | None = None
    max_frozen_ns: int = 0
    max_silence_ns: int | None = None
    max_quote_silence_ns: int = 0


def limits_of(settings: Mapping[str, Number | str]) -> FreshnessLimits:
    """Read the limits from a trade's resolved general settings; a missing key means off."""
    return FreshnessLimits(
        max_input_age_ns=setting_ns(settings, "max_input_age_s"),
        max_frozen_ns=setting_ns(settings, "max_frozen_s") or 0,
        max_silence_ns=setting_ns(settings, "max_silence_s"),
        max_quote_silence_ns=setting_ns(settings, "max_quote_silence_s") or 0,
    )


def setting_ns(settings: Mapping[str, Number | str], key: str) -> int | None:
    """Return a setting given in seconds as nanoseconds, None where it is off."""
    value = settings.get(key)
    return None if value is None or isinstance(value, str) else int(value * NS_PER_S)


def value_reason(entry: ValueInForce, limits: FreshnessLimits, now_ns: int) -> str | None:
    """Say why a price or model output is unknown at `now_ns`, None where it is fresh."""
    feed = entry.feed
    if feed is None:
        return NEVER_FED
    if feed.clock_ahead or feed.unit_suspect:
        return feed.mark
    if limits.max_input_age_ns is not None and now_ns - entry.ts > limits.max_input_age_ns:
        return "stale"
    if limits.max_frozen_ns and now_ns - entry.changed_ts > limits.max_frozen_ns:
        return "frozen"
    return None


def value_stale_ns(entry: ValueInForce, limits: FreshnessLimits) -> int | None:
    """Return the instant at which the value goes stale if nothing arrives; None: never, or it has never been fed."""
    if entry.feed is None:
        return None
    due = None if limits.max_input_age_ns is None else entry.ts + limits.max_input_age_ns + 1
    if limits.max_frozen_ns:
        frozen = entry.changed_ts + limits.max_frozen_ns + 1
        due = frozen if due is None else min(due, frozen)
    return due


def quote_reason(entry: QuoteInForce, limits: FreshnessLimits, now_ns: int) -> str | None:
    """Say why a quote is not in force at `now_ns`, None where it is."""
    feed = entry.feed
    if feed is None:
        return NEVER_FED
    if feed.clock_ahead or feed.unit_suspect:
        return feed.mark
    silence_ns = limits.max_silence_ns if feed.silence_ns is None else feed.silence_ns
    if silence_ns is not None and now_ns - feed.last_ts > silence_ns:
        return "feed_silent"
    if limits.max_quote_silence_ns and now_ns - entry.ts > limits.max_quote_silence_ns:
        return "quote_silent"
    return None


def quote_stale_ns(entry: QuoteInForce, limits: FreshnessLimits) -> int | None:
    """Return the instant at which the quote is no longer in force if nothing arrives; None: never, or never fed."""
    feed = entry.feed
    if feed is None:
        return None
    due = feed_silent_ns(feed, limits)
    if limits.max_quote_silence_ns:
        silent = entry.ts + limits.max_quote_silence_ns + 1
        due = silent if due is None else min(due, silent)
    return due


def feed_silent_ns(feed: Feed, limits: FreshnessLimits) -> int | None:
    """Return the instant at which `feed` has been silent for too long; None: it may be silent for ever."""
    silence_ns = limits.max_silence_ns if feed.silence_ns is None else feed.silence_ns
    return None if silence_ns is None else feed.last_ts + silence_ns + 1
