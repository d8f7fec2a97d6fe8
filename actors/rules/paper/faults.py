"""What the simulated venue does wrong, and only when asked to: chosen by an order's name or number, never by chance."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bus.messages.units import NS_PER_S


class Fault(StrEnum):
    """One misbehaviour.

    PARTIAL: the first fill takes half. REJECT: rejected. SILENCE: worked as usual, but nothing is reported. DUPLICATE: every
    report twice. LATE: what follows `accepted` is reported late.
    """

    PARTIAL = "partial"
    REJECT = "reject"
    SILENCE = "silence"
    DUPLICATE = "duplicate"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Which orders go wrong.

    named: by client_order_id. every: the order's number among all that came, divided without a remainder; `named` wins,
    then the first of `every`. late_ns: how late a LATE report is.
    """

    named: Mapping[str, Fault] = field(default_factory=dict)
    every: Mapping[Fault, int] = field(default_factory=dict)
    late_ns: int = 2 * NS_PER_S

    def of(self, client_order_id: str, number: int) -> Fault | None:
        """Return what goes wrong with the order that came as the `number`th, counted from 1."""
        by_number = (fault for fault, every in self.every.items() if every > 0 and number % every == 0)
        return self.named.get(client_order_id) or next(by_number, None)
