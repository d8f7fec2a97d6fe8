"""Every lens, found by what it looks at, by what a trade wants to see, and by the name that its timers carry."""

from collections.abc import Callable, Sequence
from typing import Final

from actors.rules.market.book import QuoteInForce, ValueInForce
from actors.rules.market.freshness import setting_ns
from actors.rules.stops.armed import ArmedRule
from actors.rules.stops.lenses import ExitLens, Lens, ProbabilityLens, ValueLens
from bus.messages.stops import Rule

_View = tuple[object, ...]
_NONE: Final[tuple[Lens, ...]] = ()


class Lenses:
    """Every lens, found by what it looks at."""

    def __init__(self) -> None:
        self._places: dict[Lens, tuple[_View, tuple[QuoteInForce | ValueInForce, ...]]] = {}
        self._by_view: dict[_View, Lens] = {}
        self._by_key: dict[str, Lens] = {}
        self._at: dict[QuoteInForce | ValueInForce, list[Lens]] = {}
        self._count = 0

    def at(self, entry: QuoteInForce | ValueInForce) -> Sequence[Lens]:
        """Return the lenses through which a change of `entry` is seen."""
        return self._at.get(entry, _NONE)

    def by_key(self, key: str) -> Lens | None:
        """Return the lens that a timer names; None if nobody looks through it any more."""
        return self._by_key.get(key)

    def all(self) -> list[Lens]:
        """Return every lens, oldest first."""
        return list(self._by_key.values())

    def lens_of(self, rule: ArmedRule) -> Lens | None:
        """Return the lens of `rule`, made if need be; None for a rule that reads only the clock, or what it has not got."""
        sight = rule.armed.sight
        view, kind = sight.view, rule.rule
        if kind in (Rule.TIME, Rule.STALE):
            return None
        if kind is Rule.MOMENTUM or kind is Rule.BUFFER:
            entry = sight.momentum if kind is Rule.MOMENTUM else sight.spot
            if entry is None:
                return None
            return self._get((entry, view.limits), (entry,), lambda key: ValueLens(key, view, entry))
        if kind is Rule.PROBABILITY:
            fed = sight.probability
            if fed is None:
                return None
            wait_ns = setting_ns(rule.armed.trade.settings, "divergence_max_s")
            divergence = (rule.number("max_divergence"), wait_ns)
            return self._get(
                (fed, view, divergence),
                (sight.quote, fed),
                lambda key: ProbabilityLens(key, view, sight.quote, fed, divergence),
            )
        spot = sight.spot if sight.spot_is_quote else None
        seen = (sight.quote,) if spot is None else (sight.quote, spot)
        return self._get((sight.quote, view), seen, lambda key: ExitLens(key, view, sight.quote, spot))

    def drop(self, lens: Lens) -> None:
        """Forget a lens through which nobody looks."""
        view, entries = self._places.pop(lens)
        del self._by_view[view]
        del self._by_key[lens.key]
        for entry in entries:
            self._at[entry].remove(lens)

    def _get(
        self,
        view: _View,
        entries: tuple[QuoteInForce | ValueInForce, ...],
        make: Callable[[str], Lens],
    ) -> Lens:
        lens = self._by_view.get(view)
        if lens is None:
            self._count += 1
            lens = self._by_view[view] = make(f"lens:{self._count}")
            self._by_key[lens.key] = lens
            self._places[lens] = (view, entries)
            for entry in entries:
                self._at.setdefault(entry, []).append(lens)
        return lens
