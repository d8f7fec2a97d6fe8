"""The lives in a recording: whose words follow, and what such a process began with."""

from collections.abc import Mapping
from dataclasses import dataclass

from actors.engines import Beginning
from bus.messages.orders import OrderCancel, OrderReport, OrderSubmit
from bus.messages.recording import LifeBegun, LifeContinues
from bus.messages.records import Recovered


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What the engines of a life are built from. settings: as `Settings.told` gave them."""

    settings: Mapping[str, str | int | bool]
    beginning: Beginning


class Lives:
    """Hears the words of `LIFE`, in order. count: lives of which the beginning was heard, or that were taken up in the middle; killed: of them, those that did not end in order."""

    def __init__(self) -> None:
        self.count = 0
        self.killed = 0
        self._begun: LifeBegun | None = None
        self._recovered: Recovered | None = None
        self._paper: list[OrderSubmit | OrderCancel | OrderReport] = []

    @property
    def is_one(self) -> bool:
        """Whether what is heard now belongs to a life whose beginning was heard."""
        return self._begun is not None

    @property
    def spoken(self) -> int:
        """What the code of this life had to say; see `bus.messages.recording.SPOKEN`."""
        return 0 if self._begun is None else self._begun.spoken

    def hear(self, word: object) -> bool:
        """Take it in; say whether the life before it is over."""
        match word:
            case LifeBegun():
                self.end()
                self.count += 1
                self._begun, self._paper = word, []
                return True
            case LifeContinues(instance=instance, epoch=epoch):
                if self._begun is None or (self._begun.instance, self._begun.epoch) != (instance, epoch):
                    self.end()
                    return True
            case Recovered():
                self._recovered = word
            case OrderSubmit() | OrderCancel() | OrderReport():
                self._paper.append(word)
            case _:
                pass
        return False

    def take(self) -> Begun | None:
        """Return what this life begins with, once, when all of it has been heard."""
        begun, recovered = self._begun, self._recovered
        if begun is None or recovered is None:
            return None
        self._recovered = None
        beginning = Beginning(
            recovered=recovered,
            instance=begun.instance,
            epoch=begun.epoch,
            streams=begun.streams,
            now_ns=begun.now_ns,
            paper=tuple(self._paper),
            marks=begun.marks,
        )
        return Begun(settings=begun.settings, beginning=beginning)

    @property
    def begun(self) -> LifeBegun | None:
        """The first word of the life that goes on; None where none does."""
        return self._begun

    def resume(self, begun: LifeBegun) -> Begun:
        """Go on in the middle of a life; return what it began with, but for all that its engines know by now."""
        self.count += self._begun is None
        self._begun = begun
        beginning = Beginning(
            recovered=Recovered(),
            instance=begun.instance,
            epoch=begun.epoch,
            streams=begun.streams,
            now_ns=begun.now_ns,
            marks=begun.marks,
        )
        return Begun(settings=begun.settings, beginning=beginning)

    def lose(self) -> None:
        """Something is missing here: what was not taken yet is not whole."""
        self._recovered = None

    def end_in_order(self) -> None:
        """The process has said that nothing follows."""
        self._begun = None

    def end(self) -> None:
        """Nothing follows in this life."""
        self.killed += self._begun is not None
        self._begun = None
        self.lose()
