"""What the real process recorded is told again by its own engines: the same, or the difference is shown where it is."""

import json
from pathlib import Path

import pytest

from actors.replay.changes import read_changes
from actors.replay.endings import NothingRecordedError
from actors.replay.explaining import explain
from actors.replay.replaying import Wanted, replay
from actors.replay.reporting import RunReport, TradeReport
from actors.replay.stops import Watcher, stops
from actors.replay.what_if import what_if
from actors.rules.stops.engine import StopEngine
from bus.recorder.reading import read
from bus.recorder.segments import LIFE, Block, segments
from config.settings import retold
from db.embedded import EmbeddedPostgres
from tests.acceptance.conftest import between
from tests.acceptance.test_without_postgresql import adopted, stopped_out

ALL = Wanted()


@pytest.fixture(scope="module")
def recorded(postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A recording of two lives, the first one killed, and the trade that was stopped out in the second."""
    with between(postgres_server, tmp_path_factory.mktemp("recorded")) as running:
        running.start()
        trade = adopted(running)
        running.kill()
        running.start()
        stopped_out(running, trade)
        running.event(trade["trade_id"], "closed")
        assert running.stop() == 0
        return running.recording, trade["trade_id"]


def test_two_lives_are_told_again_without_a_difference_twice(recorded: tuple[Path, str]) -> None:
    """Lesson 7"""
    place, _ = recorded

    first, second = (replay(place, ALL, retold) for _ in range(2))

    assert first == second
    assert (first.lives, first.killed, first.different, first.skipped, first.gaps) == (2, 1, 0, 0, ())
    assert set(first.by_actor) >= {"trade_desk", "auto_stop", "trade_watcher", "paper_venue", "reconciler"}


def test_a_changed_rule_is_shown_at_the_very_word(recorded: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Lesson 7"""
    place, trade_id = recorded

    monkeypatch.setattr(StopEngine, "_fire", lambda *_: None)
    found = replay(place, ALL, retold)

    [difference] = [one for one in found.differences if one.actor == "auto_stop"][:1]
    assert difference.heard.name == "Ticks"
    assert [word.name for word in difference.expected].count("StopFired") == 1
    assert [word.name for word in difference.actual].count("StopFired") == 0
    assert trade_id in json.dumps([word.content for word in difference.expected], default=str)


def test_one_trade_s_words_are_compared_alone(recorded: tuple[Path, str]) -> None:
    place, trade_id = recorded

    about = replay(place, Wanted(trade_id=trade_id), retold)
    of_nobody = replay(place, Wanted(trade_id="nobody-1"), retold)

    assert 0 < about.compared < replay(place, ALL, retold).compared
    assert of_nobody.compared == 0


def test_a_time_range_is_compared_alone_and_stands_on_all_before(recorded: tuple[Path, str]) -> None:
    place, _ = recorded
    whole = replay(place, ALL, retold)
    assert whole.begin is not None
    assert whole.end is not None
    middle_ns = (whole.begin + whole.end) // 2

    late = replay(place, Wanted(since_ns=middle_ns), retold)

    assert 0 < late.compared < whole.compared
    assert (late.different, late.skipped) == (0, 0)


def test_behind_a_gap_nothing_is_taken_for_equal_before_the_next_life(
    recorded: tuple[Path, str], tmp_path: Path
) -> None:
    place, _ = recorded
    [first, *rest] = segments(place)
    body = bytearray(first.read_bytes())
    body[100] ^= 1
    (tmp_path / first.name).write_bytes(body)
    for other in rest:
        (tmp_path / other.name).write_bytes(other.read_bytes())

    found = replay(tmp_path, ALL, retold)

    assert len(found.gaps) == 1
    assert found.compared < replay(place, ALL, retold).compared
    assert found.different == 0
    assert found.lives == 1, "the beginning of the first life is what was damaged"
    assert found.compared > 0


def test_why_a_stop_fired_is_told_with_all_that_it_saw(recorded: tuple[Path, str]) -> None:
    place, trade_id = recorded

    found = explain(place, trade_id, None, retold)

    [decision] = found.decisions
    assert (decision.rule, decision.fired) == ("price", True)
    assert decision.inputs["exit"].value is not None
    assert {guard.passed for guard in decision.guards} == {True}
    assert (found.watched, found.trade.state) == (False, "closed")


def test_why_it_had_not_fired_before_is_told_with_how_far_it_was_away(recorded: tuple[Path, str]) -> None:
    place, trade_id = recorded
    fired_ns = explain(place, trade_id, None, retold).decisions[0].ts

    found = explain(place, trade_id, fired_ns - 1_000_000, retold)

    price = next(rule for rule in found.rules if rule.rule == "price")
    assert (found.watched, found.decisions) == (True, ())
    assert price.holds is False
    assert 0 < price.nearest["stop_price"].away <= price.away["stop_price"]


def test_the_picture_of_a_trade_shows_its_life_over_two_processes(recorded: tuple[Path, str], tmp_path: Path) -> None:
    place, trade_id = recorded
    report = TradeReport(trade_id, tmp_path / "trade.html")

    found = explain(place, trade_id, None, retold, report)
    report.write()

    page = (tmp_path / "trade.html").read_text()
    for said in ("price fired", "close fill", "armed", "closed", found.trade.ticker, f"${found.trade.exit_price}"):
        assert said in page, said


def test_the_picture_of_a_run_shows_both_processes_and_what_was_traded(
    recorded: tuple[Path, str], tmp_path: Path
) -> None:
    place, trade_id = recorded
    report = RunReport(place, 0, tmp_path / "run.html")

    replay(place, ALL, retold, report)
    report.write()

    page = (tmp_path / "run.html").read_text()
    assert page.count("process begins") >= 2
    for said in (trade_id, "stops fired", "Realised PnL"):
        assert said in page, said


def test_a_trade_that_nobody_recorded_is_said_to_be_unknown(recorded: tuple[Path, str]) -> None:
    place, _ = recorded

    with pytest.raises(NothingRecordedError, match="nothing of nobody-1"):
        explain(place, "nobody-1", None, retold)


def test_a_what_if_over_two_lives_fills_anew_what_another_venue_filled(recorded: tuple[Path, str]) -> None:
    place, trade_id = recorded

    found = what_if(place, ALL, read_changes(()), retold)
    [trade] = [one for one in found.trades if one.trade_id == trade_id]

    assert trade.recorded is not None
    assert trade.now is not None
    assert (trade.now.state, trade.now.rule, trade.now.fired) == ("closed", "price", trade.recorded.fired)
    assert (trade.now.exit_price, trade.now.pnl) == (trade.recorded.exit_price, trade.recorded.pnl)
    assert (found.ground.lives, found.ground.simulated) == (2, ("sim",))


def test_what_is_looked_at_in_each_stop_changes_nothing(recorded: tuple[Path, str]) -> None:
    place, trade_id = recorded

    found = list(stops(place, Watcher(ALL, None), retold, ALL.until_ns))

    assert len(found) == replay(place, ALL, retold).entries - _of_lives(place)
    assert [one.number for one in found if one.recorded is not None] == []
    assert any(look.trade.state == "closed" for one in found for name, look in one.after.items() if name == trade_id)


def _of_lives(place: Path) -> int:
    return sum(entry.actor == LIFE for part in read(place) if isinstance(part, Block) for entry in part.entries)
