"""Bugs in how things come to their end: positions that others closed, closes that must be tried again, what an earlier life sent."""

from actors.rules.desk.state import DeskState
from actors.rules.reconcile.stated import Stated
from actors.rules.trade import closes
from tests.simulation.planting import Bug, Patches, nothing

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
)
