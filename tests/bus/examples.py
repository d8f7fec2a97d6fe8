"""One example of each message that goes over the wire, with every field that says something."""

from decimal import Decimal

from bus.messages import explain, market, notices, orders, settings, stops, system, trades
from bus.messages.envelope import Message
from tests.bus.builders import a_cancel, an_order

D = Decimal
NS = 1_752_685_200_123_456_000
ORDER = an_order(ts=NS, expires_ts=NS + 10**9, decision_id="T1-price-1")
FILL = trades.Fill(
    fill_id="f1",
    client_order_id="T1-entry-1",
    purpose=trades.Purpose.ENTRY,
    price=D("0.45"),
    quantity=D(10),
    fees=D("0.01"),
    ts=NS,
)
ATTEMPT = trades.Attempt(
    client_order_id="T1-entry-1",
    purpose=trades.Purpose.ENTRY,
    attempt=1,
    state=trades.AttemptState.DEAD,
    quantity=D(10),
    filled=D(10),
    sent_ns=NS,
    expires_ns=NS + 1000,
    evidence="filled",
)
TRADE = trades.Trade(
    trade_id="T1", state=trades.TradeState.OPEN, version=3, account="acc", venue="paper", mode=trades.Mode.PAPER, ticker="KX-1.5",
    side=trades.Side.YES, quantity=D(10), ts=NS, symbol="BTC", strike=D("119499.99"), strike_type=market.StrikeType.ABOVE,
    open_quantity=D(10), filled_quantity=D(10), entry_cost=D("4.5"), entry_price=D("0.45"), entry_ts=NS, fees=D("0.01"),
    pnl=D("-0.01"), stops=(trades.StopSpec(rule="price", settings={"stop_price": D("0.3")}),), overrides={"price.stop_price": D("0.3")},
    settings={"close_empty_book": "rest", "max_spread": D("0.2")}, coverage=trades.Coverage.ARMED, attempts=(ATTEMPT,), fills=(FILL,),
    cause="trade.request.open",
)  # fmt: skip
LIFECYCLE = market.Lifecycle(
    ticker="KX-1.5", ts=NS, event="settled", result=market.Result.SPLIT, payout=D("0.5"), close_ts=NS
)
OPEN = trades.TradeOpen(
    trade_id="T1", account="acc", mode="paper", ticker="KX-1.5", side=trades.Side.YES, quantity=D(10), limit_price=D("0.5"),
    expires_ts=NS, stops=({"rule": "price", "stop_price": "0.3"},),
)  # fmt: skip
ADOPT = trades.TradeAdopt(
    trade_id="T1", account="acc", mode="live", ticker="BTC", side=trades.Side.SHORT, quantity=D("0.01"), venue="kalshi",
    entry_price=D(119_000), entry_ts=NS, fees=D("-0.5"),
)  # fmt: skip
DECISION = stops.StopDecision(
    decision_id="T1-price-1", trade_id="T1", rule="price", fired=True, settings_version=1, ts=NS,
    inputs={"exit": stops.Input(value=D("0.3"), ts=NS, age_ms=5, source="feed")},
    guards=(stops.Guard(name="dwell_s", passed=True, value=D(1), limit=D(0)),),
)  # fmt: skip
VENUE_ORDER = orders.VenueOrder(
    client_order_id="T1-close-1", status=orders.ReportStatus.FILLED, cumulative_quantity=D(10)
)
VENUE_FILL = orders.VenueFill(fill_id="f1", ticker="KX", side=trades.Side.NO, price=D("0.4"), quantity=D(1), ts=NS)
CHANGED = settings.SettingsChanged(
    version=2, layer=settings.Layer.ACCOUNT, name="acc", before={"price.enabled": False}, after={"price.enabled": True, "max_spread": "0.1"},
    reason="test", requested_by="me", ts=NS,
)  # fmt: skip
STATUS = system.Status(
    ready=True, role="leader", instance="i", epoch=1, version="0.1.0", ts=NS, trades={"open": 1}, unprotected_trade_seconds="0.5",
    actors=(system.ActorHealth(name="trade_desk", alive=True, inbox=0, restarts=0, handled=7),),
)  # fmt: skip
ERROR = system.Error(code=system.ErrorCode.EXPIRED, message="too late", retry=False)

EXAMPLES: tuple[Message, ...] = (
    market.Quote(ticker="KX-1.5", ts=NS, source="feed", yes_bid=D("0.45"), yes_ask=D("0.47"), yes_bid_size=D("12.5")),
    market.SpotPrice(symbol="BTC", ts=NS, price=D("119499.99")),
    market.Probability(ticker="KX-1.5", ts=NS, probability=D("62.5")),
    market.Momentum(symbol="BTC", ts=NS, momentum=D("-0.35")),
    market.FeedBeat(source="kalshi", ts=NS, max_silence_s=2.5),
    LIFECYCLE,
    OPEN,
    ADOPT,
    trades.TradeClose(trade_id="T1", reason="test", requested_by="me", quantity=D("2.5"), command_id="c1"),
    trades.TradeGet(trade_id="T1"),
    trades.TradeList(states=(trades.TradeState.OPEN,), since=NS, limit=10),
    stops.StopArm(trade_id="T1", rule="price", reason="r", requested_by="me", settings={"stop_price": "0.3"}),
    stops.StopDisarm(trade_id="T1", rule="price", reason="r", requested_by="me"),
    stops.StopSet(trade_id="T1", settings={"price.stop_price": None}, reason="r", requested_by="me"),
    stops.StopWaive(trade_id="T1", reason="r", requested_by="me", until=NS),
    settings.SettingsGet(layer=settings.Layer.DEFAULTS),
    settings.SettingsSet(
        layer=settings.Layer.DEFAULTS, changes={"max_spread": "0.1"}, expected_version=1, reason="r", requested_by="me"
    ),
    settings.HistoryGet(limit=5),
    explain.CapsuleGet(trade_id="T1"),
    system.SystemCommand(reason="r", requested_by="me", account="acc"),
    system.Heartbeat(service="feed", ts=NS, status="ok"),
    orders.OrderReport(
        client_order_id="T1-close-1", ts=NS, status=orders.ReportStatus.FILLED, fill_id="f1", fill_price=D("0.25"),
        fill_quantity=D(10), fees=D("0.01"), cumulative_quantity=D(10),
    ),
    orders.Position(account="acc", ticker="KX-1.5", ts=NS, side=trades.Side.YES, quantity=D(10)),
    orders.Settlement(account="acc", ticker="KX-1.5", ts=NS, result="yes", revenue=D(10)),
    orders.Balance(account="acc", ts=NS, balance=D("-12.5")),
    orders.EpochRecord(epoch=1, instance="i", ts=NS),
    ORDER,
    a_cancel(ORDER),
    TRADE,
    DECISION,
    stops.StopCoverage(trade_id="T1", coverage=trades.Coverage.UNPROTECTED, why="stale", since=NS, ts=NS),
    CHANGED,
    system.SystemEvent(kind="halt", body="by me", ts=NS, requested_by="me"),
    notices.Notice(notice_id="n1", kind="unprotected", severity=notices.Severity.CRITICAL, title="t", body="b", dedupe_key="d", ts=NS),
    STATUS,
    orders.VenueOrdersRequest(account="acc", client_order_id="T1-close-1"),
    orders.VenueOrders(orders=(VENUE_ORDER,), next="2"),
    orders.VenueFills(fills=(VENUE_FILL,)),
    orders.VenuePositions(
        positions=(orders.VenuePosition(ticker="KX", side=trades.Side.YES, quantity=D(1)),)
    ),
    system.Reply(ok=False, instance="i", epoch=1, ts=NS, error=ERROR),
    system.Reply(ok=True, instance="i", epoch=1, ts=NS, result=TRADE),
)  # fmt: skip

BY_TYPE = {type(example): example for example in EXAMPLES}
