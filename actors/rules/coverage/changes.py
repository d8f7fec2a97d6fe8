"""How changes of coverage are said: at once to whoever listens, and in one commit that stands for all of them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from actors.rules import notice_words
from actors.rules.coverage import notices
from bus.messages import addresses
from bus.messages.envelope import Outgoing
from bus.messages.notices import Notice, Severity
from bus.messages.records import Commit
from bus.messages.stops import StopCoverage
from bus.messages.trades import Coverage, Trade

SENDER: Final = "trade_watcher"


class Change(NamedTuple):
    """A trade whose coverage is not what was last said of it; `before` None: nothing was."""

    trade: Trade
    before: StopCoverage | None
    after: StopCoverage


def tell(changes: Sequence[Change], now_ns: int) -> list[object]:
    """Return what is said of `changes`, which came with one word: nothing without any."""
    if not changes:
        return []
    notes = _notices(changes, now_ns)
    sent = [*(_outgoing(change.after) for change in changes), *map(notice_words.outgoing, notes)]
    said: list[object] = [change.after for change in changes]
    said += [outgoing for outgoing in sent if outgoing.direct]
    said += notes
    said.append(
        Commit(
            sender=SENDER,
            cause=addresses.coverage_id(changes[0].after),
            now_ns=now_ns,
            coverage=tuple(change.after for change in changes),
            notices=tuple(notes),
            outbox=tuple(sent),
        )
    )
    return said


def _outgoing(coverage: StopCoverage) -> Outgoing:
    return Outgoing(
        subject=addresses.stop_coverage(coverage.trade_id),
        msg_id=addresses.coverage_id(coverage),
        message=coverage,
        direct=True,
        cause=coverage.why,
    )


def _notices(changes: Sequence[Change], now_ns: int) -> list[Notice]:
    """Return one critical notice for each reason, and one for all that are protected again."""
    by_why: dict[str, list[Trade]] = {}
    again: list[Trade] = []
    for change in changes:
        if change.after.coverage is Coverage.UNPROTECTED:
            by_why.setdefault(change.after.why, []).append(change.trade)
        elif change.before is not None and change.before.coverage is Coverage.UNPROTECTED:
            again.append(change.trade)
    notes = [notices.unprotected(trades, why, now_ns) for why, trades in by_why.items()]
    assert all(note.severity is Severity.CRITICAL for note in notes), "to be unprotected is always critical"
    return [*notes, notices.protected_again(again, now_ns)] if again else notes
