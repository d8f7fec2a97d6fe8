"""How a bug is planted for the length of a run: real functions are replaced wherever they were imported to, and put back."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

ROOMS = ("actors", "bus", "db")
Plant = Callable[[], "Patches"]


class Patches:
    """What is replaced while a bug is planted."""

    def __init__(self) -> None:
        self._patches: list[Any] = []

    def everywhere(self, original: Any, other: Any) -> "Patches":
        """Replace a function in every module of ours that knows it by name."""
        for name, module in list(sys.modules.items()):
            if name.split(".")[0] in ROOMS:
                for attribute, value in list(vars(module).items()):
                    if value is original:
                        self._patches.append(patch.object(module, attribute, other))
        assert self._patches, f"nobody knows {original}"
        return self

    def of(self, owner: Any, name: str, make: Callable[[Any], Any]) -> "Patches":
        """Replace an attribute of a class or a module by what `make` makes of it."""
        self._patches.append(patch.object(owner, name, make(getattr(owner, name))))
        return self

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Replace all of it within the block."""
        with ExitStack() as stack:
            for one in self._patches:
                stack.enter_context(one)
            yield


@dataclass(frozen=True, kw_only=True)
class Bug:
    """One planted bug. plant: what is replaced; wakes: happenings of the plan's agenda that every seed has, with their seconds."""

    name: str
    plant: Plant
    wakes: dict[str, float] = field(default_factory=dict)


def nothing(*_: Any, **__: Any) -> None:
    """Do nothing."""
