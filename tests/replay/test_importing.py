"""Events of others become a recording that can be replayed and asked "what if"; what is wrong leaves nothing behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from actors.replay.changes import read_changes
from actors.replay.importing import live_through
from actors.replay.replaying import Wanted, replay
from actors.replay.what_if import what_if
from bus.messages.trades import TradeState
from bus.recorder.filing import Filing
from bus.recorder.lines import LinesReader, write_lines
from bus.recorder.reading import read
from bus.recorder.segments import Block, segments
from config.settings import load, retold

ROOT = Path(__file__).parents[2]
BIDS = ("0.60", "0.60", "0.60", "0.50", "0.35", "0.34", "0.20", "0.20", "0.20")


def instant(second: int) -> str:
    return f"2026-07-14T12:00:{second:02d}Z"


def a_quote(second: int, bid: str) -> dict[str, object]:
    quote = {
        "ticker": "T",
        "ts": instant(second),
        "source": "theirs",
        "yes_bid": bid,
        "yes_ask": f"0.{int(bid[2:]) + 1}",
    }
    return {"received": instant(second), "subject": "market.quote.T", "payload": quote}


def an_open(second: int) -> dict[str, object]:
    wanted = {
        "trade_id": "theirs-1", "account": "paper-1", "mode": "paper", "ticker": "T", "side": "yes", "quantity": "10",
        "limit_price": "0.61", "expires_ts": instant(second + 20), "stops": [{"rule": "price", "stop_price": "0.40", "confirm_ticks": "1"}],
    }  # fmt: skip
    return {"received": instant(second), "subject": "trade.command.open", "payload": wanted}


def events(tmp_path: Path) -> Path:
    """Quotes that fall, and a trade that is opened before they do."""
    lines = [a_quote(1, BIDS[0]), an_open(2), *(a_quote(second, bid) for second, bid in enumerate(BIDS[1:], 3))]
    path = tmp_path / "theirs.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def imported(lines: Path, folder: Path) -> Path:
    filing = Filing(folder)
    assert live_through(LinesReader(lines).words(), load({}), filing) is not None
    filing.close()
    return folder


def command(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    away = {"WATCHKEEPER_NATS_URL": "nats://127.0.0.1:1"}
    return subprocess.run(
        [sys.executable, "run.py", *map(str, words)],
        cwd=ROOT, env=os.environ | away, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_what_was_imported_is_replayed_without_a_difference(tmp_path: Path) -> None:
    place = imported(events(tmp_path), tmp_path / "recording")

    found = replay(place, Wanted(), retold)

    assert (found.lives, found.killed, found.different, found.skipped, found.gaps) == (1, 0, 0, 0, ())
    assert set(found.by_actor) >= {"trade_desk", "auto_stop", "trade_watcher", "paper_venue"}


def test_a_trade_that_its_lines_ask_for_is_opened_stopped_and_closed(tmp_path: Path) -> None:
    place = imported(events(tmp_path), tmp_path / "recording")

    [trade] = what_if(place, Wanted(), read_changes(()), retold).trades

    assert trade.recorded is not None
    assert (trade.recorded.state, trade.recorded.rule) == (TradeState.CLOSED, "price")


def test_another_stop_would_have_fired_earlier_or_never(tmp_path: Path) -> None:
    place = imported(events(tmp_path), tmp_path / "recording")

    outcomes = [
        what_if(place, Wanted(), read_changes((f"price.stop_price={stop}",)), retold).trades[0].now
        for stop in ("0.55", "0.10")
    ]

    assert [outcome and outcome.state for outcome in outcomes] == [TradeState.CLOSED, TradeState.OPEN]


def test_what_is_exported_and_imported_again_is_the_same_recording(tmp_path: Path) -> None:
    place = imported(events(tmp_path), tmp_path / "first")
    again = tmp_path / "again.jsonl"
    again.write_bytes(
        b"".join(line for part in read(place) if isinstance(part, Block) for line in write_lines(part, pytest.fail))
    )

    other = imported(again, tmp_path / "second")

    assert [path.read_bytes() for path in segments(place)] == [path.read_bytes() for path in segments(other)]


def test_the_commands_carry_lines_into_a_recording_and_out_again(tmp_path: Path) -> None:
    lines, place = events(tmp_path), tmp_path / "recording"

    made = command("events", "import", lines, place, "--json")
    told = command("events", "export", place)

    assert (made.returncode, json.loads(made.stdout)["trades"]) == (0, 1), made.stderr
    assert told.returncode == 0, told.stderr
    ours = [json.loads(line) for line in told.stdout.splitlines() if "order.report" not in line]
    assert ours == [json.loads(line) for line in lines.read_text().splitlines()]


@pytest.mark.parametrize(
    "last",
    [
        '{"received": "2026-',
        json.dumps({**a_quote(1, "0.60")}),
        json.dumps({**a_quote(59, "0.60"), "subject": "order.submit.x.T1"}),
    ],
)
def test_lines_that_are_wrong_at_the_end_leave_no_recording(tmp_path: Path, last: str) -> None:
    """Fault 58"""
    lines, place = events(tmp_path), tmp_path / "recording"
    lines.write_text(lines.read_text() + last)

    ended = command("events", "import", lines, place)

    assert ended.returncode == 1
    assert "line 11" in ended.stderr
    assert segments(place) == []


def test_a_recording_is_never_added_to(tmp_path: Path) -> None:
    lines, place = events(tmp_path), tmp_path / "recording"
    imported(lines, place)

    ended = command("events", "import", lines, place)

    assert (ended.returncode, len(segments(place))) == (1, 1)
    assert "holds a recording already" in ended.stderr
