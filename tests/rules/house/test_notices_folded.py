"""Which notices reach a person now, which are folded, and what is said of a crash."""

import pytest
from msgspec.structs import replace

from actors.rules import notice_policy
from actors.rules.crashes import crash_words
from actors.rules.notice_policy import NoticePolicy
from bus.messages.envelope import Delivery, Malformed
from bus.messages.notices import Notice, Severity
from bus.messages.records import Commit
from tests.rules.desk.builders import S, a_command, an_open

T0 = 1_700_000_000 * S


def a_notice(seconds: float = 0, key: str = "k", severity: Severity = Severity.WARNING) -> Notice:
    return Notice(
        notice_id=f"n{seconds}", kind="k", severity=severity, title="t", body="b", dedupe_key=key,
        ts=T0 + int(seconds * S),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("severity", "folded", "passes"),
    [(Severity.INFO, 59.9, 60), (Severity.WARNING, 59.9, 60), (Severity.CRITICAL, 9.9, 10)],
)
def test_one_of_a_kind_reaches_a_person_in_its_window(severity: Severity, folded: float, passes: float) -> None:
    policy = NoticePolicy()

    said = [policy.judge(a_notice(seconds, severity=severity)) for seconds in (0, folded, passes)]

    assert said == [0, None, 1]


def test_the_next_one_says_how_many_were_folded_since() -> None:
    policy = NoticePolicy()

    said = [policy.judge(a_notice(seconds)) for seconds in (0, 1, 2, 60, 61, 120)]

    assert said == [0, None, None, 2, None, 1]


def test_another_kind_is_not_folded() -> None:
    policy = NoticePolicy()

    assert [policy.judge(a_notice(key=key)) for key in "ab"] == [0, 0]


def test_the_kinds_longest_silent_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notice_policy, "_REMEMBERED", 2)
    policy = NoticePolicy()

    assert [policy.judge(a_notice(key=key)) for key in ("a", "b", "c", "c", "b", "a")] == [0, 0, 0, None, None, 0]


def commit_after(poison: object | None) -> Commit:
    (commit,) = (word for word in crash_words("root", "desk", "boom", T0, poison) if isinstance(word, Commit))
    return commit


def test_a_word_that_is_tried_once_more_is_not_given_up() -> None:
    commit = commit_after(None)

    assert (commit.sender, commit.quarantined, commit.delivery) == ("root", (), None)
    assert commit.notices[0].severity is Severity.WARNING


def test_an_input_that_is_given_up_is_acknowledged_and_kept_with_its_raw_bytes() -> None:
    """L5"""
    poison = a_command(an_open())

    commit = commit_after(poison)

    (row,) = commit.quarantined
    assert (row.subject, row.body, row.reason, row.key) == (poison.subject, poison.body, "boom", poison.key)
    assert (row.received_ns, commit.delivery) == (poison.received_ns, poison.delivery)
    assert commit.notices[0].severity is Severity.CRITICAL


def test_a_word_of_the_house_that_is_given_up_is_kept_as_it_can_be_shown() -> None:
    word = replace(a_notice(), body="x" * 2000)

    (row,) = commit_after(word).quarantined

    assert (row.subject, row.body, row.reason, row.received_ns) == ("actor.desk", repr(word).encode(), "boom", T0)


def test_what_nobody_could_read_is_acknowledged_too() -> None:
    delivery = Delivery(stream="LEDGER", sequence=5, token="t")
    poison = Malformed(subject="s", body=b"?", reason="r", received_ns=T0, delivery=delivery)

    assert commit_after(poison).delivery == delivery
