"""The README's publisher does what the README says, as it stands there."""

import json
import re
import subprocess
import sys
from typing import Final

from tests.acceptance.harness import ROOT, Watchkeeper

HEADING: Final = "## How other services talk to it"


def the_publisher() -> str:
    section = (ROOT / "README.md").read_text().partition(f"{HEADING}\n")[2]
    found = re.search(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    assert found is not None, f"README.md has no publisher under {HEADING!r}"
    return found[1]


def test_the_publisher_of_the_readme_opens_a_trade(watchkeeper: Watchkeeper) -> None:
    """Lesson 54"""
    command = [sys.executable, "-I", "-c", the_publisher()]

    ended = subprocess.run(
        command, env=watchkeeper.environment, capture_output=True, text=True, check=False, timeout=60
    )

    assert ended.returncode == 0, ended.stderr
    reply = json.loads(ended.stdout)
    assert reply["ok"], reply
    opened = watchkeeper.event(reply["result"]["trade_id"], "open")
    assert (opened["entry_price"], opened["stops"][0]["rule"]) == ("0.60", "price")
    assert opened["stops"][0]["settings"]["stop_price"] == "0.50"


def test_the_publisher_has_ten_lines_and_needs_nothing_but_nats() -> None:
    lines = [line for line in the_publisher().splitlines() if line.strip()]

    assert len(lines) == 10
    assert {word.strip(",") for word in lines[0].split()[1:]} - sys.stdlib_module_names == {"nats"}
