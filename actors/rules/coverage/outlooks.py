"""Every outlook that some open trade looks through, found by kind, by name, by what it looks at, and by a silent feed."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Final

from actors.rules.coverage.outlook import Entry, Outlook, outlook_key
from actors.rules.market.book import MarketBook
from actors.rules.market.feeds import Feed
from bus.messages.trades import Trade

_NONE: Final[tuple[Outlook, ...]] = ()


class Outlooks:
    """Makes an outlook for the first trade of its kind, and lets it go with the last."""

    def __init__(self, book: MarketBook) -> None:
        self._book = book
        self._of: dict[str, Outlook] = {}
        self._by_key: dict[Hashable, Outlook] = {}
        self._by_name: dict[str, Outlook] = {}
        self._at: dict[Entry, list[Outlook]] = {}
        self._silent: dict[Feed, dict[Outlook, None]] = {}
        self._silent_of: dict[Outlook, Feed] = {}
        self._count = 0

    def of(self, trade_id: str) -> Outlook:
        """Return the outlook of a trade that was placed."""
        return self._of[trade_id]

    def has(self, trade_id: str) -> bool:
        """Whether the trade was placed and has not left."""
        return trade_id in self._of

    def ids(self) -> Iterable[str]:
        """Return the trades that were placed."""
        return self._of.keys()

    def named(self, name: str) -> Outlook | None:
        """Return the outlook that a timer names; None if nobody looks through it any more."""
        return self._by_name.get(name)

    def at(self, entry: Entry) -> Sequence[Outlook]:
        """Return the outlooks that look at `entry`."""
        return self._at.get(entry, _NONE)

    def is_placed(self, trade: Trade, style: str) -> bool:
        """Whether the trade already looks through the outlook of its kind."""
        before = self._of.get(trade.trade_id)
        return before is not None and before.key == outlook_key(trade, style)

    def place(self, trade: Trade, style: str) -> tuple[Outlook, bool]:
        """Let a trade share the outlook of its kind; return it, and whether it is new and has not looked yet."""
        key = outlook_key(trade, style)
        outlook = self._by_key.get(key)
        is_new = outlook is None
        if outlook is None:
            self._count += 1
            outlook = Outlook(f"outlook:{self._count}", trade, self._book, style)
            self._by_key[key] = self._by_name[outlook.name] = outlook
            for entry in outlook.entries:
                self._at.setdefault(entry, []).append(outlook)
        outlook.trades[trade.trade_id] = None
        self._of[trade.trade_id] = outlook
        return outlook, is_new

    def leave(self, trade_id: str) -> Outlook | None:
        """Let a trade go; return its outlook if that was the last one, and the outlook is gone too."""
        outlook = self._of.pop(trade_id, None)
        if outlook is None:
            return None
        del outlook.trades[trade_id]
        if outlook.trades:
            return None
        del self._by_key[outlook.key]
        del self._by_name[outlook.name]
        for entry in outlook.entries:
            self._at[entry].remove(outlook)
        self._forget_silence(outlook)
        return outlook

    def note_silence(self, outlook: Outlook) -> None:
        """Keep the outlook among those that a word of its feed would wake, if the feed is silent."""
        self._forget_silence(outlook)
        feed = outlook.silent_feed
        if feed is not None:
            self._silent.setdefault(feed, {})[outlook] = None
            self._silent_of[outlook] = feed

    def concerned(self, entries: Iterable[Entry], beats: Iterable[Feed]) -> dict[Outlook, None]:
        """Return the outlooks whose reasons may have changed, in order. beats: feeds that only said that they live."""
        found: dict[Outlook, None] = {}
        feeds = dict.fromkeys(beats)
        for entry in entries:
            if entry.feed is not None:
                feeds[entry.feed] = None
            for outlook in self._at.get(entry, _NONE):
                if outlook.is_concerned(entry):
                    found[outlook] = None
        for feed in feeds:
            if feed in self._silent:
                found.update(self._silent[feed])
            if feed.silence_changed:
                feed.silence_changed = False
                found.update((outlook, None) for outlook in self._by_name.values() if outlook.feed is feed)
        if self._book.feeds.events:
            self._book.feeds.take_events()
            # A source was marked, or may be used again: rare, so everybody looks.
            found.update((outlook, None) for outlook in self._by_name.values())
        return found

    def _forget_silence(self, outlook: Outlook) -> None:
        feed = self._silent_of.pop(outlook, None)
        if feed is not None:
            del self._silent[feed][outlook]
