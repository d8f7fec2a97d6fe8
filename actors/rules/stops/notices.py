"""What the stop rules tell people: feeds that fall silent, come back or cannot be trusted, and stops that guards hold back."""

from actors.rules import notice_words
from actors.rules.market.feeds import FeedEvent
from actors.rules.stops.armed import OWNER
from actors.rules.stops.lenses import Lens
from bus.messages import addresses
from bus.messages.envelope import Outgoing
from bus.messages.notices import Notice, Severity
from bus.messages.records import Commit
from bus.messages.stops import StopDecision, StopProgress

_LISTED = 5


def say(notice: Notice) -> list[object]:
    """Return what is said so that `notice` is delivered, published and kept."""
    return notice_words.say(notice, sender=OWNER)


def feed_marked(event: FeedEvent, now_ns: int) -> Notice:
    """A source cannot be trusted, or can be again."""
    why = "its clock is ahead of ours" if event.kind == "clock_ahead" else "its contract prices are above one dollar"
    state = "suspect" if event.marked else "back"
    return Notice(
        notice_id=f"feed_{state}-{event.feed}-{event.kind}-{now_ns}",
        kind=f"feed_{state}",
        severity=Severity.CRITICAL if event.marked else Severity.INFO,
        title=f"Feed {event.feed} is not used: {event.kind}" if event.marked else f"Feed {event.feed} is used again",
        body=f"{why[0].upper()}{why[1:]}; stops that need it are not fed before it is right. Type: python run.py system status"
        if event.marked
        else f"No longer: {why}.",
        dedupe_key=f"feed_{state}:{event.feed}:{event.kind}",
        ts=now_ns,
    )


def feed_stale(lens: Lens, now_ns: int) -> Notice:
    """An input that stops need must not be used any more."""
    return Notice(
        notice_id=f"feed_stale-{lens.name}-{now_ns}",
        kind="feed_stale",
        severity=Severity.WARNING,
        title=f"The {lens.name} is stale: {lens.stale_reason}",
        body=f"Stops of these trades are not fed: {_trades(lens)}.",
        dedupe_key=f"feed_stale:{lens.name}",
        ts=now_ns,
    )


def feed_back(lens: Lens, now_ns: int) -> Notice:
    """An input that stops need is fresh again."""
    return Notice(
        notice_id=f"feed_back-{lens.name}-{now_ns}",
        kind="feed_back",
        severity=Severity.INFO,
        title=f"The {lens.name} is back",
        body=f"Stops of these trades are fed again: {_trades(lens)}.",
        dedupe_key=f"feed_back:{lens.name}",
        ts=now_ns,
    )


def held_back(decision: StopDecision, names: tuple[str, ...]) -> Notice:
    """A stop's condition holds, and guards that do not end by themselves keep it from firing."""
    guards = "; ".join(
        f"{guard.name}: {guard.value} against {guard.limit}" for guard in decision.guards if guard.name in names
    )
    return Notice(
        notice_id=f"held-{decision.decision_id}",
        kind="stop_held_back",
        severity=Severity.WARNING,
        title=f"Stop {decision.rule} of {decision.trade_id} is held back by {', '.join(names)}",
        body=f"{guards}. To close it all the same: run.py trade close {decision.trade_id}",
        dedupe_key=f"stop_held_back:{decision.trade_id}:{decision.rule}",
        ts=decision.ts,
        trade_id=decision.trade_id,
    )


def say_held_back(decision: StopDecision, names: tuple[str, ...], progress: StopProgress) -> list[object]:
    """Return what is said of a decision that did not fire: its notice, and the commit that keeps it under its number."""
    notice = held_back(decision, names)
    published = Outgoing(
        subject=addresses.stop_decision(decision.trade_id),
        msg_id=f"decision:{decision.decision_id}",
        message=decision,
        cause=decision.decision_id,
    )
    commit = Commit(
        sender=OWNER,
        cause=decision.decision_id,
        now_ns=decision.ts,
        decisions=(decision,),
        progress=(progress,),
        notices=(notice,),
        outbox=(published, notice_words.outgoing(notice)),
    )
    return [notice, commit]


def _trades(lens: Lens) -> str:
    ids = list(dict.fromkeys(rule.armed.trade.trade_id for rule in lens.rules))
    more = f" and {len(ids) - _LISTED} more" if len(ids) > _LISTED else ""
    return ", ".join(ids[:_LISTED]) + more
