"""Every notice that the house can say, made by the very functions that say it, of a trade that lives nowhere else."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from actors.rules.account import drawdown
from actors.rules.account import notices as account
from actors.rules.coverage import notices as coverage
from actors.rules.coverage import protection_notices as protection
from actors.rules.crashes import crash_words
from actors.rules.desk import notices as desk
from actors.rules.folding import flood
from actors.rules.market.feeds import FeedEvent
from actors.rules.reconcile import notices as reconcile
from actors.rules.reconcile.account import Account
from actors.rules.reconcile.comparison import Difference
from actors.rules.reconcile.terms import AccountKey, Place
from actors.rules.record import outage, recording, snapshots
from actors.rules.record.mirror import Mirror
from actors.rules.settings.reachability import Unreachable
from actors.rules.stops import notices as stops
from actors.rules.trade import notices as trade
from actors.rules.trade.steps import Context, VenueTerms
from actors.rules.transport import notices as transport
from bus.messages.accounts import AccountProgress, DrawdownFired
from bus.messages.envelope import Malformed, Message, Received
from bus.messages.lead import WireDown
from bus.messages.market import Result
from bus.messages.notices import Notice
from bus.messages.orders import Action, OrderReport, OrderSubmit, ReportStatus, Settlement, VenueAnswer, VenueFill
from bus.messages.recording import RangeKind, RangesRecorded, RecorderFailed, RecorderWorks
from bus.messages.records import Recovered
from bus.messages.settings import Layer, SettingsChanged
from bus.messages.stops import Guard, Input, StopDecision
from bus.messages.system import Error, ErrorCode, SystemEvent
from bus.messages.trades import Attempt, AttemptState, Fill, Mode, Purpose, Side, Trade, TradeAdopt, TradeState
from bus.messages.units import NS_PER_S
from tests.rules.stops.builders import Watch, a_quote, a_trade, stop

D = Decimal
NOW_NS: Final = 1_754_222_400 * NS_PER_S
"""2025-08-03T12:00:00Z."""

TRADE: Final = Trade(
    trade_id="rain-1", state=TradeState.OPEN, version=3, account="main", venue="kalshi", mode=Mode.LIVE, ticker="RAIN-TODAY",
    side=Side.YES, quantity=D(10), ts=NOW_NS, close_ts=NOW_NS + 3600 * NS_PER_S, open_quantity=D(10), filled_quantity=D(10),
    entry_price=D("0.60"), entry_cost=D("6.00"), entry_ts=NOW_NS,
)  # fmt: skip
SHORT: Final = replace(
    TRADE,
    trade_id="coin-1",
    ticker="BTC-USD",
    side=Side.SHORT,
    mode=Mode.PAPER,
    entry_price=D(50_000),
    entry_cost=D(500_000),
)
CLOSED: Final = replace(
    TRADE, state=TradeState.CLOSED, rule="price", open_quantity=D(0), closed_quantity=D(10), exit_price=D("0.49"),
    exit_proceeds=D("4.90"), fees=D("0.36"), pnl=D("-1.46"),
)  # fmt: skip
ATTEMPT: Final = Attempt(
    client_order_id="rain-1-close-8", purpose=Purpose.CLOSE, attempt=8, nth=8, state=AttemptState.DEAD, quantity=D(10),
    filled=D(3), evidence="cancelled",
)  # fmt: skip
FILL: Final = Fill(
    fill_id="f-77", client_order_id="rain-1-close-2", purpose=Purpose.CLOSE, price=D("0.45"), quantity=D(10), fees=D("0.07"),
    ts=NOW_NS,
)  # fmt: skip
CONTEXT: Final = Context(now_ns=NOW_NS, epoch=3, cause="report:77", venue=VenueTerms(name="kalshi"))
KEY: Final = AccountKey("kalshi", "main")
PLACE: Final = Place("RAIN-TODAY", Side.YES)
DECISION: Final = StopDecision(
    decision_id="rain-1-price-4", trade_id="rain-1", rule="price", fired=False, inputs={}, settings_version=7, ts=NOW_NS,
    guards=(
        Guard(name="max_quote_disagreement", passed=False, value=D("0.31"), limit=D("0.18")),
        Guard(name="min_age_s", passed=False, value=D(4), limit=D(60)),
        Guard(name="confirm_ticks", passed=True, value=D(2), limit=D(2)),
    ),
)  # fmt: skip
FIRED: Final = DrawdownFired(
    account="main", number=2, guards=(), settings_version=7, progress=AccountProgress(account="main"), now_ns=NOW_NS,
    inputs={name: Input(value=D(value), ts=NOW_NS, age_ms=0) for name, value in (("equity", "68.5"), ("limit", 70), ("high", 100))},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """One notice. said_by: the function that makes it, by its full name; when: in its words."""

    said_by: str
    when: str
    notice: Notice


def _of(said_by: Callable[..., Notice], *given: object, **named: object) -> Example:
    return Example(_name(said_by), _when(said_by), said_by(*given, **named))


def _name(said_by: Callable[..., object]) -> str:
    return f"{said_by.__module__}.{said_by.__name__}"


def _when(said_by: Callable[..., object]) -> str:
    return (said_by.__doc__ or "").strip()


def _received(message: Message, subject: str, key: str) -> Received[Message]:
    return Received(message=message, subject=subject, key=key, digest="5e9f", body=b"{}", received_ns=NOW_NS)


def _an_order(number: int) -> OrderSubmit:
    return OrderSubmit(
        client_order_id=f"rain-{number}-close-1", trade_id=f"rain-{number}", account="main", mode=Mode.LIVE, purpose=Purpose.CLOSE,
        attempt=1, ticker="RAIN-TODAY", side=Side.YES, action=Action.SELL, quantity=D(10), limit_price=D("0.44"), reduce_only=True,
        expires_ts=NOW_NS, epoch=3, cause="stop", trade_version=4, settings_version=7, ts=NOW_NS,
    )  # fmt: skip


def _several(count: int) -> list[Trade]:
    return [replace(TRADE, trade_id=f"rain-{number}") for number in range(1, count + 1)]


def _of_trades() -> Iterator[Example]:
    yield _of(trade.opened, TRADE, CONTEXT)
    yield _of(trade.opened, replace(TRADE, entry_price=None), CONTEXT, adopted=True)
    rejected = replace(TRADE, state=TradeState.REJECTED, open_quantity=D(0))
    yield _of(trade.rejected, replace(rejected, close_reason="nothing was filled in 30 s"), CONTEXT)
    yield _of(trade.rejected, replace(rejected, attempts=(replace(ATTEMPT, evidence=None), ATTEMPT)), CONTEXT)
    yield _of(trade.rejected, rejected, CONTEXT)
    yield _of(trade.closed, CLOSED, CONTEXT)
    yield _of(trade.closed, replace(CLOSED, rule=None, close_reason="by hand"), CONTEXT)
    yield _of(trade.closed, replace(CLOSED, rule=None), CONTEXT)
    yield _of(trade.expired, replace(TRADE, state=TradeState.EXPIRED), CONTEXT)
    settled = replace(TRADE, state=TradeState.SETTLED, result=Result.YES, outcome="win", pnl=D("3.93"), fees=D("0.07"))
    yield _of(trade.settled, settled, CONTEXT)
    yield _of(trade.stop_fired, TRADE, "price", CONTEXT)
    yield _of(trade.close_retried, replace(TRADE, open_quantity=D(7)), ATTEMPT, NOW_NS + NS_PER_S // 4, CONTEXT)
    yield _of(trade.close_failing, TRADE, ATTEMPT, CONTEXT)
    yield _of(trade.too_late, TRADE, CONTEXT)
    yield _of(trade.dust, replace(TRADE, open_quantity=D("0.4"), lot_size=D(1)), CONTEXT)
    yield _of(trade.unknown_order, SHORT, CONTEXT)
    yield _of(trade.reconciled, TRADE, CONTEXT)
    yield _of(trade.late_fill, CLOSED, FILL, CONTEXT)
    yield _of(trade.late_fill, TRADE, FILL, CONTEXT)
    yield _of(trade.overfill, replace(CLOSED, state=TradeState.OPEN), D(1), FILL, CONTEXT)
    yield _of(trade.order_refused, TRADE, ATTEMPT, "no answer within 2 s", CONTEXT)
    yield _of(trade.other_order, TRADE, _an_order(1), CONTEXT)
    yield _of(trade.position_mismatch, TRADE, CONTEXT)
    yield _of(trade.closed_outside, CLOSED, D(10), D(0), CONTEXT)
    yield _of(trade.closed_outside, replace(TRADE, open_quantity=D(6), pnl=D(0)), D(4), D(4), CONTEXT)
    yield _of(trade.netted, CLOSED, D(10), D(0), CONTEXT)
    yield _of(trade.result_mismatch, replace(settled, result=Result.NO), Result.YES, CONTEXT)
    yield _of(trade.result_unknown, TRADE, "split", CONTEXT)
    settlement = Settlement(account="main", ticker="RAIN-TODAY", ts=NOW_NS, result="yes", revenue=D("9.50"))
    yield _of(trade.revenue_mismatch, settlement, D("10.00"), CONTEXT)


def _of_stops() -> Iterator[Example]:
    for kind in ("clock_ahead", "unit_suspect"):
        for marked in (True, False):
            yield _of(stops.feed_marked, FeedEvent("coinbase", kind, marked), NOW_NS)
    watch = Watch(*(a_trade(stop("price", stop_price="0.50"), trade_id=f"rain-{number}") for number in range(1, 8)))
    watch.tick(a_quote(0, "0.58", "0.60")).wait(40).tick(a_quote(41, "0.58", "0.60"))
    for said_by, notice in zip((stops.feed_stale, stops.feed_back), _said(watch.said), strict=True):
        yield Example(_name(said_by), _when(said_by), notice)
    yield _of(stops.held_back, DECISION, ("max_quote_disagreement", "min_age_s"))


def _said(words: Iterable[object]) -> list[Notice]:
    return [word for word in words if isinstance(word, Notice)]


def _of_coverage() -> Iterator[Example]:
    for why in (*coverage._DOING, "stale"):
        yield _of(coverage.unprotected, [TRADE], why, NOW_NS)
    yield _of(coverage.unprotected, _several(22), "clock_ahead", NOW_NS)
    yield _of(coverage.protected_again, [SHORT], NOW_NS)
    suspects = [(one, "nobody says that it is covered") for one in _several(22)]
    yield _of(protection.mismatch, suspects[:1], NOW_NS)
    yield _of(protection.mismatch, suspects, NOW_NS)
    hour = (4000 * NS_PER_S, 3600 * NS_PER_S)
    for now in ({"stale": 2, "empty_book": 1}, {}):
        yield _of(protection.objective_missed, *hour, now, NOW_NS)
    yield _of(protection.objective_met, 1800 * NS_PER_S, hour[1], {"stale": 2, "empty_book": 1}, NOW_NS)
    yield _of(coverage.protected_again, _several(2), NOW_NS)


def _of_desk() -> Iterator[Example]:
    subject = "order.report.rain-9-entry-1"
    yield _of(
        desk.malformed,
        Malformed(subject="market.quote.RAIN-TODAY", body=b"{", reason="yes_bid: not a decimal", received_ns=NOW_NS),
    )
    report = OrderReport(client_order_id="rain-9-entry-1", ts=NOW_NS, status=ReportStatus.CANCELLED)
    yield _of(desk.conflict, _received(report, subject, "report:rain-9-entry-1:cancelled"))
    yield _of(desk.unknown_order, _received(report, subject, "report:rain-9-entry-1:cancelled"))
    for filled in ({"fill_quantity": D(4)}, {"cumulative_quantity": D(10)}):
        told = replace(report, status=ReportStatus.FILLED, **filled)
        yield _of(desk.unknown_order, _received(told, subject, "report:rain-9-entry-1:f-78"))
    fills = [
        VenueFill(fill_id=f"f-{n}", ticker="RAIN-TODAY", side=Side.YES, price=D("0.6"), quantity=D(n), ts=NOW_NS)
        for n in (3, 4)
    ]
    answer = VenueAnswer(
        client_order_id="rain-9-entry-1", trade_id="rain-9", order=None, error=None, now_ns=NOW_NS, account="main"
    )
    yield _of(desk.fills_of_nobody, answer, fills)
    yield _of(desk.orders_of_nobody, [_an_order(8), _an_order(9)], NOW_NS)
    adopt = TradeAdopt(
        trade_id="found-1", account="main", mode="live", ticker="RAIN-TODAY", side=Side.YES, quantity=D(10), entry_price=D("0.60"),
        entry_ts=NOW_NS,
    )  # fmt: skip
    refusal = Error(code=ErrorCode.STOP_REQUIRED, message="A live trade needs a stop.")
    yield _of(desk.not_adopted, adopt, refusal, NOW_NS)
    yield _of(desk.refused, _received(adopt, "trade.command.adopt", "command:found-1:adopt"), refusal)
    changed = SettingsChanged(
        version=8, layer=Layer.STRATEGY, name="hourly", requested_by="ann", reason="calmer", ts=NOW_NS, before={"price.confirm_ticks": D(2)},
        after={"price.confirm_ticks": D(3), "loss.max_loss": D(40)},
    )  # fmt: skip
    yield _of(desk.settings_changed, changed, 12)
    yield _of(desk.settings_changed, replace(changed, layer=Layer.DEFAULTS, name=""), 0)
    far = Unreachable(
        layer=Layer.SYMBOL, name="BTC", key="momentum.threshold_percent", value=D(35), input=RangeKind.MOMENTUM, low=D("-0.41"), high=D("0.35")
    )  # fmt: skip
    floor = Unreachable(
        layer=Layer.DEFAULTS, name="", key="probability.floor_percent", value=D("0.25"), input=RangeKind.PROBABILITY, low=D(1), high=D(99)
    )  # fmt: skip
    recorded = RangesRecorded(begin_ns=NOW_NS - 86_400 * NS_PER_S * 12, end_ns=NOW_NS, ranges=(), now_ns=NOW_NS)
    yield _of(desk.beyond_reach, [far], recorded, NOW_NS)
    yield _of(desk.beyond_reach, [floor, far], recorded, NOW_NS)
    yield _of(desk.settings_unreadable, ("price.stop: unknown", "loss.max_loss: not a number"), NOW_NS)
    yield _of(desk.drawdown, FIRED, 5)
    yield _of(desk.drawdown, replace(FIRED, inputs={"equity_high": Input(value=D("69.9")), **_but_equity()}), 5)
    for kind in ("halt", "reduce_only", "resume", "rebase"):
        yield _of(
            desk.system_changed,
            SystemEvent(kind=kind, body="maintenance.", ts=NOW_NS, account="main", requested_by="ann"),
            "key",
        )
    yield _of(desk.system_changed, SystemEvent(kind="halt", body="", ts=NOW_NS, requested_by="ann"), "key")


def _but_equity() -> dict[str, Input]:
    return {name: value for name, value in FIRED.inputs.items() if name != "equity"}


def _of_accounts() -> Iterator[Example]:
    for said_by, theirs in ((reconcile.unmanaged, D(12)), (reconcile.mismatch, D(7))):
        found = [(Place(f"RAIN-{day}", Side.YES), Difference(ours=D(10), theirs=theirs)) for day in range(1, 13)]
        yield _of(said_by, KEY, found[:1], NOW_NS)
        yield _of(said_by, KEY, found, NOW_NS)
    yield _of(reconcile.mismatch, KEY, found, NOW_NS, is_blank=True)
    yield _of(reconcile.ghost, KEY, "rain-1-close-3", NOW_NS)
    yield _of(reconcile.silent, Account(KEY, NOW_NS, silent=3, error="no answer within 5 s"), NOW_NS)
    yield _of(reconcile.reconciled, KEY, NOW_NS)
    yield _of(reconcile.attributed, KEY, PLACE, D(4), ["rain-1", "rain-2"], NOW_NS)
    main = drawdown.Account("main")
    yield _of(account.not_armed, main, NOW_NS)
    yield _of(account.transferred, main, D(-20), NOW_NS)
    main.high = D(120)
    yield _of(account.transferred, main, D(20), NOW_NS)


def _of_the_house() -> Iterator[Example]:
    record = outage.Outage()
    error = "connection refused."
    [away] = _said([*record.failed(error, 1, NOW_NS - 2 * NS_PER_S), *record.failed(error, 44, NOW_NS)])
    [back] = _said(record.caught_up(NOW_NS + 75 * NS_PER_S))
    yield Example("Outage.failed", "PostgreSQL has taken nothing for 2 s.", away)
    yield Example("Outage.caught_up", "Nothing waits any more.", replace(back, ts=NOW_NS))
    snapshot = Mirror(Recovered(), epoch=1, streams={}, reached={}, ledger=1).snapshot(NOW_NS - 5 * NS_PER_S)
    for known in (snapshot, snapshots.nothing(NOW_NS)):
        yield _of(snapshots.without_record, known, 3, NOW_NS)
    yield _of(snapshots.not_written, "no space left on device", NOW_NS)
    yield _of(snapshots.unusable, "there is no snapshot, and LEDGER tells of no open trade", NOW_NS)
    yield _of(recording.failed, RecorderFailed(error="[Errno 28] No space left on device", now_ns=NOW_NS))
    yield _of(recording.works, RecorderWorks(lost=1_204, now_ns=NOW_NS))
    yield _of(flood.flood, NOW_NS)
    yield _of(flood.flood_over, 1_234_567, 75 * NS_PER_S, NOW_NS)
    for poison in (None, CONTEXT):
        [died] = _said(crash_words("supervisor", "trade_desk", "KeyError: 'rain-1'", NOW_NS, poison))
        yield Example("crash_words", "An actor died and was built anew.", died)


def _of_the_wire() -> Iterator[Example]:
    down = WireDown(why="no echo for 6 s.", now_ns=NOW_NS - 75 * NS_PER_S)
    yield _of(transport.away, down, NOW_NS)
    yield _of(transport.back, down, NOW_NS)
    for kind, why in (("loss", "it was made anew"), ("drift", "it keeps 3 days, not 7"), ("fill", "it is 71 % full")):
        yield _of(transport.alarm, "ORDERS", kind, why, NOW_NS)
    yield _of(transport.well, "ORDERS", "fill", "it is 71 % full", NOW_NS)


def examples() -> list[Example]:
    """Return an example of every notice, by kind, those of one kind in the order in which they stand above."""
    found = [
        *_of_trades(),
        *_of_stops(),
        *_of_coverage(),
        *_of_desk(),
        *_of_accounts(),
        *_of_the_house(),
        *_of_the_wire(),
    ]
    return sorted(found, key=lambda example: example.notice.kind)
