"""How the log is written: constant text with bound fields, on stderr or in a file, never from the thread that trades.

One INFO line for each state change, one DEBUG line for each message. A line is queued and written by a thread of its own; a
full disk or a blocked pipe costs log lines, never a decision: past `_QUEUED_MAX` waiting lines, new ones are dropped and counted.
The same text from the same place is written at most `_PER_WINDOW` times in `_WINDOW_S` seconds; then once, how many were left
out. The text is what is constant: say `logger.bind(trade_id=...).info("stop fired")`, and no trade silences another kind of line.
"""

import queue
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TextIO

from loguru import logger

from config.fields import mask, mask_password
from config.settings import Settings

if TYPE_CHECKING:
    from loguru import Record

_PER_WINDOW: Final = 100
_WINDOW_S: Final = 10
_QUEUED_MAX: Final = 10_000
_SPOKEN_PLACES_MAX: Final = 4096
_SECRET_SHORTEST: Final = 4
_LAST: Final = None


class RateLimit:
    """Lets each place say its text so often in a window; `now_s` is the record's own time, so that tests need no clock."""

    def __init__(self, *, per_window: int = _PER_WINDOW, window_s: float = _WINDOW_S) -> None:
        self._per_window = per_window
        self._window_s = window_s
        self._since: dict[tuple[str, int, str], tuple[float, int]] = {}

    def passes(self, place: tuple[str, int, str], now_s: float) -> int | None:
        """Return how many lines of `place` were left out before this one, or None if this one is left out too."""
        since_s, said = self._since.get(place, (now_s, 0))
        if now_s - since_s >= self._window_s:
            self._since[place] = (now_s, 1)
            return max(0, said - self._per_window)
        if len(self._since) >= _SPOKEN_PLACES_MAX and place not in self._since:
            self._since.clear()
        self._since[place] = (since_s, said + 1)
        return 0 if said < self._per_window else None


class BackgroundWriter:
    """Writes lines from a thread of its own; `write` returns at once, whatever the disk or the pipe does."""

    def __init__(self, target: TextIO, *, queued_max: int = _QUEUED_MAX) -> None:
        self._target = target
        self._lines: queue.Queue[str | None] = queue.Queue(maxsize=queued_max)
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """How many lines found the queue full and were not written."""
        return self._dropped

    def write(self, line: str) -> None:
        """Queue `line`, or count it as dropped."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._dropped += 1

    def stop(self) -> None:
        """Write what is queued, for a second at most."""
        try:
            self._lines.put(_LAST, timeout=1)
        except queue.Full:
            return
        self._thread.join(timeout=1)

    def _run(self) -> None:
        while (line := self._lines.get()) is not _LAST:
            try:
                self._target.write(line)
                if self._lines.empty():
                    self._target.flush()
            except (OSError, ValueError):
                # The disk is full or the pipe is gone: trading goes on without this line.
                self._dropped += 1


def set_up(settings: Settings, *, stream: TextIO | None = None) -> Callable[[], None]:
    """Send the log where `settings.log` says (`stream`: instead of stderr); returns what writes the rest and lets go of it.

    Raises: OSError if the file cannot be opened for appending.
    """
    opened = open(settings.log.file, "a", encoding="utf-8") if settings.log.file else None  # noqa: SIM115, PTH123  # lives as long as the process
    writer = BackgroundWriter(opened or stream or sys.stderr)
    limit = RateLimit()
    redact = _redaction(settings)

    def passes(record: "Record") -> bool:
        place = (record["name"] or "", record["line"], record["message"])
        left_out = limit.passes(place, record["time"].timestamp())
        if left_out:
            record["extra"]["left_out"] = left_out
        return left_out is not None

    logger.remove()
    sink = logger.add(
        lambda line: writer.write(redact(line)),
        level=settings.log.level,
        filter=passes,
        format=_line,
        colorize=False,
        # A traceback with the values of its variables would print secrets.
        diagnose=False,
        backtrace=False,
    )

    def let_go() -> None:
        logger.remove(sink)
        writer.stop()
        if opened is not None:
            opened.close()

    return let_go


def _line(record: "Record") -> str:
    """`2026-07-14T12:00:00.123456Z INFO actors.trade_desk: stop fired trade_id=t1`, then the traceback if there is one."""
    fields = "".join(f" {name}={{extra[{name}]}}" for name in record["extra"] if name.isidentifier())
    return "{time:YYYY-MM-DDTHH:mm:ss.SSSSSS!UTC}Z {level} {name}: {message}" + fields + "\n{exception}"


def _redaction(settings: Settings) -> Callable[[str], str]:
    """Return what takes connection passwords, and the secret settings themselves, out of a line."""
    secrets = [
        str(value)
        for field, value, _ in settings.values()
        if field.limits.secret and len(str(value)) >= _SECRET_SHORTEST and mask(str(value)) != value
    ]

    def redact(line: str) -> str:
        for secret in secrets:
            line = line.replace(secret, mask(secret))
        return mask_in_text(line)

    return redact


def mask_in_text(line: str) -> str:
    """Return `line` with the password of any connection text in it masked; plain lines pass untouched."""
    if "://" in line:
        line = " ".join(mask(word) if "://" in word else word for word in line.split(" "))
    return mask_password(line) if "assword" in line else line
