"""What is read as an engine may have been written by anybody: nothing is made of it that reaches outside."""

import os
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from actors.replay import freezing
from actors.replay.freezing import NotFrozenError, code_mark, freeze, thaw
from actors.replay.replaying import Wanted
from actors.replay.retelling import Retelling
from bus.recorder.reading import read
from bus.recorder.segments import Block
from config.settings import retold
from tests.replay.recordings import FOLDER


class Calls:
    """Pickles as a call of anything."""

    def __init__(self, function: Callable[..., Any], *words: Any) -> None:
        self._call = (function, words)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


@pytest.mark.parametrize(
    "foreign",
    [
        Calls(os.system, "true"),
        Calls(eval, "1"),
        Calls(getattr, "a", "upper"),
        Calls(partial(os.system, "true")),
        Path("/etc/passwd"),
        Wanted(),
    ],
    ids=["a command", "code", "an attribute", "a command inside what is allowed", "a path", "another class of ours"],
)
def test_nothing_but_what_decides_is_thawed(foreign: object) -> None:
    """Fault 58: what somebody sends as a recording has no effect."""
    with pytest.raises(NotFrozenError, match="is no part of an engine"):
        thaw(pickle.dumps(foreign, protocol=5))


@pytest.mark.parametrize(
    "name",
    [
        "cactors.rules.stops.engine\nNS_PER_S\n.",  # no class, and imported there
        "cactors.rules.stops.backlog\nQuote\n.",  # only imported there
        "\x80\x04\x8c\x19actors.rules.stops.engine\x8c\x11StopEngine.handle\x93.",  # an attribute of what is allowed
    ],
)
def test_of_our_rooms_only_what_is_made_there_is_thawed(name: str) -> None:
    with pytest.raises(NotFrozenError, match="is no part of an engine"):
        thaw(name.encode("latin-1"))


def test_what_is_no_pickle_at_all_is_refused() -> None:
    with pytest.raises(NotFrozenError):
        thaw(b"x")


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.wkr")), ids=lambda path: path.stem)
def test_engines_thawed_before_each_word_of_a_history_decide_as_it_was_decided(path: Path) -> None:
    retelling = Retelling(retold)
    thawed = 0
    for word in one_by_one(path):
        if retelling.is_under_way:
            assert retelling.engines is not None
            for actor, engine in retelling.engines.all():
                retelling.engines.take_over(actor, thaw(freeze(engine)))
                thawed += 1
        assert [one.difference() for one in retelling.hear(word) if one.said is not None] in ([], [None])

    assert thawed > 100


def one_by_one(path: Path) -> list[Block]:
    blocks = [part for part in read(path) if isinstance(part, Block)]
    return [Block(block.words, [entry]) for block in blocks for entry in block.entries]


def test_other_code_has_another_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "actors").mkdir()
    engines = tmp_path / "actors" / "engines.py"
    monkeypatch.setattr(freezing, "_ROOT", tmp_path)
    marks = set()
    for text in ("a = 1", "a = 2"):
        engines.write_text(text)
        code_mark.cache_clear()
        marks.add(code_mark())
    code_mark.cache_clear()

    assert len(marks) == 2
