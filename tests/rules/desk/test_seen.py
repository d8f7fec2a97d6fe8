"""What was heard before."""

from actors.rules.desk.seen import Seen, Verdict


def test_a_key_is_new_once() -> None:
    seen = Seen({})
    seen.remember("a", "1")

    assert [seen.judge("a", "1"), seen.judge("b", "1")] == [Verdict.SAME, Verdict.NEW]


def test_the_same_key_with_another_body_is_a_conflict_and_the_first_stands() -> None:
    """Fault 25"""
    seen = Seen({"a": "1"})
    seen.remember("a", "2")

    assert [seen.judge("a", "2"), seen.judge("a", "1")] == [Verdict.CONFLICT, Verdict.SAME]


def test_judging_changes_nothing() -> None:
    seen = Seen({})
    seen.judge("a", "1")

    assert seen.judge("a", "2") is Verdict.NEW


def test_the_oldest_is_forgotten_first() -> None:
    seen = Seen({}, limit=2)
    for key in "abc":
        seen.remember(key, "1")

    assert [seen.judge(key, "1") for key in "abc"] == [Verdict.NEW, Verdict.SAME, Verdict.SAME]


def test_a_fill_is_known_by_account_and_id() -> None:
    seen = Seen({}, {("acc", "f1")})
    seen.book("acc", "f2", "t1")

    assert [seen.booked_on("acc", "f1"), seen.booked_on("acc", "f2"), seen.booked_on("other", "f2")] == ["", "t1", None]
