"""One rule before one reading: count it, let the guards look, and write the decision down with all that was seen."""

from decimal import Decimal

from actors.rules.catalog import RULES
from actors.rules.market.book import QuoteInForce
from actors.rules.market.freshness import quote_reason
from actors.rules.market.marks import Reading, age_ns, buffer_of, seconds, time_to_close_ns
from actors.rules.market.sight import EXIT_RULES
from actors.rules.stops.armed import ArmedRule
from actors.rules.stops.conditions import Holds, holds, percent_reading, pnl_reading
from actors.rules.stops.guards import Passage, Scene, guard
from actors.rules.stops.lenses import Lens, ProbabilityLens
from bus.messages.stops import Input, Rule, StopDecision
from bus.messages.units import NS_PER_MS


def judge(rule: ArmedRule, lens: Lens | None, reading: Reading | None, now_ns: int) -> Passage | None:
    """Count the present input of `rule` and let its guards look at it; None where its condition does not hold."""
    if lens is not None:
        lens.settle(rule)
    claim = holds(rule, reading, now_ns)
    if not claim:
        _end(rule, claim)
        return None
    if rule.holding_since_ns is None:
        rule.holding_since_ns = now_ns
    if reading is not None:
        _count(rule, reading)
    return guard(rule, scene_of(rule, lens, reading, now_ns))


def refute(rule: ArmedRule, lens: Lens, reading: Reading, now_ns: int) -> bool:
    """Let the present input of `rule` only end what it has counted; say whether it has."""
    lens.settle(rule)
    claim = holds(rule, reading, now_ns)
    if not claim:
        _end(rule, claim)
    return not claim


def _end(rule: ArmedRule, claim: Holds) -> None:
    """A condition that does not hold any more, or of which nobody knows (None)."""
    rule.holding_since_ns = None
    if claim is False:
        rule.confirms = 0
        rule.counted = {}
        rule.held_by = ()


def _count(rule: ArmedRule, reading: Reading) -> None:
    wanted = rule.number("confirm_ticks") if "confirm_ticks" in RULES[rule.rule].guards else None
    if wanted is None or rule.confirms >= wanted:
        return
    if reading.ts > rule.counted.get(reading.input, 0):
        rule.confirms += 1
        rule.counted = {**rule.counted, reading.input: reading.ts}


def scene_of(rule: ArmedRule, lens: Lens | None, reading: Reading | None, now_ns: int) -> Scene:
    """Return what the guards of `rule` look at."""
    scene = Scene(reading, _quote_in_force(rule, now_ns), now_ns)
    if isinstance(lens, ProbabilityLens):
        scene.divergence = lens.divergence
        scene.quote_wins = lens.quote_wins
        scene.divergence_ends_ns = lens.divergence_ends_ns
    return scene


def _quote_in_force(rule: ArmedRule, now_ns: int) -> QuoteInForce | None:
    quote = rule.armed.sight.quote
    return quote if quote_reason(quote, rule.armed.sight.view.limits, now_ns) is None else None


def decision(
    rule: ArmedRule,
    reading: Reading | None,
    passage: Passage,
    now_ns: int,
    *,
    fired: bool,
) -> StopDecision:
    """Write a decision down under the rule's next number."""
    rule.decisions += 1
    trade = rule.armed.trade
    return StopDecision(
        decision_id=f"{trade.trade_id}-{rule.rule}-{rule.decisions}",
        trade_id=trade.trade_id,
        rule=rule.rule.value,
        fired=fired,
        inputs=inputs_of(rule, reading, now_ns),
        guards=tuple(passage.guards),
        settings_version=trade.settings_version,
        ts=now_ns,
    )


def rule_of(decision_id: str, trade_id: str) -> str:
    """Return the rule that a decision's id names."""
    return decision_id.removeprefix(f"{trade_id}-").rpartition("-")[0]


def inputs_of(rule: ArmedRule, reading: Reading | None, now_ns: int) -> dict[str, Input]:
    """Return what `rule` reads, with its age and source; and the quote, where a guard reads that."""
    inputs = _clock(rule, now_ns) if reading is None else inputs_seen(rule, reading, now_ns)
    if "max_quote_disagreement" in RULES[rule.rule].guards:
        quote = _quote_in_force(rule, now_ns)
        if quote is not None:
            inputs |= _quoted(quote, now_ns)
    return inputs


def inputs_seen(rule: ArmedRule, reading: Reading, now_ns: int) -> dict[str, Input]:
    """Return what the rule itself reads, and what it computes from it; the two ends where only a bound is known."""
    trade = rule.armed.trade
    name = "exit" if rule.rule in EXIT_RULES else "probability" if rule.rule is Rule.PROBABILITY else reading.input
    inputs = _ends(name, reading, reading.ts, now_ns)
    if rule.rule in (Rule.LOSS, Rule.PROFIT):
        pnl = pnl_reading(trade, reading)
        inputs |= _ends("pnl", pnl, reading.ts, now_ns)
        inputs |= _ends("pnl_percent", percent_reading(trade, pnl), reading.ts, now_ns)
    if rule.rule is Rule.TRAILING and rule.best is not None:
        inputs["best"] = Input(value=rule.best)
    if rule.rule is Rule.BUFFER and reading.low is not None:
        inputs["buffer"] = _input(buffer_of(trade, reading.low), reading.ts, now_ns, reading.source)
    return inputs


def _ends(name: str, reading: Reading, ts: int, now_ns: int) -> dict[str, Input]:
    if reading.known or reading.unknown:
        return {name: _input(reading.low, ts, now_ns, reading.source)}
    return {
        f"{name}_low": _input(reading.low, ts, now_ns, reading.source),
        f"{name}_high": _input(reading.high, ts, now_ns, reading.source),
    }


def _quoted(quote: QuoteInForce, now_ns: int) -> dict[str, Input]:
    sides = {"yes_bid": quote.yes_bid, "yes_ask": quote.yes_ask, "no_bid": quote.no_bid, "no_ask": quote.no_ask}
    source = quote.feed.source if quote.feed else None
    return {name: _input(price, quote.ts, now_ns, source) for name, price in sides.items() if price is not None}


def _clock(rule: ArmedRule, now_ns: int) -> dict[str, Input]:
    spans = {
        "age_s": age_ns(rule.armed.trade, now_ns),
        "time_to_close_s": time_to_close_ns(rule.armed.trade, now_ns),
    }
    if rule.rule is Rule.STALE and rule.armed.stale_ns is not None:
        spans["stale_s"] = now_ns - rule.armed.stale_ns
    return {
        name: Input(value=seconds(span), ts=now_ns, age_ms=0, source="clock")
        for name, span in spans.items()
        if span is not None
    }


def _input(value: Decimal | None, ts: int, now_ns: int, source: str | None) -> Input:
    return Input(value=value, ts=ts or None, age_ms=(now_ns - ts) // NS_PER_MS if ts else None, source=source)
