"""Every stop setting: its name, unit, limits and meaning. SPEC 1.1 to 1.3 say what each does.

A key is `<rule>.<setting>` for a rule's own settings and guards, or a plain name for what holds for all rules of a trade.
The values of version 1 stand in config/defaults.toml under `[stops]`; from then on PostgreSQL has them. A key without a value
is off. docs/specification.md prints this table.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from bus.messages.accounts import DRAWDOWN
from bus.messages.stops import Rule


class Kind(StrEnum):
    """What a value is."""

    DOLLARS = "dollars"
    PERCENT = "percent"
    POINTS = "points"
    SECONDS = "seconds"
    COUNT = "count"
    SWITCH = "switch"
    WORD = "word"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting; `low` and `high` are inclusive, `words` the closed list of a WORD."""

    key: str
    kind: Kind
    meaning: str
    low: Decimal | None = None
    high: Decimal | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFacts:
    """What a rule needs and who may hold it back (SPEC 1.2).

    inputs: of `exit`, `quote`, `probability`, `momentum`, `spot`, `clock`. guards: the settings, without the rule's name.
    event, linear: the kinds of instrument that it can watch.
    """

    rule: Rule
    fires_when: str
    inputs: tuple[str, ...]
    guards: tuple[str, ...]
    event: bool = True
    linear: bool = True


_AGE = ("min_age_s", "min_time_to_close_s")
_QUOTE = ("max_quote_disagreement",)

RULES: dict[Rule, RuleFacts] = {
    facts.rule: facts
    for facts in (
        RuleFacts(
            rule=Rule.PROBABILITY,
            fires_when="probability < floor_percent",
            inputs=("probability",),
            guards=(*_AGE, "dwell_s", "confirm_ticks", *_QUOTE, "max_divergence"),
            linear=False,
        ),
        RuleFacts(
            rule=Rule.PRICE,
            fires_when="exit price <= stop_price (short: >=)",
            inputs=("exit",),
            guards=(*_AGE, "dwell_s", "confirm_ticks", *_QUOTE),
        ),
        RuleFacts(
            rule=Rule.LOSS,
            fires_when="PnL <= -max_loss, or PnL percent <= -max_loss_percent",
            inputs=("exit",),
            guards=(*_AGE, "dwell_s", "confirm_ticks", *_QUOTE),
        ),
        RuleFacts(
            rule=Rule.PROFIT,
            fires_when="exit price >= take_profit_price (short: <=), PnL >= take_profit_amount, or PnL percent >= take_profit_percent",
            inputs=("exit",),
            guards=_QUOTE,
        ),
        RuleFacts(
            rule=Rule.TRAILING,
            fires_when="exit price has come back by trail, or trail_percent, from its best since activate_at was reached",
            inputs=("exit",),
            guards=(*_AGE, "confirm_ticks", *_QUOTE),
        ),
        RuleFacts(
            rule=Rule.TIME,
            fires_when="age >= max_age_s, or time to close <= close_before_s",
            inputs=("clock",),
            guards=(),
        ),
        RuleFacts(
            rule=Rule.MOMENTUM,
            fires_when="momentum >= +threshold_percent closes no and short, <= -threshold_percent closes yes and long (mirrored for below)",
            inputs=("momentum",),
            guards=_AGE,
        ),
        RuleFacts(
            rule=Rule.BUFFER,
            fires_when="buffer < min_buffer",
            inputs=("spot",),
            guards=(*_AGE, "dwell_s", "confirm_ticks"),
            linear=False,
        ),
        RuleFacts(
            rule=Rule.STALE,
            fires_when="an input that an armed rule needs has been stale for longer than its limit, and policy is close",
            inputs=("clock",),
            guards=(),
        ),
    )
}

_S = Kind.SECONDS
_DAY = Decimal(86_400)
_YEAR = _DAY * 366
_BIG = Decimal(10) ** 12
_ZERO = Decimal(0)
_GUARD_FACTS: dict[str, tuple[Kind, Decimal, Decimal, str]] = {
    "min_age_s": (_S, _ZERO, _YEAR, "the rule is held back until the trade is this old"),
    "min_time_to_close_s": (_S, _ZERO, _YEAR, "the rule is held back when less time than this is left"),
    "dwell_s": (_S, _ZERO, _DAY, "the condition must hold this long"),
    "confirm_ticks": (
        Kind.COUNT,
        Decimal(1),
        Decimal(100),
        "inputs with a later ts, each confirming the condition, before it fires",
    ),
    "max_quote_disagreement": (
        Kind.DOLLARS,
        _ZERO,
        Decimal(1),
        "largest difference between the yes quote and the no quote",
    ),
    "max_divergence": (
        Kind.POINTS,
        _ZERO,
        Decimal(100),
        "largest difference between the probability feed and the quote",
    ),
}

_OWN: tuple[Setting, ...] = (
    Setting(
        key="probability.floor_percent",
        kind=Kind.PERCENT,
        low=_ZERO,
        high=Decimal(100),
        meaning="fires below this probability",
    ),
    Setting(
        key="price.stop_price", kind=Kind.DOLLARS, low=_ZERO, high=_BIG, meaning="fires at or beyond this exit price"
    ),
    Setting(
        key="loss.max_loss", kind=Kind.DOLLARS, low=_ZERO, high=_BIG, meaning="fires at a loss of this many dollars"
    ),
    Setting(
        key="loss.max_loss_percent",
        kind=Kind.PERCENT,
        low=_ZERO,
        high=_BIG,
        meaning="fires at a loss of this percent of the entry cost",
    ),
    Setting(
        key="profit.take_profit_price",
        kind=Kind.DOLLARS,
        low=_ZERO,
        high=_BIG,
        meaning="fires at or beyond this exit price",
    ),
    Setting(
        key="profit.take_profit_amount",
        kind=Kind.DOLLARS,
        low=_ZERO,
        high=_BIG,
        meaning="fires at a gain of this many dollars",
    ),
    Setting(
        key="profit.take_profit_percent",
        kind=Kind.PERCENT,
        low=_ZERO,
        high=_BIG,
        meaning="fires at a gain of this percent of the entry cost",
    ),
    Setting(
        key="trailing.trail",
        kind=Kind.DOLLARS,
        low=_ZERO,
        high=_BIG,
        meaning="how far the exit price may come back from its best",
    ),
    Setting(
        key="trailing.trail_percent",
        kind=Kind.PERCENT,
        low=_ZERO,
        high=Decimal(100),
        meaning="the same as a percent of the best",
    ),
    Setting(
        key="trailing.activate_at",
        kind=Kind.DOLLARS,
        low=_ZERO,
        high=_BIG,
        meaning="trailing begins once the exit price has reached this; unset: at once",
    ),
    Setting(key="time.max_age_s", kind=_S, low=_ZERO, high=_YEAR, meaning="fires at this age"),
    Setting(key="time.close_before_s", kind=_S, low=_ZERO, high=_YEAR, meaning="fires when this much time is left"),
    Setting(
        key="momentum.threshold_percent",
        kind=Kind.PERCENT,
        low=_ZERO,
        high=Decimal(1000),
        meaning="fires at this momentum against the trade",
    ),
    Setting(
        key="buffer.min_buffer",
        kind=Kind.DOLLARS,
        low=-_BIG,
        high=_BIG,
        meaning="fires when the underlying is closer to the strike than this",
    ),
    Setting(key="stale.policy", kind=Kind.WORD, words=("alert", "close"), meaning="what a stale input does"),
    Setting(
        key="stale.stale_grace_s",
        kind=_S,
        low=_ZERO,
        high=_DAY,
        meaning="how long policy close waits after the input went stale",
    ),
    Setting(
        key="stale.feed_restart_grace_s",
        kind=_S,
        low=_ZERO,
        high=_DAY,
        meaning="no closing within this time of a restart",
    ),
    Setting(
        key="stale.stale_max_closes",
        kind=Kind.COUNT,
        low=_ZERO,
        high=Decimal(1000),
        meaning="closes a minute at most, over all trades",
    ),
)

_ACCOUNT: tuple[Setting, ...] = (
    Setting(
        key=f"{DRAWDOWN}.enabled",
        kind=Kind.SWITCH,
        meaning="whether accounts whose cash is stated are watched as wholes",
    ),
    Setting(
        key=f"{DRAWDOWN}.ratchet_percent",
        kind=Kind.PERCENT,
        low=_ZERO,
        high=Decimal(100),
        meaning="fires when equity is at or below this percent of its high",
    ),
    Setting(
        key=f"{DRAWDOWN}.confirm_ticks",
        kind=Kind.COUNT,
        low=Decimal(1),
        high=Decimal(100),
        meaning="inputs with a later ts, each confirming it, before it fires",
    ),
    Setting(
        key=f"{DRAWDOWN}.settle_grace_s",
        kind=_S,
        low=_ZERO,
        high=_DAY,
        meaning="how long money may be on its way, and a balance that nothing explains is not believed",
    ),
    Setting(
        key=f"{DRAWDOWN}.min_transfer_percent",
        kind=Kind.PERCENT,
        low=_ZERO,
        high=Decimal(100),
        meaning="a smaller change of cash that nothing explains is a gain or loss, a larger one a transfer, which moves the high",
    ),
)
"""Of accounts, not of trades: they stand in the defaults and in the layers of accounts alone."""

_GENERAL: tuple[Setting, ...] = (
    Setting(key="confirm_max_wait_s", kind=_S, low=_ZERO, high=_DAY, meaning="a value that has stood this long since its ts confirms itself"),
    Setting(key="divergence_max_s", kind=_S, low=_ZERO, high=_DAY, meaning="after this the quote wins over a diverging probability feed"),
    Setting(key="max_spread", kind=Kind.DOLLARS, low=_ZERO, high=Decimal(1), meaning="widest yes quote whose mid is a probability"),
    Setting(key="crossed_max_s", kind=_S, low=_ZERO, high=_DAY, meaning="how long a crossed book is held before its worse side counts"),
    Setting(key="max_input_age_s", kind=_S, low=_ZERO, high=_YEAR, meaning="oldest underlying price or model output"),
    Setting(key="max_frozen_s", kind=_S, low=_ZERO, high=_YEAR, meaning="longest time that such a value may stay the same (0 = off)"),
    Setting(key="max_silence_s", kind=_S, low=_ZERO, high=_YEAR, meaning="longest silence of a feed that has not announced its own"),
    Setting(key="max_quote_silence_s", kind=_S, low=_ZERO, high=_YEAR, meaning="longest silence of one ticker (0 = off)"),
    Setting(key="close_slippage", kind=Kind.DOLLARS, low=_ZERO, high=Decimal(1), meaning="event contracts: how far below the exit price a close may sell; doubles with each attempt"),
    Setting(key="close_slippage_percent", kind=Kind.PERCENT, low=_ZERO, high=Decimal(100), meaning="linear instruments: the same in percent"),
    Setting(key="close_empty_book", kind=Kind.WORD, words=("rest", "retry"), meaning="what a close does when nobody bids"),
    Setting(key="rest_max_s", kind=_S, low=_ZERO, high=_DAY, meaning="how long a close rests before it is cancelled"),
    Setting(key="entry_timeout_s", kind=_S, low=_ZERO, high=_DAY, meaning="a pending entry is cancelled and looked up after this"),
    Setting(key="entry_valid_s", kind=_S, low=_ZERO, high=_DAY, meaning="last moment of sending an entry, from its ts"),
    Setting(key="close_valid_s", kind=_S, low=_ZERO, high=_DAY, meaning="last moment of sending a close, from its ts"),
    Setting(key="fee_model", kind=Kind.WORD, words=("none", "kalshi", "percent"), meaning="how the exit fee is estimated"),
    Setting(key="fee_percent", kind=Kind.PERCENT, low=_ZERO, high=Decimal(100), meaning="exit fee, percent of the proceeds, for fee_model percent"),
    *(
        Setting(key=f"{rule}.enabled", kind=Kind.SWITCH, meaning=f"whether `{rule}` is armed on trades that name no stops of their own")
        for rule in Rule
    ),
)  # fmt: skip


_GUARDS = tuple(
    Setting(key=f"{rule}.{guard}", kind=kind, low=low, high=high, meaning=meaning)
    for rule, facts in RULES.items()
    for guard in facts.guards
    for kind, low, high, meaning in (_GUARD_FACTS[guard],)
)

SETTINGS: dict[str, Setting] = {setting.key: setting for setting in (*_OWN, *_ACCOUNT, *_GUARDS, *_GENERAL)}
"""Every setting by its key."""
