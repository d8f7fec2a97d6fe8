"""Marks that would lie on each other become one, which says how many it stands for: none is lost, and the file stays small."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from actors.rules.pictures.drawn import Mark, Role, clock_text

_COLUMNS: Final = 720
"""Stretches of the axis in which marks of one row lie on each other: about as many as a mark is wide."""
_NAMED: Final = 12
"""Of a bundle, how many are named."""


def bundle(marks: Iterable[Mark], rows: Mapping[Role, str], begin_ns: int, end_ns: int) -> list[Mark]:
    """Return `marks` in the rows of their roles, those of a role and a stretch of time as one. Marks outside the time are left out."""
    width_ns = max(1, (end_ns - begin_ns) // _COLUMNS)
    found: dict[tuple[Role, int], list[Mark]] = {}
    for mark in marks:
        if begin_ns <= mark.at_ns <= end_ns and mark.role in rows:
            found.setdefault((mark.role, (mark.at_ns - begin_ns) // width_ns), []).append(mark)
    return [
        _one(together, rows[role]) for (role, _), together in sorted(found.items(), key=lambda item: item[1][0].at_ns)
    ]


def _one(marks: list[Mark], row: str) -> Mark:
    first = marks[0]
    if len(marks) == 1:
        return msgspec.structs.replace(first, row=row, value=None)
    named = [f"{clock_text(mark.at_ns)[11:-4]} {mark.title}" for mark in marks[:_NAMED]]
    more = [f"... and {len(marks) - _NAMED:,} more"] if len(marks) > _NAMED else []
    title = f"{row}: {len(marks):,}, until {clock_text(marks[-1].at_ns)}"
    return Mark(at_ns=first.at_ns, role=first.role, title=title, details=(*named, *more), row=row)
