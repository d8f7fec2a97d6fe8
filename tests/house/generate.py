"""Writes the generated tables into docs/specification.md: `python -m tests.house.generate` (`make docs`)."""

import re
from pathlib import Path

from actors.rules.tables import TABLES
from config.settings import load

DOCUMENT = Path(__file__).parents[2] / "docs" / "specification.md"
_PLACE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def generated(text: str) -> str:
    """Return `text` with the table of each marker as the code has it now. Raises: KeyError for a marker without a table."""
    values = load({}).stops
    return _PLACE.sub(lambda place: f"{place[1]}{TABLES[place[2]](values)}\n{place[3]}", text)


if __name__ == "__main__":
    DOCUMENT.write_text(generated(DOCUMENT.read_text()))
