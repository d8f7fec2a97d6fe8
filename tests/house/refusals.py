"""docs/refusals.md: what a request may be refused for, in which words. `python -m tests.house.generate` (`make docs`) writes it."""

from typing import Final

from actors.rules.tables import markdown
from tests.house.refusal_examples import Refusal, refusals
from tests.house.source import ROOT

DOCUMENT: Final = ROOT / "docs" / "refusals.md"
HEAD: Final = """# Refusals

A request that is refused is answered `{"ok": false, "error": {"code", "message", "retry"}}`. The code is one of a closed list
(`python run.py contract`), the message says what to do, and `retry` whether the same words may succeed later. A command, for whose
answer nobody waits, is refused by a notice `command_refused`. Nothing of a refused request is kept; it may be asked again. `make docs`
writes this page from the code.
"""


def row(refusal: Refusal) -> tuple[str, str, str, str]:
    """Return a refusal as cells."""
    return refusal.asked, refusal.when, "yes" if refusal.error.retry else "no", refusal.error.message


def document() -> str:
    """Return docs/refusals.md."""
    by_code: dict[str, list[Refusal]] = {}
    for refusal in refusals():
        by_code.setdefault(refusal.error.code, []).append(refusal)
    parts = [HEAD]
    for code, its in by_code.items():
        parts += [f"## {code}\n", markdown(("asked", "when", "retry", "message"), [row(one) for one in its]) + "\n"]
    return "\n".join(parts)
