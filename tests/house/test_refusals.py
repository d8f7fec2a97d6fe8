"""docs/refusals.md has every refusal as the code words it."""

import pytest

from actors.rules.tables import markdown
from bus.messages.system import ErrorCode
from tests.house.refusal_examples import Refusal, refusals
from tests.house.refusals import DOCUMENT, document, row

REFUSALS = refusals()
WRITTEN = DOCUMENT.read_text()
SAID_ELSEWHERE = {ErrorCode.NOT_LEADER, ErrorCode.INTERNAL}
"""By a standby, and by the last door before a request is lost."""


@pytest.mark.parametrize("refusal", REFUSALS, ids=[f"{one.error.code}-{n}" for n, one in enumerate(REFUSALS)])
def test_a_refusal_is_worded_as_it_is_written(refusal: Refusal) -> None:
    *_, line = markdown(("", "", "", ""), [row(refusal)]).splitlines()

    assert line in WRITTEN, "run `make docs`"


def test_nothing_else_is_written() -> None:
    assert document() == WRITTEN, "run `make docs`"


def test_every_code_is_met() -> None:
    assert set(ErrorCode) - {refusal.error.code for refusal in REFUSALS} == SAID_ELSEWHERE
