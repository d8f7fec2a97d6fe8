"""A process in which nothing moves ends, whoever it is that hangs."""

import subprocess
import sys
import threading
from pathlib import Path
from queue import SimpleQueue

from actors.watchdog import Watchdog, stacks

ROOT = Path(__file__).parents[2]
ENDING = """
import os, re, sys, time
from actors.watchdog import Watchdog
def end(reason):
    print(reason, file=sys.stderr, flush=True)
    os._exit(70)
Watchdog({limit_s}, end).feed()
def hangs():
    {hang}
hangs()
"""


def ended(hang: str) -> "subprocess.CompletedProcess[str]":
    program = ENDING.format(limit_s=0.2, hang=hang)
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_a_process_whose_main_thread_hangs_ends_with_70_and_says_where() -> None:
    """Fault 42"""
    found = ended("time.sleep(60)")

    assert found.returncode == 70
    assert "nothing has moved" in found.stderr
    assert "in hangs" in found.stderr


def test_a_process_whose_interpreter_is_held_ends_all_the_same() -> None:
    """Fault 42: a runaway regular expression lets no other thread run."""
    found = ended('re.match(r"(a*)*b", "a" * 60)')

    assert found.returncode == 1
    assert "in hangs" in found.stderr


def test_a_watchdog_that_is_stopped_ends_nothing() -> None:
    reasons: SimpleQueue[str] = SimpleQueue()
    watchdog = Watchdog(0.01, reasons.put)
    watchdog.feed()

    watchdog.stop()
    watchdog._thread.join(10)

    assert reasons.empty()


def test_a_watchdog_that_is_not_fed_says_what_every_thread_does() -> None:
    reasons: SimpleQueue[str] = SimpleQueue()
    watchdog = Watchdog(0.01, reasons.put)

    watchdog.feed()
    reason = reasons.get(timeout=10)
    watchdog.stop()

    assert "thread MainThread:" in reason


def test_the_stacks_name_each_thread() -> None:
    gate = threading.Event()
    thread = threading.Thread(target=gate.wait, name="somebody")
    thread.start()

    found = stacks()
    gate.set()
    thread.join()

    assert "thread somebody:" in found
