"""What is said in the house, as people read it beside a picture: title, details, row and price of each kind of word."""

from decimal import Decimal
from typing import Any

import pytest

from actors.rules.pictures import marks
from actors.rules.pictures.drawn import Mark, Role
from bus.messages.market import Lifecycle, Result
from bus.messages.notices import Notice, Severity
from bus.messages.orders import OrderReport, ReportStatus
from bus.messages.recording import EntriesLost, LifeEnded
from bus.messages.records import RecordAway, RecordBack
from bus.messages.stops import Guard, Input, StopArm, StopDecision, StopDisarm, StopSet, StopWaive
from bus.messages.trades import Fill, Purpose, Side, TradeAdopt, TradeClose, TradeOpen
from tests.rules.paper.builders import a_cancel, an_order
from tests.rules.pictures.builders import a_fill
from tests.rules.stops.builders import a_trade, at

D = Decimal
NOON = "2025-08-03 12:00:00 UTC"


def test_an_order_is_told_with_its_limit_its_time_and_its_cause() -> None:
    order = an_order(limit_price=D("0.40"), expires_ts=at(0), cause="trade.open:1")

    assert marks.of_order(order, at(1)) == Mark(
        at_ns=at(1),
        role=Role.ENTRY_ORDER,
        title="t1-entry-1: buy 10 yes at 0.40",
        details=(f"limit ioc, to be sent by {NOON}", "because of trade.open:1"),
        row="orders",
        value=D("0.40"),
    )


def test_a_close_at_any_price_is_told_with_its_decision() -> None:
    order = an_order(purpose=Purpose.CLOSE, decision_id="t1-price-1")

    found = marks.of_order(order, at(1))

    assert (found.role, found.title, found.value) == (Role.CLOSE_ORDER, "t1-close-1: buy 10 yes", None)
    assert found.details == ("limit ioc, to be sent by 2023-11-14 22:13:50 UTC", "because of t1-price-1")


def test_a_decision_is_told_with_all_that_it_saw() -> None:
    decision = StopDecision(
        decision_id="t1-price-1",
        trade_id="t1",
        rule="price",
        fired=False,
        ts=at(1),
        inputs={"yes_bid": Input(value=D("0.30"), ts=at(0), age_ms=1000, source="kalshi"), "exit": Input(value=None)},
        guards=(
            Guard(name="min_age_s", passed=False, value=D(1), limit=D(60)),
            Guard(name="dwell_s", passed=True),
        ),
        settings_version=1,
    )

    assert marks.of_decision(decision, at(2)) == Mark(
        at_ns=at(2),
        role=Role.HELD,
        title="t1: price held back by min_age_s",
        details=(
            "t1-price-1",
            "yes bid 0.3, 1 s old, from kalshi",
            "exit unknown",
            "✗ min age s (1, limit 60)",
            "✓ dwell s",
        ),
        row="stops",
    )


@pytest.mark.parametrize(
    ("fired", "failed", "role", "how"),
    [
        (True, (), Role.FIRED, "fired"),
        (False, ("min_age_s", "dwell_s"), Role.HELD, "held back by min_age_s, dwell_s"),
        (False, (), Role.HELD, "held back by nothing"),
    ],
)
def test_a_decision_is_told_with_what_held_it_back(
    *, fired: bool, failed: tuple[str, ...], role: Role, how: str
) -> None:
    guards = tuple(Guard(name=name, passed=False) for name in failed)
    decision = StopDecision(
        decision_id="d", trade_id="t1", rule="loss", fired=fired, ts=at(1), inputs={}, guards=guards, settings_version=1
    )

    found = marks.of_decision(decision, at(2))

    assert (found.role, found.title) == (role, f"t1: loss {how}")


def test_a_cancel_is_told_with_its_reason() -> None:
    found = marks.of_cancel(a_cancel(an_order(), reason="too slow"), at(1))

    assert found == Mark(at_ns=at(1), role=Role.REPORT, title="cancel t1-entry-1", details=("too slow",), row="orders")


@pytest.mark.parametrize(
    ("status", "reason", "role"),
    [(ReportStatus.ACCEPTED, None, Role.REPORT), (ReportStatus.REJECTED, "no money", Role.WARNING)],
)
def test_what_a_venue_says_is_told_unless_it_is_a_fill(status: ReportStatus, reason: str | None, role: Role) -> None:
    found = marks.of_report(OrderReport(client_order_id="o", ts=at(0), status=status, reason=reason), at(1))

    details = () if reason is None else (reason,)
    assert found == Mark(at_ns=at(1), role=role, title=f"o: {status}", details=details, row="orders")


@pytest.mark.parametrize("status", [ReportStatus.FILLED, ReportStatus.PARTIALLY_FILLED])
def test_a_fill_is_told_by_its_trade_and_not_by_the_venue(status: ReportStatus) -> None:
    assert marks.of_report(OrderReport(client_order_id="o", ts=at(0), status=status), at(1)) is None


@pytest.mark.parametrize(
    ("side", "purpose", "verb", "role"),
    [
        (Side.YES, Purpose.ENTRY, "bought", Role.BOUGHT),
        (Side.YES, Purpose.CLOSE, "sold", Role.CLOSED),
        (Side.SHORT, Purpose.ENTRY, "sold", Role.BOUGHT),
        (Side.SHORT, Purpose.CLOSE, "bought", Role.CLOSED),
    ],
)
def test_a_fill_is_told_with_what_it_cost(side: Side, purpose: Purpose, verb: str, role: Role) -> None:
    fill = Fill(
        fill_id="f", client_order_id="o", purpose=purpose, price=D("0.5"), quantity=D(3), fees=D("0.02"), ts=at(0)
    )

    [found] = marks.of_fills(a_trade(), a_trade(side=side, fills=(fill,)), at(1))

    assert found == Mark(
        at_ns=at(1),
        role=role,
        title=f"t1: {verb} 3 {side} at $0.5",
        details=(f"{purpose} fill f of o", "fees $0.02", f"at the venue {NOON}"),
        row="fills",
        value=D("0.5"),
    )


def test_of_the_fills_of_a_trade_the_new_ones_are_told() -> None:
    first, second = a_fill(1), a_fill(2)

    told = marks.of_fills(a_trade(fills=(first,)), a_trade(fills=(first, second)), at(1))

    assert [mark.details[0] for mark in told] == ["entry fill f2 of t1-entry-1"]
    assert len(list(marks.of_fills(None, a_trade(fills=(first, second)), at(1)))) == 2


@pytest.mark.parametrize(
    ("severity", "role"),
    [(Severity.INFO, Role.INFO), (Severity.WARNING, Role.WARNING), (Severity.CRITICAL, Role.CRITICAL)],
)
def test_a_notice_is_told_as_loud_as_it_is(severity: Severity, role: Role) -> None:
    notice = Notice(notice_id="n", kind="halt", severity=severity, title="Halted", body="why", dedupe_key="n", ts=at(0))

    assert marks.of_notice(notice, at(1)) == Mark(
        at_ns=at(1), role=role, title="Halted", details=(f"{severity} halt", "why"), row="notices"
    )


def test_what_happens_to_a_market_is_told_with_what_is_known_of_it() -> None:
    settled = Lifecycle(
        ticker="T", ts=at(0), event="close_date_updated", result=Result.YES, payout=D(1), close_ts=at(0)
    )
    halted = Lifecycle(ticker="T", ts=at(0), event="halted")

    assert marks.of_lifecycle(settled, at(1)) == Mark(
        at_ns=at(1),
        role=Role.MARKET,
        title="T: close date updated",
        details=("result yes", "payout 1", "closes 2025-08-03T12:00:00Z"),
        row="market",
    )
    assert marks.of_lifecycle(halted, at(1)).details == ()


@pytest.mark.parametrize(
    ("message", "title"),
    [
        (TradeClose(trade_id="t1", reason="why", quantity=D(2), requested_by="ann"), "close t1 2"),
        (StopArm(trade_id="t1", rule="price", reason="why", requested_by="ann"), "arm price of t1"),
        (StopDisarm(trade_id="t1", rule="price", reason="why", requested_by="ann"), "disarm price of t1"),
        (
            StopSet(trade_id="t1", settings={"price.stop_price": D(1)}, reason="why", requested_by="ann"),
            "set price.stop_price = 1 of t1",
        ),
        (StopWaive(trade_id="t1", reason="why", requested_by="ann"), "waive t1"),
    ],
)
def test_what_a_person_asks_is_told_with_the_reason(message: marks.Request, title: str) -> None:
    assert marks.of_request(message, at(1)) == Mark(
        at_ns=at(1), role=Role.PERSON, title=title, details=("why", "asked by ann"), row="requests"
    )


OPENS: dict[str, Any] = {
    "trade_id": "t1", "account": "a", "mode": "paper", "ticker": "T", "side": Side.NO, "quantity": D(2)
}  # fmt: skip


@pytest.mark.parametrize(
    ("message", "title", "details"),
    [
        (TradeOpen(**OPENS), "open t1: 2 no T", ()),
        (
            TradeAdopt(**OPENS, entry_price=D(1), entry_ts=at(0), requested_by="ann"),
            "adopt t1: 2 no T",
            ("asked by ann",),
        ),
        (TradeClose(trade_id="t1", reason="why", requested_by="ann"), "close t1", ("why", "asked by ann")),
    ],
)
def test_a_request_is_told_with_what_it_says_and_no_more(
    message: marks.Request, title: str, details: tuple[str, ...]
) -> None:
    assert marks.of_request(message, at(1)) == Mark(
        at_ns=at(1), role=Role.PERSON, title=title, details=details, row="requests"
    )


def test_several_settings_are_told_in_one_request() -> None:
    asked = StopSet(
        trade_id="t1", settings={"price.stop_price": D(1), "loss.max_loss": D(2)}, reason="why", requested_by="ann"
    )

    assert marks.of_request(asked, at(1)).title == "set price.stop_price = 1, loss.max_loss = 2 of t1"


def test_what_did_not_happen_to_the_process_is_not_told_as_if_it_had() -> None:
    assert marks.of_system(a_trade(), at(1)) is None


def test_of_a_long_error_the_beginning_is_told() -> None:
    found = marks.of_system(RecordAway(error="x" * 201, now_ns=at(0)), at(1))

    assert found is not None
    assert found.title == "PostgreSQL is away: " + "x" * 200


@pytest.mark.parametrize(
    ("word", "title", "role"),
    [
        (LifeEnded(), "process ends, in order", Role.SYSTEM),
        (EntriesLost(count=1200), "the recorder lost 1,200 entries", Role.WARNING),
        (RecordAway(error="gone", now_ns=at(0)), "PostgreSQL is away: gone", Role.CRITICAL),
        (RecordBack(now_ns=at(0)), "PostgreSQL is back, and everything is written", Role.SYSTEM),
    ],
)
def test_what_happens_to_the_process_and_its_record_is_told(word: object, title: str, role: Role) -> None:
    assert marks.of_system(word, at(1)) == Mark(at_ns=at(1), role=role, title=title, row="system")
