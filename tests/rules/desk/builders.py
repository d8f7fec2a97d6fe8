"""Builders for the desk's tests: a desk with a record, inputs as the wire hands them in, and a reader of what is said."""

import hashlib
import itertools
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from actors.rules.account.limits import Limits
from actors.rules.desk.desk import Desk
from actors.rules.trade.steps import VenueTerms
from bus.messages.envelope import Delivery, Message, Outgoing, Received
from bus.messages.market import Lifecycle
from bus.messages.orders import OrderReport, OrderSubmit
from bus.messages.reconcile import AccountStanding
from bus.messages.records import Answer, Commit, OrdersTail, Recovered
from bus.messages.settings import SettingsSet
from bus.messages.stops import Mark, MarkState, StopCheckGiven, StopCheckWanted, StopDecision, StopFired
from bus.messages.system import Reply
from bus.messages.trades import Purpose, StopSpec, Trade, TradeAdopt, TradeClose, TradeOpen
from tests.rules.readable import readable

W = TypeVar("W")
D = Decimal
S = 1_000_000_000
T0 = 1_700_000_000 * S
TICKER = "KXBTCD-25JUL1617-T119499.99"
DEFAULTS: dict[str, object] = {
    "probability.enabled": True,
    "probability.floor_percent": "25",
    "probability.confirm_ticks": "2",
    "momentum.enabled": False,
    "momentum.threshold_percent": "0.35",
    "stale.enabled": True,
    "stale.policy": "alert",
    "max_spread": "0.20",
    "entry_timeout_s": "30",
}
VENUES = {
    "paper": VenueTerms(name="paper"),
    "kalshi": VenueTerms(name="kalshi", style="buy_opposite", netting=True),
    "plain": VenueTerms(name="plain"),
}
NO_TAIL = OrdersTail()
_ticks = itertools.count(1)


def a_record(**changes: Any) -> Recovered:  # a builder takes any field
    given: dict[str, Any] = {
        "trades": (),
        "seen": {},
        "settings_version": 1,
        "layers": {("defaults", ""): DEFAULTS},
        "accounts": {},
        "progress": (),
        "coverage": (),
        "fill_ids": frozenset(),
        "halted": False,
        "reduce_only": frozenset(),
        "epoch": 6,
    }
    return Recovered(**(given | changes))


class ReadableDesk(Desk):
    """A desk whose every word can be read."""

    def start(self, now_ns: int, tail: OrdersTail = NO_TAIL) -> list[object]:
        return readable(super().start(now_ns, tail))

    def handle(self, word: object) -> list[object]:
        return readable(super().handle(word))


def a_desk(*, live_enabled: bool = True, limits: Limits | None = None, **changes: Any) -> Desk:  # as above
    """A desk whose accounts all agree with their venues."""
    desk = an_unheard_desk(live_enabled=live_enabled, limits=limits, **changes)
    for venue, account in itertools.product(VENUES, ("acc", "real", "other")):
        desk.handle(a_standing(venue, account))
    return desk


def an_unheard_desk(*, live_enabled: bool = True, limits: Limits | None = None, **changes: Any) -> Desk:  # as above
    """A desk that no venue has answered yet."""
    record = a_record(**changes)
    return ReadableDesk(record, epoch=7, instance="test", live_enabled=live_enabled, venues=VENUES, limits=limits)


def a_standing(venue: str = "paper", account: str = "acc", **changes: Any) -> AccountStanding:  # as above
    given: dict[str, Any] = {"began_ns": T0, "answered": True, "now_ns": T0} | changes
    return AccountStanding(venue=venue, account=account, **given)


def an_open(trade_id: str = "t1", **changes: Any) -> TradeOpen:  # as above
    """A paper trade of ten yes contracts at 0.60 that wants no check of its stops."""
    given: dict[str, Any] = {
        "trade_id": trade_id,
        "account": "acc",
        "mode": "paper",
        "ticker": TICKER,
        "side": "yes",
        "quantity": D(10),
        "limit_price": D("0.60"),
        "allow_immediate": True,
    }
    return msgspec.convert(given | changes, TradeOpen, dec_hook=lambda _, value: value)


def a_live_open(trade_id: str = "t1", **changes: Any) -> TradeOpen:  # as above
    return an_open(trade_id, **({"mode": "live", "venue": "plain", "account": "real"} | changes))


def an_adopt(trade_id: str = "t1", **changes: Any) -> TradeAdopt:  # as above
    given = msgspec.structs.asdict(an_open(trade_id)) | {"entry_price": D("0.60"), "entry_ts": T0} | changes
    return TradeAdopt(**given)


def a_close(trade_id: str = "t1", **changes: Any) -> TradeClose:  # as above
    return TradeClose(**({"trade_id": trade_id, "reason": "enough", "requested_by": "eve"} | changes))


def a_report(trade_id: str = "t1", purpose: str = "entry", status: str = "filled", **changes: Any) -> OrderReport:
    """An entry's complete fill at 0.60, free of fees."""
    given: dict[str, Any] = {"client_order_id": f"{trade_id}-{purpose}-1", "ts": T0 + S, "status": status}
    if status == "filled":
        given |= {
            "fill_id": f"f-{trade_id}-{purpose}",
            "fill_price": D("0.60"),
            "fill_quantity": D(10),
            "fees": D(0),
            "cumulative_quantity": D(10),
        }
    return msgspec.convert(given | changes, OrderReport, dec_hook=lambda _, value: value)


def a_lifecycle(event: str, ticker: str = TICKER, **changes: Any) -> Lifecycle:  # as above
    given: dict[str, Any] = {"ticker": ticker, "ts": T0 + 60 * S, "event": event} | changes
    return Lifecycle(**given)


def a_change(expected_version: int = 1, **changes: Any) -> SettingsSet:  # as above
    given: dict[str, Any] = {
        "layer": "defaults",
        "changes": {"probability.floor_percent": "25.9"},
        "expected_version": expected_version,
        "reason": "why not",
        "requested_by": "eve",
    }
    return msgspec.convert(given | changes, SettingsSet)


def received(message: Message, *, subject: str | None = None, key: str | None = None, **changes: Any) -> Received[Any]:
    """`message` as the wire hands it in: a request, unless `subject` says otherwise; each key its own unless given."""
    body = repr(message).encode()
    if key is None and isinstance(message, TradeOpen):
        key = f"command:open:{message.trade_id}"
    given: dict[str, Any] = {
        "message": message,
        "subject": subject or "trade.request.open",
        "key": key or f"key:{next(_ticks)}",
        "digest": hashlib.sha256(body).hexdigest()[:32],
        "body": body,
        "received_ns": T0,
        "reply_to": "_INBOX.1",
    }
    return Received(**(given | changes))


def a_command(message: Message, **changes: Any) -> Received[Any]:  # as above
    """`message` as JetStream delivers it: nobody waits for an answer."""
    delivery = Delivery(stream="LEDGER", sequence=5, token="$JS.ACK.5")
    subject = changes.pop("subject", "trade.command.open")
    return received(message, subject=subject, delivery=delivery, reply_to=None, **changes)


def a_fired(
    trade_id: str = "t1", rule: str = "probability", bid: str = "0.30", stop: StopSpec | None = None
) -> StopFired:
    decision = StopDecision(
        decision_id=f"{trade_id}-{rule}-1",
        trade_id=trade_id,
        rule=rule,
        fired=True,
        inputs={},
        guards=(),
        settings_version=1,
        ts=T0 + 5 * S,
    )
    return StopFired(decision=decision, mark=a_mark(bid), now_ns=T0 + 5 * S, stop=stop)


def a_mark(bid: str = "0.30") -> Mark:
    return Mark(state=MarkState.KNOWN, low=D(bid), high=D(bid), ts=T0)


def opened(desk: Desk, *opens: TradeOpen) -> Desk:
    """Let trades open and their entries fill."""
    for word in opens or (an_open(),):
        desk.handle(received(word))
        report = a_report(word.trade_id, fill_quantity=word.quantity, cumulative_quantity=word.quantity)
        desk.handle(a_command(report, subject=f"order.report.{word.trade_id}-entry-1"))
    return desk


def of_kind(said: list[object], kind: type[W]) -> list[W]:
    return [word for word in said if isinstance(word, kind)]


def commit_of(said: list[object]) -> Commit:
    """The only commit that was said."""
    (commit,) = of_kind(said, Commit)
    return commit


def reply_of(said: list[object]) -> Reply:
    """The only answer that was said, with its commit or without one."""
    answers = [commit.answer for commit in of_kind(said, Commit) if commit.answer is not None]
    (answer,) = answers + of_kind(said, Answer)
    return answer.reply


def code_of(said: list[object]) -> str | None:
    error = reply_of(said).error
    return error.code if error is not None else None


def trade_of(desk: Desk, trade_id: str = "t1") -> Trade:
    """The trade as the desk knows it."""
    trade = desk._state.blotter.find(trade_id)
    assert trade is not None
    return trade


def orders_of(said: list[object]) -> list[OrderSubmit]:
    """The orders that leave at once."""
    return [word.message for word in of_kind(said, Outgoing) if isinstance(word.message, OrderSubmit)]


def closes_of(said: list[object]) -> list[OrderSubmit]:
    return [order for order in orders_of(said) if order.purpose is Purpose.CLOSE]


def checked(desk: Desk, said: list[object], *rules: str) -> list[object]:
    """AutoStop's answer to the one check that was asked for."""
    (wanted,) = of_kind(said, StopCheckWanted)
    return desk.handle(StopCheckGiven(trade_id=wanted.trade.trade_id, rules=rules, now_ns=wanted.now_ns))
