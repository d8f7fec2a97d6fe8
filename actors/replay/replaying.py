"""`replay`: a recording told again, and what is different. Reads files and decides; it has no wire and no store to reach anything by."""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
from msgspec import structs

from actors.replay.beside import Beside
from actors.replay.freezing import NotFrozenError
from actors.replay.onlooker import Onlooker
from actors.replay.resuming import parts
from actors.replay.retelling import Difference, ReadSettings, Retelling, Told
from bus.messages.replay import ReplayDifference, Replayed, ReplayedWord
from bus.recorder.reading import require_segments
from bus.recorder.segments import Block
from bus.recorder.words import Packed, UnreadableWord, look

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Replayed | str, dec_hook=lambda _, value: value)
"""From a copy of this process: what a marker stands for is in it as it is in memory. A text: what is wrong with a checkpoint."""
_PARTS: Final = ("auto_stop", "trade_watcher")
"""The two that hear every tick. All the others together are as much work as one of them, so three processes keep two processors busy
to the end, whatever the share of each.
"""
SHOWN_MAX: Final = 20
"""Differences in the document: after the first one the others mostly follow from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to compare. Everything before is told again all the same, or nothing would be as it was."""

    since_ns: int = 0
    until_ns: int = 2**63 - 1
    trade_id: str | None = None

    def holds(self, told: Told) -> bool:
        """Whether this entry is wanted."""
        is_then = self.since_ns <= told.entry.at_ns <= self.until_ns
        return is_then and (self.trade_id is None or told.names(self.trade_id.encode()))


def replay(
    place: Path,
    wanted: Wanted,
    read_settings: ReadSettings,
    onlooker: Onlooker | None = None,
    wants: Callable[[str], bool] = lambda _: True,
) -> Replayed:
    """Tell the recording at `place` again, as far as it concerns the actors that are wanted. Raises: NoRecording."""
    retelling, by_actor = Retelling(read_settings, wants=wants), Counter[str]()
    differences: list[Difference] = []
    different = 0
    wants_all = wanted == Wanted()
    # Who looks on wants to see all that came before.
    for part in parts(place, retelling, 0 if onlooker is not None else wanted.since_ns):
        if not isinstance(part, Block):
            retelling.miss(part)
            if onlooker is not None:
                onlooker.miss(str(part))
            continue
        if part.entries and part.entries[0].at_ns > wanted.until_ns:
            break
        for told in retelling.hear(part, wanted.until_ns, by_actor if wants_all and onlooker is None else None):
            if onlooker is not None:
                onlooker.see(told, retelling.engines)
            if told.said is None or not (wants_all or wanted.holds(told)):
                continue
            by_actor[told.entry.actor] += 1
            found = told.difference()
            if found is not None:
                different += 1
                if onlooker is not None:
                    onlooker.differ(found)
                differences += [found] if different <= SHOWN_MAX else []
    retelling.end()
    tally = retelling.tally
    return Replayed(
        place=str(place),
        begin=tally.first_ns,
        end=tally.last_ns,
        lives=retelling.lives.count,
        killed=retelling.lives.killed,
        entries=tally.entries,
        compared=by_actor.total(),
        skipped=tally.skipped,
        lost=tally.lost,
        different=different,
        differences=tuple(map(_shown, differences)),
        gaps=tuple(tally.gaps),
        by_actor=dict(sorted(by_actor.items())),
    )


def replay_in_parts(place: Path, wanted: Wanted, read_settings: ReadSettings) -> Replayed:
    """As `replay`, of which copies of this process do a part each at the same time: engines share nothing.

    A word that cannot be read ends what its part can decide, not the others. Raises: NoRecording, NotFrozenError, CopyFailedError.
    """
    require_segments(place)

    def of_copy(part: str) -> bytes:
        try:
            return _ENCODER.encode(replay(place, wanted, read_settings, wants=lambda actor: actor == part))
        except NotFrozenError as error:
            return _ENCODER.encode(str(error))

    with ExitStack() as stack:
        copies = [stack.enter_context(Beside(partial(of_copy, part))) for part in _PARTS]
        found = replay(place, wanted, read_settings, wants=lambda actor: actor not in _PARTS)
        for copy in copies:
            theirs = _DECODER.decode(copy.result())
            if isinstance(theirs, str):
                raise NotFrozenError(theirs)
            found = _joined(found, theirs)
    return found


def _joined(ours: Replayed, theirs: Replayed) -> Replayed:
    """Return what two parts of one recording have found; of its length and its gaps each tells the same."""
    differences = sorted((*ours.differences, *theirs.differences), key=lambda found: found.number)
    return structs.replace(
        ours,
        compared=ours.compared + theirs.compared,
        skipped=ours.skipped + theirs.skipped,
        different=ours.different + theirs.different,
        differences=tuple(differences[:SHOWN_MAX]),
        by_actor=dict(sorted((ours.by_actor | theirs.by_actor).items())),
    )


def _shown(found: Difference) -> ReplayDifference:
    heard, *_ = _words((found.heard,))
    return ReplayDifference(
        number=found.number,
        at=found.at_ns,
        actor=found.actor,
        heard=heard,
        expected=_words(found.expected),
        actual=_words(found.actual),
    )


def shown_words(packed: Iterable[Packed]) -> tuple[ReplayedWord, ...]:
    """Return words as a document shows them."""
    return _words(tuple((one[0], _content(one)) for one in packed))


def _content(packed: Packed) -> object:
    """Return a word as plain data; what was received as the text that it was."""
    try:
        found = look(packed)
    except UnreadableWord as error:
        return str(error)
    if isinstance(found, list):
        return [part.decode(errors="replace") if isinstance(part, bytes) else part for part in found]
    return found


def _words(named: tuple[tuple[str, object], ...]) -> tuple[ReplayedWord, ...]:
    return tuple(ReplayedWord(name=name, content=content) for name, content in named)
