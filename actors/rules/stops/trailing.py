"""The bests of trailing stops, kept so that a rising price does not touch every one of them.

All active rules that look at one ticker alike and were outrun by the price share the same best: they form a group, and a new
high merges the groups below it into one, smaller into larger. Inside, everything is "up is good": a short's prices enter with
their sign turned. A group knows the price at which the first of its rules fires; only groups at or above that are looked into.
"""

from decimal import Decimal
from typing import Any, Final

from sortedcontainers import SortedDict, SortedList

from actors.rules.market.marks import Reading
from actors.rules.stops.armed import ArmedRule
from actors.rules.stops.extremes import Falls
from bus.messages.units import HUNDRED, Number, Price

Entry = tuple[Any, ...]
"""(number to sort by, the rule's order: trade and position, the rule)."""
AT_ONCE: Final = Decimal("-Infinity")
_MARGIN: Final = Decimal("1E-9")
"""Percent: covers the rounding of a division, so that a candidate is never overlooked. The rule itself decides exactly."""


class _Group:
    __slots__ = ("best", "by_percent", "by_trail")

    def __init__(self, best: Price) -> None:
        self.best = best
        self.by_trail: SortedList[Entry] = SortedList()
        self.by_percent: SortedList[Entry] = SortedList()

    def __len__(self) -> int:
        return len(self.by_trail) + len(self.by_percent)

    def top(self) -> Price | None:
        """Return the highest price at which one of the rules fires."""
        tops = [self.best - self.by_trail[0][0]] if self.by_trail else []
        if self.by_percent:
            tops.append(self.best - abs(self.best) * self.by_percent[0][0] / HUNDRED)
        return max(tops, default=None)


class TrailingIndex:
    """The trailing rules of one lens whose bests move together. sign: -1 for shorts, whose best is the lowest price."""

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._falls = Falls()
        self._moves_at: Number | None = None
        self._highest_stop: Price | None = None
        self._waiting: SortedList[Entry] = SortedList()
        self._groups: SortedDict[Price, _Group] = SortedDict()
        self._tops: SortedList[tuple[Price, ...]] = SortedList()
        self._group_of: dict[ArmedRule, _Group] = {}
        self._where: dict[ArmedRule, list[tuple[bool, Entry]]] = {}
        self._changed: dict[ArmedRule, None] = {}
        self._changed_groups: dict[_Group, None] = {}

    def __len__(self) -> int:
        return len(self._waiting) + len(self._group_of)

    def add(self, rule: ArmedRule) -> None:
        """Take a rule in: with its best, or until it is activated."""
        if rule.active and rule.best is not None:
            self._join(rule, rule.best * self._sign)
        else:
            self._waiting.add((self._activation(rule), *rule.order, rule))
        self._note_ends()

    def discard(self, rule: ArmedRule) -> None:
        """Let a rule go, with its best written to it."""
        self.settle(rule)
        rule.falls = None
        self._changed.pop(rule, None)
        group = self._group_of.pop(rule, None)
        if group is None:
            self._waiting.discard((self._activation(rule), *rule.order, rule))
            self._note_ends()
            return
        self._unlist(group)
        for by_trail, entry in self._where.pop(rule):
            (group.by_trail if by_trail else group.by_percent).remove(entry)
        self._list(group)
        self._note_ends()

    def settle(self, rule: ArmedRule) -> None:
        """Write the best of `rule`'s group to it."""
        group = self._group_of.get(rule)
        if group is not None:
            rule.active = True
            rule.best = group.best * self._sign

    def note_fall(self, reading: Reading, now_ns: int) -> None:
        """Keep how far the exit has come back from the bests, at the least."""
        if self._sign > 0:
            if reading.high is not None and reading.high < self._falls.reach:
                self._falls.fall(reading.high, reading, now_ns)
        elif reading.low is not None and -reading.low < self._falls.reach:
            self._falls.fall(-reading.low, reading, now_ns)

    def moves_at(self, price: Price) -> bool:
        """Whether `raise_to` this price would move anything."""
        return self._moves_at is not None and price * self._sign >= self._moves_at

    def raise_to(self, price: Price) -> bool:
        """The exit is at least (short: at most) `price` for sure: activate, and raise every lower best. Say whether anything moved."""
        value = price * self._sign
        if value > self._falls.best:
            self._falls.rise(value)
        moved = False
        while self._waiting and self._waiting[0][0] <= value:
            rule = self._waiting.pop(0)[3]
            self._join(rule, value)
            self._changed[rule] = None
            moved = True
        if self._groups and self._groups.peekitem(0)[0] < value:
            self._merge_below(value)
            moved = True
        if moved:
            self._note_ends()
        return moved

    def candidates(self, price: Price) -> list[ArmedRule]:
        """Return every rule that may fire when the exit is at most (short: at least) `price`."""
        value = price * self._sign
        if self._highest_stop is None or self._highest_stop < value:
            return []
        found: list[ArmedRule] = []
        for _top, best in self._tops.irange((value,)):
            group = self._groups[best]
            back = group.best - value
            found.extend(entry[3] for entry in group.by_trail.irange(None, (back, _LAST)))
            percent = back * HUNDRED / abs(group.best) + _MARGIN if group.best else HUNDRED
            found.extend(entry[3] for entry in group.by_percent.irange(None, (percent, _LAST)))
        return found

    def take_changed(self) -> list[ArmedRule]:
        """Return the rules whose best has moved since the last call, each with its best written to it."""
        for group in self._changed_groups:
            for entry in (*group.by_trail, *group.by_percent):
                self._changed[entry[3]] = None
        changed = [rule for rule in self._changed if rule in self._group_of]
        for rule in changed:
            self.settle(rule)
        self._changed = {}
        self._changed_groups = {}
        return changed

    def _note_ends(self) -> None:
        waiting = self._waiting[0][0] if self._waiting else None
        lowest = self._groups.peekitem(0)[0] if self._groups else None
        self._moves_at = min((value for value in (waiting, lowest) if value is not None), default=None)
        self._highest_stop = self._tops[-1][0] if self._tops else None

    def _activation(self, rule: ArmedRule) -> Number:
        at = rule.number("activate_at")
        return AT_ONCE if at is None else at * self._sign

    def _join(self, rule: ArmedRule, best: Price) -> None:
        group = self._groups.get(best)
        if group is None:
            group = _Group(best)
        else:
            self._unlist(group)
        trail, percent = rule.number("trail"), rule.number("trail_percent")
        where: list[tuple[bool, Entry]] = []
        if trail is not None:
            where.append((True, (trail, *rule.order, rule)))
        if percent is not None:
            where.append((False, (percent, *rule.order, rule)))
        for by_trail, entry in where:
            (group.by_trail if by_trail else group.by_percent).add(entry)
        self._where[rule] = where
        self._group_of[rule] = group
        rule.falls = self._falls = self._falls.begin()
        rule.best_before = best
        self._list(group)

    def _merge_below(self, value: Price) -> None:
        lower = []
        while self._groups and self._groups.peekitem(0)[0] <= value:
            group = self._groups.peekitem(0)[1]
            self._unlist(group)
            lower.append(group)
        lower.sort(key=len)
        largest = lower.pop()
        for group in lower:
            largest.by_trail.update(group.by_trail)
            largest.by_percent.update(group.by_percent)
            for entry in (*group.by_trail, *group.by_percent):
                self._group_of[entry[3]] = largest
            self._changed_groups.pop(group, None)
        largest.best = value
        self._changed_groups[largest] = None
        self._list(largest)

    def _unlist(self, group: _Group) -> None:
        del self._groups[group.best]
        top = group.top()
        if top is not None:
            self._tops.remove((top, group.best))

    def _list(self, group: _Group) -> None:
        top = group.top()
        if top is None:
            self._changed_groups.pop(group, None)
            return
        self._groups[group.best] = group
        self._tops.add((top, group.best))


_LAST: Final = 1 << 62
"""Sorts behind every order of a rule."""
