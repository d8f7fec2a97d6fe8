"""Writes what documents show of the code: tables, notices, refusals, a whole adapter: `python -m tests.house.generate` (`make docs`)."""

import re
from pathlib import Path

from actors.rules.tables import TABLES
from config.settings import load
from tests.house import notices, refusals

_ROOT = Path(__file__).parents[2]
DOCUMENT = _ROOT / "docs" / "specification.md"
ADAPTER = _ROOT / "docs" / "adapter.md"
EXAMPLE = _ROOT / "tests" / "acceptance" / "sample_executor.py"
_EXAMPLE_PLACE = re.compile(r"(<!-- the sample -->\n```python\n).*?(```\n<!-- end -->)", re.DOTALL)
_PLACE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def generated(text: str) -> str:
    """Return `text` with the table of each marker as the code has it now. Raises: KeyError for a marker without a table."""
    values = load({}).stops
    return _PLACE.sub(lambda place: f"{place[1]}{TABLES[place[2]](values)}\n{place[3]}", text)


def with_example(text: str) -> str:
    """Return `text` with the sample adapter as it is now."""
    return _EXAMPLE_PLACE.sub(lambda place: f"{place[1]}{EXAMPLE.read_text()}{place[2]}", text)


if __name__ == "__main__":
    ADAPTER.write_text(with_example(ADAPTER.read_text()))
    DOCUMENT.write_text(generated(DOCUMENT.read_text()))
    for page in (notices, refusals):
        page.DOCUMENT.write_text(page.document())
