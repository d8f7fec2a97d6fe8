"""How a notice is said by itself: delivered, published and kept; a critical one leaves as soon as it is decided."""

from typing import Any

from msgspec.structs import replace

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


def told(notice: Notice, *, sender: str) -> list[object]:
    """Return what an engine that owns no trade says, whatever its severity: at once, for the log, and on the record."""
    return _said(replace(outgoing(notice), direct=True), notice, sender=sender)


def say(notice: Notice, *, sender: str, **kept: Any) -> list[object]:  # noqa: ANN401  # fields of the commit
    """Return what is said so that `notice` is delivered, published and kept.

    sender: who hears if it cannot be kept. kept: what else its commit holds.
    """
    return _said(outgoing(notice), notice, sender=sender, **kept)


def _said(out: Outgoing, notice: Notice, *, sender: str, **kept: Any) -> list[object]:  # noqa: ANN401  # as above
    commit = Commit(sender=sender, cause=notice.notice_id, now_ns=notice.ts, notices=(notice,), outbox=(out,), **kept)
    return [out, notice, commit] if out.direct else [notice, commit]
