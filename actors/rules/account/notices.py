"""What people are told about accounts: a rule that cannot work, and money that came or went by itself."""

from actors.rules.account.drawdown import Account
from actors.rules.stops.notices import say
from bus.messages.notices import Notice, Severity
from bus.messages.units import Money

__all__ = ["not_armed", "say", "transferred"]


def not_armed(account: Account, now_ns: int) -> Notice:
    """The drawdown rule is on, and nobody has said what cash the account has."""
    return Notice(
        notice_id=f"drawdown_not_armed:{account.name}:{now_ns}",
        kind="drawdown_not_armed",
        severity=Severity.WARNING,
        title=f"The drawdown rule of {account.name} is on, but its cash is not known",
        body=f"Nobody has published account.balance.{account.name}: its equity is unknown, and the rule cannot fire. "
        "It is armed with the first balance.",
        dedupe_key=f"drawdown_not_armed:{account.name}",
        ts=now_ns,
    )


def transferred(account: Account, amount: Money, now_ns: int) -> Notice:
    """Cash has changed by what no fill and no settlement explains: the high has followed."""
    way = "into" if amount > 0 else "out of"
    return Notice(
        notice_id=f"transfer:{account.name}:{now_ns}",
        kind="transfer",
        severity=Severity.INFO,
        title=f"{abs(amount):.2f} dollars went {way} {account.name}",
        body=f"No fill and no settlement explains this change of its cash, so it counts as a transfer: the high is now "
        f"{account.high or 0:.2f}, as far from the equity as before in percent. If it was a loss, lower the limit by hand: "
        f"python run.py settings set drawdown.ratchet_percent=... --layer account --name {account.name}",
        dedupe_key=f"transfer:{account.name}",
        ts=now_ns,
    )
