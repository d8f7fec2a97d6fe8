"""How a message is addressed: subject tokens with their escaping, and the ids that make a second sending harmless.

Pure text, so that decisions can name where their outputs go. `bus.subjects` holds the table of all subjects and parses them.
"""

import re
from typing import Final

from bus.messages.orders import OrderCancel, OrderReport, OrderSubmit
from bus.messages.stops import StopCoverage
from bus.messages.trades import Trade

CHECK: Final = "wk-check-"
"""How the trade ids of `check --venue` begin: orders of no trade, of which the house takes no notice."""

_UNSAFE: Final = re.compile(r"[.*>%\s]")
_ESCAPED: Final = re.compile(r"%([0-9A-F]{2}(?:%[0-9A-F]{2})*)")


def escape(token: str) -> str:
    """Return `token` as one subject token: `.`, `*`, `>`, `%` and white space percent-encoded, as UTF-8.

    Raises: ValueError for an empty token, which no subject can carry.
    """
    if not token:
        raise ValueError("a subject token cannot be empty")
    return _UNSAFE.sub(lambda hit: "".join(f"%{byte:02X}" for byte in hit.group().encode()), token)


def unescape(token: str) -> str:
    """Return what `escape` was given. Raises: ValueError if `token` is not what `escape` writes."""
    text = _ESCAPED.sub(lambda hit: bytes.fromhex(hit.group(1).replace("%", "")).decode(), token)
    if escape(text) != token:
        raise ValueError(f"{token!r} is not an escaped subject token")
    return text


def trade_event(trade: Trade) -> str:
    """`trade.event.<state>.<trade_id>`."""
    return f"trade.event.{trade.state}.{trade.trade_id}"


def order_submit(venue: str, trade_id: str) -> str:
    """`order.submit.<venue>.<trade_id>`."""
    return f"order.submit.{escape(venue)}.{trade_id}"


def order_cancel(venue: str, trade_id: str) -> str:
    """`order.cancel.<venue>.<trade_id>`."""
    return f"order.cancel.{escape(venue)}.{trade_id}"


def order_report(client_order_id: str) -> str:
    """`order.report.<client_order_id>`."""
    return f"order.report.{escape(client_order_id)}"


def stop_decision(trade_id: str) -> str:
    """`stop.decision.<trade_id>`."""
    return f"stop.decision.{trade_id}"


def stop_coverage(trade_id: str) -> str:
    """`stop.coverage.<trade_id>`."""
    return f"stop.coverage.{trade_id}"


def notice(severity: str, kind: str) -> str:
    """`notice.<severity>.<kind>`."""
    return f"notice.{severity}.{escape(kind)}"


SETTINGS_CHANGED: Final = "settings.event.changed"


def system_event(kind: str) -> str:
    """`system.event.<kind>`."""
    return f"system.event.{escape(kind)}"


def submit_id(order: OrderSubmit) -> str:
    """`Nats-Msg-Id` of a submit."""
    return submitted(order.client_order_id)


def submitted(client_order_id: str) -> str:
    """`Nats-Msg-Id` of the submit of that order."""
    return f"submit:{client_order_id}"


def cancel_id(cancel: OrderCancel) -> str:
    """`Nats-Msg-Id` of a cancel."""
    return f"cancel:{cancel.client_order_id}"


def report_id(report: OrderReport) -> str:
    """`Nats-Msg-Id` and dedupe key of a report: by fill where it is one, else by status."""
    return f"report:{report.client_order_id}:{report.fill_id or report.status}"


def trade_id(trade: Trade) -> str:
    """`Nats-Msg-Id` of a trade event."""
    return f"trade:{trade.trade_id}:{trade.version}"


def coverage_id(coverage: StopCoverage) -> str:
    """`Nats-Msg-Id` of a change of coverage."""
    return f"coverage:{coverage.trade_id}:{coverage.since}:{coverage.coverage}"
