"""Bugs in how things come to their end: positions that others closed, closes that must be tried again, what an earlier life sent."""

from msgspec.structs import replace

from actors.rules.desk.state import DeskState
from actors.rules.reconcile.stated import Stated
from actors.rules.trade import closes
from actors.rules.trade.draft import Draft, lacking, reopen
from bus.messages.trades import AttemptState, Purpose
from tests.simulation.planting import Bug, Patches, nothing


def _reopens_all(draft: Draft, purpose: Purpose) -> bool:
    for attempt in lacking(draft.trade, purpose):
        draft.put(replace(attempt, state=AttemptState.SENT))
    return False


BUGS: tuple[Bug, ...] = (
    Bug(
        name="the venue's own word not believed",
        plant=lambda: Patches().of(Stated, "confirms", lambda _: lambda *_: False),
        wakes={"external_close": 3.0},
    ),
    Bug(name="no close after the first", plant=lambda: Patches().of(closes, "try_next", lambda _: nothing)),
    Bug(
        name="close of an earlier life forgotten",
        plant=lambda: Patches().of(DeskState, "take_in", lambda _: lambda _s, _m, trade, _o: trade),
        wakes={"process_killed": 3.0, "postgres_killed": 6.0},
    ),
    Bug(name="two closes alive", plant=lambda: Patches().everywhere(reopen, _reopens_all)),
)
