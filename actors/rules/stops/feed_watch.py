"""Which inputs of armed stops are stale, what people hear of it, and who has to look again when a feed comes back."""

from actors.rules.market.feeds import Feed
from actors.rules.market.marks import Reading
from actors.rules.stops import notices as stop_notices
from actors.rules.stops.lens_index import Lenses
from actors.rules.stops.lenses import Lens


class FeedWatch:
    """One notice for each input that goes stale, whatever the number of lenses and trades that look at it, and one when it is back."""

    def __init__(self, lenses: Lenses) -> None:
        self._lenses = lenses
        self._silenced: dict[Feed, dict[Lens, None]] = {}
        self._stale: dict[str, set[str]] = {}

    def note(self, lens: Lens, reading: Reading, now_ns: int) -> tuple[bool, list[object]]:
        """Keep whether what `lens` sees is stale; return whether that has changed, and what is said about it."""
        changed = lens.note_staleness(reading, now_ns)
        if lens.stale_reason is not None and lens.quote_feed is not None:
            self._silenced.setdefault(lens.quote_feed, {})[lens] = None
        if not changed:
            return False, []
        stale = {key for key in self._stale.pop(lens.name, ()) if self._lenses.by_key(key)}
        notice = None
        if lens.stale_reason is not None:
            notice = None if stale else stop_notices.feed_stale(lens, now_ns)
            stale.add(lens.key)
        else:
            stale.discard(lens.key)
            notice = None if stale else stop_notices.feed_back(lens, now_ns)
        if stale:
            self._stale[lens.name] = stale
        return True, [] if notice is None else stop_notices.say(notice)

    def woken_by(self, feed: Feed | None) -> list[Lens]:
        """Return the lenses that saw nothing while `feed` was silent: it has spoken, so its quotes are in force again."""
        if not self._silenced or feed is None:
            return []
        return [lens for lens in self._silenced.pop(feed, ()) if lens.rules]
