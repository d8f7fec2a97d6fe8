"""The recorded feed as the process that it is, against a real nats-server."""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from bus.feeding import END, HORIZON, READY
from bus.recorded import LINE_HEADER, ORDER_HEADER
from bus.recorded_feed import URL_VARIABLE, main

ROOT = Path(__file__).parents[2]


def a_recording(folder: Path, lines: int, step_s: int = 1) -> Path:
    path = folder / "recording.jsonl"
    quotes = (
        {
            "ts": f"2026-07-14T00:{n * step_s // 60:02}:{n * step_s % 60:02}.000Z",
            "kind": "quote",
            "ticker": "T",
            "yes_bid": n,
        }
        for n in range(lines)
    )
    path.write_text("".join(f"{json.dumps(quote)}\n" for quote in quotes))
    return path


@dataclass
class Listener:
    """Hears a publisher, and gives it the horizon that `horizon` says whenever something was heard."""

    client: Client
    horizon: int
    heard: list[tuple[int, int, dict[str, Any]]] = field(default_factory=list)
    most_ahead: int = 0
    end: dict[str, Any] = field(default_factory=dict)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def hear(self, message: Msg) -> None:
        assert message.headers is not None
        line = int(message.headers[LINE_HEADER])
        self.heard.append((line, int(message.headers[ORDER_HEADER]), json.loads(message.data)))
        self.most_ahead = max(self.most_ahead, line - self.horizon)
        if self.horizon < line <= self.horizon + 10 and len(self.heard) % 10 == 0:
            self.horizon = line
            await self.say_horizon()

    async def say_horizon(self, _ready: Msg | None = None) -> None:
        await self.client.publish(HORIZON, json.dumps({"line": self.horizon, "ts": ""}).encode())

    async def hear_end(self, message: Msg) -> None:
        self.end = json.loads(message.data)
        self.ended.set()


async def played(url: str, recording: Path, *options: str, horizon: int = 10**9) -> Listener:
    client = await nats.connect(url)
    listener = Listener(client, horizon)
    await client.subscribe("market.>", cb=listener.hear)
    await client.subscribe(READY, cb=listener.say_horizon)
    await client.subscribe(END, cb=listener.hear_end)
    await client.flush()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bus.recorded_feed",
        str(recording),
        *options,
        cwd=ROOT,
        env={**os.environ, URL_VARIABLE: url},
    )
    try:
        assert await asyncio.wait_for(process.wait(), 60) == 0
        await asyncio.wait_for(listener.ended.wait(), 60)
    finally:
        if process.returncode is None:
            process.kill()
        await client.close()
    return listener


def test_every_line_is_published_once_and_in_order(nats_url: str, tmp_path: Path) -> None:
    listener = asyncio.run(played(nats_url, a_recording(tmp_path, 700)))

    assert [(line, order) for line, order, _ in listener.heard] == [(n, n) for n in range(1, 701)]


def test_the_end_says_what_was_published(nats_url: str, tmp_path: Path) -> None:
    recording = a_recording(tmp_path, 3)
    recording.write_text(recording.read_text() + "not an event\n")

    listener = asyncio.run(played(nats_url, recording))

    assert listener.end == {
        "events": 3,
        "lines": 4,
        "first_ts": "2026-07-14T00:00:00.000Z",
        "last_ts": "2026-07-14T00:00:02.000Z",
        "ignored": {"unreadable": 1},
    }


def test_it_never_runs_further_than_a_window_past_the_horizon(nats_url: str, tmp_path: Path) -> None:
    """Fault 39."""
    listener = asyncio.run(played(nats_url, a_recording(tmp_path, 300), "--window", "10", horizon=0))

    assert (len(listener.heard), listener.most_ahead) == (300, 10)


def test_a_duration_ends_the_recording_early_in_recorded_time(nats_url: str, tmp_path: Path) -> None:
    listener = asyncio.run(played(nats_url, a_recording(tmp_path, 100, step_s=10), "--duration", "50"))

    assert (len(listener.heard), listener.end["last_ts"]) == (6, "2026-07-14T00:00:50.000Z")


def test_speed_changes_nothing_but_the_pace(nats_url: str, tmp_path: Path) -> None:
    recording = a_recording(tmp_path, 50)

    slow = asyncio.run(played(nats_url, recording, "--speed", "500"))
    fast = asyncio.run(played(nats_url, recording, "--speed", "max"))

    assert slow.heard == fast.heard


def test_the_feed_is_named_as_it_is_told(nats_url: str, tmp_path: Path) -> None:
    listener = asyncio.run(played(nats_url, a_recording(tmp_path, 1), "--source", "polymarket"))

    assert [payload["source"] for _, _, payload in listener.heard] == ["polymarket"]


def test_without_a_server_it_says_so_and_exits_69(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bus.recorded_feed", str(a_recording(tmp_path, 1))],
        cwd=ROOT,
        env={**os.environ, URL_VARIABLE: "nats://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, "not played to its end" in done.stderr) == (69, True)


def test_without_a_recording_it_is_wrong_use(tmp_path: Path) -> None:
    assert main([str(tmp_path / "none.jsonl.gz")]) == 2
