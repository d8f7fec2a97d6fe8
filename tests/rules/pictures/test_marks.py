"""What is said in the house, as people read it beside a picture: title, details, row and price of each kind of word."""

from decimal import Decimal

import pytest

from actors.rules.pictures import difference, marks
from actors.rules.pictures.drawn import Mark, Role, Span
from actors.rules.pictures.trade_facts import ending, facts
from bus.messages.envelope import Message
from bus.messages.market import Lifecycle, Result
from bus.messages.notices import Notice, Severity
from bus.messages.orders import OrderReport, ReportStatus
from bus.messages.recording import EntriesLost, LifeEnded
from bus.messages.records import RecordAway, RecordBack
from bus.messages.stops import Guard, Input, StopArm, StopDecision, StopDisarm, StopSet, StopWaive
from bus.messages.trades import Fill, Purpose, Side, TradeClose, TradeState
from bus.messages.units import NS_PER_S
from bus.messages.what_if import Change, Ground, Totals, WhatIf
from tests.rules.paper.builders import a_cancel, an_order
from tests.rules.stops.builders import a_coin_trade, a_trade, at, stop

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
    assert found.details[1] == "because of t1-price-1"


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

    found = marks.of_decision(decision, at(2))

    assert (found.role, found.title, found.row) == (Role.HELD, "t1: price held back by min_age_s", "stops")
    assert found.details == (
        "t1-price-1",
        "yes bid 0.3, 1 s old, from kalshi",
        "exit unknown",
        "✗ min age s (1, limit 60)",
        "✓ dwell s",
    )


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
    assert marks.of_report(OrderReport(client_order_id="o", ts=at(0), status=ReportStatus.FILLED), at(1)) is None


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


def test_a_notice_and_a_market_are_told_in_their_rows() -> None:
    notice = Notice(
        notice_id="n", kind="halt", severity=Severity.CRITICAL, title="Halted", body="why", dedupe_key="n", ts=at(0)
    )
    market = Lifecycle(ticker="T", ts=at(0), event="determined", result=Result.YES, payout=D(1))

    told, happened = marks.of_notice(notice, at(1)), marks.of_lifecycle(market, at(1))

    assert (told.role, told.details, told.row) == (Role.CRITICAL, ("critical halt", "why"), "notices")
    assert (happened.title, happened.details, happened.row) == ("T: determined", ("result yes", "payout 1"), "market")


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
def test_what_a_person_asks_is_told_with_the_reason(message: Message, title: str) -> None:
    found = marks.of_request(message, at(1))

    assert found is not None
    assert (found.title, found.details, found.row, found.role) == (
        title,
        ("why", "asked by ann"),
        "requests",
        Role.PERSON,
    )


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


# Above the picture


def test_above_a_trade_stands_what_it_was_and_how_long_nobody_guarded_it() -> None:
    spans = [
        Span(begin_ns=at(0), end_ns=at(9), role=Role.UNPROTECTED, title="never_fed", row="coverage"),
        Span(begin_ns=at(9), end_ns=at(60), role=Role.ARMED, title="price", row="coverage"),
    ]
    trade = a_trade(
        stop("price", stop_price="0.30", min_age_s=5), exit_price=D("0.55"), exit_ts=at(0), pnl=D("-0.5"), fees=D("0.1")
    )

    assert facts(trade, spans, "imagined") == {
        "account": "paper-1 (paper, paper)",
        "entry": f"$0.60, {NOON}",
        "exit": f"$0.55, {NOON}",
        "PnL": "-$0.5, fees $0.1",
        "still open": "10",
        "stops": "price (stop price 0.30)",
        "unprotected": "9 s",
        "what if": "imagined",
        "settings": "version 7",
    }


def test_above_a_trade_without_anything_stands_little() -> None:
    found = facts(a_coin_trade(open_quantity=D(0), entry_price=None), [], None)

    assert list(found) == ["account", "PnL", "stops", "unprotected", "settings"]
    assert (found["stops"], found["unprotected"]) == ("none", "never")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": TradeState.CLOSED, "rule": "price"}, "closed by price"),
        ({"state": TradeState.PARTIAL_CLOSING, "close_reason": "person"}, "partial closing by person"),
        ({}, "open"),
    ],
)
def test_it_is_told_how_a_trade_stands_and_by_what(changes: dict[str, object], words: str) -> None:
    assert ending(a_trade(**changes)) == words


def test_above_two_runs_stands_what_was_changed_and_what_that_brought() -> None:
    ground = Ground(
        place="x", begin=0, end=NS_PER_S, settings={"price.confirm_ticks": D(4)}, lives=1, inputs=1, skipped=0, lost=0,
        gaps=(), simulated=(),
    )  # fmt: skip
    totals = Totals(trades=2, changes={Change.SAME: 1, Change.NEVER: 1}, recorded=D(3), now=D(1), effect=D(-2))

    found = difference.facts(WhatIf(ground=ground, totals=totals, trades=()))

    assert list(found) == ["what if", "effect", "as recorded", "as it would have been", "compared"]
    assert (found["what if"], found["effect"]) == ("price.confirm_ticks = 4", "-$2")
    assert (found["as recorded"], found["as it would have been"]) == ("$3, with what is open at the last quote", "$1")
