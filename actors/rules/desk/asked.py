"""How the desk hears requests about what is there: closes, stops, settings, halts, questions."""

from dataclasses import replace as with_changes
from typing import Any

import msgspec
from msgspec.structs import replace

from actors.rules.desk import answers
from actors.rules.desk import notices as desk_notices
from actors.rules.desk.accounts import tell_rules
from actors.rules.desk.commits import Minutes
from actors.rules.desk.opens import refused
from actors.rules.desk.reach import beyond_reach
from actors.rules.desk.room import EVERY_ACCOUNT, Gate, Rules, refuse
from actors.rules.desk.state import DeskState, minutes_of
from actors.rules.desk.stop_requests import StopRequest, change_stops, refreshed
from actors.rules.settings import changes as settings_changes
from actors.rules.settings.layers import Resolver
from actors.rules.trade.steps import CloseWanted, Step
from bus.messages.envelope import Received
from bus.messages.explain import CapsuleGet
from bus.messages.records import Answer, JournalEntry, Query
from bus.messages.settings import HistoryGet, Layer, SettingsGet, SettingsSet
from bus.messages.stops import StopSet
from bus.messages.system import Error, ErrorCode, SystemCommand, SystemEvent
from bus.messages.trades import Trade, TradeClose, TradeGet, TradeList, TradeState
from bus.messages.units import ZERO

Question = TradeGet | TradeList | SettingsGet | HistoryGet | CapsuleGet


def hear_close(state: DeskState, received: Received[TradeClose]) -> list[object]:
    """Close a trade or a part of it. No gate stands here: reducing risk is never held back."""
    word = received.message
    trade = state.blotter.live.get(word.trade_id)
    if trade is None:
        return refused(state, received, why_gone(state, word.trade_id))
    error = _refused_close(word, trade)
    if error is not None:
        return refused(state, received, error)
    minutes = minutes_of(received)
    wanted = CloseWanted(reason=word.reason, quantity=word.quantity)
    after = state.tell(minutes, trade, wanted)
    minutes.reply(state.answers.ok(answers.close_in_effect(trade, after), received.received_ns))
    return state.conclude(minutes)


def _refused_close(word: TradeClose, trade: Trade) -> Error | None:
    if word.quantity is not None and word.quantity <= ZERO:
        return refuse(ErrorCode.MALFORMED, f"The quantity to close must be above 0, not {word.quantity}.")
    if trade.state is TradeState.EXPIRED:
        message = f"The market of {word.trade_id} has closed: nothing can be sold; the venue's result settles it."
        return refuse(ErrorCode.MARKET_CLOSED, message)
    return None


def why_gone(state: DeskState, trade_id: str) -> Error:
    """Return the refusal of a close of what is not open: it has ended, or never was."""
    ended = state.blotter.find(trade_id)
    if ended is not None or state.blotter.is_taken(trade_id):
        return answers.has_ended(trade_id, ended.state if ended is not None else None)
    return answers.not_found(trade_id)


def hear_stops(state: DeskState, received: Received[Any], word: StopRequest) -> list[object]:
    """Change the stops of one trade: its own layer, or its waiver."""
    trade = state.blotter.find(word.trade_id)
    if trade is None:
        return refused(state, received, answers.not_found(word.trade_id))
    changed = change_stops(trade, word, state.rules, received.received_ns)
    if isinstance(changed, Error):
        return refused(state, received, changed)
    minutes = minutes_of(received)
    if changed != trade:
        detail = f"{type(word).__name__} by {word.requested_by}: {word.reason}"
        changed = _take_amended(minutes, trade, changed, detail)
    minutes.reply(state.answers.ok(changed, received.received_ns))
    return state.conclude(minutes)


def hear_settings(state: DeskState, received: Received[SettingsSet]) -> list[object]:
    """Change a layer by compare-and-set, and every open trade that follows from it, in one decision."""
    asked = received.message
    version = state.rules.version
    if asked.layer is Layer.TRADE:
        return _hear_trade_layer(state, received, version)
    if state.last_change is not None and settings_changes.is_again(state.layers, asked, state.last_change):
        minutes = minutes_of(received)
        minutes.reply(state.answers.ok(state.last_change, received.received_ns))
        return state.conclude(minutes)
    change = settings_changes.change(state.layers, version, asked, received.received_ns)
    if isinstance(change, Error):
        return refused(state, received, change)
    rules = Rules(resolver=Resolver(change.layers), version=version + 1)
    minutes = minutes_of(received)
    minutes.settings.append(change.changed)
    affected = refresh(state, minutes, rules)
    minutes.notices.append(desk_notices.settings_changed(change.changed, affected))
    minutes.notices += beyond_reach(
        state, change.layers, received.received_ns, (change.changed.layer, change.changed.name)
    )
    minutes.reply(state.answers.ok(change.changed, received.received_ns))

    def put() -> None:
        state.layers, state.rules, state.last_change = change.layers, rules, change.changed

    minutes.effects.append(put)
    return state.conclude(minutes)


def refresh(state: DeskState, minutes: Minutes, rules: Rules) -> int:
    """Resolve every open trade anew, and tell the rule of every account; return how many trades changed."""
    tell_rules(state, minutes, {**state.accounts, **state.account_rules}, rules)
    count = 0
    for trade in state.blotter.live.values():
        changed = refreshed(trade, rules)
        if changed is not trade:
            _take_amended(minutes, trade, changed, f"settings version {rules.version}")
            count += 1
    return count


def _take_amended(minutes: Minutes, before: Trade, changed: Trade, detail: str) -> Trade:
    """Take a trade whose stops or settings were changed: a version and a journal entry, the same state."""
    after = replace(changed, version=before.version + 1, ts=minutes.now_ns, cause=minutes.cause)
    entry = JournalEntry(
        trade_id=before.trade_id,
        version=after.version,
        from_state=before.state,
        to_state=before.state,
        cause=minutes.cause,
        ts=minutes.now_ns,
        detail=detail,
    )
    minutes.take(before, Step(trade=after, edges=(entry,)))
    return after


def _hear_trade_layer(state: DeskState, received: Received[SettingsSet], version: int) -> list[object]:
    """The trade's own layer stands on the trade: the same as `stop.request.set`."""
    asked = received.message
    if asked.expected_version != version:
        message = (
            f"The settings are at version {version}, not {asked.expected_version}: read them again, then decide again."
        )
        return refused(state, received, refuse(ErrorCode.VERSION_CHANGED, message))
    word = StopSet(
        trade_id=asked.name or "", settings=asked.changes, reason=asked.reason, requested_by=asked.requested_by
    )
    return hear_stops(state, received, word)


def hear_system(state: DeskState, received: Received[SystemCommand]) -> list[object]:
    """Halt, limit or resume new risk, or let drawdown begin anew. A halt of one account is its reduce-only; a resume of all ends everything."""
    word = received.message
    verb = received.subject.rpartition(".")[2]
    gate = _gate_after(state.gate, verb, word.account)
    if gate is None:
        error = refuse(
            ErrorCode.MALFORMED, f"There is no system request {verb!r}: halt, reduce_only, resume or rebase."
        )
        return refused(state, received, error)
    event = SystemEvent(
        kind="reduce_only" if verb == "halt" and word.account else verb,
        body=word.reason,
        ts=received.received_ns,
        account=word.account,
        requested_by=word.requested_by,
    )
    minutes = minutes_of(received)
    minutes.system.append(event)
    minutes.others.append(event)
    minutes.notices.append(desk_notices.system_changed(event, received.key))
    minutes.reply(state.answers.ok(event, received.received_ns))

    def put() -> None:
        state.gate = gate

    minutes.effects.append(put)
    return state.conclude(minutes)


def _gate_after(gate: Gate, verb: str, account: str | None) -> Gate | None:
    match verb, account:
        case "halt", None:
            return with_changes(gate, halted=True)
        case (("halt" | "reduce_only"), _):
            return with_changes(gate, reduce_only=gate.reduce_only | {account or EVERY_ACCOUNT})
        case "rebase", _:
            return gate
        case "resume", None:
            return with_changes(gate, halted=False, reduce_only=frozenset())
        case "resume", _:
            return with_changes(gate, reduce_only=gate.reduce_only - {account})
        case _:
            return None


def hear_question(state: DeskState, received: Received[Any], asked: Question) -> list[object]:
    """Answer from memory where it knows all, else let the readers answer. Nothing is kept of a question."""
    if received.reply_to is None:
        return []
    match asked:
        case TradeGet(trade_id=trade_id):
            trade = state.blotter.find(trade_id)
            if trade is None and state.blotter.is_taken(trade_id):
                return [_query("trade", {"trade_id": trade_id}, received)]
            if trade is None:
                refusal = state.answers.refused(answers.not_found(trade_id), received.received_ns)
                return [Answer(reply_to=received.reply_to, reply=refusal)]
            result: object = trade
        case TradeList():
            if not answers.lists_the_living_only(asked):
                return [_query("trades", msgspec.structs.asdict(asked), received)]
            result = answers.page(state.blotter.live.values(), asked)
        case SettingsGet():
            result = settings_changes.view(state.layers, state.rules.version, asked)
        case CapsuleGet(trade_id=trade_id):
            return [_query("capsule", {"trade_id": trade_id}, received)]
        case HistoryGet():
            return [_query("settings_history", msgspec.structs.asdict(asked), received)]
    return [Answer(reply_to=received.reply_to, reply=state.answers.ok(result, received.received_ns))]


def ask_again_about(state: DeskState, received: Received[Any], trade_id: str) -> list[object]:
    """Let the readers answer about a trade that ended so long ago that memory has forgotten it."""
    if received.reply_to is None:
        return state.conclude(minutes_of(received, proves=False))
    return [_query("trade", {"trade_id": trade_id}, received)]


def _query(kind: str, arguments: dict[str, object], received: Received[Any]) -> Query:
    assert received.reply_to is not None
    return Query(kind=kind, arguments=arguments, reply_to=received.reply_to, now_ns=received.received_ns)
