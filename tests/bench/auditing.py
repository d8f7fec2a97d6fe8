"""The figure of the audit: a tree of 300,000 lines, made of the recorded source trees, read by the command itself."""

import ast
import json
import re
import resource
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.bench.documents import AuditSpeed
from tests.bench.process import ROOT, load_average

_TREES: Final = ROOT.parent / "shared/data/legacy"
_MOST_S: Final = 60
_TABLES: Final = re.compile(r"\b(active_trades|trades|positions|fills|orders|settlements|price_log|market_data)\b")


def auditing(lines: int = 300_000, trees: Path = _TREES) -> AuditSpeed | None:
    """`migrate audit` over at least so many lines; None where the recorded trees are not beside this checkout."""
    archives = sorted(trees.glob("*.tar.gz"))
    if not archives:
        return None
    load = load_average()
    with TemporaryDirectory() as folder:
        made = _made(archives, Path(folder), lines)
        started = time.monotonic()
        for path in Path(folder).rglob("*.py"):
            ast.parse(path.read_bytes())
        parsed_s = time.monotonic() - started
        before_s = _children_s()
        started = time.monotonic()
        command = [sys.executable, "run.py", "migrate", "audit", folder, "--json"]
        ended = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        taken_s = time.monotonic() - started
    found = json.loads(ended.stdout)
    assert found["lines"] >= lines, f"{found['lines']} lines were read of {made}"
    return AuditSpeed(
        load=load,
        met=taken_s <= _MOST_S,
        parsed_s=round(parsed_s, 1),
        files=sum(found["files"].values()),
        lines=found["lines"],
        findings=len(found["findings"]),
        seconds=round(taken_s, 1),
        cpu_s=round(_children_s() - before_s, 1),
    )


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _made(archives: list[Path], folder: Path, wanted: int) -> int:
    """Write copies of the trees until there are so many lines; each copy has tables of its own, so that no statement is read twice."""
    lines = 0
    for number in count():
        for name, text in _texts(archives):
            path = folder / f"copy{number}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_TABLES.sub(rf"\1_{number}", text))
            lines += text.count("\n")
            if lines > wanted + 100:
                return lines
    return lines


def _texts(archives: list[Path]) -> Iterator[tuple[str, str]]:
    for archive in archives:
        with tarfile.open(archive) as packed:
            for member in packed:
                # Other files are not read by an audit, and would not count.
                if member.isfile() and member.name.endswith((".py", ".sh")) and (file := packed.extractfile(member)):
                    yield f"{archive.stem}/{member.name}", file.read().decode(errors="replace")
