"""What became of each mutant, read from what mutmut left behind; and how it is told."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

Verdicts = dict[str, bool]
"""Name of a mutant (`actors.rules.fees.x_fee__mutmut_3`) -> whether a test failed, or never ended, with it."""

_KILLED = frozenset({1, 3, 24, 36, 152, 255, -24})
"""pytest's exit codes of failed tests, and those by which mutmut says that the time was up."""


def read(folder: Path) -> Verdicts:
    """Return the verdict on each mutant of a round that has one."""
    found: Verdicts = {}
    for path in sorted((folder / "mutants").rglob("*.meta")):
        codes = json.loads(path.read_text())["exit_code_by_key"]
        found.update({name: code in _KILLED for name, code in codes.items() if code is not None})
    return found


def survivors(verdicts: Verdicts) -> list[str]:
    """Return the names of those that no test noticed."""
    return [name for name, killed in verdicts.items() if not killed]


def together(first: Verdicts, second: Verdicts) -> Verdicts:
    """Return the verdict of both: killed by one is killed."""
    return first | {name: killed or first.get(name, False) for name, killed in second.items()}


def function_of(mutant: str) -> str:
    """Return `actors.rules.fees.fee` for `actors.rules.fees.x_fee__mutmut_3`, `room.Class.method` for a method."""
    module, _, function = mutant.rpartition("__mutmut_")[0].rpartition(".")
    return f"{module}.{function.removeprefix('x').removeprefix('_').removeprefix('ǁ').replace('ǁ', '.')}"


def module_of(mutant: str) -> str:
    """Return `actors.rules.fees` for `actors.rules.fees.x_fee__mutmut_3`."""
    return mutant.rpartition(".")[0]


def room_of(mutant: str) -> str:
    """Return `actors/rules/trade` for one of its modules, the module itself where it stands in a room of wires or deeds."""
    *room, module = module_of(mutant).split(".")
    return "/".join(room) if room[:2] == ["actors", "rules"] else "/".join([*room, f"{module}.py"])


def percent(killed: int, of: int) -> str:
    """Return a share with one decimal, never rounded up."""
    return f"{killed * 1000 // of / 10} %" if of else "-"


def table(verdicts: Verdicts, place: str) -> Iterator[str]:
    """Yield the lines of a Markdown table: killed and made by `room` or `module`, and in all."""
    of = {"room": room_of, "module": module_of}[place]
    made = Counter(of(name) for name in verdicts)
    killed = Counter(of(name) for name, dead in verdicts.items() if dead)
    yield f"| {place} | killed | mutants | |"
    yield "|---|---|---|---|"
    for name, count in sorted(made.items()):
        yield f"| `{name}` | {killed[name]:,} | {count:,} | {percent(killed[name], count)} |"
    total = sum(verdicts.values())
    yield f"| **all** | {total:,} | {len(verdicts):,} | {percent(total, len(verdicts))} |"
