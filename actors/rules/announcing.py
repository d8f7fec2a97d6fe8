"""How an engine that owns no trade tells people something: at once, and on the record."""

from bus.messages import addresses
from bus.messages.envelope import Outgoing
from bus.messages.notices import Notice
from bus.messages.records import Commit


def told(notice: Notice, *, sender: str) -> list[object]:
    """Return the notice as it leaves now, for the log, and as it will stand on record."""
    outgoing = Outgoing(
        subject=addresses.notice(notice.severity, notice.kind),
        msg_id=f"notice:{notice.notice_id}",
        message=notice,
        direct=True,
        cause=notice.dedupe_key,
    )
    commit = Commit(sender=sender, cause=notice.notice_id, now_ns=notice.ts, notices=(notice,), outbox=(outgoing,))
    return [outgoing, notice, commit]
