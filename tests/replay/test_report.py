"""What a replay draws on the way: nothing that it must not reach comes along, and what was recorded is what is drawn."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from actors.engines import Beginning, Engines
from actors.recorded import RecordedEngine, note_beginning
from actors.replay.endings import NotWrittenError
from actors.replay.replaying import Wanted, replay
from actors.replay.reporting import RunReport, TradeReport
from actors.rules.stops.engine import StopEngine
from bus.messages.market import Ticks
from bus.messages.records import Recovered
from config.settings import load, retold
from tests.replay.recordings import FOLDER
from tests.replay.tape import Tape
from tests.rules.stops.builders import T0, a_quote, a_trade, stop

ROOT = Path(__file__).parents[2]


class Clocked(Tape):
    """A tape that stands at an instant."""

    at_ns = T0

    def note(self, actor: str, heard: object, said: Sequence[object] = (), at_ns: int | None = None) -> None:
        super().note(actor, heard, said, at_ns or self.at_ns)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A process that begins with an open trade, and sees its stop crossed within one read."""
    place, tape, settings = tmp_path_factory.mktemp("recording"), Clocked(), load({})
    trade = a_trade(stop("price", stop_price="0.40"))
    beginning = Beginning(recovered=Recovered(trades=(trade,)), instance="one", epoch=1, streams={}, now_ns=T0)
    note_beginning(tape, settings, beginning)
    engine = RecordedEngine("auto_stop", Engines(settings, beginning).stops, tape)
    engine.handle(trade)
    for second, bids in enumerate((("0.60",), ("0.39", "0.58"), ("0.38",)), 1):
        ticks = tuple(a_quote(second + n / 10, bid, "0.99") for n, bid in enumerate(bids))
        tape.at_ns = ticks[-1].ts
        engine.handle(Ticks(batch=ticks, received_ns=ticks[-1].ts))
    return tape.write(place)


def drawn(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The traces of a page by what they mean."""
    [figure] = re.findall(r'id="figure">(.*?)</script>', path.read_text())
    found: dict[str, list[dict[str, Any]]] = {}
    for trace in json.loads(figure)["data"]:
        found.setdefault(trace["legendgroup"], []).append(trace)
    return found


def test_no_code_that_reaches_anything_is_there_when_a_report_has_been_written(recording: Path, tmp_path: Path) -> None:
    """Fault 58"""
    task = json.dumps({"place": str(recording), "report": str(tmp_path / "x.html")})
    program = "import sys, json; from actors.replay.process import main; main(sys.argv[1]); print(json.dumps(sorted(sys.modules)))"

    told = subprocess.run([sys.executable, "-c", program, task], cwd=ROOT, capture_output=True, text=True, check=True)

    rooms = {name.partition(".")[0] for name in json.loads(told.stdout.splitlines()[-1])}
    assert (tmp_path / "x.html").exists()
    assert rooms & {"nats", "psycopg", "db", "socket", "asyncio", "ssl", "http", "plotly", "narwhals", "email"} == set()


def test_a_trade_s_price_its_stop_and_what_fired_are_in_the_page(recording: Path, tmp_path: Path) -> None:
    report = TradeReport("t1", tmp_path / "x.html")

    replay(recording, Wanted(), retold, report)
    report.write()

    found = drawn(tmp_path / "x.html")
    assert found["exit"][0]["y"] == ["0.60", "0.39", "0.58", "0.38", "0.38"]
    assert found["stop"][0]["y"][0] == "0.40"
    assert found["fired"][0]["y"] == ["0.39"]


def test_what_is_decided_otherwise_now_is_marked(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = RunReport(recording, 0, tmp_path / "x.html")

    monkeypatch.setattr(StopEngine, "_fire", lambda *_: None)
    replay(recording, Wanted(), retold, report)
    report.write()

    [marks] = drawn(tmp_path / "x.html")["difference"]
    assert "auto_stop says something else" in marks["text"][0]
    assert "StopFired" in marks["text"][0]


def test_of_a_trade_that_is_not_there_nothing_is_written(recording: Path, tmp_path: Path) -> None:
    report = TradeReport("nobody", tmp_path / "x.html")

    replay(recording, Wanted(), retold, report)

    assert "was not written" in report.write()
    assert not (tmp_path / "x.html").exists()


def test_a_page_that_cannot_be_written_is_said_to_be(recording: Path, tmp_path: Path) -> None:
    report = RunReport(recording, 0, tmp_path / "nowhere" / "x.html")

    replay(recording, Wanted(), retold, report)

    with pytest.raises(NotWrittenError, match="the report cannot be written"):
        report.write()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("/nowhere", "--report", "/no/such/folder/x.html"), "name a file in a folder that is there"),
        (("/nowhere", "--report", "x.html", "--step"), "leave --step"),
    ],
)
def test_a_report_that_cannot_be_is_refused_before_anything_is_read(words: tuple[str, ...], said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "run.py", "replay", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 2
    assert said in ended.stderr


def test_a_sweep_is_written_as_a_page_over_its_values(tmp_path: Path) -> None:
    path = tmp_path / "sweep.html"
    words = ("replay", str(FOLDER / "trailing_over_a_restart.wkr"), "--sweep", "trailing.trail=0.08..0.12:0.04")

    ended = subprocess.run(
        [sys.executable, "run.py", *words, "--report", str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.startswith(f"report: {path}: ")
    assert '"ticktext":["0.08","0.12"]' in path.read_text()
