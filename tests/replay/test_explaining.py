"""An explanation asks no engine about a trade that it does not watch, and says the same as if it had."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.engines import Beginning, Engines
from actors.recorded import RecordedEngine, note_beginning
from actors.replay import explaining
from actors.replay.endings import NothingRecordedError
from actors.rules.stops.engine import StopEngine
from bus.messages.explain import Explained
from bus.messages.market import Ticks
from bus.messages.recording import EngineRebuilt, LifeEnded
from bus.messages.records import Recovered
from bus.messages.trades import Trade, TradeState
from bus.recorder.reading import read
from bus.recorder.segments import Block
from bus.recorder.words import unpack
from config.settings import load, retold
from tests.replay.recordings import FOLDER
from tests.replay.tape import Tape
from tests.rules.stops.builders import T0, a_quote, a_trade, at, stop

OPEN = a_trade(stop("price", stop_price="0.40"))
ENDED = a_trade(stop("price", stop_price="0.40"), state=TradeState.CLOSED, version=4)
AGAIN = a_trade(stop("price", stop_price="0.40"), version=5)


def recorded(folder: Path, *words: object) -> Path:
    """Write what the desk says of a trade and AutoStop hears, in one life."""
    tape, settings = Tape(), load({})
    beginning = Beginning(recovered=Recovered(), instance="one", epoch=1, streams={}, now_ns=T0)
    note_beginning(tape, settings, beginning)
    engine = RecordedEngine("auto_stop", Engines(settings, beginning).stops, tape)
    for second, word in enumerate(words, 1):
        if isinstance(word, Trade):
            tape.note("trade_desk", word, (word,), at(second))
        if isinstance(word, EngineRebuilt):
            tape.note("auto_stop", word, (), at(second))
        elif isinstance(word, LifeEnded):
            tape.note("recorder", word, (), at(second))
        else:
            engine.handle(word)
    return tape.write(folder)


def ticks(second: int, bid: str) -> Ticks:
    return Ticks(batch=(a_quote(second, bid, "0.99"),), received_ns=at(second))


def explained(place: Path) -> Explained:
    return explaining.explain(place, "t1", None, retold)


def test_a_trade_that_has_ended_is_explained_without_an_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = recorded(tmp_path, OPEN, ticks(2, "0.60"), ENDED)
    monkeypatch.setattr(StopEngine, "handle", lambda *_: 1 / 0)

    found = explained(place)

    assert (found.trade.state, found.watched, found.rules) == (TradeState.CLOSED, False, ())


@pytest.mark.parametrize(
    "words",
    [
        (OPEN, ticks(2, "0.60")),
        (OPEN, ticks(2, "0.60"), ENDED, AGAIN),
        # Older news than what it watches changes nothing.
        (AGAIN, ticks(2, "0.60"), ENDED),
        (OPEN, LifeEnded()),
        # A new engine has heard of the trade from those who built it.
        (OPEN, ENDED, EngineRebuilt(now_ns=at(3), trades=(AGAIN,), coverage=()), ticks(4, "0.60")),
    ],
    ids=["open", "open again", "out of order", "a life that has ended", "built anew"],
)
def test_a_trade_that_is_watched_is_explained_by_its_engine(tmp_path: Path, words: tuple[object, ...]) -> None:
    found = explained(recorded(tmp_path, *words))

    assert found.watched
    assert [one.rule for one in found.rules] == ["price"]


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.wkr")), ids=lambda path: path.stem)
def test_a_history_is_explained_as_if_the_engine_had_heard_all_of_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = list(explanations(path))

    monkeypatch.setattr(explaining, "_may_be_watched", lambda *_: True)

    assert short == list(explanations(path))
    assert short


def explanations(path: Path) -> Iterator[Explained]:
    """Yield what is said of each trade of a recording, at its end and in its middle."""
    blocks = [part for part in read(path) if isinstance(part, Block)]
    instants = [entry.at_ns for block in blocks for entry in block.entries]
    said = [unpack(word) for block in blocks for word in block.words if word[0] == "Trade"]
    for trade_id in sorted({trade.trade_id for trade in said if isinstance(trade, Trade)}):
        for at_ns in (None, instants[len(instants) // 2]):
            try:
                yield explaining.explain(path, trade_id, at_ns, retold)
            except NothingRecordedError:
                continue
