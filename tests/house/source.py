"""The house as its tests see it: every committed file, and every Python module as a tree."""

import ast
import statistics
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("actors", "bus", "config", "db")
_LEFT_OUT: Final = frozenset({".venv", ".mutants", ".git", "__pycache__"})


@cache
def files() -> tuple[Path, ...]:
    """Return every file that git would commit; without git, or in a copy that it ignores, every file that is no by-product."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        listed = []
    found = [ROOT / name for name in listed if name] or [
        path for path in ROOT.rglob("*") if not _LEFT_OUT & set(path.relative_to(ROOT).parts)
    ]
    return tuple(sorted(path for path in found if path.is_file()))


def name(path: Path) -> str:
    """Return the path within the house."""
    return path.relative_to(ROOT).as_posix()


@cache
def modules() -> dict[str, ast.Module]:
    """Return every Python module by its name."""
    return {name(path): ast.parse(path.read_text()) for path in files() if path.suffix == ".py"}


def ours() -> dict[str, ast.Module]:
    """Return the modules of the rooms and run.py, without tests."""
    return {module: tree for module, tree in modules().items() if module.split("/")[0] in (*ROOMS, "run.py")}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function, inner ones and methods too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how long a function is, without its docstring."""
    last = node.end_lineno or node.lineno
    said = node.body[0]
    has_words = (
        isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant) and isinstance(said.value.value, str)
    )
    return last - node.lineno + 1 - ((said.end_lineno or said.lineno) - said.lineno + 1 if has_words else 0)


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Yield each call with the last word of what is called: `sleep` of `time.sleep(1)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func).rpartition(".")[2], node


def imported(tree: ast.AST) -> set[str]:
    """Return the full names of what a module imports."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def sizes_of_the_house() -> str:
    """Return how large the house is, in one line."""
    long = sorted(lines(f) for tree in ours().values() for f in functions(tree))
    modules_long = sorted(len((ROOT / module).read_text().splitlines()) for module in ours())
    return (
        f"{len(modules_long)} modules, median {statistics.median(modules_long):g} lines, longest {modules_long[-1]}; "
        f"{len(long)} functions, median {statistics.median(long):g}, longest {long[-1]}"
    )
