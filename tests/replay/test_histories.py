"""Recorded histories that must be decided the same way for ever.

One is decided otherwise now? Either the change is a mistake, or a rule was meant to be another one: then say so in CHANGELOG.md, in
the words of operators, and make the recordings anew (`make recordings`). Those in `older` cannot be made anew: where code says what
that code could not say, `actors/replay/older.py` tells so; where it decides otherwise, its difference is named here, exactly.
"""

from pathlib import Path

import pytest
from msgspec.structs import replace as changed

from actors.replay.older import as_then
from actors.replay.replaying import Wanted, replay
from actors.replay.retelling import Retelling
from actors.rules.stops.engine import StopEngine
from bus.messages.accounts import AccountProgress
from bus.messages.market import Part, Ticks
from bus.messages.recording import SPOKEN, LifeBegun
from bus.messages.records import Commit
from bus.recorder.reading import read
from bus.recorder.segments import Block
from bus.recorder.words import pack, unpack
from config.settings import retold
from tests.replay.recordings import FOLDER, HISTORIES

OLDER = sorted((FOLDER / "older").glob("*.wkr"))
ALL = [*sorted(FOLDER.glob("*.wkr")), *OLDER]


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_a_recorded_history_is_decided_as_it_was(path: Path) -> None:
    """Lesson 7. What to do if not: see above."""
    found = replay(path, Wanted(), retold)

    assert found.compared > 0
    assert (found.different, found.skipped, found.lost, found.gaps) == (0, 0, 0, ()), found.differences[:1]


def test_every_history_is_recorded_and_small() -> None:
    assert {path.stem for path in FOLDER.glob("*.wkr")} == {history.__name__ for history in HISTORIES}
    assert max(path.stat().st_size for path in ALL) < 100_000
    assert OLDER


def test_the_flood_was_folded() -> None:
    reads = [word for word in _words(FOLDER / "a_flood_is_folded.wkr") if isinstance(word, Ticks)]

    assert any(word.part is not Part.WHOLE for word in reads)


def test_what_older_code_could_not_say_is_no_difference_in_its_recording_alone() -> None:
    """Recorded before capsules were kept: AutoStop did not say yet what a trade that came to rest had counted."""
    path = FOLDER / "older" / "5c3ceda_trailing_over_a_restart.wkr"

    today = Retelling(retold)
    differences = [told.difference() for block in _blocks(path, _as_of_today) for told in today.hear(block)]

    assert {one.actor for one in differences if one is not None} == {"auto_stop"}


@pytest.mark.parametrize(("spoken", "ts"), [(1, 0), (SPOKEN, 7)])
def test_older_code_did_not_say_when_it_wrote_down_what_is_known_of_an_account(spoken: int, ts: int) -> None:
    kept = Commit(sender="auto_stop", cause="c", now_ns=7, account_progress=(AccountProgress(account="a", ts=7),))

    [word] = as_then(spoken, "auto_stop", [kept])

    assert word == changed(kept, account_progress=(AccountProgress(account="a", ts=ts),))


@pytest.mark.parametrize("path", OLDER, ids=lambda path: path.stem)
def test_a_changed_rule_is_shown_in_an_older_recording_as_well(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StopEngine, "_fire", lambda *_: None)

    assert replay(path, Wanted(), retold).different > 0


def _words(path: Path) -> list[object]:
    return [unpack(word) for block in _blocks(path) for word in block.words]


def _blocks(path: Path, change: object = None) -> list[Block]:
    blocks = [part for part in read(path) if isinstance(part, Block)]
    if change is None:
        return blocks
    return [Block([change(word) for word in block.words], block.entries) for block in blocks]  # type: ignore[operator]


def _as_of_today(packed: object) -> object:
    """Let a recording claim that its code had as much to say as ours."""
    word = unpack(packed)  # type: ignore[arg-type]
    return pack(changed(word, spoken=SPOKEN)) if isinstance(word, LifeBegun) else packed
