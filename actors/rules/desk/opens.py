"""How the desk opens and adopts: judged, checked against its own stops, then begun; refused otherwise, with nothing left behind.

Where the venue has not said yet what the account holds, the open waits for that first.

A refused request leaves no row: the same words may be asked again, and are judged again. A refused command has had its one
effect, which is the refusal: its inbox row stands, and a notice tells people, because nobody waits for an answer.
"""

from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from actors.rules.desk import notices as desk_notices
from actors.rules.desk.accounts import tell_rules
from actors.rules.desk.commits import Minutes
from actors.rules.desk.requests import accept
from actors.rules.desk.room import refuse
from actors.rules.desk.state import Check, DeskState, minutes_of
from actors.rules.desk.stop_requests import protects_itself
from actors.rules.reconcile.terms import AccountKey
from actors.rules.trade import lifecycle
from actors.rules.trade.steps import OWNER, timer_key
from bus.messages.envelope import Received
from bus.messages.reconcile import AccountStanding, ReconcileWanted
from bus.messages.records import Answer
from bus.messages.stops import StopCheckGiven, StopCheckWanted
from bus.messages.system import Error, ErrorCode
from bus.messages.timers import CancelTimer, SetTimer
from bus.messages.trades import Trade, TradeAdopt, TradeOpen
from bus.messages.units import NS_PER_S

STOP_CHECK: Final = "stop_check"
_CHECK_PATIENCE_NS: Final = 5 * NS_PER_S


def hear_open(state: DeskState, received: Received[TradeOpen], *, proves: bool = True) -> list[object]:
    """Open or adopt a trade, refuse it, or ask first whether its stops would fire at once."""
    word = received.message
    verdict = accept(word, state.room, received.received_ns, is_command=_is_command(received))
    if isinstance(verdict, Error):
        return refused(state, received, verdict)
    if isinstance(word, TradeAdopt):
        return _begun(state, minutes_of(received, proves=proves), verdict, received)
    key = AccountKey(verdict.venue, verdict.account)
    standing = state.standings.get(key)
    if standing is None or not standing.answered:
        wanted = ReconcileWanted(venue=key.venue, account=key.account, now_ns=received.received_ns)
        return [*_held(state, Check(received, account=key)), wanted]
    is_protected = protects_itself(verdict) and not word.allow_immediate
    if not is_protected and not state.limits.want_price(verdict):
        return _begun(state, minutes_of(received, proves=proves), verdict, received)
    return [*_held(state, Check(received)), StopCheckWanted(trade=verdict, now_ns=received.received_ns)]


def _held(state: DeskState, check: Check) -> list[object]:
    """Keep an open until it is known whether it may begin, but not for long."""
    trade_id = check.received.message.trade_id
    state.checks[trade_id] = check
    due_ns = check.received.received_ns + _CHECK_PATIENCE_NS
    return [SetTimer(owner=OWNER, key=timer_key(trade_id, STOP_CHECK), due_ns=due_ns)]


def hear_account(state: DeskState, standing: AccountStanding) -> tuple[Received[TradeOpen], ...]:
    """Return the requests that waited for an account's venue to answer, in order: they are to be heard now."""
    key = AccountKey(standing.venue, standing.account)
    if not standing.answered:
        return ()
    waited = [check for check in state.checks.values() if check.account == key]
    for check in waited:
        del state.checks[check.received.message.trade_id]
    return tuple(_at(one, standing.now_ns) for check in waited for one in (check.received, *check.also))


def hear_while_checked(state: DeskState, received: Received[TradeOpen]) -> list[object]:
    """A request for a trade whose open is being checked: the same waits with it, another is refused."""
    check = state.checks[received.message.trade_id]
    if (received.key, received.digest) == (check.received.key, check.received.digest):
        check.also.append(received)
        return []
    return conflicting(state, received)


def hear_check(state: DeskState, given: StopCheckGiven) -> tuple[list[object], tuple[Received[TradeOpen], ...]]:
    """Go on with an open once it is known which of its stops would fire at once.

    Returns what is said, and the same requests that waited with it: they are to be heard again.
    """
    check = state.checks.get(given.trade_id)
    if check is None or check.account is not None:
        return [], ()
    received = _at(check.received, given.now_ns)
    verdict = _verdict_of(state, received, given)
    if isinstance(verdict, Error):
        said = [word for one in (received, *check.also) for word in refused(state, _at(one, given.now_ns), verdict)]
        also: tuple[Received[TradeOpen], ...] = ()
    else:
        said = _begun(state, minutes_of(received), verdict, received)
        also = tuple(_at(one, given.now_ns) for one in check.also)
    del state.checks[given.trade_id]
    return [*said, CancelTimer(owner=OWNER, key=timer_key(given.trade_id, STOP_CHECK))], also


def give_up_check(state: DeskState, trade_id: str, now_ns: int) -> list[object]:
    """Nobody said what it waited for: nothing is opened."""
    check = state.checks.get(trade_id)
    if check is None:
        return []
    message = "Nobody could say whether its stops would fire at once: nothing was opened. Ask again."
    error = refuse(ErrorCode.UNAVAILABLE, message, retry=True)
    if check.account is not None:
        message = f"The venue has not said yet what {check.account} holds: nothing was opened. Ask again."
        error = refuse(ErrorCode.UNRECONCILED, message, retry=True)
    said = [word for one in (check.received, *check.also) for word in refused(state, _at(one, now_ns), error)]
    del state.checks[trade_id]
    return said


def refused(state: DeskState, received: Received[Any], error: Error) -> list[object]:
    """Answer a refusal, at once: nothing is to be kept of it. A command's stands with its inbox row and a notice."""
    if received.delivery is None:
        reply = state.answers.refused(error, received.received_ns)
        return [] if received.reply_to is None else [Answer(reply_to=received.reply_to, reply=reply)]
    minutes = minutes_of(received)
    minutes.notices.append(desk_notices.refused(received, error))
    return state.conclude(minutes)


def conflicting(state: DeskState, received: Received[Any]) -> list[object]:
    """The same key with another body: the first stands, this one goes into quarantine."""
    minutes = minutes_of(received, proves=False)
    minutes.quarantine(received, "the same key came before with another body")
    message = f"{received.key} was said before in other words: the first stands. Use a new id for something new."
    minutes.reply(state.answers.refused(refuse(ErrorCode.CONFLICT, message), received.received_ns))
    notice = desk_notices.conflict(received)
    if state.storm.passes(notice.dedupe_key, received.received_ns):
        minutes.notices.append(notice)
        minutes.effects.append(lambda: state.storm.note(notice.dedupe_key, received.received_ns))
    return state.conclude(minutes)


def _verdict_of(state: DeskState, received: Received[TradeOpen], given: StopCheckGiven) -> Trade | Error:
    """Judge again: what surrounds the request may have changed while it waited."""
    if given.rules and not received.message.allow_immediate:
        rules = ", ".join(given.rules)
        message = f"Its stops would fire at once ({rules}): nothing was opened. Move them, or say allow_immediate."
        return refuse(ErrorCode.STOP_IMMEDIATE, message, retry=True)
    verdict = accept(received.message, state.room, given.now_ns, is_command=_is_command(received))
    if isinstance(verdict, Error):
        return verdict
    return state.room.exceeded_at(verdict, given.price) or verdict


def _begun(state: DeskState, minutes: Minutes, trade: Trade, received: Received[TradeOpen]) -> list[object]:
    context = state.context(trade, minutes)
    tell_rules(state, minutes, [trade.account], state.rules)
    if isinstance(received.message, TradeAdopt):
        step = lifecycle.adopt(trade, context)
        state.take(minutes, None, step)
        begun = state.catch_up(minutes, step.trade)
    else:
        step = lifecycle.begin(trade, context)
        state.take(minutes, None, step)
        begun = step.trade
        if step.entries:
            minutes.effects.append(partial(state.entries.note, begun, minutes.now_ns))
    minutes.reply(state.answers.ok(begun, received.received_ns))
    return state.conclude(minutes)


def _is_command(received: Received[TradeOpen]) -> bool:
    return received.subject.startswith("trade.command.")


def _at(received: Received[Any], now_ns: int) -> Received[Any]:
    """Return the input as if it had come just now: it has waited."""
    return replace(received, received_ns=max(received.received_ns, now_ns))
