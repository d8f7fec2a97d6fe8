"""`explain`: a recording told again up to an instant, and how one trade stood then."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

from actors.engines import Engines
from actors.replay.endings import NothingRecordedError
from actors.replay.onlooker import Onlooker
from actors.replay.resuming import at, newest_before
from actors.replay.retelling import ReadSettings, Retelling
from actors.rules.stops.armed import is_watched
from actors.rules.stops.explaining import standings
from bus.messages.explain import Explained
from bus.messages.recording import EngineRebuilt, LifeEnded
from bus.messages.records import Commit
from bus.messages.stops import StopCoverage, StopDecision, StopFired
from bus.messages.trades import Trade
from bus.recorder.reading import read, require_segments
from bus.recorder.segments import Block, Entry, ForeignSegment, Gap, read_blocks
from bus.recorder.words import Packed, UnreadableWord, unpack

_LAST_NS = 2**63 - 1
_ARMING = {kind.__name__ for kind in (Trade, EngineRebuilt)}
_TELLING = {kind.__name__ for kind in (Trade, StopFired, StopCoverage, Commit)}


def explain(
    place: Path, trade_id: str, at_ns: int | None, read_settings: ReadSettings, onlooker: Onlooker | None = None
) -> Explained:
    """Say why a stop of the trade fired, or did not, by `at_ns` (None: the end). Raises: NoRecording, NothingRecordedError."""
    until_ns = _LAST_NS if at_ns is None else at_ns
    # Where a rule stands, AutoStop alone can tell, of a trade that it still watches; what the others said of the trade was written
    # down. Who looks on sees everything.
    heard = {"auto_stop"} if _may_be_watched(place, trade_id, until_ns) else set[str]()
    retelling = Retelling(read_settings, wants=lambda actor: onlooker is not None or actor in heard)
    account, gaps = _Account(trade_id, onlooker), list[str]()
    # Who looks on wants to see all that came before.
    resumed = None if onlooker is not None or not heard else newest_before(place, until_ns + 1)
    for part in read(place):
        if not isinstance(part, Block):
            gaps.append(str(part))
            retelling.lose()
            if onlooker is not None:
                onlooker.miss(str(part))
        elif resumed is not None:
            account.skim(part)
        elif not account.take(part, retelling, until_ns):
            break
        if resumed is not None and at(part) == resumed.place[:2]:
            retelling.adopt(resumed)
            account.engines, resumed = retelling.engines, None
    trade = account.trade
    if trade is None:
        when = "" if at_ns is None else " before that"
        raise NothingRecordedError(f"{place} tells nothing of {trade_id}{when}")
    engines, now_ns = account.engines, at_ns or account.last_ns
    roster = None if engines is None else engines.stops.roster
    return Explained(
        trade_id=trade_id,
        at=now_ns,
        trade=trade,
        watched=roster is not None and roster.find(trade_id) is not None,
        rules=() if roster is None else standings(roster, trade_id, now_ns),
        decisions=tuple(account.decisions.values()),
        coverage=tuple(account.coverage),
        settings_version=trade.settings_version,
        gaps=(*gaps, *account.unreadable),
    )


def _may_be_watched(place: Path, trade_id: str, until_ns: int) -> bool:
    """Whether AutoStop may watch the trade at `until_ns`: not where the last that it heard of it says that there is nothing to watch.

    Only blocks that name the trade are read. What cannot be told is left to the engine.
    """
    last: Trade | None = None
    try:
        for word in _heard(place, trade_id, until_ns):
            if not isinstance(word, Trade) or (last is not None and word.version < last.version):
                return True
            last = word if word.trade_id == trade_id else last
    except (ForeignSegment, UnreadableWord, OSError):
        return True
    return last is not None and is_watched(last)


def _heard(place: Path, trade_id: str, until_ns: int) -> Iterator[object]:
    """Yield what AutoStop heard that may tell of the trade: trades, and from what its engine was built anew; None for a gap."""
    text = trade_id.encode()
    for path in require_segments(place):
        for part in read_blocks(path, until_ns=until_ns, naming=text):
            if isinstance(part, Gap):
                yield None
                continue
            for entry in takewhile(lambda entry: entry.at_ns <= until_ns, part.entries):
                if entry.actor == "auto_stop":
                    word = part.words[entry.heard]
                    if word[0] in _ARMING and text in bytes(word[1]):
                        yield unpack(word)


class _Account:
    """What was heard of one trade so far."""

    def __init__(self, trade_id: str, onlooker: Onlooker | None) -> None:
        self.trade: Trade | None = None
        self.decisions: dict[str, StopDecision] = {}
        self.coverage: list[StopCoverage] = []
        self.unreadable: list[str] = []
        self.last_ns = 0
        self.engines: Engines | None = None
        """As they stood last: a life that has ended in order still tells how it ended."""
        self._trade_id = trade_id
        self._onlooker = onlooker
        self._quiet = Counter[str]() if onlooker is None else None
        """Who looks on sees also what nothing was said to."""

    def take(self, block: Block, retelling: Retelling, until_ns: int) -> bool:
        """Hear a block up to `until_ns`; say whether all of it lies before."""
        for told in retelling.hear(block, until_ns, self._quiet):
            if self._onlooker is not None:
                self._onlooker.see(told, retelling.engines)
            is_over = isinstance(told.heard, LifeEnded)
            self.engines = (retelling.ended or self.engines) if is_over else retelling.living()
        self.engines = retelling.engines or self.engines
        return self.skim(block, until_ns)

    def skim(self, block: Block, until_ns: int = _LAST_NS) -> bool:
        """Read what a block says of the trade up to `until_ns`; say whether all of it lies before."""
        within: Sequence[Entry] = block.entries
        if until_ns < _LAST_NS:
            within = list(takewhile(lambda entry: entry.at_ns <= until_ns, within))
        self.last_ns = within[-1].at_ns if within else self.last_ns
        named = self._named(block)
        for entry in within if named else ():
            for index in entry.said:
                if index in named:
                    self._read(block.words[index])
        return len(within) == len(block.entries)

    def _named(self, block: Block) -> set[int]:
        """Return the words of a block that may tell of the trade, by their index."""
        text = self._trade_id.encode()
        telling = [(number, word[1]) for number, word in enumerate(block.words) if word[0] in _TELLING]
        return {number for number, body in telling if text in bytes(body)}

    def _read(self, packed: Packed) -> None:
        try:
            self._note(unpack(packed))
        except UnreadableWord as error:
            self.unreadable.append(str(error))

    def _note(self, word: object) -> None:
        match word:
            case Trade(trade_id=self._trade_id):
                self.trade = word
            case StopFired(decision=decision) if decision.trade_id == self._trade_id:
                self.decisions[decision.decision_id] = decision
            case StopCoverage(trade_id=self._trade_id):
                self.coverage.append(word)
            case Commit(decisions=decisions):
                # What the desk makes of a stop that fired is the last word: it may have been changed meanwhile.
                self.decisions |= {one.decision_id: one for one in decisions if one.trade_id == self._trade_id}
