"""Whatever the desk hears, in whatever order and however often: what it says keeps its promises."""

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.rules.desk.desk import Desk
from bus.messages.envelope import Malformed, Received
from bus.messages.orders import OrderCancel, OrderReport, OrderSubmit, ReportStatus, VenueAnswer, VenueOrder
from bus.messages.records import Commit
from bus.messages.stops import MarkGiven, MarkWanted, StopArm, StopCheckGiven, StopCheckWanted
from bus.messages.system import SystemCommand
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.trades import AttemptState, Purpose, Trade
from tests.rules.desk.builders import (
    T0,
    TICKER,
    D,
    S,
    a_change,
    a_close,
    a_command,
    a_desk,
    a_fired,
    a_lifecycle,
    a_live_open,
    a_mark,
    a_report,
    an_adopt,
    an_open,
    of_kind,
    received,
)

IDS = ("t1", "t2", "t3")
trade_ids = st.sampled_from(IDS)
quantities = st.integers(1, 12).map(D)


def _open_of(trade_id: str, quantity: Any, style: str, *, immediate: bool) -> Any:
    build = {"paper": an_open, "live": a_live_open, "adopt": an_adopt}[style]
    venue = {"live": "kalshi"}.get(style, "paper")
    return received(build(trade_id, quantity=quantity, venue=venue, allow_immediate=immediate))


def _report_of(trade_id: str, purpose: str, attempt: int, status: str, fill: tuple[int, Any]) -> Any:
    order_id = f"{trade_id}-{purpose}-{attempt}"
    number, quantity = fill
    facts: dict[str, Any] = {"client_order_id": order_id}
    if status in ("filled", "partially_filled"):
        facts |= {"fill_id": f"f{number}", "fill_price": D("0.50"), "fill_quantity": quantity, "fees": D("0.01")}
        facts["cumulative_quantity"] = quantity * (number + 1)
    elif status != "accepted":
        facts["cumulative_quantity"] = quantity - 1
    report = a_report(trade_id, purpose, status, **facts)
    return a_command(report, key=f"report:{order_id}:{facts.get('fill_id', status)}", received_ns=T0 + 8 * S)


def _answer_of(trade_id: str, purpose: str, attempt: int, status: str, filled: Any) -> VenueAnswer:
    order_id = f"{trade_id}-{purpose}-{attempt}"
    known = VenueOrder(
        client_order_id=order_id, status=ReportStatus(status), cumulative_quantity=filled, average_price=D("0.5")
    )
    order = None if status == "unknown" else known
    return VenueAnswer(client_order_id=order_id, trade_id=trade_id, order=order, error=None, now_ns=T0 + 70 * S)


purposes = st.sampled_from(("entry", "close"))
attempts = st.integers(1, 3)
statuses = st.sampled_from(("accepted", "filled", "partially_filled", "cancelled", "rejected", "expired", "unknown"))
fills = st.tuples(st.integers(0, 4), quantities)
events = st.sampled_from(("halted", "resumed", "close", "determined", "settled", "renamed", "close_ts_changed"))
words = st.one_of(
    st.builds(_open_of, trade_ids, quantities, st.sampled_from(("paper", "live", "adopt")), immediate=st.booleans()),
    st.builds(_report_of, trade_ids, purposes, attempts, statuses, fills),
    st.builds(_answer_of, trade_ids, purposes, attempts, statuses, quantities),
    st.builds(a_fired, trade_ids, st.sampled_from(("probability", "loss"))),
    st.builds(lambda trade_id, part: received(a_close(trade_id, quantity=part)), trade_ids, st.none() | quantities),
    st.builds(
        lambda event, at: a_command(
            a_lifecycle(event, close_ts=T0 + 99 * S, result="yes" if event == "settled" else None, ts=T0 + at * S),
            received_ns=T0 + at * S,
        ),
        events,
        st.integers(1, 100),
    ),
    st.builds(
        lambda version: received(a_change(version, changes={"probability.floor_percent": version})), st.integers(1, 4)
    ),
    st.builds(
        lambda trade_id: received(
            StopArm(trade_id=trade_id, rule="loss", settings={"max_loss": 3}, reason="r", requested_by="eve")
        ),
        trade_ids,
    ),
    st.builds(
        lambda verb: received(SystemCommand(reason="r", requested_by="eve"), subject=f"system.request.{verb}"),
        st.sampled_from(("halt", "resume")),
    ),
    st.just(Malformed(subject="trade.command.open", body=b"{", reason="not JSON", received_ns=T0)),
    st.sampled_from(("timer", "mark", "check")),
)


def _named_by(word: object) -> set[str]:
    """Return the message id of the order that a report or an answer names."""
    about = word.message if isinstance(word, Received) else word
    return {f"submit:{about.client_order_id}"} if isinstance(about, OrderReport | VenueAnswer) else set()


class Listener:
    """Hears everything that the desk says, and answers its questions when the history says so."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.versions: dict[str, int] = {}
        self.keys: Counter[str] = Counter()
        self.waiting: dict[str, list[object]] = {"timer": [], "mark": [], "check": []}

    def hear(self, word: object) -> None:
        if isinstance(word, str):
            if not self.waiting[word]:
                return
            word = self.waiting[word].pop(0)
        said = self.desk.handle(word)
        for commit in of_kind(said, Commit):
            self._check_versions(commit)
            self._check_outbox(commit, _named_by(word))
            self.keys.update([commit.inbox.key] if commit.inbox is not None else [])
        self._check_direct(said)
        for trade in of_kind(said, Trade):
            _check_quantities(trade)
        self._remember(said)

    def _check_versions(self, commit: Commit) -> None:
        for trade in commit.trades:
            assert trade.version == self.versions.get(trade.trade_id, 0) + 1
            self.versions[trade.trade_id] = trade.version

    def _check_outbox(self, commit: Commit, found: set[str]) -> None:
        """Each order's row stands beside its way out, but for one that its venue is `found` to have: it left in an earlier life."""
        told = {out.msg_id for out in commit.outbox if out.msg_id.startswith("trade:")}
        assert told == {f"trade:{trade.trade_id}:{trade.version}" for trade in commit.trades}
        sent = {out.msg_id for out in commit.outbox if out.msg_id.startswith("submit:")}
        rows = {f"submit:{order.client_order_id}" for order in commit.orders}
        assert sent <= rows
        assert rows - sent <= found

    def _check_direct(self, said: list[object]) -> None:
        direct = {out.msg_id for commit in of_kind(said, Commit) for out in commit.outbox if out.direct}
        assert {f"submit:{order.client_order_id}" for order in of_kind(said, OrderSubmit)} <= direct
        assert {f"cancel:{cancel.client_order_id}" for cancel in of_kind(said, OrderCancel)} <= direct
        assert all(order.purpose is Purpose.CLOSE for order in of_kind(said, OrderSubmit))

    def _remember(self, said: list[object]) -> None:
        for timer in of_kind(said, SetTimer):
            fired = TimerFired(owner=timer.owner, key=timer.key, due_ns=timer.due_ns, now_ns=timer.due_ns)
            self.waiting["timer"].append(fired)
        for wanted in of_kind(said, MarkWanted):
            given = MarkGiven(
                trade_id=wanted.trade_id, client_order_id=wanted.client_order_id, mark=a_mark(), now_ns=wanted.now_ns
            )
            self.waiting["mark"].append(given)
        for check in of_kind(said, StopCheckWanted):
            answer = StopCheckGiven(trade_id=check.trade.trade_id, rules=(), now_ns=check.now_ns)
            self.waiting["check"].append(answer)


def _check_quantities(trade: Trade) -> None:
    """S1, S2: fills add up, no more is closed than was opened, one close is alive at most."""
    live = [a for a in trade.attempts if a.purpose is Purpose.CLOSE and a.state is not AttemptState.DEAD]
    assert len(live) <= 1
    assert 0 <= trade.closed_quantity <= trade.filled_quantity
    if not trade.state.is_terminal:
        assert trade.open_quantity == trade.filled_quantity - trade.closed_quantity


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(words, max_size=40))
def test_any_history_keeps_versions_outbox_and_inbox_in_step(history: list[object]) -> None:
    """Fault 26, Lesson 22, Lesson 25: any order, loss or repetition; S1, S2, S3, S10."""
    listener = Listener(a_desk())

    for word in history:
        listener.hear(word)

    assert all(count == 1 for count in listener.keys.values())
    assert all(trade.ticker == TICKER for trade in listener.desk._state.blotter.live.values())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(words, max_size=25))
def test_any_history_heard_twice_has_the_effect_of_hearing_it_once(history: list[object]) -> None:
    """Fault 24: what carries its own key is applied once, wherever it is repeated."""
    once, twice = Listener(a_desk()), Listener(a_desk())
    inputs = [word for word in history if getattr(word, "key", None) is not None]

    for word in inputs:
        once.hear(word)
        twice.hear(word)
        twice.hear(word)

    assert twice.versions == once.versions
