"""The sources of market data: whether they live, and whether what they say may be used.

A source is marked `clock_ahead` by a tick more than 2 s in the future, until one with a possible instant; an impossible
instant (before 2000, more than a day ahead) says nothing about a clock and is only rejected and counted. It is marked
`unit_suspect` by 3 contract prices above one dollar among its last 20 quotes, until 20 good ones, or a person's word.
"""

from typing import Final

import msgspec

from bus.messages.units import NS_PER_S

AHEAD_NS: Final = 2 * NS_PER_S
"""How far ahead of our clock a source may stamp."""
OLDEST_NS: Final = 946_684_800 * NS_PER_S
"""2000-01-01: an earlier instant is a zero or a slip of units."""
NONSENSE_NS: Final = 86_400 * NS_PER_S
"""An instant further ahead than this is no clock's error."""
_WINDOW: Final = (1 << 20) - 1
_SUSPECT_OF_WINDOW: Final = 3


class Feed:
    """One source of market data, or one ticker or symbol that names none.

    last_ts: the newest instant that it has stamped, on anything. silence_ns: the longest silence that it announced.
    silence_changed: it announced another, and whoever computed with the old one has to hear of it.
    bad_units: its last 20 event quotes, one bit each, set where a price was above one dollar.
    """

    __slots__ = (
        "bad_units",
        "clock_ahead",
        "last_ts",
        "name",
        "silence_changed",
        "silence_ns",
        "source",
        "unit_suspect",
    )

    def __init__(self, name: str, source: str | None) -> None:
        self.name = name
        self.source = source
        self.last_ts = 0
        self.silence_ns: int | None = None
        self.silence_changed = False
        self.clock_ahead = False
        self.unit_suspect = False
        self.bad_units = 0

    @property
    def mark(self) -> str | None:
        """Why its data must not be used, None where it may."""
        if self.clock_ahead:
            return "clock_ahead"
        return "unit_suspect" if self.unit_suspect else None


class FeedEvent(msgspec.Struct, frozen=True):
    """A feed was marked (`marked`) or may be used again. kind: `clock_ahead` or `unit_suspect`."""

    feed: str
    kind: str
    marked: bool


class Feeds:
    """Every source, and what happened to them. Those without a name are a ticker's or symbol's own.

    events: until `take_events` takes them. rejected_instants, rejected_values: ticks that were not taken, since the start.
    """

    __slots__ = ("_named", "_own", "events", "rejected_instants", "rejected_values")

    def __init__(self) -> None:
        self._named: dict[str, Feed] = {}
        self._own: dict[str, Feed] = {}
        self.events: list[FeedEvent] = []
        self.rejected_instants = 0
        self.rejected_values = 0

    def named(self) -> tuple[Feed, ...]:
        """Return the named sources heard of so far."""
        return tuple(self._named.values())

    def take_events(self) -> list[FeedEvent]:
        """Return what happened to feeds since the last call, oldest first."""
        events, self.events = self.events, []
        return events

    def clear_suspect(self, name: str) -> None:
        """A person says that the units of source (or ticker) `name` are right again."""
        feed = self._named.get(name) or self._own.get(name)
        if feed is not None and feed.unit_suspect:
            feed.bad_units = 0
            feed.unit_suspect = False
            self.events.append(FeedEvent(feed.name, "unit_suspect", marked=False))

    def feed(self, source: str | None, name: str) -> Feed:
        """Return the feed of `source`; without one, that of the ticker or symbol `name`."""
        feeds, key = (self._own, name) if source is None else (self._named, source)
        feed = feeds.get(key)
        if feed is None:
            feed = feeds[key] = Feed(key, source)
        return feed

    def instant_stands(self, feed: Feed, ts: int, now_ns: int) -> bool:
        """Whether `ts` can be; one that is ahead marks the feed, a possible one takes the mark away."""
        if OLDEST_NS < ts <= now_ns + AHEAD_NS:
            if feed.clock_ahead:
                feed.clock_ahead = False
                self.events.append(FeedEvent(feed.name, "clock_ahead", marked=False))
            return True
        self.rejected_instants += 1
        if ts > now_ns and ts - now_ns <= NONSENSE_NS and not feed.clock_ahead:
            feed.clock_ahead = True
            self.events.append(FeedEvent(feed.name, "clock_ahead", marked=True))
        return False

    def units_stand(self, feed: Feed, *, bad: bool) -> bool:
        """Note one more event quote of a feed that has shown bad units; say whether it may be used."""
        feed.bad_units = (feed.bad_units << 1 | bad) & _WINDOW
        if not feed.unit_suspect and feed.bad_units.bit_count() >= _SUSPECT_OF_WINDOW:
            feed.unit_suspect = True
            self.events.append(FeedEvent(feed.name, "unit_suspect", marked=True))
        elif feed.unit_suspect and feed.bad_units == 0:
            feed.unit_suspect = False
            self.events.append(FeedEvent(feed.name, "unit_suspect", marked=False))
        stands = not bad and not feed.unit_suspect
        self.rejected_values += not stands
        return stands


def usable(feed: Feed | None) -> bool:
    """Whether what `feed` said may be used; False for None: nothing was said."""
    return feed is not None and not feed.clock_ahead and not feed.unit_suspect
