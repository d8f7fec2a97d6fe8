"""Writes docs/proof.md: `python -m tests.house.proof` (`make proof`).

A test claims what its docstring names ("Lesson 13", "Faults 24, 25", "K3", "S9"), and a module's docstring speaks for all its tests.
What full runs found (`tests/house/runs.py`) is kept as it stands.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.house import claims, runs

ROOT: Final = Path(__file__).parents[2]
DOCUMENT: Final = ROOT / "docs" / "proof.md"
CATALOGUE: Final[dict[str, tuple[str, dict[int, str]]]] = {
    "Lesson": ("Lessons", claims.LESSONS),
    "Fault": ("Faults", claims.FAULTS),
    "K": ("Kill points", claims.KILL_POINTS),
    "S": ("Safety", claims.SAFETY),
    "L": ("Liveness", claims.LIVENESS),
}
Claim = tuple[str, int]
_WORDS: Final = re.compile(r"\b(lesson|fault)s? (\d+(?:(?:, | and |, and |-| to )\d+)*)", re.IGNORECASE)
_POINTS: Final = re.compile(r"\b([KSL])(\d{1,2})(?:-\1?(\d{1,2}))?\b")
_TESTS_SHOWN: Final = 8


def claimed(docstring: str) -> set[Claim]:
    """Return what a docstring names: `Lessons 1-3 and 9`, `Fault 17`, `K1-K4`."""
    found: set[Claim] = set()
    for word, numbers in _WORDS.findall(docstring):
        for part in re.split(r", and |, | and ", numbers):
            first, _, last = part.replace(" to ", "-").partition("-")
            found.update((word.capitalize(), number) for number in range(int(first), int(last or first) + 1))
    for kind, first, last in _POINTS.findall(docstring):
        found.update((kind, number) for number in range(int(first), int(last or first) + 1))
    return {(kind, number) for kind, number in found if number in CATALOGUE[kind][1]}


def claims_by_test(tree: ast.Module) -> Iterator[tuple[str, set[Claim]]]:
    """Yield each test of a module, with what it claims."""
    general = claimed(ast.get_docstring(tree) or "")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name, general | claimed(ast.get_docstring(node) or "")


def proofs(folder: Path) -> dict[Claim, list[str]]:
    """Return each claim with the tests below `folder` that name it, as `path::test`."""
    found: dict[Claim, list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        for name, named in claims_by_test(ast.parse(path.read_text())):
            for claim in named:
                found.setdefault(claim, []).append(f"{path.relative_to(folder.parent)}::{name}")
    return found


def document(found: dict[Claim, list[str]], kept: dict[str, str]) -> str:
    """Return docs/proof.md with the sections `kept` of full runs."""
    parts = [
        "# Proof",
        "",
        "Made by `make proof`: each lesson, fault, kill point and invariant with the tests that name it, or the order that owes it.",
        "A test that names a claim of a later order proves a part of it.",
        *runs.sections(kept),
    ]
    for kind, (title, names) in CATALOGUE.items():
        parts += ["", f"## {title}", "", "| | what | order | tests |", "|---|---|---|---|"]
        for number, what in names.items():
            tests = sorted(found.get((kind, number), []))
            parts.append(_row(kind, number, what, tests))
    return "\n".join(parts) + "\n"


def _row(kind: str, number: int, what: str, tests: list[str]) -> str:
    order = claims.order_of(kind, number)
    label = f"{kind} {number}" if len(kind) > 1 else f"{kind}{number}"
    shown = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in tests[:_TESTS_SHOWN])
    more = f"<br>and {len(tests) - _TESTS_SHOWN} more" if len(tests) > _TESTS_SHOWN else ""
    return f"| {label} | {what} | {order} | {shown + more or f'owed by order {order}'} |"


def owed(found: dict[Claim, list[str]], orders: frozenset[int]) -> list[str]:
    """Return the lessons and faults of `orders` that no test names."""
    return [
        f"{kind} {number}: {what}"
        for kind in ("Lesson", "Fault")
        for number, what in CATALOGUE[kind][1].items()
        if claims.order_of(kind, number) in orders and (kind, number) not in found
    ]


def record(found: dict[str, str]) -> None:
    """Write docs/proof.md anew, with what the runs `found`: Markdown by the name of each run."""
    kept = runs.kept(DOCUMENT.read_text())
    DOCUMENT.write_text(document(proofs(ROOT / "tests"), kept | found))


if __name__ == "__main__":
    record({})
