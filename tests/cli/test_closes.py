"""Many trades are closed by one command: one close each, counted, and the same request when it is typed again."""

import asyncio
import io
import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from bus.commands.client import NatsClient
from bus.messages.system import Reply
from bus.messages.trades import TradeGet
from config.command_line import NoAnswer
from config.settings import load
from tests.cli.answering import desk_that_answers, no, yes
from tests.cli.conftest import Type
from tests.cli.test_over_nats import TRADE

CLOSES = "trade.request.close"


def pages(body: dict[str, Any]) -> dict[str, Any]:
    if body.get("after") == "t1":
        return yes({"trades": [{**TRADE, "trade_id": "t2"}]})
    return yes({"trades": [TRADE], "next": "t1"})


def close_all(trade_2: Callable[[], dict[str, Any]]) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
    closing = yes({"trade_id": "t1", "state": "closing", "began": True})
    return {
        "trade.request.list": pages,
        "trade.request.close": lambda body: closing if body["trade_id"] == "t1" else trade_2(),
    }


def test_close_all_closes_every_page(nats_url: str, type_command: Type) -> None:
    """Lesson 44: paged to the end."""
    with desk_that_answers(nats_url, close_all(lambda: yes({"state": "closing", "began": True}))) as desk:
        ended = type_command("trade", "close", "--all", "--json", WATCHKEEPER_NATS_URL=nats_url)

    assert ended.code == 0
    assert [close["trade_id"] for close in ended.document["closes"]] == ["t1", "t2"]
    assert [body["trade_id"] for subject, body in desk.asked if subject == "trade.request.close"] == ["t1", "t2"]


def test_one_refused_close_of_many_is_a_no(nats_url: str, type_command: Type) -> None:
    with desk_that_answers(nats_url, close_all(lambda: no("terminal", "t2 has ended"))):
        ended = type_command("trade", "close", "--account", "a", WATCHKEEPER_NATS_URL=nats_url)

    assert ended.code == 1
    assert "t2 has ended" in ended.out


def began(body: dict[str, Any]) -> dict[str, Any]:
    return yes({"trade_id": body["trade_id"], "state": "closing", "began": True})


def test_each_close_is_counted_by_what_became_of_it(nats_url: str, type_command: Type) -> None:
    attached = yes({"trade_id": "t2", "state": "closing", "began": False})

    with desk_that_answers(nats_url, close_all(lambda: attached)):
        document = type_command("trade", "close", "--all", "--json", WATCHKEEPER_NATS_URL=nats_url).document

    counts = [document[name] for name in ("began", "already_closing", "refused", "unanswered")]
    assert counts == [1, 1, 0, 0]


def test_many_closes_typed_again_with_their_command_id_are_the_same_requests(nats_url: str, type_command: Type) -> None:
    """Fault 44"""
    words = ["trade", "close", "--symbol", "BTC", "--json"]
    with desk_that_answers(nats_url, {"trade.request.list": pages, CLOSES: began}) as desk:
        first = type_command(*words, WATCHKEEPER_NATS_URL=nats_url)
        type_command(*words, "--command-id", first.document["command_id"], WATCHKEEPER_NATS_URL=nats_url)

    asked = [body for subject, body in desk.asked if subject == CLOSES]
    assert asked[:2] == asked[2:]
    assert len({body["command_id"] for body in asked}) == 1


class Terminal(io.StringIO):
    """A person who types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "flags", "code", "closes"),
    [("n\n", [], 1, 0), ("", [], 1, 0), ("y\n", [], 0, 2), ("n\n", ["--yes"], 0, 2)],
    ids=["no", "nothing", "yes", "not asked"],
)
def test_a_person_at_a_terminal_is_asked_first(
    typed: str,
    flags: list[str],
    code: int,
    closes: int,
    *,
    nats_url: str,
    type_command: Type,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))

    with desk_that_answers(nats_url, {"trade.request.list": pages, CLOSES: began}) as desk:
        ended = type_command("trade", "close", "--all", *flags, WATCHKEEPER_NATS_URL=nats_url)

    assert ended.code == code
    assert [subject for subject, _ in desk.asked].count(CLOSES) == closes


class Counting(NatsClient):
    """Answers itself, and counts how many questions are on their way at once."""

    now = most = 0

    async def _ask(self, subject: str, body: bytes, within_s: float) -> Reply:
        del subject, within_s
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        if b"t3" in body:
            raise NoAnswer("nobody")
        return Reply(ok=True, instance="test", epoch=1, ts=0, result=json.loads(body)["trade_id"])


def test_no_more_questions_are_on_their_way_than_allowed_and_one_without_an_answer_stops_no_other() -> None:
    client = Counting(load({}).nats)

    with closing(client._loop):
        replies = client.ask_each("trade.request.get", [TradeGet(trade_id=f"t{n}") for n in range(9)], at_once=2)

    answered = [reply.result for reply in replies if isinstance(reply, Reply)]
    assert answered == [f"t{n}" for n in range(9) if n != 3]
    assert isinstance(replies[3], NoAnswer)
    assert client.most == 2
