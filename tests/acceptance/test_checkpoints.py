"""Beside the real process checkpoints are made, and a replay and an explanation that go on from one tell what they tell without."""

import time
from pathlib import Path

import pytest

from bus.recorder import checkpoints
from db.embedded import EmbeddedPostgres
from tests.acceptance.conftest import between
from tests.acceptance.harness import PATIENCE_S, Body, Watchkeeper
from tests.acceptance.test_without_postgresql import adopted, stopped_out


def await_checkpoint(running: Watchkeeper, ticker: str) -> Path:
    """Let quotes come in until one is made."""
    deadline = time.monotonic() + 2 * PATIENCE_S
    while time.monotonic() < deadline:
        made = checkpoints.checkpoints(running.recording)
        if made:
            return made[0]
        running.quote(ticker, "0.60", "0.62")
        time.sleep(0.1)
    raise AssertionError(f"no checkpoint was made: {running.log()}")


def told(running: Watchkeeper, since: str) -> Body:
    found = running.replayed("--from", since)
    return {name: found[name] for name in ("compared", "different", "skipped", "gaps", "by_actor", "to")}


def test_a_trade_that_is_stopped_out_behind_a_checkpoint_is_told_from_there(
    postgres_server: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHKEEPER_RECORDER_CHECKPOINT_ENTRIES", "20")
    with between(postgres_server, tmp_path) as running:
        running.start()
        trade = adopted(running)
        made = await_checkpoint(running, trade["ticker"])
        close = running.order(stopped_out(running, trade))
        running.event(trade["trade_id"], "closed")
        assert running.stop() == 0
        explain = ("explain", trade["trade_id"], "--recording", str(running.recording), "--json")

        with_it = (told(running, close["ts"]), running.command(*explain).stdout)
        heard = running.replayed("--from", close["ts"])["entries"]
        made.unlink()
        without = (told(running, close["ts"]), running.command(*explain).stdout)

    assert with_it == without
    assert with_it[0]["different"] == 0
    assert heard < running.replayed("--from", close["ts"])["entries"]
