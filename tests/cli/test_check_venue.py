"""`run.py check --venue`: a real adapter over a real ORDERS, each clause OK or what to do; and what it refuses to touch."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import nats
import pytest
from nats.js.api import StreamConfig

from bus.adapters.suite import CLAUSES
from tests.acceptance.sample_executor import SampleExecutor
from tests.acceptance.test_sample_executor import executing
from tests.acceptance.toy_venue import ToyVenue, Words
from tests.cli.answering import desk_that_answers, yes
from tests.cli.conftest import Ended, Type

VENUE = {
    "WATCHKEEPER_VENUES_TOY_STYLE": "sell",
    "WATCHKEEPER_VENUES_TOY_NETTING": "false",
    "WATCHKEEPER_VENUES_TOY_CUTOFF_S": "0",
    "WATCHKEEPER_VENUES_TOY_SETTLE_BOUND_S": "1",
}
GROUND = ("--account", "check", "--ticker", "K", "--buy-at", "0.60", "--sell-at", "0.01", "--answer-s", "2")
LEADER = {"ready": True, "role": "leader", "instance": "a", "epoch": 3, "version": "0", "ts": "2026-07-14T12:00:00Z"}


@pytest.fixture
def url(nats_url: str) -> str:
    """A server with the stream ORDERS."""

    async def make() -> None:
        client = await nats.connect(nats_url)
        await client.jetstream().add_stream(StreamConfig(name="ORDERS", subjects=["order.>"]))
        await client.close()
        await asyncio.sleep(0)

    asyncio.run(make())
    return nats_url


@contextmanager
def an_adapter(
    url: str, executor: Callable[..., SampleExecutor] = SampleExecutor, mode: str = "paper"
) -> Iterator[ToyVenue]:
    """Run the sample executor, with a market at 38 to 40 cents."""
    with executing(url, executor=executor, mode=mode) as venue:
        venue.quotes["K"] = (Decimal("0.38"), Decimal("0.40"))
        yield venue


def check(type_command: Type, url: str, *flags: str) -> Ended:
    return type_command("check", "--venue", "toy", *(flags or GROUND), "--json", WATCHKEEPER_NATS_URL=url, **VENUE)


def failed(ended: Ended) -> list[str]:
    return [finding["says"] for finding in ended.document["findings"] if finding["verdict"] == "FAIL"]


def test_an_adapter_that_keeps_the_contract_passes_every_clause(url: str, type_command: Type) -> None:
    with an_adapter(url) as venue:
        ended = check(type_command, url)

    assert failed(ended) == []
    assert (ended.code, len(ended.document["findings"])) == (0, len(CLAUSES) + 1)
    assert set(venue.positions.values()) == {Decimal(0)}
    assert "mode paper: account check, ticker K, 1 to 2 yes each" in ended.err


def test_people_see_a_line_for_each_clause(url: str, type_command: Type) -> None:
    with an_adapter(url):
        ended = type_command("check", "--venue", "toy", *GROUND, WATCHKEEPER_NATS_URL=url, **VENUE)

    assert ended.code == 0
    assert "OK   venue         a redelivered order is looked up and never sent twice" in ended.out


class Forgetful(SampleExecutor):
    """Sends whatever is delivered, as often as it is."""

    def _submit(self, order: Words, now: Any) -> list[Words]:
        self.venue.orders.pop(order["client_order_id"], None)
        return super()._submit(order, now)


class Sloppy(SampleExecutor):
    """Takes orders however late they are, of whatever mode."""

    def _refusal(self, order: Words, now: Any) -> Words | None:
        return super()._refusal({**order, "mode": self.mode, "expires_ts": "2200-01-01T00:00:00Z"}, now)


class Curt(SampleExecutor):
    """Tells the first page of each list alone."""

    def answer(self, kind: str, question: Words) -> Words:
        answer = super().answer(kind, question)
        answer.pop("next", None)
        return answer


@pytest.mark.parametrize(
    ("executor", "clause"),
    [
        (Forgetful, "a redelivered order is looked up and never sent twice: 2 are held"),
        (Sloppy, "an order is not sent after its expires ts: it came after its expires_ts: it must end expired"),
        (Curt, "every list is told to its end and each row once: venue.request.orders left out"),
    ],
)
def test_a_clause_that_is_broken_says_what_was_done_and_what_to_do(
    executor: type[SampleExecutor], clause: str, url: str, type_command: Type
) -> None:
    with an_adapter(url, executor) as venue:
        ended = check(type_command, url)

    assert ended.code == 1
    assert any(says.startswith(clause) for says in failed(ended)), failed(ended)
    assert set(venue.positions.values()) == {Decimal(0)}


def test_no_order_of_real_money_leaves_until_live_is_asked_for(url: str, type_command: Type) -> None:
    with an_adapter(url, mode="live") as venue:
        without = check(type_command, url)
        placed = list(venue.orders)
        asked = check(type_command, url, *GROUND, "--live")

    assert "ended ['rejected']" in failed(without)[0]
    assert placed == []
    assert (failed(asked), asked.code) == ([], 0)
    assert "REAL MONEY" in asked.err


def test_whether_paper_reaches_real_money_is_tried_with_live(url: str, type_command: Type) -> None:
    with an_adapter(url, Sloppy, mode="live"):
        ended = check(type_command, url, *GROUND, "--live")

    assert any(says.startswith("another mode is refused") for says in failed(ended))


def test_without_an_adapter_it_says_that_nobody_answers(url: str, type_command: Type) -> None:
    ended = check(type_command, url)

    assert ended.code == 1
    assert "nobody answers venue.request.positions.toy" in failed(ended)[0]


def test_an_adapter_that_answers_and_takes_no_order_is_not_tried_any_further(url: str, type_command: Type) -> None:
    class Deaf(SampleExecutor):
        def take(self, messages: Any, now: Any) -> list[Words]:  # noqa: ARG002  # as the sample's
            return []

    with an_adapter(url, Deaf):
        ended = check(type_command, url)

    assert "does the adapter consume ORDERS" in failed(ended)[-1]
    assert len(ended.document["findings"]) == 3


def test_an_account_in_which_watchkeeper_trades_is_left_alone(url: str, type_command: Type) -> None:
    status = LEADER | {"accounts": [{"venue": "toy", "account": "check", "reconciled_ts": None, "unresolved": []}]}
    with an_adapter(url) as venue, desk_that_answers(url, {"system.request.status": lambda _: yes(status)}):
        ended = check(type_command, url)

    assert "Watchkeeper trades in check at toy" in failed(ended)[0]
    assert venue.orders == {}


def test_a_ticker_of_which_something_is_held_is_left_alone(url: str, type_command: Type) -> None:
    with an_adapter(url) as venue:
        venue.positions["check", "K", "yes"] = Decimal(3)
        ended = check(type_command, url)

    assert "holds 3 yes K" in failed(ended)[0]
    assert venue.orders == {}


def test_without_orders_it_says_who_makes_it(nats_url: str, type_command: Type) -> None:
    assert "start `run.py serve` once" in failed(check(type_command, nats_url))[0]


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--buy-at", "0.6", "--sell-at", "0.1"), "--account and --ticker"),
        (("--account", "a", "--ticker", "K"), "--buy-at, a number"),
        (("--account", "a", "--ticker", "K", "--buy-at", "0.1", "--sell-at", "0.6"), "nobody could find the market"),
        (("--account", "a", "--ticker", "K", "--buy-at", "0.6", "--sell-at", "0.1", "--quantity", "-1"), "above 0"),
    ],
)
def test_wrong_use_is_told_before_anything_is_sent(flags: tuple[str, ...], says: str, type_command: Type) -> None:
    ended = check(type_command, "nats://127.0.0.1:1", *flags)

    assert ended.code == 2
    assert says in ended.err


def test_a_venue_without_a_section_is_wrong_use(type_command: Type) -> None:
    ended = type_command("check", "--venue", "nowhere", *GROUND, WATCHKEEPER_NATS_URL="nats://127.0.0.1:1")

    assert ended.code == 2
    assert "[venues.nowhere]" in ended.err


def test_the_document_is_what_the_contract_says_it_is(url: str, type_command: Type) -> None:
    with an_adapter(url):
        document = check(type_command, url).document

    assert set(document) == {"ok", "settings", "findings"}
    assert json.dumps(document["findings"][0]).count("verdict") == 1
