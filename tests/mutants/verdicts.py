"""What became of each mutant, as the trials wrote it down; and how it is told."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Verdicts = dict[str, bool]
"""Name of a mutant (`actors.rules.fees.x_fee__mutmut_3`) -> whether a test failed, or never ended, with it."""

_ROW: Final = re.compile(r"^\| `(.+)` \| ([\d,]+) \| ([\d,]+) \| [^|]* \| (.+) \|$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Row:
    """How many mutants of a room were made and killed, at a commit."""

    killed: int
    made: int
    commit: str


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

    return {room: Row(number(killed), number(made), at) for room, killed, made, at in _ROW.findall(section)}


def table(found: Mapping[str, Row], names: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a Markdown table: of each of the rooms what was found, and of all together."""
    yield "| room | killed | mutants | | at |"
    yield "|---|---|---|---|---|"
    known = {name: found[name] for name in names if name in found}
    for name, row in known.items():
        yield f"| `{name}` | {row.killed:,} | {row.made:,} | {percent(row.killed, row.made)} | {row.commit} |"
    killed, made = sum(row.killed for row in known.values()), sum(row.made for row in known.values())
    yield f"| **all** | {killed:,} | {made:,} | {percent(killed, made)} | |"
