"""The demo between its servers: a recording played by a process of its own, everything that decides, and the table meanwhile."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

import msgspec
from loguru import logger
from rich.live import Live

from actors.commands.serve import STOP_GRACE_S
from actors.commands.wires import Asker, Wires
from actors.outside.checkpointing import Checkpointing
from actors.replay.sidecar import Sidecar
from actors.replay.stage import Stage
from bus.feeding import END, HORIZON, READY, EndOfRecording, Horizon
from bus.messages.demo import DemoSummary
from bus.messages.plain import instant_text, read_instant
from bus.messages.trades import TradeOpen
from bus.recorded import Recording, instant_ns
from bus.recorder.recorder import recorder_of
from config.command_line import WrongUse
from config.settings import Settings

_ROUND_TRIPS: Final = 300


class Performance:
    """One demo between its servers: the stage, the feed's process, and two small connections that lead it."""

    def __init__(
        self,
        wires: Wires,
        asker: Asker,
        wanted: Settings,
        recording: Path,
        sidecar: Sidecar,
    ) -> None:
        self._wires = wires
        self._asker = asker
        self._wanted = wanted
        self._recording = recording
        self._sidecar = sidecar
        first = next(iter(Recording(recording)), None)
        if first is None:
            raise WrongUse(f"{recording} holds no event that can be played")
        self._stage = Stage(
            wanted,
            recording,
            sidecar,
            start_ns=instant_ns(first.ts),
            ask=self._ask,
            horizon=self._tell_horizon,
            monotonic_ns=time.monotonic_ns,
        )
        self._wire = wires.nats(
            wanted.nats,
            clock=self._stage.clock,
            say=self._stage.hear,
            tap=self._stage.tap,
            on_fenced=self._give_up,
            on_fatal=self._give_up,
        )
        self._recorder = recorder_of(wanted.recorder, self._stage.clock, Checkpointing(wanted.recorder).written)
        self._ended: EndOfRecording | None = None
        self._failure: BaseException | None = None
        self._over = threading.Event()

    def play(self, speed: str, duration_s: float | None, *, is_shown: bool) -> DemoSummary:
        """Play it all, showing the live table meanwhile; return what came of it."""
        with self._wires.starting():
            self._stage.open(
                self._wire,
                self._wires.store(self._wanted, self._wire.still_leads),
                lambda _, reason: self._give_up(reason),
                self._recorder,
            )
        listening = threading.Event()
        for work in (lambda: self._lead_feed(listening), self._run):
            threading.Thread(target=work, daemon=True).start()
        listening.wait()
        command = self._feed_command(speed, duration_s)
        feed = subprocess.Popen(command, env=os.environ | self._feed_environment())  # noqa: S603  # our own module
        try:
            self._wait(is_shown=is_shown)
            round_trips_ns = [self._round_trip_ns() for _ in range(_ROUND_TRIPS)]
        finally:
            feed.terminate()
            feed.wait()
            self._stage.close()
            if self._recorder is not None:
                self._recorder.close(STOP_GRACE_S)
        if self._failure is not None:
            raise self._failure
        ended = self._ended
        begin_ns = read_instant(ended.first_ts) if ended and ended.first_ts else None
        end_ns = read_instant(ended.last_ts) if ended and ended.last_ts else None
        return self._stage.document(begin_ns, end_ns, round_trips_ns)

    def _wait(self, *, is_shown: bool) -> None:
        started = time.monotonic()

        def picture() -> object:
            stage = self._stage
            events = stage.clock.events
            return stage.table.render(instant_text(stage.clock.now_ns()), events, events / (time.monotonic() - started))

        try:
            if not is_shown:
                self._over.wait()
                return
            with Live(get_renderable=picture, refresh_per_second=4, transient=True):  # type: ignore[arg-type]  # rich says str
                self._over.wait()
        except KeyboardInterrupt:
            self._stage.clock.stop()
            self._over.wait()

    def _run(self) -> None:
        try:
            self._stage.play()
        except Exception as failure:  # noqa: BLE001  # carried to the thread that can tell it
            self._failure = failure
        finally:
            self._over.set()

    def _lead_feed(self, listening: threading.Event) -> None:
        """Tell the feed how far it may go once it listens, and hear how it ended."""
        with self._wires.client(self._wanted.nats) as client:
            heard = client.listen([READY, END])
            listening.set()
            for message in heard:
                if message.subject == READY:
                    self._stage.clock.announce()
                else:
                    self._ended = msgspec.json.decode(message.body, type=EndOfRecording)
                    self._stage.clock.finish(self._ended.events)
                    return

    def _ask(self, request: TradeOpen) -> None:
        reply = self._asker.ask("trade.request.open", request)
        if not reply.ok:
            logger.bind(action="demo.refused", trade_id=request.trade_id).warning("refused: {}", reply.error)

    def _tell_horizon(self, line: int, now_ns: int) -> None:
        self._wire.tell(HORIZON, msgspec.json.encode(Horizon(line, instant_text(now_ns))))

    def _round_trip_ns(self) -> int:
        started_ns = time.monotonic_ns()
        self._asker.flush()
        return time.monotonic_ns() - started_ns

    def _give_up(self, reason: str) -> None:
        self._failure = RuntimeError(reason)
        self._over.set()

    def _feed_command(self, speed: str, duration_s: float | None) -> list[str]:
        command = [sys.executable, "-m", "bus.recorded_feed", str(self._recording.resolve()), "--speed", speed]
        command += ["--source", self._sidecar.source] if self._sidecar.source else []
        return command + (["--duration", str(duration_s)] if duration_s is not None else [])

    def _feed_environment(self) -> dict[str, str]:
        return {"WATCHKEEPER_NATS_URL": self._wanted.nats.url, "PYTHONPATH": str(Path(__file__).parents[2])}
