"""What is said when a drawdown fires: the inputs and the one guard of the decision, as with any stop."""

from decimal import Decimal

from actors.rules.account.drawdown import Account, Equity
from bus.messages.accounts import DrawdownFired
from bus.messages.stops import Guard, Input
from bus.messages.units import NS_PER_MS, Money


def drawdown_fired(account: Account, equity: Equity, now_ns: int) -> DrawdownFired:
    """Return the decision of an account whose rule has fired."""
    rule = account.rule
    assert rule is not None, "a rule that nobody has said cannot fire"
    newest_ns = max(account.counted.values(), default=now_ns)
    seen: dict[str, Money | None] = {
        **(
            {"equity": equity.low}
            if equity.low == equity.high
            else {"equity_low": equity.low, "equity_high": equity.high}
        ),
        "high": account.high,
        "limit": account.limit,
    }
    inputs = {name: _input(value, newest_ns, now_ns) for name, value in seen.items()}
    return DrawdownFired(
        account=account.name,
        number=account.fires,
        inputs=inputs | {"cash": _input(account.cash.amount, account.cash.ts, now_ns)},
        guards=(
            Guard(
                name="confirm_ticks", passed=True, value=Decimal(account.confirms), limit=Decimal(rule.confirm_ticks)
            ),
        ),
        settings_version=rule.settings_version,
        progress=account.keep(now_ns),
        now_ns=now_ns,
    )


def _input(value: Money | None, ts: int, now_ns: int) -> Input:
    return Input(value=value, ts=ts, age_ms=max(0, now_ns - ts) // NS_PER_MS, source="account")
