"""What a person's word opens and closes for new risk, and how changes of settings reach the trades that are open."""

from typing import Any

import pytest

from actors.rules.desk.desk import Desk
from bus.messages.accounts import AccountRules
from bus.messages.explain import CapsuleGet
from bus.messages.orders import OrderSubmit
from bus.messages.records import Commit, Query
from bus.messages.settings import HistoryGet
from bus.messages.stops import StopDisarm, StopWaive
from bus.messages.system import SystemCommand
from bus.messages.trades import Trade, TradeGet, TradeList, TradeState
from tests.rules.desk.builders import (
    DEFAULTS,
    T0,
    D,
    S,
    a_change,
    a_close,
    a_command,
    a_desk,
    a_fired,
    a_live_open,
    a_report,
    an_adopt,
    an_open,
    closes_of,
    code_of,
    commit_of,
    of_kind,
    opened,
    orders_of,
    received,
    reply_of,
    trade_of,
)

PAPER, EVE = "paper", "eve"


def ordered(desk: Desk, *orders: tuple[str, str | None]) -> list[object]:
    said: list[object] = []
    for verb, account in orders:
        word = SystemCommand(reason="storm", requested_by=EVE, account=account)
        said = desk.handle(received(word, subject=f"system.request.{verb}"))
    return said


def refusals(desk: Desk) -> list[str | None]:
    """Why nothing is opened, in the account `acc` and in `other`."""
    found = []
    for account in ("acc", "other"):
        error = reply_of(desk.handle(received(an_open(f"in-{account}", account=account)))).error
        found.append(None if error is None else error.message.partition(":")[0])
    return found


HALTED = "Trading is halted by a person"
REDUCES = ["The account acc is reduce-only", "The account other is reduce-only"]


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ([("halt", None)], [HALTED, HALTED]),
        ([("halt", "acc")], [REDUCES[0], None]),
        ([("reduce_only", None)], REDUCES),
        ([("reduce_only", "acc")], [REDUCES[0], None]),
        ([("reduce_only", "acc"), ("reduce_only", "other")], REDUCES),
        ([("reduce_only", "acc"), ("resume", "acc")], [None, None]),
        ([("reduce_only", "acc"), ("reduce_only", "other"), ("resume", "acc")], [None, REDUCES[1]]),
        ([("halt", None), ("reduce_only", "acc"), ("resume", None)], [None, None]),
        ([("halt", None), ("rebase", "acc")], [HALTED, HALTED]),
    ],
)
def test_new_risk_is_held_back_where_a_person_said_so(orders: Any, expected: list[str | None]) -> None:
    desk = a_desk()
    ordered(desk, *orders)

    assert refusals(desk) == expected


@pytest.mark.parametrize(
    ("order", "kind"),
    [
        (("halt", None), "halt"),
        (("halt", "acc"), "reduce_only"),
        (("reduce_only", "acc"), "reduce_only"),
        (("resume", None), "resume"),
        (("rebase", "acc"), "rebase"),
    ],
)
def test_what_was_ordered_is_said_with_who_and_why_and_for_which_account(order: Any, kind: str) -> None:
    said = ordered(a_desk(), order)

    (event,) = commit_of(said).system
    assert (event.kind, event.body, event.account, event.requested_by) == (kind, "storm", order[1], EVE)
    assert reply_of(said).result == event


# Settings reach open trades


def changed(desk: Desk, **changes: object) -> list[object]:
    return desk.handle(received(a_change(changes=changes), subject="settings.request.set"))


def test_people_hear_how_many_open_trades_follow_a_change() -> None:
    desk = opened(a_desk(), *(an_open(f"t{number}") for number in range(3)))

    commit = commit_of(changed(desk, **{"probability.floor_percent": "30"}))

    assert "3 open trades follow" in commit.notices[0].body


def test_a_trade_that_follows_says_why_and_when() -> None:
    desk = opened(a_desk())
    asked = received(a_change(changes={"probability.floor_percent": "30"}), received_ns=T0 + 9 * S)

    commit = commit_of(desk.handle(asked))

    trade, (entry,) = trade_of(desk), commit.journal
    assert (trade.ts, trade.cause, trade.settings_version) == (T0 + 9 * S, asked.key, 2)
    assert (entry.trade_id, entry.version, entry.ts, entry.cause) == ("t1", trade.version, trade.ts, asked.key)
    assert entry.detail == "settings version 2"


def test_a_paper_trade_that_loses_its_only_rule_is_waived_as_paper() -> None:
    desk = opened(a_desk())

    changed(desk, **{"probability.enabled": False})

    waiver = trade_of(desk).waiver
    assert waiver is not None
    assert waiver.by == PAPER


def test_a_paper_trade_that_gets_its_rule_back_is_waived_no_more() -> None:
    desk = opened(a_desk(layers={("defaults", ""): DEFAULTS | {"probability.enabled": False}}))

    changed(desk, **{"probability.enabled": True})

    assert trade_of(desk).waiver is None


def test_a_live_trade_that_loses_its_only_rule_is_waived_by_nobody() -> None:
    """Lesson 18: protection ends by a person's word, never by itself."""
    desk = opened(a_desk(), a_live_open())

    changed(desk, **{"probability.enabled": False})

    assert (trade_of(desk).stops, trade_of(desk).waiver) == ((), None)


@pytest.mark.parametrize("word", [an_open(), a_live_open()])
def test_a_persons_waiver_outlives_a_change_of_settings(word: Any) -> None:
    desk = opened(a_desk(), word)
    desk.handle(received(StopWaive(trade_id="t1", reason="mine", requested_by=EVE)))

    changed(desk, **{"probability.floor_percent": "30"})

    waiver = trade_of(desk).waiver
    assert waiver is not None
    assert (waiver.by, waiver.reason) == (EVE, "mine")


def test_a_paper_trade_whose_last_rule_a_person_disarms_is_waived_as_paper() -> None:
    desk = opened(a_desk())
    desk.handle(received(StopDisarm(trade_id="t1", rule="probability", reason="r", requested_by=EVE)))

    waiver = trade_of(desk).waiver
    assert waiver is not None
    assert waiver.by == PAPER


def test_what_a_trade_says_itself_stands_whatever_its_layers_say() -> None:
    desk = opened(a_desk(), an_open(stops=[{"rule": "probability", "floor_percent": "12"}]))

    changed(desk, **{"probability.floor_percent": "30"})

    (armed,) = trade_of(desk).stops
    assert armed.settings["floor_percent"] == D(12)


def test_the_trades_own_layer_is_changed_in_the_name_of_who_asked() -> None:
    desk = opened(a_desk())
    change = a_change(layer="trade", name="t1", changes={"probability.floor_percent": "12"})

    (entry,) = commit_of(desk.handle(received(change))).journal

    assert entry.detail == "StopSet by eve: why not"


def test_the_own_layer_of_no_trade_is_not_found() -> None:
    assert code_of(a_desk().handle(received(a_change(layer="trade", changes={"max_spread": "0.10"})))) == "not_found"


def test_the_drawdown_rule_is_told_whole() -> None:
    rule = {
        "drawdown.enabled": True,
        "drawdown.ratchet_percent": "70",
        "drawdown.confirm_ticks": "3",
        "drawdown.settle_grace_s": "60",
        "drawdown.min_transfer_percent": "2",
        "confirm_max_wait_s": "5",
    }
    desk = a_desk(layers={("defaults", ""): DEFAULTS | rule}, accounts={"acc": "paper"}, settings_version=8)

    (told,) = of_kind(desk.start(T0), AccountRules)

    assert told == AccountRules(
        account="acc", ratchet_percent=D(70), confirm_ticks=3, confirm_wait_ns=5 * S, settle_grace_ns=60 * S,
        min_transfer_percent=D(2), settings_version=8, now_ns=T0,
    )  # fmt: skip


# What is asked of the record


@pytest.mark.parametrize(
    ("word", "kind", "named"),
    [
        (TradeGet(trade_id="old"), "trade", {"trade_id": "old"}),
        (TradeList(account="acc", limit=7), "trades", {"account": "acc", "limit": 7}),
        (HistoryGet(limit=3), "settings_history", {"limit": 3}),
        (CapsuleGet(trade_id="t9"), "capsule", {"trade_id": "t9"}),
    ],
)
def test_a_question_is_handed_on_with_everything_that_it_asks(word: Any, kind: str, named: dict[str, Any]) -> None:
    (query,) = of_kind(a_desk(ended_ids=frozenset({"old"})).handle(received(word)), Query)

    assert (query.kind, query.reply_to, query.now_ns) == (kind, "_INBOX.1", T0)
    assert named.items() <= query.arguments.items()


@pytest.mark.parametrize(
    ("limit", "shown", "following"), [(1, ["t0"], "t0"), (2, ["t0", "t1"], None), (0, ["t0"], "t0")]
)
def test_a_page_names_the_last_that_it_shows_if_more_follow(
    limit: int, shown: list[str], following: str | None
) -> None:
    desk = opened(a_desk(), an_open("t0"), an_open("t1"))

    page = reply_of(desk.handle(received(TradeList(states=(TradeState.OPEN,), limit=limit)))).result

    assert ([trade.trade_id for trade in page.trades], page.next) == (shown, following)


@pytest.mark.parametrize(("since", "found"), [(T0, True), (T0 + 1, False)])
def test_a_list_since_an_instant_holds_what_changed_at_it(since: int, found: bool) -> None:
    desk = opened(a_desk())

    page = reply_of(desk.handle(received(TradeList(states=(TradeState.OPEN,), since=since)))).result

    assert bool(page.trades) is found


# Closes, and orders on their way


def test_a_close_of_a_part_closes_that_part() -> None:
    desk = opened(a_desk())
    desk.handle(received(a_close(quantity=D(4))))

    assert trade_of(desk).close_wanted == D(4)


def test_a_close_is_answered_with_the_order_that_carries_it_out() -> None:
    desk = opened(a_desk())

    answer = reply_of(desk.handle(received(a_close()))).result

    assert (answer.trade_id, answer.state, answer.client_order_id) == ("t1", TradeState.CLOSING, "t1-close-1")
    assert (answer.began, answer.reason) == (True, "enough")


def test_a_close_of_a_trade_that_is_not_open_yet_cancels_its_entry_at_once() -> None:
    desk = a_desk()
    desk.handle(received(an_open()))

    commit = commit_of(desk.handle(received(a_close())))

    (out,) = (out for out in commit.outbox if "cancel" in out.msg_id)
    assert (out.subject, out.direct, out.message) == ("order.cancel.paper.t1", True, commit.cancels[0])


def test_a_close_by_a_stop_says_which() -> None:
    desk = opened(a_desk())
    desk.handle(a_fired())

    assert (trade_of(desk).rule, trade_of(desk).close_reason) == ("probability", "stop probability")


@pytest.mark.parametrize("trade_id", ["a-b", "a-entry-1", "1"])
def test_a_report_finds_its_trade_whatever_the_trade_is_called(trade_id: str) -> None:
    desk = opened(a_desk(), an_open(trade_id))

    assert trade_of(desk, trade_id).state is TradeState.OPEN


def test_what_a_close_has_sold_already_is_not_held_against_its_siblings() -> None:
    """Ten and ten are held; six of the first close's ten are sold, so four of its order may still use the position."""
    desk = a_desk()
    for trade_id in ("t1", "t2"):
        desk.handle(received(an_adopt(trade_id, mode="live", venue="kalshi", account="real")))
    desk.handle(a_fired("t1"))
    part = a_report(
        purpose="close", status="partially_filled", fill_id="p", fill_price=D("0.30"), fill_quantity=D(6),
        fees=D(0), cumulative_quantity=D(6),
    )  # fmt: skip
    desk.handle(a_command(part, subject="order.report.t1-close-1"))

    (close,) = closes_of(desk.handle(a_fired("t2")))

    assert close.quantity == D(10)


def test_an_input_of_a_stream_is_proved_with_its_place() -> None:
    desk = a_desk()
    command = a_command(an_open(expires_ts=T0 + 60 * S))

    row = commit_of(desk.handle(command)).inbox

    assert row is not None
    assert (row.stream, row.sequence, row.key, row.digest) == ("LEDGER", 5, command.key, command.digest)
    assert (row.subject, row.body, row.received_ns) == (command.subject, command.body, T0)


def test_what_contradicts_an_input_is_kept_with_its_place() -> None:
    desk = a_desk()
    desk.handle(received(an_open()))
    other = a_command(an_open(quantity=D(3)))

    commit = commit_of(desk.handle(other))

    (row,) = commit.quarantined
    assert (row.stream, row.sequence, row.key, row.body) == ("LEDGER", 5, other.key, other.body)
    assert (commit.inbox, commit.delivery, trade_of(desk).quantity) == (None, other.delivery, D(10))


def test_a_storm_of_contradictions_is_one_notice_in_ten_seconds() -> None:
    desk = a_desk()
    desk.handle(received(an_open()))

    kinds = [
        [n.kind for n in commit_of(desk.handle(received(an_open(quantity=D(3)), received_ns=T0 + s * S))).notices]
        for s in (0, 9, 10)
    ]

    assert kinds == [["conflict"], [], ["conflict"]]


def test_what_a_word_changes_for_all_stands_in_the_first_of_its_commits_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.rules.desk.commits.TRADES_MAX", 1)
    desk = opened(a_desk(), an_open(), an_open("t2"))

    first, second = of_kind(changed(desk, **{"probability.floor_percent": "30"}), Commit)

    assert (len(first.settings), len(first.notices), first.answer, first.inbox) == (1, 1, None, None)
    assert (second.settings, second.notices, second.answer is None, second.inbox is None) == ((), (), False, False)


def test_trades_and_orders_are_said_to_the_house_as_their_commit_has_them() -> None:
    said = a_desk().handle(received(an_open()))

    commit = commit_of(said)
    assert of_kind(said, Trade) == list(commit.trades)
    assert orders_of(said) == [
        out.message for out in commit.outbox if out.direct and isinstance(out.message, OrderSubmit)
    ]
