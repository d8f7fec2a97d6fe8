"""`serve`: the long-running process, its clock, its signals and its end."""

import faulthandler
import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from loguru import logger

from actors.commands.wires import Wires
from actors.door import Door
from actors.outside.checkpointing import Checkpointing
from actors.outside.probes import Probes
from actors.outside.recorded_ranges import tell_ranges
from actors.outside.snapshot_file import LocalSnapshot
from actors.serving import Serving, Wiring
from actors.standby import Standby
from actors.watchdog import Watchdog
from bus.recorder.recorder import recorder_of
from config.command_line import PLAIN, Exit, Flags
from config.logging import set_up
from config.settings import required

SWITCH_INTERVAL_S: Final = 1e-4
"""A busy thread lets others in after this; Python's own 5 ms would stand before an order."""
_GARBAGE_WAITS: Final = 20_000
"""Objects before a collection; Python's own 700 are the work of a millisecond."""
STOP_GRACE_S: Final = 3
"""Beyond the time allowed for a stop; supervisord waits for longer than both."""


class WallClock:
    """Now, in whole microseconds: what the wire can carry."""

    def now_ns(self) -> int:
        """Return nanoseconds since the epoch, UTC."""
        return time.time_ns() // 1000 * 1000


def command(wires: Wires) -> Callable[..., Exit]:
    """Return the command."""

    def serve(*, flags: Flags = PLAIN) -> Exit:
        """Watch open trades until it is stopped: the long-running process."""
        wanted = flags.settings()
        required(wanted, "nats.url", "postgres.dsn")
        let_go = set_up(wanted)
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        faulthandler.register(signal.SIGUSR1, all_threads=True)

        def end(code: int, reason: str) -> None:
            """End at once: a fault may have spoiled our state, and supervisord starts a clean process."""
            logger.bind(action="serve.end", code=code).critical("ending: {}", reason)
            let_go()
            os._exit(code)

        def fail(reason: str) -> None:
            end(Exit.INTERNAL_FAULT, reason)

        watchdog = Watchdog(wanted.actors.stuck_after_s, fail)
        door, clock = Door(), WallClock()
        wire = wires.nats(
            wanted.nats,
            clock=clock,
            say=door.hear,
            on_fenced=fail,
            on_fatal=fail,
            confirm_publish_ms=int(wanted.trading.confirm_publish_ms),
        )
        recorder = recorder_of(wanted.recorder, clock, Checkpointing(wanted.recorder).written)
        wiring = Wiring(
            clock=clock,
            wire=wire,
            store=wires.store(wanted, wire.still_leads),
            door=door,
            end=end,
            moves=watchdog.feed,
            snapshots=LocalSnapshot(Path(wanted.snapshot.file)) if wanted.snapshot.file else None,
            recorder=recorder,
        )
        serving = Serving(wanted, wiring)
        standby = Standby(serving, monotonic_ns=time.monotonic_ns)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: standby.stop())
        probes = Probes(wanted.http.host, wanted.http.port, lambda: serving.status(clock.now_ns()))
        probes.start()
        with wires.starting():
            if standby.wait():
                _rest_memory()
                if wanted.recorder.folder:
                    tell_ranges(wanted.recorder.folder, clock, door.hear)
                if standby.stay():
                    logger.bind(action="serve.again").warning("PostgreSQL is back: starting again from the record")
                    let_go()
                    # As after a kill -9, which loses nothing: what this process decided without the record stands in the streams.
                    os.execv(sys.executable, sys.orig_argv)  # noqa: S606  # our own command, with the same words
        probes.stop()
        watchdog.extend(wanted.actors.stop_timeout_s + STOP_GRACE_S)
        drained = serving.stop()
        if recorder is not None:
            recorder.close(STOP_GRACE_S)
        if not drained:
            # An actor that did not end would keep the interpreter from ending.
            end(Exit.INTERNAL_FAULT, f"not everything was done within {wanted.actors.stop_timeout_s} s")
        watchdog.stop()
        logger.bind(action="serve.stopped", drained=drained).info("stopped")
        let_go()
        return Exit.DONE if drained else Exit.INTERNAL_FAULT

    return serve


def _rest_memory() -> None:
    """Keep the garbage collector off what was recovered: it stays, and to walk it again and again would stand before ticks."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_WAITS, 20, 50)
