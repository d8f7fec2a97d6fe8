"""What people hear of the flight recorder."""

from typing import Final

from actors.rules.notice_words import told
from bus.messages.notices import Notice, Severity
from bus.messages.recording import RecorderFailed, RecorderWorks

OWNER: Final = "recorder"


def handle(word: object) -> list[object]:
    """Return what is to be said about it."""
    match word:
        case RecorderFailed():
            return told(failed(word), sender=OWNER)
        case RecorderWorks():
            return told(works(word), sender=OWNER)
        case _:
            return []


def failed(word: RecorderFailed) -> Notice:
    """Return what people hear when nothing can be recorded."""
    return Notice(
        notice_id=f"recorder_failed:{word.now_ns}",
        kind="recorder_failed",
        severity=Severity.WARNING,
        title="The flight recorder cannot write",
        body=f"{word.error[:500].rstrip('.')}. No trade is touched by this. What happens until it can write again cannot be replayed. "
        "Look at the disk of recorder.folder.",
        dedupe_key="recorder_failed",
        ts=word.now_ns,
    )


def works(word: RecorderWorks) -> Notice:
    """Return what people hear when the recorder writes again."""
    return Notice(
        notice_id=f"recorder_works:{word.now_ns}",
        kind="recorder_works",
        severity=Severity.INFO,
        title="The flight recorder writes again",
        body=f"{word.lost:,} entries are missing from the recording. What came after them cannot be replayed until the next start.",
        dedupe_key="recorder_works",
        ts=word.now_ns,
    )
