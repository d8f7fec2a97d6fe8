"""docs/notices.md has every notice as the code says it."""

import pytest

from bus.messages.notices import Severity
from bus.messages.units import NS_PER_S
from tests.house.notice_examples import NOW_NS, Example, examples
from tests.house.notices import DOCUMENT, document, shown

EXAMPLES = examples()
WRITTEN = DOCUMENT.read_text()


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{each.said_by}-{n}" for n, each in enumerate(EXAMPLES)])
def test_a_notice_is_said_as_it_is_written(example: Example) -> None:
    assert shown(example) in WRITTEN, "run `make docs`"


def test_nothing_else_is_written() -> None:
    assert document() == WRITTEN, "run `make docs`"


def test_a_notice_is_stamped_when_it_is_said() -> None:
    assert {example.said_by for example in EXAMPLES if not 0 <= example.notice.ts - NOW_NS < 60 * NS_PER_S} == set()


def test_a_critical_notice_says_what_to_do() -> None:
    """SPEC 1.5. Of a lost command there is nothing to type but at the venue."""
    critical = [each.notice for each in EXAMPLES if each.notice.severity is Severity.CRITICAL]

    assert [
        notice.kind for notice in critical if "run.py" not in notice.body and "at the venue" not in notice.body
    ] == []
