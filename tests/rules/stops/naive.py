"""The stop engine without its index: every rule of a lens is judged at every look, every trailing best is moved by itself."""

from collections.abc import Iterable

from actors.rules.market.marks import Reading
from actors.rules.stops.armed import ArmedRule
from actors.rules.stops.engine import StopEngine
from actors.rules.stops.lenses import Lens
from bus.messages.units import Price


class NaiveEngine(StopEngine):
    """Scans all trades, and tells nothing from what it has counted so far."""

    def _candidates(self, lens: Lens, reading: Reading) -> Iterable[ArmedRule]:
        del reading
        return list(lens.rules)


class TrailingScan:
    """Stands in for `TrailingIndex`: one best for each rule, moved one by one."""

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._rules: dict[ArmedRule, None] = {}
        self._changed: dict[ArmedRule, None] = {}

    def __len__(self) -> int:
        return len(self._rules)

    def add(self, rule: ArmedRule) -> None:
        self._rules[rule] = None

    def discard(self, rule: ArmedRule) -> None:
        self._rules.pop(rule, None)
        self._changed.pop(rule, None)

    def settle(self, rule: ArmedRule) -> None:
        """Bests are always up to date."""

    def note_fall(self, reading: Reading, now_ns: int) -> None:
        """What is told of falls has no say in what fires."""

    def moves_at(self, price: Price) -> bool:
        del price
        return True

    def raise_to(self, price: Price) -> bool:
        moved = [rule for rule in self._rules if self._move(rule, price)]
        self._changed.update(dict.fromkeys(moved))
        return bool(moved)

    def _move(self, rule: ArmedRule, price: Price) -> bool:
        if rule.active and rule.best is not None:
            better = (price - rule.best) * self._sign > 0
        else:
            at = rule.number("activate_at")
            better = at is None or (price - at) * self._sign >= 0
        if better:
            rule.active, rule.best = True, price
        return better

    def candidates(self, price: Price) -> list[ArmedRule]:
        del price
        return list(self._rules)

    def take_changed(self) -> list[ArmedRule]:
        changed, self._changed = list(self._changed), {}
        return changed
