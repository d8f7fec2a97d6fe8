"""The wires' way into the house, before and after it stands."""

from collections.abc import Callable, Mapping

from actors.house import House
from bus.messages.envelope import Delivery, Malformed, Received
from bus.messages.records import Place


class Door:
    """The wire is made before the house: what it says goes through here. No input is heard before the house stands.

    outside: hears what comes before: questions for the status, and the words of `bus.messages.lead`.
    """

    def __init__(self) -> None:
        self.house: House | None = None
        self.outside: Callable[[object], None] | None = None
        self.places: Mapping[str, Place] = {}
        self.acknowledge: Callable[[Delivery], None] | None = None

    def hear(self, word: object) -> None:
        """Hand a word from the wire to the house; acknowledge at once what had its effect before the restart."""
        if self.house is None:
            assert self.outside is not None, "an input was heard before the house stood"
            self.outside(word)
            return
        if isinstance(word, Received | Malformed) and word.delivery is not None and self._is_settled(word.delivery):
            assert self.acknowledge is not None
            self.acknowledge(word.delivery)
            return
        self.house.hear(word)

    def _is_settled(self, delivery: Delivery) -> bool:
        place = self.places.get(delivery.stream)
        return place is not None and place.holds(delivery.sequence)
