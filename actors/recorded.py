"""Engines whose every word is noted: the flight recorder's place in the house. Off the way: what is said is said first or at once."""

from collections.abc import Callable
from typing import Any

from actors.engines import Beginning
from actors.ports import Recorder
from actors.rules.desk.desk import Desk
from actors.watched import Engine
from bus.messages.recording import SPOKEN, LifeBegun
from bus.recorder.segments import LIFE
from config.settings import Settings
from config.version import VERSION


def note_beginning(recorder: Recorder, settings: Settings, beginning: Beginning) -> None:
    """Note all that the engines of this life are built from."""
    begun = LifeBegun(
        version=VERSION,
        instance=beginning.instance,
        epoch=beginning.epoch,
        now_ns=beginning.now_ns,
        settings=settings.told(),
        streams=dict(beginning.streams),
        marks=beginning.marks,
        spoken=SPOKEN,
    )
    for word in (begun, beginning.recovered, *beginning.paper):
        recorder.note(LIFE, word, (), beginning.now_ns)


class RecordedEngine:
    """`engine`, noted under the name of its actor."""

    def __init__(self, actor: str, engine: Engine, recorder: Recorder) -> None:
        self._actor = actor
        self._engine = engine
        self._recorder = recorder

    def handle(self, word: Any) -> list[object]:  # noqa: ANN401  # each engine knows its own words
        """Let the engine decide. What raises is not noted: it has changed nothing, or the engine is built anew."""
        said = self._engine.handle(word)
        self._recorder.note(self._actor, word, tuple(said))
        return said


class RecordedDesk:
    """The desk, noted once it has concluded: its closes leave before."""

    def __init__(self, desk: Desk, recorder: Recorder) -> None:
        self._desk = desk
        self._recorder = recorder

    def decide(self, word: object) -> tuple[list[object], Callable[[], list[object]]]:
        """Decide as `Desk.decide` does."""
        urgent, conclude = self._desk.decide(word)

        def concluded() -> list[object]:
            said = conclude()
            self._recorder.note("trade_desk", word, (*urgent, *said))
            return said

        return urgent, concluded
