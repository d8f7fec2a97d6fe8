"""Plays a recording into NATS: a process of its own that knows nothing but NATS and the file, like any feed.

    WATCHKEEPER_NATS_URL=nats://127.0.0.1:4222 python -m bus.recorded_feed FILE [--speed N|max] [--window LINES]

It says `demo.ready` once it listens, and then runs at most a window of lines past the horizon that the demo's sequencer gives on
`demo.horizon` (`{"line","ts"}`). `--speed` paces it on the recording's own clock. `demo.end` tells how the recording ended.
Exit 0: all was published. 2: wrong use. 69: NATS went away, or nobody moved the horizon.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import nats
import uvloop
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from bus.feeding import END, HORIZON, READY, EndOfRecording, Horizon
from bus.recorded import LINE_HEADER, ORDER_HEADER, RecordedEvent, Recording, instant_ns

URL_VARIABLE = "WATCHKEEPER_NATS_URL"

_FLUSH_EVERY = 256
_HORIZON_PATIENCE_S = 120.0
_EXIT_USE, _EXIT_NO_ANSWER = 2, 69


class HorizonReached:
    """Lets the publisher wait until the horizon has come near enough."""

    def __init__(self) -> None:
        self.line = -1
        self._moved = asyncio.Event()

    async def hear(self, message: Msg) -> None:
        """Take the newest horizon; a later line never gives way to an earlier one."""
        self.line = max(self.line, msgspec.json.decode(message.data, type=Horizon).line)
        self._moved.set()

    async def wait_for(self, line: int) -> None:
        """Wait until the horizon is at `line` or past it. Raises: TimeoutError if it stands still for two minutes."""
        while self.line < line:
            self._moved.clear()
            await asyncio.wait_for(self._moved.wait(), _HORIZON_PATIENCE_S)


class Pace:
    """Says when an event is due. speed: recorded seconds in one real second; None: as fast as possible."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._start: tuple[int, float] | None = None

    async def keep(self, ts: str) -> None:
        """Wait until `ts` is due; the first event is due at once."""
        if self._speed is None:
            return
        ns = instant_ns(ts)
        if self._start is None:
            self._start = (ns, time.monotonic())
        first_ns, started = self._start
        ahead_s = (ns - first_ns) / 1e9 / self._speed - (time.monotonic() - started)
        if ahead_s > 0:
            await asyncio.sleep(ahead_s)


async def publish(
    client: Client, recording: Recording, *, prefix: str, speed: float | None, window: int, duration_s: float | None
) -> EndOfRecording:
    """Publish `recording`, and say how it ended. Raises: NatsError; TimeoutError if the horizon stands still."""
    horizon, pace = HorizonReached(), Pace(speed)
    await client.subscribe(prefix + HORIZON, cb=horizon.hear)
    await client.flush()
    await client.publish(prefix + READY, b"{}")
    await horizon.wait_for(0)
    events, first_ts, last_ts, last_ns = 0, "", "", None
    for event in recording:
        if not first_ts:
            first_ts = event.ts
            last_ns = None if duration_s is None else instant_ns(first_ts) + int(duration_s * 1e9)
        if last_ns is not None and instant_ns(event.ts) > last_ns:
            break
        await horizon.wait_for(event.line - window)
        await pace.keep(event.ts)
        events, last_ts = events + 1, event.ts
        await _send(client, prefix, event, events)
        if speed is not None or events % _FLUSH_EVERY == 0:
            # nats-py sends nothing from a loop that never yields; a round trip also keeps pace with the server.
            await client.flush()
    end = EndOfRecording(events, recording.lines, first_ts, last_ts, dict(recording.ignored))
    await client.publish(prefix + END, msgspec.json.encode(end))
    await client.flush()
    return end


async def _send(client: Client, prefix: str, event: RecordedEvent, order: int) -> None:
    headers = {LINE_HEADER: str(event.line), ORDER_HEADER: str(order)}
    await client.publish(prefix + event.subject, event.payload, headers=headers)


def _speed(text: str) -> float | None:
    speed = None if text == "max" else float(text)
    if speed is not None and not 0 < speed < 1e9:
        raise ValueError(text)
    return speed


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bus.recorded_feed", description="Play a recording into NATS.")
    parser.add_argument("recording", type=Path)
    parser.add_argument("--speed", type=_speed, default=None, metavar="N|max", help="recorded seconds in a real second")
    parser.add_argument("--window", type=int, default=4096, metavar="LINES", help="how far past the horizon it may run")
    parser.add_argument("--duration", type=float, metavar="S", help="stop after this many recorded seconds")
    parser.add_argument("--source", default="", help="the feed's name, for lines that carry none")
    parser.add_argument("--prefix", default="", help="stands before every subject")
    return parser.parse_args(words)


async def _run(arguments: argparse.Namespace, url: str) -> None:
    # A feed that lost its connection has lost messages: it ends instead of going on with a gap.
    client = await nats.connect(
        url, name="recorded-feed", allow_reconnect=False, max_reconnect_attempts=1, reconnect_time_wait=0.2
    )
    try:
        recording = Recording(arguments.recording, source=arguments.source)
        await publish(
            client,
            recording,
            prefix=arguments.prefix,
            speed=arguments.speed,
            window=arguments.window,
            duration_s=arguments.duration,
        )
    finally:
        await client.close()


def main(words: Sequence[str] | None = None) -> int:
    """Play the recording; returns the exit code."""
    arguments = _arguments(words)
    url = os.environ.get(URL_VARIABLE, "")
    if not url or not arguments.recording.is_file():
        sys.stderr.write(f"{URL_VARIABLE} must be set and {arguments.recording} must be a file\n")
        return _EXIT_USE
    try:
        uvloop.run(_run(arguments, url))
    except (NatsError, OSError, TimeoutError) as failure:
        sys.stderr.write(f"the recording was not played to its end: {failure!r}\n")
        return _EXIT_NO_ANSWER
    return 0


if __name__ == "__main__":
    sys.exit(main())
