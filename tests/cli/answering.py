"""Somebody who answers requests on a real nats-server as a test tells it, and a way to type commands at it."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import NoRespondersError

Answer = Callable[[dict[str, Any]], dict[str, Any]]


def yes(result: object) -> dict[str, Any]:
    return {"ok": True, "instance": "test", "epoch": 1, "ts": "2026-07-14T12:00:00Z", "result": result}


def no(code: str, message: str) -> dict[str, Any]:
    error = {"code": code, "message": message, "retry": False}
    return {"ok": False, "instance": "test", "epoch": 1, "ts": "2026-07-14T12:00:00Z", "error": error}


@dataclass
class Desk:
    """asked: every request heard, as (subject, body)."""

    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@contextmanager
def desk_that_answers(url: str, answers: dict[str, Answer]) -> Iterator[Desk]:
    """Answer each subject of `answers` on a thread of its own, for the length of a `with` block."""
    desk = Desk()
    ready, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_answer(url, answers, desk, ready, done)))
    thread.start()
    assert ready.wait(timeout=10)
    try:
        yield desk
    finally:
        done.set()
        thread.join(timeout=10)


async def _answer(
    url: str, answers: dict[str, Answer], desk: Desk, ready: threading.Event, done: threading.Event
) -> None:
    client: Client = await nats.connect(url)

    async def hear(message: Msg) -> None:
        body = json.loads(message.data)
        desk.asked.append((message.subject, body))
        await message.respond(json.dumps(answers[message.subject](body)).encode())

    for subject in answers:
        await client.subscribe(subject, cb=hear)
    await client.flush()
    ready.set()
    await asyncio.to_thread(done.wait)
    await client.close()


@contextmanager
def publishing(url: str, subject: str, body: bytes, then: Callable[[], None] | None = None) -> Iterator[None]:
    """Publish once somebody listens, then do `then`; on a thread of its own."""
    given_up = threading.Event()

    def publish() -> None:
        if asyncio.run(_publish_once_heard(url, subject, body, given_up)) and then is not None:
            then()

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        given_up.set()
        thread.join(timeout=20)


async def _publish_once_heard(url: str, subject: str, body: bytes, given_up: threading.Event) -> bool:
    client: Client = await nats.connect(url)
    try:
        while not given_up.is_set():
            try:
                # The server says at once when nobody listens; a listener that does not answer has heard it.
                await client.request(subject, body, timeout=0.2)
            except NoRespondersError:
                continue
            except TimeoutError:
                return True
        return False
    finally:
        await client.close()
