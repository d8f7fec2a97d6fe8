import io
import threading
from pathlib import Path

import pytest
from loguru import logger

from config.logging import BackgroundWriter, RateLimit, set_up
from config.settings import load

PLACE = ("actors.trade_desk", 7, "stop fired")
DSN = "postgresql://user:canary-secret@host/db"


def test_a_line_is_constant_text_with_its_fields() -> None:
    stream = io.StringIO()
    let_go = set_up(load({}), stream=stream)

    logger.bind(trade_id="t1").info("stop fired")
    let_go()

    assert stream.getvalue().endswith(": stop fired trade_id=t1\n")


def test_a_line_below_the_level_is_not_written() -> None:
    stream = io.StringIO()
    let_go = set_up(load({"WATCHKEEPER_LOG_LEVEL": "WARNING"}), stream=stream)

    logger.info("quiet")
    let_go()

    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    "said", [DSN, f"connecting to {DSN} failed", "password = canary-secret", "nats://u:canary-secret@h"]
)
def test_a_secret_never_reaches_the_log(said: str) -> None:
    stream = io.StringIO()
    let_go = set_up(load({"WATCHKEEPER_POSTGRES_DSN": DSN}), stream=stream)

    logger.bind(dsn=said).error("cannot connect")
    let_go()

    assert "cannot connect" in stream.getvalue()
    assert "canary-secret" not in stream.getvalue()


def test_a_traceback_does_not_show_the_values_of_variables() -> None:
    stream = io.StringIO()
    let_go = set_up(load({}), stream=stream)

    try:
        raise_beside("canary-secret")
    except ZeroDivisionError:
        logger.exception("broken")
    let_go()

    assert "ZeroDivisionError" in stream.getvalue()
    assert "canary-secret" not in stream.getvalue().replace('raise_beside("canary-secret")', "")


def raise_beside(secret: str) -> float:
    return len(secret) / 0


def test_the_log_goes_to_the_file_that_is_configured(tmp_path: Path) -> None:
    path = tmp_path / "watchkeeper.log"
    let_go = set_up(load({"WATCHKEEPER_LOG_FILE": str(path)}))

    logger.info("to the file")
    let_go()

    assert "to the file" in path.read_text()


def test_the_same_text_is_said_only_so_often_in_a_window() -> None:
    """Lesson 48: the log's rate has a bound."""
    limit = RateLimit(per_window=3, window_s=10)

    passed = [limit.passes(PLACE, now_s=1) is not None for _ in range(1000)]

    assert passed.count(True) == 3


def test_the_next_window_says_how_many_lines_were_left_out() -> None:
    limit = RateLimit(per_window=3, window_s=10)
    for _ in range(10):
        limit.passes(PLACE, now_s=1)

    assert limit.passes(PLACE, now_s=11) == 7


def test_one_loud_place_does_not_silence_another() -> None:
    limit = RateLimit(per_window=1, window_s=10)
    limit.passes(PLACE, now_s=1)

    assert limit.passes(("actors.timer", 7, "other"), now_s=1) == 0


def test_a_blocked_pipe_costs_lines_and_never_blocks_who_logs() -> None:
    """Fault 51: the trading path never blocks on logging."""
    pipe = BlockedPipe()
    writer = BackgroundWriter(pipe, queued_max=5)
    writer.write("first\n")
    pipe.reached.wait(timeout=10)

    for _ in range(8):
        writer.write("more\n")
    dropped = writer.dropped
    pipe.free.set()
    writer.stop()

    assert dropped == 3


def test_a_full_disk_costs_lines_and_nothing_else() -> None:
    """Fault 51"""
    writer = BackgroundWriter(FullDisk())

    writer.write("lost\n")
    writer.stop()

    assert writer.dropped == 1


class BlockedPipe(io.StringIO):
    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.free = threading.Event()

    def write(self, line: str, /) -> int:
        self.reached.set()
        self.free.wait(timeout=30)
        return super().write(line)


class FullDisk(io.StringIO):
    def write(self, line: str, /) -> int:
        raise OSError(28, f"No space left on device for {len(line)} bytes")
