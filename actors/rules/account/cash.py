"""The cash of an account: the last balance that we understand, carried forward by what our own fills and settlements have moved.

Balances are stated now and then, by a clock that is not the venue's, and come by another way than fills and settlements: money
is in a balance before its fill is heard, or not in it for a while after. Taken at its word such a balance shows a loss that is
none (Lesson 46). So a stated balance counts as soon as our own movements explain it: all of those up to some instant, in their
order, since venues book in order. One that they do not explain is put aside, until it is explained by what is heard next, or
contradicted by the next balance. If it stands for the whole grace period, with no order of ours on its way that could explain
it still, it is a transfer: that moves the high, not the distance from it.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from actors.rules.trade.fills import EXACT
from bus.messages.accounts import AccountProgress, CashFlow, StatedBalance
from bus.messages.units import ZERO, Money

FLOWS_MAX: Final = 200
"""Movements kept by themselves while no new balance is stated; the oldest ones then become part of the last one."""


class Cash:
    """One account's cash. balance, ts: as last understood; None, 0: never stated. aside: stated since, and not explained.

    flows: what is not in `balance`, by key. amount: both together. is_blind: money has moved by an unknown amount since.
    """

    __slots__ = ("amount", "aside", "balance", "flows", "is_blind", "ts")

    def __init__(self) -> None:
        self.balance: Money | None = None
        self.ts = 0
        self.flows: dict[str, CashFlow] = {}
        self.aside: StatedBalance | None = None
        self.amount: Money = ZERO
        self.is_blind = False

    def restore(self, progress: AccountProgress) -> None:
        """Go on from what was known before a restart."""
        self.balance, self.ts = progress.balance, progress.balance_ts
        self.aside, self.is_blind = progress.aside, progress.blind
        self._keep(list(progress.flows))

    def move(self, flow: CashFlow, tolerance: Money, grace_ns: int) -> None:
        """Take a movement just heard of. It is in no balance understood so far: that would not have been explained.

        Only one stated a whole grace period after it holds it for sure.
        """
        if self.balance is not None and flow.ts + grace_ns <= self.ts:
            return
        if flow.amount is None:
            self._lose_sight()
            return
        is_last = flow.key not in self.flows and (not self.flows or _place(self._newest()) < _place(flow))
        self.flows[flow.key] = flow
        self._keep(list(self.flows.values()) if is_last else self._in_order())
        if self.aside is not None:
            self._understand(self.aside, tolerance, grace_ns)

    def recover(self, flows: Iterable[CashFlow]) -> None:
        """Take movements found on the record after a restart, unless the last balance holds them or they are known."""
        news = {flow.key: flow for flow in flows if flow.key not in self.flows and flow.ts > self.ts}
        self.is_blind |= any(flow.amount is None for flow in news.values())
        news = {key: flow for key, flow in news.items() if flow.amount is not None}
        if news:
            self.flows |= news
            self._keep(self._in_order())

    def state(self, stated: StatedBalance, tolerance: Money, grace_ns: int) -> bool:
        """Take a stated balance; say whether it is news. `tolerance`: what may be left unexplained."""
        newest_ts = self.ts if self.aside is None else max(self.ts, self.aside.ts)
        if self.balance is None or (self.is_blind and stated.ts > newest_ts):
            self._accept(stated, [flow for flow in self._in_order() if flow.ts > stated.ts])
            return True
        if stated.ts <= newest_ts:
            return False
        if not self._understand(stated, tolerance, grace_ns):
            since_ns = stated.heard_ns if self.aside is None else self.aside.heard_ns
            self.aside = msgspec.structs.replace(stated, heard_ns=since_ns)
        return True

    def _lose_sight(self) -> None:
        """Nobody knows what has moved: the next balance says it, and one that was put aside has said so already."""
        self.is_blind = True
        if self.aside is not None:
            self.believe()

    def believe(self) -> Money:
        """Take the balance that was put aside as it is, with all that came before it; return what nothing explains."""
        aside = self.aside
        assert aside is not None, "there is nothing to believe"
        flows = self._in_order()
        count = sum(flow.ts <= aside.ts for flow in flows)
        expected = self.balance or ZERO
        for flow in flows[:count]:
            expected = EXACT.add(expected, flow.amount or ZERO)
        self._accept(aside, flows[count:])
        return EXACT.subtract(aside.balance, expected)

    def _understand(self, stated: StatedBalance, tolerance: Money, grace_ns: int) -> bool:
        count, unexplained = self._explained(stated)
        if abs(unexplained) > tolerance:
            return False
        self._accept(stated, self._still_to_come(count, stated.ts, grace_ns))
        return True

    def _explained(self, stated: StatedBalance) -> tuple[int, Money]:
        """Return how many of the movements, in order, explain the balance best, and what is left then."""
        assert self.balance is not None
        flows = self._in_order()
        due = sum(flow.ts <= stated.ts for flow in flows)
        left = EXACT.subtract(stated.balance, self.balance)
        ways = [(abs(left), abs(due), 0, left)]
        for count, flow in enumerate(flows, start=1):
            left = EXACT.subtract(left, flow.amount or ZERO)
            ways.append((abs(left), abs(count - due), count, left))
        _, _, count, left = min(ways)
        return count, left

    def _still_to_come(self, count: int, balance_ts: int, grace_ns: int) -> list[CashFlow]:
        """Return the movements that the balance does not hold; money that is not there after the grace period did not come."""
        return [flow for flow in self._in_order()[count:] if flow.ts + grace_ns > balance_ts]

    def _accept(self, stated: StatedBalance, flows: list[CashFlow]) -> None:
        self.balance, self.ts, self.aside, self.is_blind = stated.balance, stated.ts, None, False
        self._keep(flows)

    def _keep(self, flows: list[CashFlow]) -> None:
        while len(flows) > FLOWS_MAX:
            oldest = flows.pop(0)
            if self.balance is not None:
                self.balance, self.ts = EXACT.add(self.balance, oldest.amount or ZERO), max(self.ts, oldest.ts)
        self.flows = {flow.key: flow for flow in flows}
        self.amount = self.balance or ZERO
        for flow in flows:
            self.amount = EXACT.add(self.amount, flow.amount or ZERO)

    def _in_order(self) -> list[CashFlow]:
        return sorted(self.flows.values(), key=_place)

    def _newest(self) -> CashFlow:
        return next(reversed(self.flows.values()))


def _place(flow: CashFlow) -> tuple[int, str]:
    return flow.ts, flow.key
