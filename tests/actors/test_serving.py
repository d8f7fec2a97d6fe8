"""Starting is recovering: the order of the steps, who may start, and what is heard again."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from actors.door import Door
from actors.serving import Serving, Wiring
from bus.messages.envelope import Delivery, Outgoing, Received
from bus.messages.orders import EpochRecord, OrderReport, ReportStatus
from bus.messages.records import Commit, Published, Recovered
from bus.messages.system import Heartbeat
from config.settings import load
from tests.actors.builders import FixedClock


class Steps:
    """A wire and a store that note every step, and answer as an empty world would."""

    def __init__(self, settled: Mapping[str, frozenset[int]] | None = None) -> None:
        self.taken: list[str] = []
        self.acknowledged: list[int] = []
        self.committed: list[Commit] = []
        self.positions: Mapping[str, int] = {}
        self._settled = settled or {}
        self.unpublished_rows: tuple[Outgoing, ...] = ()
        self.published: list[str] = []
        self.marked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self.taken.append(name)

    def streams(self) -> dict[str, str]:
        return {}

    def ensure_streams(self, recorded: Mapping[str, str]) -> dict[str, Any]:
        self.taken.append("ensure_streams")
        return dict(recorded)

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
        return Recovered(
            trades=(),
            seen={},
            settings_version=1,
            layers={},
            accounts={},
            progress=(),
            coverage=(),
            fill_ids=frozenset(),
            halted=False,
            reduce_only=frozenset(),
            epoch=6,
        )

    def commit(self, commits: Sequence[Commit]) -> list[Any]:
        self.committed += commits
        return []

    def read_submits(self) -> list[Any]:
        self.taken.append("read_submits")
        return []

    def read_orders(self, _venue: str) -> list[Any]:
        self.taken.append("read_orders")
        return []

    def unpublished(self, _limit: int) -> tuple[Outgoing, ...]:
        return self.unpublished_rows

    def publish(self, outgoing: Sequence[Outgoing]) -> None:
        self.published += [one.msg_id for one in outgoing]

    def mark_published(self, msg_ids: Sequence[str], _now_ns: int) -> None:
        self.marked += msg_ids

    def settled(self, _look_back: int) -> Mapping[str, frozenset[int]]:
        return self._settled

    def hear_streams(self, positions: Mapping[str, int]) -> None:
        self.taken.append("hear_streams")
        self.positions = positions

    def acknowledge(self, delivery: Delivery) -> None:
        self.acknowledged.append(delivery.sequence)


def a_serving(steps: Any, door: Door | None = None) -> Serving:
    wiring = Wiring(
        clock=FixedClock(1_000_000), wire=steps, store=steps, door=door or Door(), end=lambda *_: pytest.fail("ended")
    )
    return Serving(load({}), wiring)


def started(steps: Steps, door: Door | None = None) -> Serving:
    serving = a_serving(steps, door)
    serving.start()
    return serving


def test_the_epoch_is_taken_in_orders_before_postgresql_and_nothing_is_heard_before_the_record_is_read() -> None:
    steps = Steps()

    started(steps).stop()

    wanted = ["connect", "lead in ORDERS", "lead in PostgreSQL", "recover", "hear_market", "hear_streams"]
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


def test_the_streams_are_read_again_from_before_the_newest_settled_input() -> None:
    steps = Steps(settled={"ORDERS": frozenset({3, 50_000}), "LEDGER": frozenset({12})})

    started(steps).stop()

    assert steps.positions == {"ORDERS": 40_000, "LEDGER": 0}


def test_an_input_that_was_settled_before_the_restart_is_acknowledged_at_the_door() -> None:
    """Fault 3: K7, K8"""
    door = Door()
    steps = Steps(settled={"ORDERS": frozenset({5})})
    serving = started(steps, door)
    report = OrderReport(client_order_id="t-entry-1", ts=1, status=ReportStatus.ACCEPTED)

    door.hear(
        Received(
            message=report,
            subject="order.report.t-entry-1",
            key="k",
            digest="d",
            body=b"{}",
            received_ns=1,
            delivery=Delivery(stream="ORDERS", sequence=5, token="t"),
        )
    )
    serving.stop()

    assert steps.acknowledged == [5]
    assert [commit for commit in steps.committed if commit.delivery is not None] == []


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
