"""What full runs found, each in a section of its own of docs/proof.md; `proof.record` writes it, `make proof` keeps it."""

import re
import subprocess
from typing import Final

RUNS: Final[dict[str, str]] = {
    "simulate": "Simulation (`make simulate`)",
    "power": "Planted bugs (`make simulate-power`)",
    "chaos": "Chaos (`make chaos`)",
    "mutants": "Automatic mutants (`make mutants`)",
}
"""The name of each run with its heading, in the order in which they stand."""

_SECTION: Final = re.compile(r"^<!-- run: (\w+) -->\n(.*?)\n<!-- end -->$", re.DOTALL | re.MULTILINE)


def kept(text: str) -> dict[str, str]:
    """Return what stands in the section of each run of `text`."""
    return dict(_SECTION.findall(text))


def sections(found: dict[str, str]) -> list[str]:
    """Return the lines of the sections of what the runs `found`."""
    lines: list[str] = []
    for name, heading in RUNS.items():
        if name in found:
            lines += ["", f"## {heading}", "", f"<!-- run: {name} -->", found[name], "<!-- end -->"]
    return lines


def verdict(times: int, violations: int) -> str:
    """Return how often something went wrong in so many runs, and what that says of the next: the 95 % upper bound, 3/n, if never."""
    if violations or not times:
        return f"{violations:,} of {times:,} violated"
    return f"0 of {times:,} violated: at most {3 / times:.2g} of all, with 95 % confidence (3/n)"


def commit() -> str:
    """Return the commit that stands here, and whether anything beside it was changed; docs/proof.md is what runs write."""
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)docs/proof.md")
    return _git("rev-parse", "--short", "HEAD") + (" with changes" if changed else "")


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout.strip()
