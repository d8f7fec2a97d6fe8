"""What is said and kept of a crash: a notice, and the word that caused it if it was given up."""

from typing import Final

from actors.rules import notice_words
from bus.messages.envelope import Malformed, Received
from bus.messages.notices import Notice, Severity
from bus.messages.records import Quarantined
from bus.messages.units import NS_PER_MS

_BODY_MAX: Final = 65_536
_ERROR_MAX: Final = 500


def crash_words(sender: str, name: str, error: str, now_ns: int, poison: object | None) -> list[object]:
    """Return what `sender` says of the death of `name`. poison: the word that has crashed it twice, None while it is tried again."""
    return notice_words.say(
        _notice(name, error, now_ns, given_up=poison is not None),
        sender=sender,
        quarantined=() if poison is None else (_quarantined(poison, name, error, now_ns),),
        delivery=poison.delivery if isinstance(poison, Received | Malformed) else None,
    )


def _notice(name: str, error: str, now_ns: int, *, given_up: bool) -> Notice:
    what = "The word in hand is tried once more."
    if given_up:
        what = "The word that crashed it twice is in quarantine. Type: python run.py system status"
    return Notice(
        notice_id=f"actor-{name}-{now_ns // NS_PER_MS}",
        kind="actor_restarted",
        severity=Severity.CRITICAL if given_up else Severity.WARNING,
        title=f"{name} was restarted",
        body=f"It died of {error[:_ERROR_MAX]}. {what}",
        dedupe_key=f"actor_restarted:{name}",
        ts=now_ns,
    )


def _quarantined(poison: object, name: str, error: str, now_ns: int) -> Quarantined:
    if isinstance(poison, Received):
        return Quarantined(
            subject=poison.subject, body=poison.body, reason=error, received_ns=poison.received_ns, key=poison.key
        )
    body = repr(poison).encode()[:_BODY_MAX]
    return Quarantined(subject=f"actor.{name}", body=body, reason=error, received_ns=now_ns)
