"""The pulse by itself: what it takes for deafness, on a line that is told what to echo."""

import asyncio
import time

from bus.pulse import Pulse, Rhythm
from bus.quick_parser import Handler

PULSE_S = 0.02


class Line:
    """A line that echoes nothing by itself; `reconnects` counts how often it was given up."""

    def __init__(self) -> None:
        self.is_up, self.heard, self.tried_at, self.reconnects = True, 0, 0.0, 0
        self.posted = asyncio.Event()

    def new_inbox(self) -> str:
        return "inbox"

    async def listen(self, _subject: str, _handler: Handler) -> int:
        return 1

    def post(self, _subject: str, _body: bytes) -> None:
        self.posted.set()

    async def reconnect(self) -> None:
        self.reconnects += 1


def reconnects(paused_s: float) -> int:
    """Return how often a line without an echo was given up within its first beat, the process paused for so long."""

    async def scenario() -> int:
        line = Line()
        pulse = Pulse(line, Rhythm(pulse_s=PULSE_S, late_max_s=60, stuck_s=60, deaf_max=9), fatal=print)
        pulse.start()
        await line.posted.wait()
        line.posted.clear()
        time.sleep(paused_s)  # noqa: ASYNC251  # the whole process gets no turn
        await line.posted.wait()
        await pulse.stop()
        return line.reconnects

    return asyncio.run(scenario())


def test_a_line_that_gives_no_echo_and_nothing_else_is_given_up_at_once() -> None:
    """Fault 10"""
    assert reconnects(paused_s=0) == 1


def test_what_a_paused_process_has_not_read_yet_is_no_sign_of_deafness() -> None:
    """Fault 46"""
    assert reconnects(paused_s=1.1) == 0
