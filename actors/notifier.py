"""Notifier: tells people. A notice's row and its way to NATS stand in the commit of its cause; this delivers it to the log.

It never waits in the trading path: it has its own inbox and thread, and a storm of one kind is folded into a count.
"""

from typing import Any, Final

from loguru import logger

from actors.inbox import Inbox
from actors.rules.notice_policy import NoticePolicy
from actors.watched import Failed, WatchedActor
from bus.messages.notices import Notice, Severity

_LEVEL: Final = {Severity.INFO: "INFO", Severity.WARNING: "WARNING", Severity.CRITICAL: "CRITICAL"}


class Notifier(WatchedActor):
    """Delivers notices to the log, each storm once with a count."""

    def __init__(self, inbox: Inbox, failed: Failed, *, policy: NoticePolicy) -> None:
        super().__init__(inbox, failed)
        self._policy = policy

    def on_receive(self, message: Any) -> None:  # noqa: ANN401  # pykka's signature
        """Log a notice unless its like was logged a moment ago."""
        assert isinstance(message, Notice)
        folded = self._policy.judge(message)
        if folded is None:
            return
        logger.bind(action=f"notice.{message.kind}", trade_id=message.trade_id, folded=folded).log(
            _LEVEL[message.severity], "{}: {}", message.title, message.body
        )
