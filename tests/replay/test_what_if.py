"""What-if on recordings made by hand: whatever the recorded process did, the inputs alone decide what becomes of a trade."""

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from actors.engines import Beginning
from actors.recorded import note_beginning
from actors.replay.changes import read_change, read_changes, read_sweep
from actors.replay.inputs import Inputs
from actors.replay.lives import Begun
from actors.replay.replaying import Wanted
from actors.replay.what_if import sweep, what_if
from bus.messages.envelope import Received
from bus.messages.market import Ticks
from bus.messages.orders import Action, OrderReport, OrderSubmit, Position, ReportStatus
from bus.messages.plain import to_json
from bus.messages.reconcile import VenuesUp
from bus.messages.recording import EntriesLost, LifeEnded, PaperRestored
from bus.messages.records import OrdersTail, Recovered
from bus.messages.timers import TimerFired
from bus.messages.trades import Mode, Purpose, Side, Trade, TradeAdopt, TradeState
from bus.messages.units import NS_PER_MS, NS_PER_S
from bus.messages.what_if import TradeCompared, WhatIf
from config.settings import Settings, load, retold
from tests.replay.tape import Tape
from tests.rules.stops.builders import T0, a_quote

SETTINGS = load({})
NO_TAIL = OrdersTail()
LATENCY_NS = 50 * NS_PER_MS
FALLING = ("0.60", "0.50", "0.44", "0.36", "0.28", "0.20")


def a_life(
    tape: Tape,
    epoch: int = 1,
    at_s: int = 0,
    *,
    settings: Settings = SETTINGS,
    trades: tuple[Trade, ...] = (),
    tail: OrdersTail = NO_TAIL,
) -> None:
    now_ns = T0 + at_s * NS_PER_S
    recovered = Recovered(layers={("defaults", ""): dict(settings.stops)}, settings_version=1, trades=trades)
    beginning = Beginning(recovered=recovered, instance="one", epoch=epoch, streams={}, now_ns=now_ns)
    note_beginning(tape, settings, beginning)
    tape.note("trade_desk", tail, (), now_ns)
    tape.note("paper_venue", PaperRestored(now_ns=now_ns), (), now_ns)
    tape.note("reconciler", VenuesUp(now_ns=now_ns), (), now_ns)


def an_adoption(tape: Tape, at_s: int = 1, *, mode: str = "paper", venue: str | None = None) -> None:
    now_ns = T0 + at_s * NS_PER_S
    message = TradeAdopt(
        trade_id="t-1",
        account="main",
        mode=mode,
        venue=venue,
        ticker="T",
        side=Side.YES,
        quantity=Decimal(10),
        entry_price=Decimal("0.60"),
        entry_ts=T0,
        stops=({"rule": "probability", "floor_percent": "25", "confirm_ticks": "1"},),
    )
    received = Received(
        message=message,
        subject="trade.request.adopt",
        key="adopt:t-1",
        digest="d",
        body=to_json(message),
        received_ns=now_ns,
        reply_to="answer",
    )
    tape.note("trade_desk", received, (), now_ns)


def the_bids(tape: Tape, *bids: str, from_s: int = 2) -> None:
    """A bid each second, an ask one cent above."""
    for second, bid in enumerate(bids, from_s):
        tick = replace(a_quote(second, bid, f"{Decimal(bid) + Decimal('0.01')}"), ticker="T")
        tape.note("auto_stop", Ticks(batch=(tick,), received_ns=tick.ts), (), tick.ts)


def a_fall() -> Tape:
    tape = Tape()
    a_life(tape)
    an_adoption(tape)
    the_bids(tape, *FALLING)
    the_end(tape)
    return tape


def the_end(tape: Tape, at_s: int = 60) -> None:
    """Something that changes nothing, so much later that every order has been filled."""
    now_ns = T0 + at_s * NS_PER_S
    tape.note("transport", TimerFired(owner="transport", key="look", due_ns=now_ns, now_ns=now_ns), (), now_ns)


def asked(tape: Tape, folder: Path, *changes: str, wanted: Wanted | None = None) -> WhatIf:
    return what_if(tape.write(folder), wanted or Wanted(), read_changes(changes), retold)


def the_trade(found: WhatIf) -> TradeCompared:
    [trade] = found.trades
    return trade


@pytest.mark.parametrize("floor", [15, 25, 30, 40, 47, 55])
def test_a_stop_fires_at_the_first_recorded_quote_below_the_floor(tmp_path: Path, floor: int) -> None:
    middles = [Decimal(bid) * 100 + Decimal("0.5") for bid in FALLING]
    below = [place for place, middle in enumerate(middles) if middle < floor]

    now = the_trade(asked(a_fall(), tmp_path, f"probability.floor_percent={floor}")).now

    assert now is not None
    if not below:
        assert (now.state, now.fired, now.worth) == (
            TradeState.OPEN,
            None,
            Decimal(10) * (Decimal("0.20") - Decimal("0.60")),
        )
    else:
        pnl = Decimal(10) * (Decimal(FALLING[below[0]]) - Decimal("0.60"))
        fired = T0 + (2 + below[0]) * NS_PER_S
        assert (now.state, now.fired, now.exit_ts, now.pnl) == (TradeState.CLOSED, fired, fired + LATENCY_NS, pnl)


def test_a_sweep_gives_what_each_value_gives_alone(tmp_path: Path) -> None:
    key, values = read_sweep("probability.floor_percent=20..50:15")
    place = a_fall().write(tmp_path)

    found = sweep(place, Wanted(), (key, [read_change(key, value) for value in values]), read_changes(()), retold)

    alone = [what_if(place, Wanted(), read_change(key, value), retold).totals for value in ("20", "35", "50")]
    assert [row.totals for row in found.rows] == alone
    assert [row.value for row in found.rows] == [20, 35, 50]


def test_what_was_decided_then_does_not_come_back_with_the_next_process(tmp_path: Path) -> None:
    tape = a_fall()
    a_life(tape, epoch=2, at_s=100, trades=(adopted_then(),))
    the_bids(tape, "0.60", "0.60", from_s=101)

    now = the_trade(asked(tape, tmp_path, "probability.floor_percent=40")).now

    assert now is not None
    assert (now.state, now.fired) == (TradeState.CLOSED, T0 + 5 * NS_PER_S)


def test_what_is_open_lives_on_in_the_next_process(tmp_path: Path) -> None:
    tape = Tape()
    a_life(tape)
    an_adoption(tape)
    the_bids(tape, "0.60")
    a_life(tape, epoch=2, at_s=100, trades=())
    the_bids(tape, "0.60", "0.30", from_s=101)
    the_end(tape, at_s=160)

    now = the_trade(asked(tape, tmp_path, "probability.floor_percent=40")).now

    assert now is not None
    assert (now.state, now.fired) == (TradeState.CLOSED, T0 + 102 * NS_PER_S)


def adopted_then() -> Trade:
    """A trade as the recorded process knew it."""
    return Trade(
        trade_id="t-1",
        state=TradeState.OPEN,
        version=2,
        account="main",
        venue="paper",
        mode=Mode.PAPER,
        ticker="T",
        side=Side.YES,
        quantity=Decimal(10),
        open_quantity=Decimal(10),
        filled_quantity=Decimal(10),
        entry_cost=Decimal(6),
        entry_price=Decimal("0.60"),
        entry_ts=T0,
        ts=T0,
    )


def test_a_trade_that_the_next_process_alone_knows_is_guarded_from_then_on(tmp_path: Path) -> None:
    tape = Tape()
    a_life(tape)
    a_life(tape, epoch=2, at_s=100, trades=(adopted_then(),))
    the_bids(tape, "0.60", "0.30", from_s=101)

    now = the_trade(asked(tape, tmp_path, "price.enabled=true", "price.stop_price=0.40", "price.confirm_ticks=1")).now

    assert now is not None
    assert (now.rule, now.fired) == ("price", T0 + 102 * NS_PER_S)


def at_kalshi() -> Settings:
    venue = {"style": "sell", "netting": "false", "cutoff_s": "1", "settle_bound_s": "60"}
    return load(
        {f"WATCHKEEPER_VENUES_KALSHI_{name.upper()}": value for name, value in venue.items()}
        | {"WATCHKEEPER_TRADING_LIVE_ENABLED": "true"}
    )


def test_fills_of_another_venue_are_simulated_and_said_to_be(tmp_path: Path) -> None:
    settings = at_kalshi()
    tape = Tape()
    a_life(tape, settings=settings)
    an_adoption(tape, mode="live", venue="kalshi")
    the_bids(tape, *FALLING)
    the_end(tape)

    found = asked(tape, tmp_path, "probability.floor_percent=40")

    now = the_trade(found).now
    assert now is not None
    assert found.ground.simulated == ("kalshi",)
    assert (now.state, now.pnl) == (TradeState.CLOSED, Decimal(10) * (Decimal("0.36") - Decimal("0.60")))


@pytest.mark.parametrize(
    "word",
    [
        Position(account="main", ticker="T", ts=T0, side=Side.YES, quantity=Decimal(0)),
        OrderReport(client_order_id="t-1-close-1", ts=T0, status=ReportStatus.CANCELLED),
    ],
)
def test_what_venues_told_then_is_no_input(word: Position | OrderReport) -> None:
    subject = "account.position.main" if isinstance(word, Position) else "order.report.t-1-close-1"
    tape = Tape()
    a_life(tape)
    received = Received(message=word, subject=subject, key="k", digest="d", body=to_json(word), received_ns=T0)
    tape.note("trade_desk", received, (), T0)

    heard = Inputs(lambda _: None).read([tape.block])

    assert [type(one.word) for one in heard] == [Begun, OrdersTail, PaperRestored, VenuesUp]


def test_a_deadline_that_was_met_late_sees_the_quotes_that_came_before_it(tmp_path: Path) -> None:
    """On a busy machine the venue's clock struck after the next quote."""
    tape = Tape()
    a_life(tape)
    an_adoption(tape)
    the_bids(tape, "0.60", "0.24")
    due_ns = T0 + 3 * NS_PER_S + LATENCY_NS
    later = replace(a_quote(3, "0.23", "0.25"), ticker="T", ts=due_ns + NS_PER_MS)
    tape.note("auto_stop", Ticks(batch=(later,), received_ns=later.ts), (), later.ts)
    late_ns = due_ns + 2 * NS_PER_MS
    fired = TimerFired(owner="paper_venue", key="decide:t-1-close-1", due_ns=due_ns, now_ns=late_ns)
    tape.note("paper_venue", fired, (), late_ns)

    now = the_trade(asked(tape, tmp_path)).now

    assert now is not None
    assert (now.exit_price, now.exit_ts) == (Decimal("0.23"), late_ns)


def test_a_close_that_left_then_is_not_taken_over(tmp_path: Path) -> None:
    tape = Tape()
    a_life(tape)
    an_adoption(tape)
    the_bids(tape, "0.60", "0.24", "0.60")
    close = OrderSubmit(
        client_order_id="t-1-close-1",
        trade_id="t-1",
        account="main",
        mode=Mode.PAPER,
        purpose=Purpose.CLOSE,
        attempt=1,
        ticker="T",
        side=Side.YES,
        action=Action.SELL,
        quantity=Decimal(10),
        reduce_only=True,
        expires_ts=T0 + 100 * NS_PER_S,
        epoch=1,
        cause="t-1-probability-1",
        trade_version=2,
        settings_version=1,
        ts=T0,
    )
    a_life(tape, epoch=2, at_s=10, tail=OrdersTail(submits=(close,), last=1))
    the_end(tape)

    now = the_trade(asked(tape, tmp_path, "probability.floor_percent=20")).now

    assert now is not None
    assert now.state is TradeState.OPEN


def test_an_order_that_rests_outlives_the_process(tmp_path: Path) -> None:
    tape = Tape()
    a_life(tape)
    an_adoption(tape)
    the_bids(tape, "0.60")
    nobody = replace(a_quote(3, "0.00", "0.20"), ticker="T")
    tape.note("auto_stop", Ticks(batch=(nobody,), received_ns=nobody.ts), (), nobody.ts)
    a_life(tape, epoch=2, at_s=5)
    the_bids(tape, "0.20", from_s=6)
    the_end(tape, at_s=7)

    now = the_trade(asked(tape, tmp_path)).now

    assert now is not None
    assert (now.state, now.exit_ts) == (TradeState.CLOSED, T0 + 6 * NS_PER_S)


def test_the_end_of_the_time_asked_for_ends_it(tmp_path: Path) -> None:
    found = asked(a_fall(), tmp_path, "probability.floor_percent=40", wanted=Wanted(until_ns=T0 + 4 * NS_PER_S))

    now = the_trade(found).now
    assert now is not None
    assert now.fired is None
    assert found.ground.end == T0 + 4 * NS_PER_S


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    tape = a_fall()
    tape.note("recorder", EntriesLost(count=7), (), T0 + 61 * NS_PER_S)
    tape.note("recorder", LifeEnded(), (), T0 + 62 * NS_PER_S)
    the_bids(tape, "0.10", from_s=63)

    ground = asked(tape, tmp_path).ground

    assert (ground.lost, ground.skipped, ground.lives) == (7, 1, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("probability.floor_percent", "KEY=VALUE"),
        ("probability.floor=30", "Did you mean probability.floor_percent"),
        ("probability.floor_percent=130", "from 0 to 100"),
        ("nats.url=nats://example", "no setting 'nats.url'"),
        ("paper.latency_ms=soon", "a whole number"),
        ("paper.latency=5", "paper.latency_ms"),
    ],
)
def test_a_change_that_cannot_be_meant_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_changes([text])


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "probability.floor_percent=20",
        "probability.floor_percent=20..10:5",
        "probability.floor_percent=1..2:0",
        "probability.floor_percent=1..2:x",
        "probability.floor_percent=NaN..2:1",
        "probability.floor_percent=0..100:0.1",
    ],
)
def test_a_sweep_that_cannot_be_meant_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"A\.\.B:STEP|at most 200"):
        read_sweep(text)
