"""docs/legacy-supervisor.md, line by line: what it quotes stands there, the tests that it names exist, and its graph is the audit's."""

import re
import tarfile
from collections.abc import Callable
from functools import cache

import pytest

from db.migration.words import Audit
from tests.db.migration.conftest import LEGACY
from tests.house.source import ROOT

DOCUMENT = (ROOT / "docs/legacy-supervisor.md").read_text()
PLACES = re.findall(r"`(backend/[\w/]+\.py):(\d+)` `([^`]+)`", DOCUMENT)
NAME = "active_trade_supervisor"


@cache
def lines_of(file: str) -> list[str]:
    archive = LEGACY / "rec_io_0008c12.tar.gz"
    if not archive.exists():
        pytest.skip(f"the recorded source tree is not on this machine ({archive})")
    with tarfile.open(archive) as packed:
        member = next(one for one in packed.getmembers() if one.name.endswith(f"/{file}") or one.name == file)
        read = packed.extractfile(member)
        assert read is not None
        return read.read().decode().split("\n")


def test_every_flaw_has_its_place_cost_requirement_and_test() -> None:
    flaws = re.split(r"^### ", DOCUMENT, flags=re.MULTILINE)[1:]

    assert len(flaws) == 32
    for flaw in flaws:
        assert re.findall(r"^- (\w+):", flaw, re.MULTILINE) == ["Where", "Cost", "Requirement", "Test"], flaw[:60]


def test_every_line_that_is_quoted_stands_there() -> None:
    wrong = [(file, line) for file, line, words in PLACES if words not in lines_of(file)[int(line) - 1]]

    assert len(PLACES) > 80
    assert wrong == []


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", DOCUMENT)

    assert [one for one in named if f"def {one[1]}(" not in (ROOT / one[0]).read_text()] == []


def test_the_graph_is_that_of_the_audit(legacy: Callable[[str], Audit]) -> None:
    found = legacy("rec_io_0008c12")
    services = {one.name for one in found.services}

    drawn = {
        (caller, callee): set(re.findall(r"([A-Z]+ /[^ \"<]*) :(\d+)", said))
        for caller, said, callee in re.findall(r'^  (\w+) -[-.]+>\|"([^"]*)"\| (\w+)$', DOCUMENT, re.MULTILINE)
    }
    assert drawn == {
        (one.caller, one.callee): {(call.said, str(call.line)) for call in one.calls}
        for one in found.calls
        if NAME in (one.caller, one.callee) and one.caller in services
    }


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("connection-across-threads", 476),
        ("polling-loop", 1283),
        ("polling-loop", 1616),
        ("service-cycle", 1367),
        ("type-affinity", 429),
    ],
)
def test_what_can_be_told_from_source_is_found_by_the_audit(
    legacy: Callable[[str], Audit], rule: str, line: int
) -> None:
    found = legacy("rec_io_0008c12")

    assert (rule, line) in {(one.rule, one.line) for one in found.findings if one.file == f"backend/{NAME}.py"}


# SPEC part 2, A.1: what the migration plan calls its processes; the last one stands in no configuration.
@pytest.mark.parametrize(
    ("program", "file"),
    [
        ("main_app", "backend/main.py"),
        ("trade_manager", "backend/trade_manager.py"),
        ("trade_executor", "backend/trade_executor.py"),
        ("active_trade_supervisor", "backend/active_trade_supervisor.py"),
        ("auto_entry_supervisor", "backend/auto_entry_supervisor.py"),
        ("btc_price_watchdog", "backend/api/coinbase-api/coinbase-btc/btc_price_watchdog.py"),
        ("kalshi_account_sync", "backend/api/kalshi-api/kalshi_account_sync.py"),
        ("kalshi_api_watchdog", "backend/api/kalshi-api/kalshi_api_watchdog.py"),
        ("unified_production_coordinator", "backend/unified_production_coordinator_api.py"),
        ("cascading_failure_detector", "backend/cascading_failure_detector.py"),
    ],
)
def test_each_program_of_the_migration_plan_is_a_service_with_its_file(
    legacy: Callable[[str], Audit], program: str, file: str
) -> None:
    programs = {one.name: one.program for one in legacy("rec_io_0008c12").services}

    assert programs[program] == file


def test_the_program_of_the_plan_that_nobody_starts_is_in_the_report_by_its_connections(
    legacy: Callable[[str], Audit],
) -> None:
    found = legacy("rec_io_0008c12")

    assert "backend/system_monitor.py" in {one.file for one in found.connections}
    assert "system_monitor" not in {one.name for one in found.services}
