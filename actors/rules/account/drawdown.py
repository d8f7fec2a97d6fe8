"""The drawdown rule of one account: its equity against the highest it has been (SPEC 1.2).

Equity is an interval, like every mark: the rule fires when the whole of it lies at or below the limit, and only its low end
raises the high. Unknown neither confirms nor denies. No guard holds it back but the confirmation that is its own.
"""

from typing import Final, NamedTuple

from actors.rules.account.cash import Cash
from actors.rules.account.worth import Worth
from actors.rules.trade.fills import EXACT
from bus.messages.accounts import AccountProgress, AccountRules, DrawdownFired, EquityStanding
from bus.messages.trades import Trade
from bus.messages.units import HUNDRED, ZERO, Money

_CENTS: Final = EXACT.create_decimal("1E-12")
"""The finest that the record keeps."""
_ANY: Final = EXACT.create_decimal("Infinity")


class Equity(NamedTuple):
    """What an account is worth: its ends, or why nobody knows (then both are 0)."""

    low: Money
    high: Money
    unknown: str | None = None

    @property
    def middle(self) -> Money:
        """The middle of it."""
        return EXACT.divide(EXACT.add(self.low, self.high), 2)


class Claim(NamedTuple):
    """What an input says of the rule: fires, or wake_ns, when it would fire by itself if nothing else comes."""

    fires: bool = False
    wake_ns: int | None = None


_NO_CLAIM: Final = Claim()


class Account:
    """One account. rule None: TradeDesk has not said it yet. trades: those with something open, or on their way.

    high to reset_ns: as in `AccountProgress`. last_ns: the instant of the last input that confirmed, or since when it holds.
    wake_ns: the timer of its confirmation. unanswered: what fired, until TradeDesk has acted on it. is_warned: people know that it cannot work.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.rule: AccountRules | None = None
        self.cash = Cash()
        self.worth = Worth()
        self.trades: dict[str, Trade] = {}
        self.high: Money | None = None
        self.pending: Money = ZERO
        self.confirms = 0
        self.counted: dict[str, int] = {}
        self.last_ns: int | None = None
        self.fired = False
        self.fires = 0
        self.reset_ns = 0
        self.kept_ns = 0
        self.wake_ns: int | None = None
        self.unanswered: DrawdownFired | None = None
        self.is_warned = False

    @property
    def is_on(self) -> bool:
        """Whether its rule is on, and its cash is known: then its equity is kept."""
        return self.rule is not None and self.rule.ratchet_percent is not None and self.cash.balance is not None

    @property
    def limit(self) -> Money | None:
        """The equity at or below which the rule fires; None where there is nothing to compare with."""
        if self.rule is None or self.rule.ratchet_percent is None or self.high is None or self.high <= ZERO:
            return None
        return EXACT.divide(EXACT.multiply(self.high, self.rule.ratchet_percent), HUNDRED)

    @property
    def tolerance(self) -> Money:
        """How much of a change of cash may be left unexplained: more is a transfer, if there is a high that it could move."""
        if self.rule is None or self.high is None:
            return _ANY
        return EXACT.divide(EXACT.multiply(abs(self.high), self.rule.min_transfer_percent), HUNDRED)

    @property
    def grace_ns(self) -> int:
        """How long money may be on its way."""
        return 0 if self.rule is None else self.rule.settle_grace_ns

    def equity(self) -> Equity:
        """Return what it is worth."""
        if self.cash.balance is None:
            return Equity(ZERO, ZERO, "no_balance")
        if self.cash.is_blind:
            return Equity(ZERO, ZERO, "somebody else's close at an unknown price")
        if self.worth.unknown:
            holding, reason = next(iter(self.worth.unknown.items()))
            return Equity(ZERO, ZERO, f"{reason} of {holding.name}")
        cash = self.cash.amount
        return Equity(EXACT.add(cash, self.worth.low), EXACT.add(cash, self.worth.high))

    def transfer_due_ns(self) -> int | None:
        """Return when a balance that was put aside is believed; None: there is none."""
        return None if self.cash.aside is None else self.cash.aside.heard_ns + self.grace_ns

    def take_transfer(self) -> Money:
        """Believe the balance that was put aside; return the transfer that it shows."""
        amount = self.cash.believe()
        if self.high is not None:
            self.pending = EXACT.add(self.pending, amount)
        return amount

    def follow(self, equity: Equity) -> bool:
        """Let the high follow a known equity, transfers first; say whether it has moved."""
        before = self.high
        if self.pending:
            self.high, self.pending = _scaled(self.high, equity.middle, self.pending), ZERO
        if self.high is None or equity.low > self.high:
            self.high = equity.low
        return self.high != before

    def judge(self, equity: Equity, heard: tuple[str, int] | None, now_ns: int) -> Claim:
        """Count an input that was heard, by name and its own instant (None: only time has passed), against a known equity."""
        limit = self.limit
        if self.rule is None or limit is None or self.fired:
            return _NO_CLAIM
        if equity.high > limit:
            self.confirms, self.counted, self.last_ns = 0, {}, None
            return _NO_CLAIM
        name, ts = heard or ("", 0)
        if ts > self.counted.get(name, 0) and self.confirms < self.rule.confirm_ticks:
            self.confirms += 1
            self.counted = {**self.counted, name: ts}
            self.last_ns = ts
        self.last_ns = now_ns if self.last_ns is None else self.last_ns
        wait_ns = self.rule.confirm_wait_ns
        stood = wait_ns is not None and now_ns - self.last_ns >= wait_ns
        if stood or self.confirms >= self.rule.confirm_ticks:
            return Claim(fires=True)
        return Claim(wake_ns=None if wait_ns is None else self.last_ns + wait_ns)

    def begin_anew(self, now_ns: int) -> None:
        """A person resumes: it may fire again."""
        self.fired, self.unanswered, self.reset_ns = False, None, max(self.reset_ns, now_ns)
        self.confirms, self.counted, self.last_ns = 0, {}, None

    def rebase(self, now_ns: int) -> None:
        """Begin anew with the next known equity as the high."""
        self.begin_anew(now_ns)
        self.high, self.pending = None, ZERO

    def restore(self, progress: AccountProgress) -> None:
        """Go on from what was known before a restart."""
        self.cash.restore(progress)
        self.high, self.pending = progress.high, progress.pending or ZERO
        self.confirms, self.counted = progress.confirms, dict(progress.counted)
        self.last_ns = max(progress.counted.values(), default=None)
        self.fired, self.fires, self.reset_ns = progress.fired, progress.fires, progress.reset_ns
        self.kept_ns = progress.ts

    def keep(self, now_ns: int) -> AccountProgress:
        """Return what must survive a restart, to be written down now."""
        self.kept_ns = max(self.kept_ns + 1, now_ns)
        return self.progress()

    def progress(self) -> AccountProgress:
        """Return what must survive a restart."""
        return AccountProgress(
            account=self.name,
            balance=self.cash.balance,
            balance_ts=self.cash.ts,
            flows=tuple(self.cash.flows.values()),
            aside=self.cash.aside,
            blind=self.cash.is_blind,
            high=self.high,
            pending=self.pending or None,
            confirms=self.confirms,
            counted=dict(self.counted),
            fired=self.fired,
            fires=self.fires,
            reset_ns=self.reset_ns,
            ts=self.kept_ns,
        )

    def standing(self, now_ns: int) -> EquityStanding:
        """Return how it stands, for people."""
        equity = self.equity()
        state, why = self._state(equity)
        is_known = equity.unknown is None and self.is_on
        return EquityStanding(
            account=self.name,
            drawdown=state,
            why=why,
            ts=now_ns,
            cash=None if self.cash.balance is None else self.cash.amount,
            equity_low=equity.low if is_known else None,
            equity_high=equity.high if is_known else None,
            high=self.high,
            limit=self.limit,
        )

    def _state(self, equity: Equity) -> tuple[str, str | None]:
        if self.rule is None or self.rule.ratchet_percent is None:
            return "off", None
        if self.fired:
            return "fired", None
        if equity.unknown is not None:
            return "not_armed", equity.unknown
        return ("armed", None) if self.limit is not None else ("not_armed", "no_equity")


def _scaled(high: Money | None, equity: Money, transfer: Money) -> Money | None:
    """Return the high after a transfer: as far above the equity as it was, in percent.

    Where there was nothing, or nothing is left, there is no such distance: the high begins anew.
    """
    before = EXACT.subtract(equity, transfer)
    if high is None or before <= ZERO or equity <= ZERO:
        return None
    return EXACT.divide(EXACT.multiply(high, equity), before).quantize(_CENTS, context=EXACT)
