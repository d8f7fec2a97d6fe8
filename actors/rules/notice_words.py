"""How a notice is said by itself: delivered, published and kept; a critical one leaves as soon as it is decided."""

from typing import Any

from bus.messages import addresses
from bus.messages.envelope import Outgoing
from bus.messages.notices import Notice, Severity
from bus.messages.records import Commit


def outgoing(notice: Notice) -> Outgoing:
    """Return the notice as a message."""
    return Outgoing(
        subject=addresses.notice(notice.severity, notice.kind),
        msg_id=f"notice:{notice.notice_id}",
        message=notice,
        direct=notice.severity is Severity.CRITICAL,
        cause=notice.notice_id,
    )


def say(notice: Notice, *, sender: str, **kept: Any) -> list[object]:  # noqa: ANN401  # fields of the commit
    """Return what is said so that `notice` is delivered, published and kept.

    sender: who hears if it cannot be kept. kept: what else its commit holds.
    """
    out = outgoing(notice)
    commit = Commit(sender=sender, cause=notice.notice_id, now_ns=notice.ts, notices=(notice,), outbox=(out,), **kept)
    return [out, notice, commit] if out.direct else [notice, commit]
