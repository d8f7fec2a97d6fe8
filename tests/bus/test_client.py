"""Our own paths through nats-py's client: what they rely on, and what they must not let through."""

import asyncio

import pytest
from nats import errors
from nats.aio.client import Client

from bus.client import DirectClient, publish_command, read_headers


@pytest.mark.parametrize(
    "name", ["_process_msg", "_process_pong", "_attempt_reconnect", "_parse_header_lines", "force_reconnect"]
)
def test_nats_py_still_has_what_is_overridden(name: str) -> None:
    assert callable(getattr(Client, name))


def test_an_answer_that_comes_after_its_flush_was_given_up_ends_no_reading() -> None:
    """Fault 11, Fault 39: on a machine that is late it made the process deaf until its pulse found out."""

    async def answered_late() -> int:
        client = DirectClient(on_fault=print)
        given_up, waits = asyncio.Future[bool](), asyncio.Future[bool]()
        given_up.cancel()
        client._pongs = [given_up, waits]
        await client._ps.parse(b"PONG\r\nPONG\r\n")
        return int(await waits)

    assert asyncio.run(answered_late()) == 1


@pytest.mark.parametrize("subject", ["", "a b", "a\r\nPUB evil 0", "a\x00"])
def test_no_subject_can_smuggle_a_command(subject: str) -> None:
    """Fault 63"""
    with pytest.raises(errors.BadSubjectError):
        publish_command(subject, "", b"", None)


@pytest.mark.parametrize("reply", ["a b", "a\r\nPUB evil 0\r\n\r\n"])
def test_no_reply_subject_can_smuggle_a_command(reply: str) -> None:
    """Fault 63"""
    with pytest.raises(errors.BadSubjectError):
        publish_command("good", reply, b"", None)


def test_no_header_value_can_smuggle_another_header() -> None:
    """Fault 63"""
    command = publish_command("s", "", b"", {"Wk-Cause": "x\r\nNats-Msg-Id: forged"})

    assert read_headers(command.partition(b"\r\n")[2]) == {"Wk-Cause": "x  Nats-Msg-Id: forged"}


def test_a_command_counts_bytes_not_characters() -> None:
    assert publish_command("s", "r", "ü".encode(), None) == b"PUB s r 2\r\n\xc3\xbc\r\n"


@pytest.mark.parametrize(
    ("raw", "headers"),
    [
        (b"", {}),
        (b"NATS/1.0\r\nA: 1\r\nB:2\r\n\r\n", {"A": "1", "B": "2"}),
        (b"NATS/1.0 503\r\n\r\n", {"Status": "503", "Description": ""}),
        (b"NATS/1.0 409 Consumer Deleted\r\n\r\n", {"Status": "409", "Description": "Consumer Deleted"}),
        (b"NATS/1.0 100 Idle Heartbeat\r\nX: 1\r\n\r\n", {"Status": "100", "Description": "Idle Heartbeat", "X": "1"}),
    ],
)
def test_headers_and_status_lines_are_read(raw: bytes, headers: dict[str, str]) -> None:
    assert read_headers(raw) == headers
