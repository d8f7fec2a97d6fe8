"""The record as the mirror follows it, and what a start without PostgreSQL makes of it."""

from typing import Any

import pytest
from msgspec.structs import replace

from actors.rules.record import mirror as mirrors
from actors.rules.record.mirror import Mirror, bring_up
from bus.messages.accounts import AccountProgress
from bus.messages.orders import Balance
from bus.messages.records import Commit, FillRow, InboxRow, Kept, LedgerNews, Recovered, Snapshot
from bus.messages.settings import Layer, SettingsChanged
from bus.messages.stops import StopCoverage, StopProgress
from bus.messages.system import SystemEvent
from bus.messages.trades import Coverage, Mode, TradeState
from tests.rules.desk.builders import DEFAULTS, T0, D, S, a_record
from tests.rules.lifecycle.builders import a_trade, an_open_life

TRADE = an_open_life().trade
CLOSED = replace(TRADE, state=TradeState.CLOSED, version=TRADE.version + 1)
FILL = TRADE.fills[0]
PROGRESS = StopProgress(trade_id="t1", rule="loss", confirms=2)
COVERAGE = StopCoverage(trade_id="t1", coverage=Coverage.ARMED, why="fed", since=T0, ts=T0)
BALANCE = Balance(account="demo", ts=T0, balance=D(5))
STANDING = AccountProgress(account="demo", high=D(7), reset_ns=T0)
INBOX = InboxRow(key="k", digest="d", subject="s", body=b"", received_ns=T0)


def a_mirror(**recovered: Any) -> Mirror:  # any field of the record
    return Mirror(a_record(**recovered), epoch=3, streams={"ORDERS": "monday"}, reached={"ORDERS": 4}, ledger=5)


def after(mirror: Mirror, *commits: dict[str, Any]) -> Snapshot:
    """The snapshot once commits with these rows stand."""
    kept = tuple(Commit(sender="test", cause="test", now_ns=T0, **rows) for rows in commits)
    mirror.hear(Kept(commits=kept, reached={}, now_ns=T0))
    return mirror.snapshot(T0 + S)


def a_change(version: int = 2, layer: Layer = Layer.DEFAULTS, name: str = "", **after: object) -> SettingsChanged:
    return SettingsChanged(
        version=version, layer=layer, name=name, before={"max_spread": "0.20"}, after=after, reason="r",
        requested_by="eve", ts=T0,
    )  # fmt: skip


def an_event(kind: str, account: str | None = None) -> SystemEvent:
    return SystemEvent(kind=kind, body="", ts=T0, account=account, requested_by="eve")


@pytest.mark.parametrize(
    ("rows", "held"),
    [
        ({"inbox": INBOX}, {"seen": {"k": "d"}}),
        ({"fills": (FillRow(account="demo", trade_id="t1", fill=FILL),)}, {"fill_ids": (("demo", FILL.fill_id),)}),
        ({"trades": (TRADE,)}, {"trades": (TRADE,), "accounts": {"demo": Mode.PAPER}, "ended": ()}),
        ({"trades": (CLOSED,)}, {"trades": (), "accounts": {"demo": Mode.PAPER}, "ended": (CLOSED,)}),
        ({"progress": (PROGRESS,)}, {"progress": (PROGRESS,)}),
        ({"coverage": (COVERAGE,)}, {"coverage": (COVERAGE,)}),
        ({"balances": (BALANCE,)}, {"balances": (BALANCE,)}),
        ({"account_progress": (STANDING,)}, {"account_progress": (STANDING,)}),
        ({"settings": (a_change(9),)}, {"settings_version": 9}),
        ({}, {"ts": T0 + S, "epoch": 3, "streams": {"ORDERS": "monday"}, "reached": {"ORDERS": 4}, "ledger": 5}),
    ],
)
def test_what_stands_on_record_is_in_the_next_snapshot(rows: dict[str, Any], held: dict[str, Any]) -> None:
    snapshot = after(a_mirror(), rows)

    assert {name: getattr(snapshot, name) for name in held} == held


def test_of_a_trade_that_has_ended_only_itself_is_kept() -> None:
    snapshot = after(
        a_mirror(), {"trades": (TRADE,), "progress": (PROGRESS,), "coverage": (COVERAGE,)}, {"trades": (CLOSED,)}
    )

    assert (snapshot.trades, snapshot.ended, snapshot.progress, snapshot.coverage) == ((), (CLOSED,), (), ())


def test_each_rule_of_a_trade_has_its_progress() -> None:
    other = replace(PROGRESS, rule="price")
    newer = replace(PROGRESS, confirms=3)

    assert {p.confirms for p in after(a_mirror(progress=(PROGRESS, other)), {"progress": (newer,)}).progress} == {
        2,
        3,
    }


@pytest.mark.parametrize(("offset_ns", "stands"), [(-1, False), (0, True), (1, True)])
def test_the_newest_word_on_an_account_stands(offset_ns: int, stands: bool) -> None:
    balance = replace(BALANCE, ts=T0 + offset_ns, balance=D(6))
    standing = replace(STANDING, reset_ns=T0 + offset_ns, high=D(8))
    mirror = a_mirror(balances=(BALANCE,), account_progress=(STANDING,))

    snapshot = after(mirror, {"balances": (balance,), "account_progress": (standing,)})

    assert (snapshot.balances == (balance,), snapshot.account_progress == (standing,)) == (stands, stands)


@pytest.mark.parametrize(
    ("events", "halted", "reduce_only"),
    [
        ([an_event("halt")], True, ("old",)),
        ([an_event("reduce_only", "acc")], False, ("acc", "old")),
        ([an_event("reduce_only")], False, ("", "old")),
        ([an_event("halt"), an_event("resume")], False, ()),
        ([an_event("halt"), an_event("resume", "old")], True, ()),
        ([an_event("rebase", "old")], False, ("old",)),
    ],
)
def test_halts_are_as_the_record_has_them(
    events: list[SystemEvent], halted: bool, reduce_only: tuple[str, ...]
) -> None:
    snapshot = after(a_mirror(reduce_only=frozenset({"old"})), {"system": tuple(events)})

    assert (snapshot.halted, snapshot.reduce_only) == (halted, reduce_only)


def test_a_change_of_settings_adds_replaces_and_takes_away() -> None:
    change = a_change(entry_timeout_s="60", sell_first=True)

    (layer,) = after(a_mirror(), {"settings": (change,)}).layers

    without = {key: value for key, value in DEFAULTS.items() if key != "max_spread"}
    assert layer.values == without | {"entry_timeout_s": "60", "sell_first": True}


def test_a_trades_own_layer_stands_on_the_trade() -> None:
    snapshot = after(a_mirror(), {"settings": (a_change(2, Layer.TRADE, "t1", max_spread="0.10"),)})

    assert [layer.layer for layer in snapshot.layers] == [Layer.DEFAULTS]


def test_only_so_much_of_the_past_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirrors, "REMEMBERED_MAX", 2)
    rows = [replace(INBOX, key=key) for key in "abc"]

    assert list(after(a_mirror(), *({"inbox": row} for row in rows)).seen) == ["b", "c"]


# A start without PostgreSQL


def recovered(news: LedgerNews | None = None, **record: Any) -> Recovered:  # any field of the record
    """What a start makes of the snapshot of this record, and of what LEDGER tells since."""
    return bring_up(after(a_mirror(**record)), news or LedgerNews())


def test_it_begins_with_what_the_record_held_and_takes_no_new_risk() -> None:
    record: dict[str, Any] = {
        "trades": (replace(TRADE, coverage=Coverage.ARMED, coverage_why="fed"),),
        "ended": (replace(CLOSED, trade_id="t2", fills=()),),
        "ended_ids": frozenset({"t2"}),
        "seen": {"k": "d"},
        "settings_version": 4,
        "accounts": {"demo": "paper", "real": "live"},
        "progress": (PROGRESS,),
        "coverage": (COVERAGE,),
        "fill_ids": frozenset({("demo", FILL.fill_id), ("real", "old")}),
        "halted": True,
        "balances": (BALANCE,),
        "account_progress": (STANDING,),
    }

    assert recovered(**record) == replace(a_record(**record), epoch=3, reduce_only=frozenset({""}))


@pytest.mark.parametrize(("offset", "stands"), [(-1, False), (0, False), (1, True)])
def test_a_trade_goes_on_from_its_newest_version(offset: int, stands: bool) -> None:
    told = replace(TRADE, version=TRADE.version + offset, dust=True)

    assert [trade.dust for trade in recovered(LedgerNews(trades=(told,)), trades=(TRADE,)).trades] == [stands]


def test_a_trade_is_covered_as_was_said_last_whatever_its_row_says() -> None:
    (found,) = recovered(trades=(TRADE,), coverage=(COVERAGE,)).trades

    assert (found.coverage, found.coverage_why) == (Coverage.ARMED, "fed")


def test_a_trade_that_ended_since_is_not_watched() -> None:
    found = recovered(LedgerNews(trades=(CLOSED,)), trades=(TRADE,), progress=(PROGRESS,), coverage=(COVERAGE,))

    assert (found.trades, found.ended, found.ended_ids) == ((), (CLOSED,), frozenset({"t1"}))
    assert (found.progress, found.coverage) == ((), ())


def test_a_trade_that_had_ended_does_not_come_back() -> None:
    found = recovered(LedgerNews(trades=(replace(TRADE, version=99),)), ended=(CLOSED,))

    assert (found.trades, found.ended) == ((), (CLOSED,))


def test_a_trade_that_began_since_is_there_with_its_account_and_its_fills() -> None:
    begun = (replace(CLOSED, trade_id="t0"), TRADE, replace(a_trade(), trade_id="t3", account="new"))

    found = recovered(LedgerNews(trades=begun))

    assert [trade.trade_id for trade in found.trades] == ["t1", "t3"]
    assert (found.accounts, found.fill_ids) == ({"demo": "paper", "new": "paper"}, frozenset({("demo", FILL.fill_id)}))


def test_settings_go_on_from_their_newest_version() -> None:
    changes = (a_change(2, entry_timeout_s="1"), a_change(3, entry_timeout_s="60"), a_change(4, entry_timeout_s="90"))

    found = recovered(LedgerNews(settings=changes), settings_version=2, layers={("defaults", ""): {"max_spread": "1"}})

    assert (found.settings_version, found.layers) == (4, {("defaults", ""): {"entry_timeout_s": "90"}})
