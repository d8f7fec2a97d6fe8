"""What a word for all accounts does to each of them."""

from bus.messages.accounts import AccountProgress
from bus.messages.records import Commit
from tests.rules.account.builders import Accounts, a_balance, a_holding, a_rule, an_event
from tests.rules.stops.builders import a_quote, at

OTHER = "KXBTCD-OTHER"


def both(*, first_falls: bool = True) -> Accounts:
    """Two accounts with a thousand contracts each, of tickers of their own; `b` has fallen to its limit, `acc` if asked for."""
    accounts = Accounts(
        a_rule(account="b"),
        a_balance(0, "1000", "b"),
        a_holding(),
        a_holding("t2", account="b", ticker=OTHER),
    )
    accounts.tick(a_quote(1, "0.60", "0.62"), a_quote(1, "0.60", "0.62", ticker=OTHER))
    falling = [a_quote(2, "0.10", "0.62", ticker=OTHER)]
    return accounts.tick(*([a_quote(2, "0.10", "0.62")] if first_falls else []), *falling)


def told_after(accounts: Accounts, seconds: float) -> set[str]:
    """The accounts whose drawdown is told after so many seconds."""
    known = len(accounts.drawdowns)
    return {fired.account for fired in accounts.wait(seconds).drawdowns[known:]}


def test_a_drawdown_is_told_again_until_it_is_answered() -> None:
    accounts = both(first_falls=False)

    assert told_after(accounts, 30) == {"b"}


def test_an_answer_for_all_accounts_answers_each() -> None:
    accounts = both()
    accounts.hear(an_event("reduce_only", 3, None))

    assert told_after(accounts, 30) == set()


def test_an_answer_for_all_accounts_answers_those_behind_one_that_has_not_fired() -> None:
    accounts = both(first_falls=False)
    accounts.hear(an_event("reduce_only", 3, None))

    assert told_after(accounts, 30) == set()


def test_an_answer_for_one_account_answers_that_one() -> None:
    accounts = both()
    accounts.hear(an_event("reduce_only", 3, "acc"))

    assert told_after(accounts, 30) == {"b"}


def test_a_resume_of_everything_is_kept_of_each_account() -> None:
    accounts = both().wait(2.9)
    known = len(accounts.commits)

    accounts.hear(an_event("resume", 3, None))
    accounts.wait(5)

    kept = [progress for commit in accounts.commits[known:] for progress in commit.account_progress]
    assert {progress.account for progress in kept if progress.reset_ns == at(3)} == {"acc", "b"}


def test_a_halt_of_everything_is_no_answer() -> None:
    accounts = both(first_falls=False)
    accounts.hear(an_event("halt", 3, None))

    assert told_after(accounts, 30) == {"b"}


def progress(accounts: Accounts) -> dict[str, AccountProgress]:
    kept = (one for word in accounts.said if isinstance(word, Commit) for one in word.account_progress)
    return {one.account: one for one in kept}


def test_a_resume_of_all_is_kept_of_each() -> None:
    accounts = both()
    accounts.hear(an_event("reduce_only", 3, None))
    accounts.hear(an_event("resume", 9, None))
    accounts.wait(20)

    assert {name: (one.fired, one.reset_ns) for name, one in progress(accounts).items()} == {
        "acc": (False, at(9)),
        "b": (False, at(9)),
    }
