"""Through a recording stop by stop, forwards and backwards: what is shown is what the engines held at that very word."""

import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from actors.engines import Beginning, Engines
from actors.recorded import RecordedEngine, note_beginning
from actors.replay.replaying import Wanted
from actors.replay.step_screen import render
from actors.replay.stepping import Stepper
from actors.replay.stops import Watcher, stops
from actors.rules.desk.desk import Desk
from bus.messages.explain import RuleStanding
from bus.messages.market import Ticks
from bus.messages.records import OrdersTail, Recovered
from bus.messages.replay import Stopped, TradeLook
from bus.messages.stops import StopFired
from bus.messages.trades import Trade, TradeState
from bus.messages.units import ONE
from config.settings import load, retold
from tests.replay.tape import Tape
from tests.replay.test_what_if_screen import shown
from tests.rules.stops.builders import T0, a_quote, a_trade, at

ROOT = Path(__file__).parents[2]
WHOLE = Wanted()
BIDS = ("0.60", "0.55", "0.50", "0.45", "0.39")
DESK_HEARS_FIRED = 9
"""The entry: two of the beginning, the desk's and AutoStop's first words, five ticks come before."""
LAST = DESK_HEARS_FIRED + 1


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A trade whose stop fires at the fifth tick."""
    tape, settings = Tape(), load({})
    trade = replace(
        a_trade(), overrides={"price.enabled": "true", "price.stop_price": Decimal("0.40"), "price.confirm_ticks": ONE}
    )
    other = replace(trade, trade_id="other", ticker="ELSE")
    recovered = Recovered(trades=(trade, other), layers={("defaults", ""): dict(settings.stops)}, settings_version=1)
    beginning = Beginning(recovered=recovered, instance="one", epoch=1, streams={}, now_ns=T0)
    note_beginning(tape, settings, beginning)
    engines = Engines(settings, beginning)
    auto_stop, desk = RecordedEngine("auto_stop", engines.stops, tape), RecordedEngine("trade_desk", engines.desk, tape)
    begun = engines.start_desk(OrdersTail(), T0)
    tape.note("trade_desk", OrdersTail(), begun, T0)
    auto_stop.handle([word for word in begun if isinstance(word, Trade) and word.trade_id == "t1"][-1])
    for second, bid in enumerate(BIDS, 1):
        said = auto_stop.handle(Ticks(batch=(a_quote(second, bid, "0.99"),), received_ns=at(second)))
    desk.handle(next(word for word in said if isinstance(word, StopFired)))
    return tape.write(tmp_path)


def a_stepper(place: Path, *, wanted: Wanted = WHOLE, rule: str | None = None, kept: int = 100) -> Stepper:
    return Stepper(lambda watcher: stops(place, watcher, retold, wanted.until_ns), lambda: Watcher(wanted, rule), kept)


def price(look: TradeLook) -> RuleStanding:
    return next(rule for rule in look.rules if rule.rule == "price")


def forwards(stepper: Stepper) -> list[Stopped]:
    return list(iter(stepper.forward, None))


def backwards(stepper: Stepper) -> Iterator[Stopped]:
    return iter(stepper.back, None)


def test_it_stops_at_each_word_and_shows_the_trade_before_and_after_it(place: Path) -> None:
    found = forwards(a_stepper(place))

    last = found[-1]
    assert [one.number for one in found] == list(range(3, LAST + 1))
    assert (last.heard.name, last.actor) == ("StopFired", "trade_desk")
    assert (last.before["t1"].trade.state, last.after["t1"].trade.state) == (TradeState.OPEN, TradeState.CLOSING)
    assert list(last.after) == ["t1"]


def test_a_rule_is_shown_as_it_stood_before_and_after_a_tick(place: Path) -> None:
    fired = forwards(a_stepper(place))[-2]

    before, after = price(fired.before["t1"]), price(fired.after["t1"])
    assert (before.holds, after.holds) == (False, True)
    assert str(before.away["stop_price"]) == "0.05"


@pytest.mark.parametrize("kept", [1, 2, 3, 100])
def test_backwards_it_shows_what_it_showed_forwards(place: Path, kept: int) -> None:
    """However little of it is kept."""
    stepper = a_stepper(place, kept=kept)
    found = forwards(stepper)

    again = list(backwards(stepper))

    assert again == found[-2::-1]
    assert forwards(stepper) == found[1:]


@pytest.mark.parametrize("kept", [2, 100])
def test_it_goes_to_an_entry_wherever_it_stands(place: Path, kept: int) -> None:
    found = forwards(a_stepper(place))
    stepper = a_stepper(place, kept=kept)

    for number in (8, 4, 9, 8, 3, 10):
        assert stepper.go_to(number) == found[number - 3]
        assert stepper.back() == (found[number - 4] if number > 3 else None)


def test_where_there_is_nothing_it_stays_where_it_is(place: Path) -> None:
    stepper = a_stepper(place, kept=2)
    here = stepper.go_to(6)
    assert here is not None

    assert stepper.go_to(1_000) is None

    ahead = stepper.forward()
    assert ahead is not None
    assert ahead.number == here.number + 1


def test_it_breaks_only_where_the_rule_decides(place: Path) -> None:
    [found] = forwards(a_stepper(place, rule="price"))

    assert found.said is not None
    assert "StopFired" in [word.name for word in found.said]
    assert price(found.before["t1"]).holds is False


def test_a_rule_that_decides_now_alone_is_broken_at_as_well(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert forwards(a_stepper(place, rule="loss")) == []

    monkeypatch.setattr("actors.replay.stops._deciding", lambda word: ("loss",) if isinstance(word, StopFired) else ())

    assert len(forwards(a_stepper(place, rule="loss"))) == 1


def test_one_trade_alone_is_stopped_at_and_looked_at(place: Path) -> None:
    found = forwards(a_stepper(place, wanted=Wanted(trade_id="t1")))

    assert [one.number for one in found] == [3, 4, 9, 10]
    assert {name for one in found for name in (*one.before, *one.after)} == {"t1"}


def test_stops_that_lie_far_apart_are_gone_back_to_as_well(place: Path) -> None:
    stepper = a_stepper(place, wanted=Wanted(trade_id="t1"), kept=2)
    forwards(stepper)

    assert [one.number for one in backwards(stepper)] == [9, 4, 3]


def test_what_is_decided_otherwise_now_is_shown_beside_what_was_recorded(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(one.recorded is None for one in forwards(a_stepper(place)))

    monkeypatch.setattr(Desk, "handle", lambda *_: [])
    last = forwards(a_stepper(place))[-1]

    assert last.said == ()
    assert last.recorded is not None
    assert "Outgoing" in [word.name for word in last.recorded]


def test_a_person_sees_what_has_changed(place: Path) -> None:
    rows = shown(render(forwards(a_stepper(place))[-1])).splitlines()

    state = next(row.split() for row in rows if " state " in row)
    assert state == ["*", "state", "open", "closing"]
    assert any(row.split()[:2] == ["*", "t1-close-1"] for row in rows)


def stepped(place: Path, asked: str, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "run.py", "replay", str(place), *words]
    return subprocess.run(command, cwd=ROOT, input=asked, capture_output=True, text=True, check=False, timeout=60)


def test_through_a_pipe_each_line_asks_for_a_stop(place: Path) -> None:
    done = stepped(place, "\nb\n9\nn\nn\nwhat\n", "--step", "--json")

    assert [json.loads(line)["number"] for line in done.stdout.splitlines()] == [3, 4, 3, 9, 10]
    assert (done.returncode, "no stop there" in done.stderr, "q: the end" in done.stderr) == (0, True, True)


def test_words_are_shown_whole_when_they_are_asked_for(place: Path) -> None:
    done = stepped(place, "w\nq\n\n", "--break", "price")

    assert '"decision_id": "t1-price-1"' in done.stdout
    assert done.stdout.count("stop 1, entry 9") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--break", "floor"), "the rules are probability"),
        (("--step", "--set", "probability.floor_percent=30"), "not both at once"),
    ],
)
def test_what_cannot_be_meant_is_refused(place: Path, words: tuple[str, ...], said: str) -> None:
    done = stepped(place, "", *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_where_nothing_is_to_be_stopped_at_it_says_so(place: Path) -> None:
    done = stepped(place, "", "--break", "trailing")

    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing to stop at" in done.stderr
