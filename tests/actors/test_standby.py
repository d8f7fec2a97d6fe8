"""What `serve` does until it leads: driven by hand, with servers that are there or not."""

import queue
from typing import Any

import pytest
from loguru import logger

from actors.door import Door
from actors.serving import Serving, Wiring
from actors.standby import Standby
from bus.messages.envelope import Received
from bus.messages.failures import LeadTaken, StoreUnavailable, WireUnavailable
from bus.messages.lead import InstanceHeard, NobodyHeard, RecordMissing, RecordOpened, WireDown, WireUp
from bus.messages.system import Reply, Status, SystemCommand
from config.settings import load
from tests.actors.builders import FixedClock
from tests.actors.test_serving import Steps

S = 1_000_000_000
UP = WireUp(now_ns=0)
BEAT = InstanceHeard(instance="other", epoch=4, role="leader")


class Script(queue.SimpleQueue[object]):
    """What is heard, one after the other; an instant stands for waiting until then. What the shell tells itself goes first."""

    def __init__(self, clock: FixedClock, *heard: object) -> None:
        self._clock = clock
        self._heard = list(heard)
        self._own: list[object] = []

    def put(self, item: object, block: bool = True, timeout: float | None = None) -> None:
        del block, timeout
        self._own.append(item)

    def get(self, block: bool = True, timeout: float | None = None) -> object:
        del block
        if self._own:
            return self._own.pop(0)
        assert self._heard or timeout is not None, "it would wait for ever"
        wait_ns = round((timeout or 0) * S)
        match self._heard:
            case [int() as until_ns, *rest] if self._clock.ns + wait_ns > until_ns:
                self._clock.ns, self._heard = until_ns, rest
                return self.get(timeout=timeout)
            case [word, *rest] if not isinstance(word, int):
                self._heard = rest
                return word
        self._clock.ns += wait_ns
        raise queue.Empty


class Servers(Steps):
    """Fail as often as told: `failing` by the step's name."""

    def __init__(self, **failing: list[Exception]) -> None:
        super().__init__()
        self.failing = failing
        self.replies: list[Reply] = []
        self.said: list[Status] = []

    def _fail(self, step: str) -> None:
        self.taken.append(step)
        if self.failing.get(step):
            raise self.failing[step].pop(0)

    def open(self) -> None:
        self._fail("open")

    def recover(self) -> Any:
        self._fail("recovering")
        return super().recover()

    def take_lead(self, *arguments: Any) -> Any:
        self._fail("take_lead")
        return super().take_lead(*arguments)

    def hear_requests(self) -> None:
        self._fail("hear_requests")

    def reply(self, _reply_to: str, reply: Reply) -> None:
        self.replies.append(reply)

    def broadcast(self, status: Status) -> None:
        self.said.append(status)


class Ended(Exception):  # noqa: N818  # how the process ends in these tests
    pass


def end(code: int, _reason: str) -> None:
    raise Ended(code)


def a_standby(servers: Servers, *heard: object) -> tuple[Standby, Serving, Door]:
    clock, door = FixedClock(), Door()
    serving = Serving(load({}), Wiring(clock=clock, wire=servers, store=servers, door=door, end=end))
    return Standby(serving, monotonic_ns=clock.now_ns, heard=Script(clock, *heard)), serving, door


def test_it_leads_when_its_servers_are_there_and_nobody_else_is() -> None:
    standby, serving, _ = a_standby(Servers(), UP, NobodyHeard())

    assert standby.wait()
    assert serving.stop()
    assert serving.epoch == 7


def test_a_store_that_is_away_is_reached_for_again_until_it_is_there() -> None:
    """Fault 49"""
    servers = Servers(open=[StoreUnavailable("refused")] * 500)
    standby, serving, _ = a_standby(servers, UP, NobodyHeard())

    assert standby.wait()
    assert serving.stop()
    assert servers.taken.count("open") == 501


def test_where_neither_snapshot_nor_ledger_tells_of_a_trade_people_hear_it_once_and_it_waits() -> None:
    """Fault 49"""
    servers = Servers(open=[StoreUnavailable("refused")] * 500)
    standby, serving, _ = a_standby(servers, UP, NobodyHeard())

    assert standby.wait()
    assert serving.stop()
    assert servers.taken.count("read_ledger after 0") == 1
    assert servers.taken.count("warn") == 1
    assert not serving.began_without_record


def test_what_is_read_ahead_and_fails_is_read_again_when_it_counts() -> None:
    servers = Servers(recovering=[StoreUnavailable("refused")])
    standby, serving, _ = a_standby(servers, UP, BEAT, 10 * S)

    assert standby.wait()
    assert serving.stop()
    assert servers.taken.count("recovering") == 2


def test_what_it_waits_for_is_told_when_that_changes_and_not_again_before_a_minute() -> None:
    servers = Servers(open=[StoreUnavailable("refused")] * 500)
    standby, serving, _ = a_standby(servers, 5 * S, WireDown(why="cut", now_ns=5 * S), 50 * S, UP, NobodyHeard())
    told: list[str] = []
    sink = logger.add(lambda line: told.append(line.record["message"]), filter=lambda it: "role" in it["extra"])

    assert standby.wait()
    assert serving.stop()
    logger.remove(sink)
    assert [line.split(";")[0] for line in told[:3]] == [
        "waits for NATS: not reached yet",
        "waits for NATS: cut",
        "waits for PostgreSQL: refused",
    ]


def test_a_schema_that_does_not_fit_ends_the_start() -> None:
    standby, _, _ = a_standby(Servers(open=[ValueError("schema steps are missing")]))

    with pytest.raises(ValueError, match="missing"):
        standby.wait()


def test_it_is_stopped_while_it_waits() -> None:
    """Fault 48"""
    standby, serving, _ = a_standby(Servers(open=[StoreUnavailable("refused")]))
    standby.stop()

    assert not standby.wait()
    assert serving.stop()


@pytest.mark.parametrize(
    "failing",
    [
        {"take_lead": [LeadTaken("another was faster")]},
        {"take_lead": [WireUnavailable("no answer")]},
        {"recovering": [StoreUnavailable("refused")]},
    ],
)
def test_what_fails_before_the_house_stands_is_tried_again_as_a_whole(failing: dict[str, list[Exception]]) -> None:
    """Fault 45: two that stand by race, one wins; the other would lead after it."""
    servers = Servers(**failing)
    standby, serving, _ = a_standby(servers, UP, NobodyHeard(), 10 * S)

    assert standby.wait()
    assert serving.stop()
    assert servers.taken.count("hear_streams") == 1


def test_a_server_that_goes_away_once_the_house_stands_ends_the_process() -> None:
    """There is no way back into an empty house: a clean process starts anew."""
    standby, serving, _ = a_standby(Servers(hear_requests=[WireUnavailable("gone")]), UP, NobodyHeard())

    with pytest.raises(Ended, match="69"):
        standby.wait()
    serving.stop()


def test_one_that_stands_by_answers_the_status_and_nothing_else() -> None:
    """Fault 45"""
    servers = Servers()
    _, serving, door = a_standby(servers)
    for word in (RecordOpened(), UP, BEAT):
        serving.candidate.handle(word, 0)
    question = SystemCommand(requested_by="test")

    door.hear(
        Received(
            message=question,
            subject="system.request.status",
            key="k",
            digest="d",
            body=b"{}",
            received_ns=1,
            reply_to="inbox",
        )
    )

    status = servers.replies[0].result
    assert (status.role, status.ready, status.epoch) == ("standby", False, 4)
    assert "other leads" in " ".join(status.why_not_ready)
    assert servers.taken == []


def test_a_leader_that_stops_says_last_that_the_lead_is_free() -> None:
    servers = Servers()
    standby, serving, _ = a_standby(servers, UP, NobodyHeard())
    standby.wait()

    serving.stop()

    assert (servers.said[-1].role, servers.said[-1].ready, servers.said[-1].epoch) == ("stopped", False, 7)


def test_one_that_stops_without_having_led_says_nothing() -> None:
    servers = Servers()
    standby, serving, _ = a_standby(servers, RecordMissing(why="refused"))
    standby.stop()
    standby.wait()

    serving.stop()

    assert servers.said == []
