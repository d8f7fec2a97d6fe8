"""Keeps one `serve` running as supervisord would: whatever ends is started again, and how it ended is on record."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from tests.acceptance.harness import ROOT

EXIT_KILLED: Final = -signal.SIGKILL
EXIT_NO_ANSWER: Final = 69
EXIT_INTERNAL: Final = 70
_AGAIN_S: Final = 0.05
_STOP_WITHIN_S: Final = 120


class Keeper(threading.Thread):
    """Starts `serve` again whenever it ends. ends: its exit codes; kills: how often it was killed from outside.

    folder: takes `<name>.log`, and the plan of the kill points.
    """

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str], config: str) -> None:
        super().__init__(name=f"keeper of {name}", daemon=True)
        self.log_file = folder / f"{name}.log"
        self.folder = folder / name
        self.folder.mkdir()
        self.ends: list[int] = []
        self.kills = 0
        self._environment = {**os.environ, **environment, "WATCHKEEPER_TRADING_INSTANCE": name}
        self._config = folder / f"{name}.toml"
        self.recording = self.folder / "recording"
        # A round is short: what has checkpoints made of hours in earnest makes some of it as well.
        recorder = f'[recorder]\nfolder = "{self.recording}"\ncheckpoint_entries = 30\n'
        self._config.write_text(f"{config}\n{recorder}")
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._is_stopping = threading.Event()

    def __enter__(self) -> Self:
        self._launch()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_stopping.set()
        self.send(signal.SIGKILL)
        self.join()

    def _launch(self) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            "tests.chaos.killing",
            str(self.folder),
            "serve",
            "--config",
            str(self._config),
        ]
        with self._lock, self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdin=subprocess.PIPE, stdout=log, stderr=log
            )
            return self._process

    def run(self) -> None:
        process = self._process
        assert process is not None
        while True:
            self.ends.append(process.wait())
            assert process.stdin is not None
            process.stdin.close()
            if self._is_stopping.wait(_AGAIN_S):
                return
            process = self._launch()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to whoever runs now."""
        with self._lock, suppress(ProcessLookupError):
            assert self._process is not None
            self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9."""
        self.kills += 1
        self.send(signal.SIGKILL)

    def plan(self, place: str, passing: int) -> None:
        """Let it be killed at the `passing`-th time from now on that it passes `place` (`K5 before`)."""
        draft = self.folder / "draft"
        draft.write_text(f"{place} {passing}")
        draft.rename(self.folder / "plan")

    def died_at(self) -> str | None:
        """Return the place of the plan that was carried out."""
        with suppress(FileNotFoundError):
            return " ".join((self.folder / "died").read_text().split()[:2])
        return None

    def stop(self) -> int:
        """Stop it for good as supervisord would; returns its exit code."""
        self._is_stopping.set()
        self.send(signal.SIGTERM)
        self.join(_STOP_WITHIN_S)
        assert not self.is_alive(), f"serve does not end: {self.log()}"
        return self.ends.pop()

    def log(self) -> str:
        """Return the end of what it logged."""
        return self.log_file.read_text(errors="replace")[-6000:]
