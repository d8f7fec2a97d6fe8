"""History within a read batch: what was true while nobody read, and is known by the same batch not to be any more (Fault 33).

A process that was stopped, or a connection that was, brings seconds of ticks in one read. Each is counted and kept as ever, but one
that is old when it comes, and is followed by a newer one of its kind, fires nothing: the stop would answer a price that is gone. What
the book does not take, older or impossible, is no such newer one.
"""

from itertools import groupby
from typing import Final

from actors.rules.market.odd import is_odd
from bus.messages.market import FeedBeat, Part, Probability, Quote, Tick, Ticks
from bus.messages.units import NS_PER_S

OLD_NS: Final = 2 * NS_PER_S
"""How old a tick is when it comes before it can be history."""


def pieces(word: Ticks, most: int) -> list[Ticks]:
    """Return `word` in pieces of at most `most` ticks, in order; history stays history."""
    gone = history(word)
    found: list[Ticks] = []
    for is_gone, group in groupby(word.batch, key=lambda tick: id(tick) in gone):
        ticks = tuple(group)
        part = Part.PAST if is_gone else word.part
        found.extend(
            Ticks(batch=ticks[start : start + most], received_ns=word.received_ns, part=part)
            for start in range(0, len(ticks), most)
        )
    return found


def history(word: Ticks) -> frozenset[int]:
    """Return the ids of the ticks of `word` that are history. The first is the oldest, as a backlog comes."""
    if not word.batch or word.received_ns - word.batch[0].ts <= OLD_NS:
        return frozenset()
    newest: dict[tuple[type, str], Tick] = {}
    found = set()
    for tick in word.batch:
        if isinstance(tick, FeedBeat) or is_odd(tick, word.received_ns):
            continue
        name = tick.ticker if isinstance(tick, Quote | Probability) else tick.symbol
        before = newest.get((type(tick), name))
        if before is not None:
            if tick.ts < before.ts:
                continue
            if word.received_ns - before.ts > OLD_NS:
                found.add(id(before))
        newest[type(tick), name] = tick
    return frozenset(found)
