"""Who looks on while a recording is told again, such as the story of a picture."""

from typing import Protocol

from actors.engines import Engines
from actors.replay.retelling import Difference, Told


class Onlooker(Protocol):
    """Who is shown a replay as it goes."""

    def see(self, told: Told, engines: Engines | None) -> None:
        """See an entry. engines: as they stand behind it, None where nothing can be decided."""

    def miss(self, gap: str) -> None:
        """Hear of what the recording lacks."""

    def differ(self, found: Difference) -> None:
        """Hear of an entry that is decided otherwise now."""
