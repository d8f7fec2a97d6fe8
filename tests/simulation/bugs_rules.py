"""Planted bugs of the rules: each a small change of a real decision."""

from decimal import Decimal
from itertools import count
from struct import pack, unpack
from typing import Any

from msgspec.structs import replace

from actors.rules.coverage import board
from actors.rules.coverage.verdict import Verdict
from actors.rules.desk import desk as desk_module
from actors.rules.desk import news, requests
from actors.rules.desk.desk import Desk
from actors.rules.desk.state import minutes_of
from actors.rules.folding import fold
from actors.rules.market import freshness
from actors.rules.reconcile.reconciler import ReconcileEngine
from actors.rules.settings import changes as settings_changes
from actors.rules.stops import backlog
from actors.rules.stops.armed import ArmedRule
from actors.rules.trade import attempts, closes, entries, evidence, lifecycle
from actors.rules.trade.draft import alive
from bus.messages.market import FeedBeat
from bus.messages.orders import OrderReport, ReportStatus
from bus.messages.records import OrdersTail
from bus.messages.trades import Attempt, AttemptState, Coverage, Purpose
from tests.simulation.planting import Bug, Patches, nothing


def _flying_is_dead(trade: Any, purpose: Any = None) -> Any:
    return tuple(a for a in alive(trade, purpose) if purpose is not Purpose.CLOSE or a.state is AttemptState.WANTED)


def _any_id(_real: Any) -> Any:
    numbers = count(1)
    return lambda **fields: Attempt(**fields | {"client_order_id": f"t1-close-{next(numbers) * 7919 % 1000}"})


def _float_price(real: Any) -> Any:
    """A price that went through four bytes; what eight bytes lose is cut off where numbers are written."""

    def take(draft: Any, attempt: Any, fill: Any) -> None:
        (price,) = unpack("f", pack("f", float(fill.price)))
        real(draft, attempt, replace(fill, price=Decimal(price)))

    return take


def _fees_of_all(real: Any) -> Any:
    def book(draft: Any, attempt: Any, fill: Any) -> None:
        known = sum((other.fees for other in draft.trade.fills), fill.fees)
        real(draft, attempt, replace(fill, fees=known))

    return book


def _told_to_siblings(real: Any) -> Any:
    def hear(state: Any, received: Any, report: OrderReport) -> Any:
        trade = news._trade_of_order(state, report.client_order_id)
        others = [] if trade is None else [t for t in state.blotter.on(trade.ticker) if t is not trade and alive(t)]
        if report.fill_id is None or not others:
            return real(state, received, report)
        minutes = minutes_of(received)
        minutes.reports.append(report)
        state.tell(minutes, others[0], replace(report, client_order_id=alive(others[0])[0].client_order_id))
        return state.conclude(minutes)

    return hear


def _late_is_dropped(real: Any) -> Any:
    return lambda draft, attempt, fill: None if draft.trade.state.is_terminal else real(draft, attempt, fill)


def _counts_anew(real: Any) -> Any:
    def restore(self: ArmedRule, progress: Any) -> None:
        real(self, replace(progress, confirms=0, counted={}))

    return restore


def _best_anew(real: Any) -> Any:
    return lambda self, progress: real(self, replace(progress, best=None, active=False))


def _hinted(real: Any) -> Any:
    def verdict(trade: Any, reasons: Any, now_ns: int) -> Verdict:
        return Verdict(Coverage.ARMED, "hint") if trade.coverage is Coverage.ARMED else real(trade, reasons, now_ns)

    return verdict


def _every_market(_real: Any) -> Any:
    def hear(state: Any, received: Any, event: Any) -> Any:
        minutes = minutes_of(received)
        for trade in list(state.blotter.live.values()):
            state.tell(minutes, trade, replace(event, ticker=trade.ticker))
        minutes.effects.append(lambda: state.blotter.hear_market(event))
        return state.conclude(minutes)

    return hear


def _ended_changes(real: Any) -> Any:
    def hear(draft: Any, event: Any) -> None:
        real(draft, event)
        if isinstance(event, OrderReport):
            draft.change(close_reason="changed after its end")

    return hear


def _above_the_water(real: Any) -> Any:
    def start(self: Desk, now_ns: int, tail: OrdersTail | None = None) -> Any:
        tail = tail or OrdersTail()
        known = {a.client_order_id for t in self._state.blotter.live.values() for a in t.attempts}
        orders = list(tail.submits)
        last = max((place for place, order in enumerate(orders) if order.client_order_id in known), default=-1)
        return real(self, now_ns, replace(tail, submits=tuple(orders[last + 1 :])))

    return start


def _asks_once(real: Any) -> Any:
    def come_up(self: ReconcileEngine, now_ns: int) -> Any:
        return [] if self._is_up else real(self, now_ns)

    return come_up


def _all_that_is_there(real: Any) -> Any:
    return lambda draft: real(draft) if draft.context.held is None else draft.context.held


def _any_version(real: Any) -> Any:
    return lambda layers, version, asked, now_ns: real(
        layers, version, replace(asked, expected_version=version), now_ns
    )


BUGS: tuple[Bug, ...] = (
    Bug(
        name="unknown treated as rejected",
        plant=lambda: Patches().of(evidence, "_ENDS", lambda real: (*real, ReportStatus.UNKNOWN)),
    ),
    Bug(
        name="empty lookup treated as not filled",
        plant=lambda: Patches().of(
            evidence, "_cannot_fly", lambda _: lambda _d, attempt: attempt.state is not AttemptState.WANTED
        ),
    ),
    Bug(name="attempt 2 before 1 is dead", plant=lambda: Patches().of(closes, "alive", lambda _: _flying_is_dead)),
    Bug(
        name="fold by high-water mark",
        plant=lambda: Patches().of(Desk, "start", _above_the_water),
        wakes={"process_killed": 3.0, "postgres_killed": 6.0},
    ),
    Bug(name="random close id", plant=lambda: Patches().of(closes, "Attempt", _any_id)),
    Bug(name="float price", plant=lambda: Patches().of(evidence, "take_fill", _float_price)),
    Bug(name="fill booked twice", plant=lambda: Patches().of(evidence, "_same_order", lambda _: lambda *_: False)),
    Bug(name="fill of another trade", plant=lambda: Patches().of(news, "_hear_report", _told_to_siblings)),
    Bug(name="fees of the ticker", plant=lambda: Patches().of(evidence, "book", _fees_of_all)),
    Bug(name="late fill dropped", plant=lambda: Patches().of(evidence, "take_fill", _late_is_dropped)),
    Bug(
        name="crossing lost at folding",
        plant=lambda: Patches().of(fold, "kept", lambda _: lambda path, _terms: [path[-1]]),
        wakes={"flood": 4.0},
    ),
    Bug(
        name="confirm count lost at restart",
        plant=lambda: Patches().of(ArmedRule, "restore", _counts_anew),
        wakes={"process_killed": 3.0},
    ),
    Bug(
        name="trailing best reset",
        plant=lambda: Patches().of(ArmedRule, "restore", _best_anew),
        wakes={"process_killed": 3.0},
    ),
    Bug(
        name="stale tick acted on",
        plant=lambda: Patches().everywhere(freshness.quote_reason, lambda *_: None),
        wakes={"feed_silent": 6.0},
    ),
    Bug(name="coverage computed from a hint", plant=lambda: Patches().of(board, "verdict", _hinted)),
    Bug(name="expiry of another market", plant=lambda: Patches().of(news, "_hear_lifecycle", _every_market)),
    Bug(name="terminal trade changed", plant=lambda: Patches().of(lifecycle, "_hear_of_the_ended", _ended_changes)),
    Bug(
        name="order after close time",
        plant=lambda: Patches().everywhere(entries.last_sending_ns, lambda *_: None),
    ),
    Bug(
        name="close exceeding the position",
        plant=lambda: Patches().of(attempts, "_quantity_now", lambda real: lambda draft: real(draft) * 2),
    ),
    Bug(
        name="both sides on a netting venue",
        plant=lambda: Patches().of(requests, "_refused_by_netting", lambda _: nothing),
    ),
    Bug(
        name="reconcile skipped on reconnect",
        plant=lambda: Patches().of(ReconcileEngine, "_come_up", _asks_once),
        wakes={"nats_killed": 5.0},
    ),
    Bug(
        name="manual position closed",
        plant=lambda: Patches().of(attempts, "_quantity_now", _all_that_is_there),
        wakes={"manual_position": 2.0},
    ),
    Bug(name="settings version ignored", plant=lambda: Patches().of(settings_changes, "change", _any_version)),
    Bug(
        name="poison blocks the queue",
        plant=lambda: Patches().of(Desk, "_hear_malformed", lambda _: lambda *_: []),
        wakes={"poison": 5.0},
    ),
    Bug(
        name="backlog acted on",
        plant=lambda: Patches().everywhere(backlog.history, lambda _: frozenset()),
        wakes={"process_paused": 5.0},
    ),
)

__all__ = ["BUGS", "FeedBeat", "desk_module"]
