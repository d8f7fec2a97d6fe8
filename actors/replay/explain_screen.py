"""What a person reads of why a stop fired, or did not."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from actors.replay.replay_screen import gap_lines
from bus.messages.explain import Explained, RuleStanding
from bus.messages.plain import instant_text, number_text
from bus.messages.stops import Guard, StopDecision
from bus.messages.units import NS_PER_S, Number
from config.pictures import card, table

_COLUMNS = ("rule", "condition", "away", "nearest", "reads", "guards that would hold it back")


def render(found: Explained) -> RenderableType:
    """Return the whole."""
    trade = found.trade
    facts = {
        "trade": trade.trade_id,
        "at": instant_text(found.at),
        "state": trade.state.value,
        "ticker": trade.ticker,
        "side": trade.side.value,
        "open": trade.open_quantity,
        "entry": trade.entry_price,
        "coverage": f"{found.coverage[-1].coverage.value}: {found.coverage[-1].why}" if found.coverage else None,
        "settings version": found.settings_version,
    }
    parts: list[RenderableType] = [card("Explanation", facts)]
    if found.source == "capsule":
        parts.append(Text("From its capsule in PostgreSQL: no recording tells of it.", style="yellow"))
    parts += gap_lines(found.gaps)
    parts += [Text(""), Text(_verdict(found), style="bold"), Text("")]
    if found.rules:
        parts.append(table("Its rules", _COLUMNS, [_row(rule) for rule in found.rules]))
    if found.unprotected:
        parts.append(table("Unprotected", ("why", "spans", "seconds"), _spans(found)))
    for decision in found.decisions:
        parts += [Text(""), *_decision(decision)]
    return Group(*parts)


def _verdict(found: Explained) -> str:
    fired = [decision for decision in found.decisions if decision.fired]
    if fired:
        return f"Its stop {fired[-1].rule} fired at {instant_text(fired[-1].ts)}."
    if not found.watched and not found.trade.state.is_terminal and found.gaps:
        return "No stop of it fired before the gap. What followed cannot be decided again."
    if not found.watched:
        return f"No stop of it fired. Its rules are not judged: it is {found.trade.state.value}, with {found.trade.open_quantity} open."
    held = [rule for rule in found.rules if rule.holds]
    if held:
        names = ", ".join(f"{rule.rule} (held back by {', '.join(_failed(rule.guards)) or 'nothing'})" for rule in held)
        return f"No stop of it fired. The condition of {names} holds."
    return "No stop of it fired: no condition holds."


def _spans(found: Explained) -> list[tuple[object, ...]]:
    """By reason: how many spans, how long in all."""
    reasons: dict[str, list[int]] = {}
    for span in found.unprotected:
        reasons.setdefault(span.why, []).append(span.until - span.since)
    return [(why, len(spans), f"{sum(spans) / NS_PER_S:.1f}") for why, spans in reasons.items()]


def _row(rule: RuleStanding) -> tuple[object, ...]:
    holds = {True: "holds", False: "does not hold", None: f"unknown: {rule.unknown_because or 'a part of it'}"}
    reads = ", ".join(f"{name} {_number(one.value)}" for name, one in rule.inputs.items())
    far = ", ".join(f"{name} {_number(value)}" for name, value in rule.away.items())
    near = ", ".join(f"{name} {_number(one.away)} at {instant_text(one.ts)}" for name, one in rule.nearest.items())
    near += f" (all seen since {instant_text(rule.since)})" if near and rule.since is not None else ""
    return rule.rule, holds[rule.holds], far, near, reads, ", ".join(_failed(rule.guards))


def _decision(it: StopDecision) -> Iterator[Text]:
    yield Text(f"{it.decision_id}: {'fired' if it.fired else 'held back'} at {instant_text(it.ts)}", style="bold")
    for name, one in it.inputs.items():
        age = "" if one.age_ms is None else f", {one.age_ms:,} ms old"
        yield Text(f"  {name} {_number(one.value)}{age}" + (f", from {one.source}" if one.source else ""))
    for guard in it.guards:
        yield Text(
            f"  guard {guard.name}: {'passed' if guard.passed else 'held it back'}{_of(guard)}",
            style="" if guard.passed else "yellow",
        )


def _of(guard: Guard) -> str:
    return "" if guard.limit is None else f" ({_number(guard.value)}, limit {_number(guard.limit)})"


def _failed(guards: tuple[Guard, ...]) -> list[str]:
    return [guard.name for guard in guards if not guard.passed]


def _number(value: Number | None) -> str:
    return "unknown" if value is None else number_text(value.normalize())
