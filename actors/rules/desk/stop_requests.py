"""Requests about the stops of one trade: its own layer is changed, and what is in force resolved anew."""

from collections.abc import Mapping

from msgspec.structs import replace

from actors.rules.catalog import SETTINGS
from actors.rules.desk.requests import PAPER_WAIVER, identity_of, protects
from actors.rules.desk.room import Rules, refuse
from actors.rules.settings.layers import incomplete, of_accounts_only, overridden, rule_named
from actors.rules.settings.values import parse_changes, unknown_rule
from bus.messages.settings import Layer, Value
from bus.messages.stops import Guard, Rule, StopArm, StopDecision, StopDisarm, StopFired, StopSet, StopWaive
from bus.messages.system import Error, ErrorCode
from bus.messages.trades import Mode, Trade, Waiver

StopRequest = StopArm | StopDisarm | StopSet | StopWaive


def change_stops(trade: Trade, word: StopRequest, rules: Rules, now_ns: int) -> Trade | Error:
    """Return the trade with its stops as asked, the version not yet counted up; or why not.

    Arming ends a waiver. Disarming the last rule of a live trade makes the person who asked its waiver.
    """
    if trade.state.is_terminal:
        return refuse(ErrorCode.TERMINAL, f"The trade {trade.trade_id} is {trade.state}: its stops are history.")
    if isinstance(word, StopWaive):
        if word.until is not None and word.until <= now_ns:
            return refuse(ErrorCode.EXPIRED, "The waiver would end before it begins: give a later `until`, or none.")
        return replace(trade, waiver=Waiver(by=word.requested_by, reason=word.reason, until_ns=word.until))
    changes = _changes(trade, word)
    if isinstance(changes, Error):
        return changes
    misplaced = of_accounts_only(changes, Layer.TRADE)
    if misplaced is not None:
        return misplaced
    changed = resolve_anew(replace(trade, overrides=overridden(trade.overrides, changes)), rules)
    if isinstance(changed, Error):
        return changed
    if isinstance(word, StopArm):
        return replace(changed, waiver=None)
    if protects_itself(changed) or not protects_itself(trade):
        return changed
    waiver = PAPER_WAIVER if trade.mode is Mode.PAPER else Waiver(by=word.requested_by, reason=word.reason)
    return replace(changed, waiver=waiver)


def resolve_anew(trade: Trade, rules: Rules) -> Trade | Error:
    """Return `trade` with what its layers now say."""
    identity = identity_of(trade)
    refusal = incomplete(rules.resolver.merged(identity, trade.overrides))
    if refusal is not None:
        return refusal
    resolved = rules.resolver.resolve(identity, trade.overrides)
    return replace(trade, stops=resolved.stops, settings=resolved.settings, settings_version=rules.version)


def refreshed(trade: Trade, rules: Rules) -> Trade:
    """Return `trade` after a change of the layers; the very same object where nothing changes for it.

    Its own layer may name a rule whose threshold another layer just lost: that rule is then not armed, and coverage says so.
    """
    resolved = rules.resolver.resolve(identity_of(trade), trade.overrides)
    if resolved.stops == trade.stops and resolved.settings == trade.settings:
        return trade
    waiver = trade.waiver
    if protects(resolved) and waiver == PAPER_WAIVER:
        waiver = None
    elif not protects(resolved) and waiver is None and trade.mode is Mode.PAPER:
        waiver = PAPER_WAIVER
    return replace(
        trade, stops=resolved.stops, settings=resolved.settings, settings_version=rules.version, waiver=waiver
    )


def was_changed(fired: StopFired, trade: Trade) -> bool:
    """Whether the stop that fired is not in force any more: AutoStop hears of a change behind the ticks that came before it."""
    return fired.stop is not None and fired.stop not in trade.stops


def held_back(decision: StopDecision) -> StopDecision:
    """Return how a decision stands that closes nothing, since its stop was changed; AutoStop judges the new one."""
    return replace(decision, fired=False, guards=(*decision.guards, Guard(name="stop_in_force", passed=False)))


def protects_itself(trade: Trade) -> bool:
    """Whether a rule is armed on `trade` that can end a loss."""
    return any(stop.rule != Rule.STALE for stop in trade.stops)


def _changes(trade: Trade, word: StopArm | StopDisarm | StopSet) -> Mapping[str, Value | None] | Error:
    match word:
        case StopDisarm(rule=name):
            if name not in tuple(Rule):
                return unknown_rule(name)
            return {f"{name}.enabled": False}
        case StopArm(rule=name, settings=settings):
            rule = rule_named(name, is_event=trade.side.is_event)
            if isinstance(rule, Error):
                return rule
            return parse_changes(_full_keys(rule, settings) | {f"{rule}.enabled": True})
        case StopSet(rule=name, settings=settings):
            if name is None:
                return parse_changes(settings)
            if name not in tuple(Rule):
                return unknown_rule(name)
            return parse_changes(_full_keys(name, settings))


def _full_keys(rule: str, settings: Mapping[str, object]) -> dict[str, object]:
    return {key if key in SETTINGS else f"{rule}.{key}": value for key, value in settings.items()}
