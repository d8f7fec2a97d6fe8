"""Notices: what people should know."""

from enum import StrEnum

from bus.messages.envelope import Message
from bus.messages.units import Text, TradeId, UtcNs


class Severity(StrEnum):
    """How loudly it is said."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Notice(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Published as `notice.<severity>.<kind>`. notice_id is a function of its cause; dedupe_key folds a storm."""

    notice_id: str
    kind: str
    severity: Severity
    title: Text
    body: Text
    dedupe_key: str
    ts: UtcNs
    trade_id: TradeId | None = None
