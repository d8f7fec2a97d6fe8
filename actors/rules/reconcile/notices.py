"""The words for people about accounts that do not agree with their venue (SPEC 1.5)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from actors.rules.reconcile.account import Account
from actors.rules.reconcile.comparison import Difference
from actors.rules.reconcile.terms import AccountKey, Place
from bus.messages.notices import Notice, Severity

Found = Sequence[tuple[Place, Difference]]
_LISTED: Final = 10


def unmanaged(key: AccountKey, found: Found, now_ns: int) -> Notice:
    """The venue holds something that nobody told us of. `found` is not empty: one notice, however much it is."""
    return _say(
        "unmanaged_position", Severity.CRITICAL, key, "excess", now_ns,
        title=f"{key} holds {_how_much(found)} that nobody told us of",
        body=f"{_listed(found)} Nothing watches the rest, and nothing is closed. No new trade is opened in {key} before it is known"
        " whose it is. If it is yours, type: python run.py trade adopt; if not, close it at the venue.",
    )  # fmt: skip


def mismatch(key: AccountKey, found: Found, now_ns: int, *, is_blank: bool = False) -> Notice:
    """The venue holds less than our trades add up to, and no fill of it says why. As `unmanaged`. is_blank: it lists nothing at all."""
    outlook = "if it stays so they count as closed by somebody else."
    if is_blank:
        outlook = (
            "an empty list ends none of them, for it may be a list that failed: they end once the venue says quantity 0 of each"
            " (`account.position`), lists another one, or settles them."
        )
    return _say(
        "position_mismatch", Severity.CRITICAL, key, "missing", now_ns,
        title=f"{key} lacks {_how_much(found)} of what our trades hold",
        body=f"{_listed(found)} No fill tells who closed it, and no order of ours is on its way. The trades stay open and watched; {outlook}"
        f" No new trade is opened in {key}. Look at the venue. Type: python run.py trade list --account {key.account}",
    )  # fmt: skip


def _how_much(found: Found) -> str:
    place, difference = found[0]
    one = f"{abs(difference.missing):f} {place.side} {place.ticker}"
    return one if len(found) == 1 else f"{len(found)} positions"


def _listed(found: Found) -> str:
    rows = "; ".join(
        f"{place.side} {place.ticker}: the venue holds {difference.theirs:f}, our trades {difference.ours:f}"
        for place, difference in found[:_LISTED]
    )
    return f"{rows}{f'; and {len(found) - _LISTED} more' if len(found) > _LISTED else ''}."


def ghost(key: AccountKey, client_order_id: str, now_ns: int) -> Notice:
    """An order with an id of ours works at the venue, and no trade waits for it."""
    return _say(
        "unknown_order", Severity.CRITICAL, key, client_order_id, now_ns,
        title=f"{client_order_id} works at the venue though no trade waits for it",
        body=f"It may still be filled; a fill is booked and closed. No new trade is opened in {key} while it works. Cancel it at"
        " the venue.",
    )  # fmt: skip


def silent(account: Account, now_ns: int) -> Notice:
    """The venue's adapter does not answer."""
    return _say(
        "service_down", Severity.CRITICAL, account.key, "silent", now_ns,
        title=f"The adapter of {account.key.venue} does not answer",
        body=f"{account.error}. Asked for {account.key}, {account.silent} times in a row. No new trade is opened there before it"
        " answers; stops stay armed and closes leave. It is asked again and again. Type: python run.py check"
        f" --venue {account.key.venue}",
    )  # fmt: skip


def reconciled(key: AccountKey, now_ns: int) -> Notice:
    """What people were told of is over."""
    return _say(
        "reconciled", Severity.INFO, key, "agreed", now_ns,
        title=f"{key} agrees with its venue again",
        body="Orders, fills and positions are the same on both sides; new trades may be opened.",
    )  # fmt: skip


def attributed(key: AccountKey, place: Place, missing: Decimal, trades: list[str], now_ns: int) -> Notice:
    """A shortfall that several trades could have had."""
    return _say(
        "position_mismatch", Severity.WARNING, key, f"{_name(place)}:shared", now_ns,
        title=f"{missing:f} {place.side} {place.ticker} missing in {key} are taken off the oldest entry first",
        body=f"Several trades hold it; {', '.join(trades)} count as closed by somebody else, the oldest entry first.",
    )  # fmt: skip


def _name(place: Place) -> str:
    return f"{place.side}:{place.ticker}"


def _say(kind: str, severity: Severity, key: AccountKey, which: str, now_ns: int, *, title: str, body: str) -> Notice:
    return Notice(
        notice_id=f"{kind}:{key.venue}:{key.account}:{which}:{now_ns}",
        kind=kind,
        severity=severity,
        title=title[:2000],
        body=body[:2000],
        dedupe_key=f"{kind}:{key.venue}:{key.account}:{which}",
        ts=now_ns,
    )
