"""What became of each mutant, as the trials wrote it down; and how it is told."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path
from typing import Final

Verdicts = dict[str, bool]
"""Name of a mutant (`actors.rules.fees.x_fee__mutmut_3`) -> whether a test failed, or never ended, with it."""

_ROW: Final = re.compile(r"^\| `(.+)` \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| [^|]* \| (.+) \|$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Row:
    """How many mutants of a room were made, tried and killed, at a commit. tried: all, or a sample by chance."""

    killed: int
    tried: int
    made: int
    commit: str

    @property
    def variance(self) -> float:
        """How far the share of the killed may be off because not all were tried, squared."""
        if self.tried == self.made:
            return 0
        share = (self.killed + 1) / (self.tried + 2)  # So that a sample without survivors does not count as certain.
        return share * (1 - share) / self.tried * (1 - self.tried / self.made)


def read(tried: Path) -> Verdicts:
    """Return the verdict on each mutant that has been tried."""
    return {said["mutant"]: said["killed"] for said in map(json.loads, tried.read_text().splitlines())}


def survivors(verdicts: Verdicts) -> list[str]:
    """Return the names of those that no test noticed."""
    return [name for name, killed in verdicts.items() if not killed]


def function_of(mutant: str) -> str:
    """Return `actors.rules.fees.fee` for `actors.rules.fees.x_fee__mutmut_3`, `room.Class.method` for a method."""
    module, _, function = mutant.rpartition("__mutmut_")[0].rpartition(".")
    return f"{module}.{function.removeprefix('x').removeprefix('_').removeprefix('ǁ').replace('ǁ', '.')}"


def percent(killed: int, of: int) -> str:
    """Return a share with one decimal, never rounded up."""
    return f"{killed * 1000 // of / 10} %" if of else "-"


def rows(section: str) -> dict[str, Row]:
    """Return the rows of a table by room, without the sum: the other way round than `table`."""

    def number(text: str) -> int:
        return int(text.replace(",", ""))

    found = _ROW.findall(section)
    return {room: Row(number(killed), number(tried), number(made), at) for room, killed, tried, made, at in found}


def table(found: Mapping[str, Row], names: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a Markdown table: of each of the rooms what was found, and of all together."""
    yield "| room | killed | tried | mutants | | at |"
    yield "|---|---|---|---|---|---|"
    known = {name: found[name] for name in names if name in found and found[name].tried}
    for name, row in known.items():
        share = percent(row.killed, row.tried)
        yield f"| `{name}` | {row.killed:,} | {row.tried:,} | {row.made:,} | {share} | {row.commit} |"
    killed, tried, made = (sum(getattr(row, count) for row in known.values()) for count in ("killed", "tried", "made"))
    lost = sum(row.made * (1 - row.killed / row.tried) for row in known.values())
    yield f"| **all** | {killed:,} | {tried:,} | {made:,} | {percent(made - ceil(lost), made)} | |"
    if tried < made:
        off = 1.96 * sqrt(sum(row.made**2 * row.variance for row in known.values())) / made
        yield ""
        yield f"Of a room that was not tried whole a sample by chance was; the share of all, each room by its size, is exact to {off:.1%} (95 %)."
