"""pytest: tries mutants instead of testing, `pytest -p tests.mutants.trials --mutants NAMES --tried VERDICTS TESTS`.

Everything is imported and collected once; each mutant is tried in a fork, by the tests that reach its function, until one fails.
The tests that killed its neighbours go first, those with many examples last. Who waits for what a mistake keeps from coming, waits
for seconds and not for the patience of the tests. mutmut wrote the mutants (tests/mutants/make.py): each function asks mutmut which
of its versions is meant.
"""

import gc
import json
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from math import ceil
from pathlib import Path
from typing import IO, Any, Final

import hypothesis
import pytest
from mutmut.mutation import trampoline

from tests.mutants.verdicts import percent

_PATIENCE: Final = 5
"""What takes so many times as long never ends."""
_PATIENCE_S: Final = 12
"""Seconds of the processor added to that."""
_WAIT: Final = 10
"""A test that stands on the clock so many times as long, and as many seconds more, waits for what does not come."""
_TOLD_EVERY: Final = 100
_SHARED: Final = "postgres_server"
"""A fixture that stands before the first fork, for all of them: a server in which each test has a database of its own."""


@dataclass(slots=True)
class Reached:
    """The tests that reach a function, the quickest first, by their place among all; seconds: of the processor, all of them."""

    tests: list[int] = field(default_factory=list)
    seconds: float = 0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say what is tried, where the verdicts go, and how many at a time."""
    parser.addoption("--mutants", type=Path)
    parser.addoption("--tried", type=Path)
    parser.addoption("--children", type=int, default=1)


def pytest_configure() -> None:
    """Let no test fail for being slow."""
    hypothesis.settings.register_profile("mutants", deadline=None)
    hypothesis.settings.load_profile("mutants")


def pytest_runtestloop(session: pytest.Session) -> bool:
    """Try every mutant that has no verdict yet."""
    if session.testsfailed:
        pytest.exit("the tests cannot be collected", 1)
    options = session.config.option
    tried = {json.loads(line)["mutant"] for line in _lines(options.tried)}
    names = [name for name in _lines(options.mutants) if name not in tried]
    # To look at everything in memory for garbage would copy it into each fork.
    gc.collect()
    gc.freeze()
    gc.disable()
    with options.tried.open("a", buffering=1) as file:
        _try_all(Bench(session), names, options.children, file)
    return True


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _try_all(bench: "Bench", names: list[str], children: int, file: IO[str]) -> None:
    waiting = iter(names)
    running = dict(bench.begin(name) for name in islice(waiting, children))
    killed = count = 0
    while running:
        pid, status = os.wait()
        name, reader = running.pop(pid)
        verdict = bench.verdict(name, reader, status)
        file.write(json.dumps({"mutant": name, "killed": verdict is not None, "by": verdict}) + "\n")
        count, killed = count + 1, killed + (verdict is not None)
        if not count % _TOLD_EVERY:
            sys.stdout.write(f"{count:,} of {len(names):,} tried, {percent(killed, count)} killed\n")
            sys.stdout.flush()
        running.update(bench.begin(name) for name in islice(waiting, 1))


class Bench:
    """The tests of a session, and which of them reach which function."""

    def __init__(self, session: pytest.Session) -> None:
        self._items = session.items
        self._failed: str | None = None
        self._killers: dict[str, dict[int, None]] = defaultdict(dict)
        session.config.pluginmanager.register(self)
        first = next((item for item in self._items if _SHARED in getattr(item, "fixturenames", ())), None)
        self._last = None if first is None else session
        """What comes after the last test of a fork, and so is not torn down: nothing, or what the whole session uses."""
        if first is not None:
            first.ihook.pytest_runtest_protocol(item=first, nextitem=session)
        pid, reader = _forked(self._reach)
        with reader:
            found = json.loads(reader.read() or "null")
        os.waitpid(pid, 0)
        if not found or isinstance(found, str):
            pytest.exit(f"without any mistake fails: {found}" if found else "no test reaches a mutant", 1)
        took_s, reached = found
        self._reached = {function: Reached(tests, seconds) for function, (tests, seconds) in reached.items()}
        for item, seconds in zip(self._items, took_s, strict=True):
            item.add_marker(pytest.mark.timeout(_WAIT + _WAIT * seconds), append=False)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take note of a failure."""
        if report.failed:
            self._failed = report.nodeid

    def begin(self, name: str) -> tuple[int, tuple[str, IO[str]]]:
        """Begin to try a mutant; return the process, with the name and where it says what killed it."""
        reached = self._reached.get(_function(name), Reached())
        known = self._killers[_function(name)]
        order = [*reversed(known), *(test for test in reached.tests if test not in known)]
        limit_s = ceil(_PATIENCE_S + _PATIENCE * reached.seconds)
        pid, reader = _forked(lambda: self._try(name, order, limit_s))
        return pid, (name, reader)

    def verdict(self, name: str, reader: IO[str], status: int) -> str | None:
        """Return what killed a mutant, None if nothing did."""
        with reader:
            said = reader.read()
        if not said:
            return f"its end: {status}"
        killer = json.loads(said)
        if killer is None:
            return None
        known = self._killers[_function(name)]
        known.pop(killer, None)
        known[killer] = None
        return str(self._items[killer].nodeid)

    # In a fork

    def _reach(self) -> object:
        """Run every test once; return how long each took by the clock, and the tests of each function; or the test that fails."""
        hits: set[str] = set()
        trampoline.get_mutant_under_test = lambda: "stats"
        trampoline.record_trampoline_hit = lambda function, **_: hits.add(function)
        took: dict[int, float] = {}
        took_s: list[float] = []
        found: dict[str, list[int]] = defaultdict(list)
        began_s = time.monotonic()
        for number, seconds in self._run(range(len(self._items))):
            if self._failed is not None:
                return self._failed
            took[number] = seconds
            took_s.append(time.monotonic() - began_s)
            began_s = time.monotonic()
            for function in hits:
                found[function].append(number)
            hits.clear()

        def rank(number: int) -> tuple[bool, float]:
            return self._items[number].get_closest_marker("hypothesis") is not None, took[number]

        by_function = {
            function: (sorted(tests, key=rank), sum(took[test] for test in tests)) for function, tests in found.items()
        }
        return took_s, by_function

    def _try(self, name: str, order: list[int], limit_s: int) -> int | None:
        """Run tests until one fails; return it."""
        resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s + 1))
        trampoline.get_mutant_under_test = lambda: name
        for number, _ in self._run(order):
            if self._failed is not None:
                return number
        return None

    def _run(self, order: Any) -> Iterator[tuple[int, float]]:
        following = [*(self._items[number] for number in order), self._last][1:]
        for number, after in zip(order, following, strict=True):
            item, began = self._items[number], time.process_time()
            item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
            yield number, time.process_time() - began


def _function(mutant: str) -> str:
    return mutant.rpartition("__mutmut_")[0]


def _forked(work: Callable[[], object]) -> tuple[int, IO[str]]:
    """Return a process that does `work`, and the file where it writes the result as JSON, or nothing if it dies of it."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return pid, os.fdopen(ours)
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        with os.fdopen(theirs, "w") as writer:
            json.dump(work(), writer)
    finally:
        os._exit(0)
