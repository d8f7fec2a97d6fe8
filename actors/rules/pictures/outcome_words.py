"""What became of a trade, and what is otherwise in a what-if, in words: the same in a terminal and on a page."""

from typing import Final

from actors.rules.pictures.drawn import clock_text, money_text, span_text
from bus.messages.plain import number_text
from bus.messages.what_if import Change, Outcome, TradeCompared

CHANGES: Final = {
    Change.SAME: "as recorded",
    Change.EARLIER: "stopped earlier",
    Change.LATER: "stopped later",
    Change.NEVER: "never stopped",
    Change.NEWLY: "newly stopped",
    Change.OTHERWISE: "otherwise",
    Change.NOT_OPENED: "not opened",
    Change.OPENED: "opened",
}


def change_text(trade: TradeCompared) -> str:
    """Return in words what is otherwise, of a stop by how much."""
    words, recorded, now = CHANGES[trade.change], trade.recorded, trade.now
    if trade.change not in (Change.EARLIER, Change.LATER) or recorded is None or now is None:
        return words
    assert recorded.fired is not None
    assert now.fired is not None
    return f"{words} by {span_text(abs(now.fired - recorded.fired))}"


def outcome_text(outcome: Outcome | None) -> str:
    """Return in words what became of a trade."""
    if outcome is None:
        return "not heard of"
    rule = "" if outcome.rule is None else f" by {outcome.rule}"
    fired = "" if outcome.fired is None else f", fired {clock_text(outcome.fired)}"
    price = "" if outcome.exit_price is None else f", exit ${number_text(outcome.exit_price)}"
    worth = "" if outcome.worth is None else f", {money_text(outcome.worth)}"
    return f"{outcome.state.replace('_', ' ')}{rule}{fired}{price}{worth}"
