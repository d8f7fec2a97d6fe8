"""Starting is recovering: the order of the steps, who may start, and what is heard again."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from actors.door import Door
from actors.ports import SnapshotFile
from actors.rules.record.snapshots import nothing
from actors.serving import Serving, Wiring
from bus.messages.envelope import Delivery, Outgoing, Received
from bus.messages.failures import StreamAlarm
from bus.messages.orders import EpochRecord, OrderReport, ReportStatus
from bus.messages.records import Commit, LedgerNews, OrdersTail, Place, Published, Recovered
from bus.messages.stops import StopProgress
from bus.messages.system import Heartbeat
from config.settings import load
from tests.actors.builders import FixedClock
from tests.bus.builders import an_order
from tests.rules.stops.builders import a_trade, stop
from tests.simulation.disk import ModelDisk


class Steps:
    """A wire and a store that note every step, and answer as an empty world would."""

    def __init__(self, places: Mapping[str, Place] | None = None) -> None:
        self.taken: list[str] = []
        self.acknowledged: list[int] = []
        self.committed: list[Commit] = []
        self.positions: Mapping[str, int] = {}
        self._places = places or {}
        self.facts: dict[str, Any] = {}
        self.tail = OrdersTail()
        self.read_after: Mapping[str, int] = {}
        self.unpublished_rows: tuple[Outgoing, ...] = ()
        self.published: list[str] = []
        self.marked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self.taken.append(name)

    def streams(self) -> dict[str, str]:
        return {}

    def ensure_streams(self, recorded: Mapping[str, str]) -> dict[str, Any]:
        self.taken.append("ensure_streams")
        return {**recorded, **self.facts}

    def epoch(self) -> int:
        return 6

    def take_lead(self, *arguments: Any) -> Any:
        first = arguments[0]
        if isinstance(first, str):
            self.taken.append("lead in ORDERS")
            return type("Lead", (), {"record": EpochRecord(epoch=arguments[1] + 1, instance=first, ts=1)})()
        self.taken.append("lead in PostgreSQL")
        return True

    def recover(self) -> Recovered:
        self.taken.append("recover")
        return Recovered(epoch=6)

    def commit(self, commits: Sequence[Commit]) -> list[Any]:
        self.committed += commits
        return []

    def read_tail(self, positions: Mapping[str, int]) -> OrdersTail:
        self.taken.append("read_tail")
        self.read_after = positions
        return self.tail

    def read_ledger(self, after: int) -> LedgerNews:
        self.taken.append(f"read_ledger after {after}")
        return LedgerNews()

    def read_orders(self, _venue: str) -> list[Any]:
        self.taken.append("read_orders")
        return []

    def unpublished(self, _limit: int) -> tuple[Outgoing, ...]:
        return self.unpublished_rows

    def publish(self, outgoing: Sequence[Outgoing]) -> None:
        self.published += [one.msg_id for one in outgoing]

    def mark_published(self, msg_ids: Sequence[str], *_: Any) -> None:
        self.marked += msg_ids

    def places(self) -> Mapping[str, Place]:
        return self._places

    def hear_streams(self, positions: Mapping[str, int]) -> None:
        self.taken.append("hear_streams")
        self.positions = positions

    def acknowledge(self, delivery: Delivery) -> None:
        self.acknowledged.append(delivery.sequence)


def a_serving(steps: Any, door: Door | None = None, snapshots: SnapshotFile | None = None) -> Serving:
    wiring = Wiring(
        clock=FixedClock(1_000_000),
        wire=steps,
        store=steps,
        door=door or Door(),
        end=lambda *_: pytest.fail("ended"),
        snapshots=snapshots,
    )
    return Serving(load({}), wiring)


def started(steps: Steps, door: Door | None = None) -> Serving:
    serving = a_serving(steps, door)
    serving.start()
    return serving


def a_report(sequence: int) -> Received[OrderReport]:
    return Received(
        message=OrderReport(client_order_id="t-entry-1", ts=1, status=ReportStatus.ACCEPTED),
        subject="order.report.t-entry-1",
        key="k",
        digest="d",
        body=b"{}",
        received_ns=1,
        delivery=Delivery(stream="ORDERS", sequence=sequence, token="t"),
    )


def test_the_epoch_is_taken_in_orders_before_postgresql_and_nothing_is_heard_before_the_record_is_read() -> None:
    steps = Steps()

    started(steps).stop()

    wanted = [
        *("connect", "lead in ORDERS", "lead in PostgreSQL", "recover"),
        *("read_tail", "hear_market", "hear_streams"),
    ]
    assert [step for step in steps.taken if step in wanted] == wanted


def test_the_next_epoch_is_above_the_one_that_postgresql_knows() -> None:
    serving = started(Steps())
    serving.stop()

    assert serving.epoch == 7


def test_what_nats_may_not_have_is_published_again_at_start() -> None:
    """K9, K12: the outbox row decides."""
    steps = Steps()
    beat = Heartbeat(service="s", ts=1, status="ok")
    steps.unpublished_rows = (
        Outgoing(subject="a", msg_id="m1", message=beat),
        Outgoing(subject="b", msg_id="m2", message=beat),
    )

    started(steps).stop()

    assert steps.published[:2] == ["m1", "m2"]


def test_a_row_of_an_earlier_life_is_marked_once_nats_has_it() -> None:
    """K12, L2: otherwise every start would publish it again."""
    steps = Steps()
    beat = Heartbeat(service="s", ts=1, status="ok")
    steps.unpublished_rows = (Outgoing(subject="a", msg_id="m1", message=beat),)
    serving = a_serving(steps)
    house = serving.start()

    house.hear(Published(msg_ids=("m1",), now_ns=2))
    serving.stop()

    assert steps.marked == ["m1"]


def test_the_streams_are_read_again_from_where_everything_has_had_its_effect() -> None:
    """K10: the end of ORDERS is read once; its consumer begins behind it."""
    steps = Steps(places={"ORDERS": Place(reached=40), "LEDGER": Place(reached=7, beyond=frozenset({12}))})
    steps.tail = OrdersTail(last=44)

    started(steps).stop()

    assert steps.read_after == {"ORDERS": 40, "LEDGER": 7}
    assert steps.positions == {"ORDERS": 44, "LEDGER": 7}


def test_what_was_reported_since_is_applied_before_anything_is_heard() -> None:
    """Fault 7: K18"""
    steps = Steps(places={"ORDERS": Place(reached=4)})
    steps.tail = OrdersTail(reports=(a_report(5),), last=5)

    started(steps).stop()

    assert [commit.delivery.sequence for commit in steps.committed if commit.delivery is not None] == [5]


def test_the_close_of_a_trade_that_is_not_on_record_is_read_again_by_the_next_start() -> None:
    """S10, Fault 18: its reports are set aside, and its trade may still be born again."""
    steps = Steps(places={"ORDERS": Place(reached=4)})
    steps.tail = OrdersTail(submits=(an_order(),), sequences=(5,), reports=(a_report(6),), last=6)

    serving = started(steps)
    serving.stop()

    assert serving.house is not None
    assert serving.house._backlog.places.reached()["ORDERS"] == 4


def test_a_report_of_the_end_of_orders_that_has_had_its_effect_has_none_again() -> None:
    """Fault 3: K7"""
    steps = Steps(places={"ORDERS": Place(reached=4, beyond=frozenset({5}))})
    steps.tail = OrdersTail(reports=(a_report(5),), last=5)

    started(steps).stop()

    assert [commit for commit in steps.committed if commit.delivery is not None] == []


def test_an_input_that_was_settled_before_the_restart_is_acknowledged_at_the_door() -> None:
    """Fault 3: K7, K8"""
    door = Door()
    steps = Steps(places={"ORDERS": Place(reached=4, beyond=frozenset({5}))})
    serving = started(steps, door)

    door.hear(a_report(5))
    serving.stop()

    assert steps.acknowledged == [5]
    assert [commit for commit in steps.committed if commit.delivery is not None] == []


@pytest.mark.parametrize(("last", "is_refused"), [(899, True), (900, False), (901, False)])
def test_a_stream_that_ends_before_what_was_heard_from_it_was_restored_and_is_refused(
    last: int, is_refused: bool
) -> None:
    """Fault 13: its sequences come again, and would be taken for those that were heard."""
    steps = Steps(places={"LEDGER": Place(reached=700, beyond=frozenset({900}))})
    steps.facts["LEDGER"] = SimpleNamespace(name="LEDGER", created="monday", last_sequence=last)

    with pytest.raises(StreamAlarm, match="LEDGER ends at message 899") if is_refused else nullcontext():
        started(steps).stop()

    assert ("hear_streams" in steps.taken) is not is_refused


def test_what_stops_had_counted_while_postgresql_was_away_is_read_from_the_snapshot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """S12"""
    steps, trade = Steps(), a_trade(stop("price", stop_price="0.25", confirm_ticks=2))
    monkeypatch.setattr(steps, "recover", lambda: Recovered(trades=(trade,)))
    counted = StopProgress(trade_id="t1", rule="price", confirms=1, ts=1)
    disk = ModelDisk(Random(1), lambda _: None)
    disk.write(replace(nothing(1), progress=(counted,)))
    serving = a_serving(steps, snapshots=disk)
    house = serving.start()
    serving.stop()

    assert house._engines.beginning.recovered.progress == (counted,)


def test_nothing_may_be_heard_before_the_house_stands() -> None:
    with pytest.raises(AssertionError, match="before the house stood"):
        Door().hear(1)


def test_whoever_waits_for_what_a_commit_brings_hears_of_it_before_the_database_has_it() -> None:
    """Otherwise a busy machine brings it before it is expected, and it is waited for for ever."""
    steps, heard = Steps(), list[object]()
    listener = heard.append
    wiring = Wiring(
        clock=FixedClock(1_000_000),
        wire=steps,
        store=steps,
        door=Door(),
        end=lambda *_: pytest.fail("ended"),
        also={Commit: listener},
    )
    serving = Serving(load({}), wiring)

    house = serving.start()
    serving.stop()

    assert house.router._listeners[Commit][0] == listener
