"""What people hear of the flight recorder."""

from actors.rules.record.recording import handle
from bus.messages.notices import Notice, Severity
from bus.messages.recording import RecorderFailed, RecorderWorks
from bus.messages.records import Commit
from bus.messages.streams import StreamsWanted


def notice_of(word: object) -> Notice:
    said = handle(word)
    (commit,) = (each for each in said if isinstance(each, Commit))
    assert commit.sender == "recorder"
    (notice,) = commit.notices
    assert notice in said
    return notice


def test_people_hear_that_nothing_is_recorded_and_why() -> None:
    notice = notice_of(RecorderFailed(error="No space left on device.", now_ns=7))

    assert (notice.kind, notice.severity, notice.ts) == ("recorder_failed", Severity.WARNING, 7)
    assert notice.body.startswith("No space left on device. No trade is touched")


def test_people_hear_that_it_records_again_and_how_much_is_missing() -> None:
    notice = notice_of(RecorderWorks(lost=1_234, now_ns=9))

    assert (notice.kind, notice.severity, notice.ts) == ("recorder_works", Severity.INFO, 9)
    assert notice.body.startswith("1,234 entries are missing")


def test_nothing_else_is_its_business() -> None:
    assert handle(StreamsWanted(now_ns=1)) == []
