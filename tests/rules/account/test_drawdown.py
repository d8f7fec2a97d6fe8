"""Drawdown (SPEC 1.2): equity at or below its percent of the high, for as many ticks as asked for; nothing else fires it."""

import msgspec
import pytest

from actors.rules.account.drawdown import Account
from actors.rules.stops.engine import StopEngine
from bus.messages.accounts import AccountProgress, DrawdownFired, EquityStanding
from bus.messages.market import Part, Result, Ticks
from bus.messages.records import Commit
from bus.messages.trades import Attempt, AttemptState, Purpose, Side, Trade, TradeState
from tests.rules.account.builders import (
    Accounts,
    D,
    a_balance,
    a_fill,
    a_holding,
    a_pending,
    a_rule,
    an_event,
    filled,
)
from tests.rules.stops.builders import Watch, a_beat, a_coin_quote, a_coin_trade, a_quote, at

# 1000 dollars of cash and 1000 contracts: at 0.60 the equity is 1600 and the limit 1120, which is reached at 0.12.


@pytest.mark.parametrize(("bid", "fires"), [("0.13", False), ("0.12", True), ("0.11", True)])
def test_it_fires_at_its_limit(bid: str, fires: bool) -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"), a_quote(2, bid, "0.62"))

    assert bool(accounts.drawdowns) is fires


def test_the_decision_names_its_inputs_and_its_guard() -> None:
    (fired,) = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"), a_quote(2, "0.10", "0.62")).drawdowns

    values = {name: given.value for name, given in fired.inputs.items()}
    assert values == {"equity": 1100, "high": 1600, "limit": 1120, "cash": 1000}
    assert [(guard.name, guard.passed, guard.limit) for guard in fired.guards] == [("confirm_ticks", True, D(1))]
    assert (fired.account, fired.number, fired.settings_version) == ("acc", 1, 7)


@pytest.mark.parametrize(("part", "fires"), [(Part.WHOLE, True), (Part.KEPT, False), (Part.WITNESS, False)])
def test_it_is_not_judged_in_the_middle_of_a_folded_flood(part: Part, fires: bool) -> None:
    """Fault 40: what else the account holds was not worth then what the last tick of it says."""
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"))

    accounts.hear(Ticks(batch=(a_quote(2, "0.10", "0.62"),), received_ns=at(2), part=part))
    accounts.hear(Ticks(batch=(a_quote(3, "0.60", "0.62"),), received_ns=at(3), part=part))
    accounts.hear(Ticks(batch=(), received_ns=at(3), part=Part.END))

    assert bool(accounts.drawdowns) is fires


def test_it_is_judged_at_the_end_of_a_folded_flood() -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"))

    accounts.hear(Ticks(batch=(a_quote(2, "0.10", "0.62"),), received_ns=at(2), part=Part.KEPT))
    accounts.hear(Ticks(batch=(), received_ns=at(2), part=Part.END))

    assert len(accounts.drawdowns) == 1


@pytest.mark.parametrize(("ticks", "fires"), [(1, False), (2, True)])
def test_it_wants_as_many_ticks_as_asked_for(ticks: int, fires: bool) -> None:
    """Lesson 46: confirm ticks."""
    accounts = Accounts(a_holding(), rule=a_rule(confirm_ticks=2)).tick(a_quote(1, "0.60", "0.62"))

    accounts.tick(*(a_quote(2 + 0.5 * number, "0.10", "0.62") for number in range(ticks)))

    assert bool(accounts.drawdowns) is fires


def test_one_good_tick_begins_the_count_anew() -> None:
    accounts = Accounts(a_holding(), rule=a_rule(confirm_ticks=2)).tick(a_quote(1, "0.60", "0.62"))

    accounts.tick(a_quote(2, "0.10", "0.62"), a_quote(2.5, "0.60", "0.62"), a_quote(3, "0.10", "0.62"))

    assert accounts.drawdowns == []


def test_the_same_instant_counts_once() -> None:
    accounts = Accounts(a_holding(), rule=a_rule(confirm_ticks=2)).tick(a_quote(1, "0.60", "0.62"))

    accounts.tick(a_quote(2, "0.10", "0.62"), a_quote(2, "0.10", "0.62"))

    assert accounts.drawdowns == []


def test_a_tick_that_stands_confirms_itself() -> None:
    accounts = Accounts(a_holding(), rule=a_rule(confirm_ticks=2)).tick(a_quote(1, "0.60", "0.62"))
    accounts.tick(a_quote(5, "0.10", "0.62"))

    before = len(accounts.wait(6.9).drawdowns)
    after = len(accounts.wait(7).drawdowns)

    assert (before, after) == (0, 1)


def test_it_fires_once_until_a_person_resumes() -> None:
    accounts = Accounts(a_holding()).tick(
        *(a_quote(1 + n, bid, "0.62") for n, bid in enumerate(["0.60", "0.1", "0.1"]))
    )
    once = len(accounts.drawdowns)
    accounts.hear(an_event("resume", 4))
    accounts.tick(a_quote(5, "0.10", "0.62"))

    assert (once, [fired.number for fired in accounts.drawdowns]) == (1, [1, 2])


def test_it_is_said_again_until_the_desk_has_acted() -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"), a_quote(2, "0.10", "0.62"))
    again = len(accounts.wait(8).drawdowns)
    accounts.hear(an_event("reduce_only", 9))

    assert (again, len(accounts.wait(60).drawdowns), {fired.number for fired in accounts.drawdowns}) == (2, 2, {1})


def test_a_trade_without_a_mark_makes_the_equity_unknown() -> None:
    accounts = Accounts(a_holding(), a_holding("t2", ticker="OTHER"))
    accounts.tick(a_quote(1, "0.60", "0.62"), a_quote(1, "0.60", "0.62", ticker="OTHER"))

    accounts.tick(a_quote(2, None, None, ticker="OTHER"), a_quote(3, "0.01", "0.62"))

    assert accounts.drawdowns == []
    assert (accounts.standing.drawdown, accounts.standing.why) == ("not_armed", "empty_book of OTHER")


def test_a_feed_that_falls_silent_makes_the_equity_unknown_and_its_next_word_known_again() -> None:
    """Fault 30: no decision on what is stale."""
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"))
    silent = accounts.wait(40).standing.why
    accounts.tick(a_beat(42))

    assert (silent, accounts.standing.drawdown) == ("feed_silent of " + a_holding().ticker, "armed")


def test_a_source_that_may_be_used_again_makes_the_equity_known_again_though_another_ticker_says_so() -> None:
    """Fault 31"""
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"))
    ahead = accounts.tick(a_quote(9, "0.60", "0.62"), received=at(2)).standing.why
    accounts.tick(a_quote(4, "0.60", "0.62", ticker="OTHER"))

    assert (ahead, accounts.standing.drawdown) == ("clock_ahead of " + a_holding().ticker, "armed")


def test_a_shorter_silence_that_is_announced_makes_the_equity_unknown_by_then() -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"), a_beat(2, max_silence_s=5))

    assert accounts.wait(7.1).standing.why == "feed_silent of " + a_holding().ticker


def test_a_bound_fires_only_if_all_of_it_does() -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"))

    above = len(accounts.tick(a_quote(2, None, "0.20")).drawdowns)
    below = len(accounts.tick(a_quote(3, None, "0.10")).drawdowns)

    assert (above, below) == (0, 1)


def test_both_sides_of_one_ticker_move_as_one() -> None:
    """What yes loses, no wins: in between nobody is poorer."""
    accounts = Accounts(a_holding(), a_holding("t2", side=Side.NO), cash="0")
    accounts.tick(a_quote(1, "0.60", "0.60", no_bid="0.40", no_ask="0.40"))

    accounts.tick(a_quote(2, "0.10", "0.10", no_bid="0.90", no_ask="0.90"))

    assert accounts.drawdowns == []
    assert accounts.standing.equity_low == 1000


def test_a_short_counts_negative() -> None:
    short = a_coin_trade(account="acc", side=Side.SHORT)
    accounts = Accounts(short).tick(a_coin_quote(1, "99", "100"))

    assert accounts.standing.equity_low == 800


def test_an_account_whose_cash_nobody_states_is_not_armed_and_people_are_told_once() -> None:
    accounts = Accounts(a_holding(), a_holding("t2"), cash=None).tick(
        a_quote(1, "0.60", "0.62"), a_quote(2, "0.01", "0.62")
    )

    assert (accounts.drawdowns, accounts.notices) == ([], ["drawdown_not_armed"])
    assert (accounts.standing.drawdown, accounts.standing.why) == ("not_armed", "no_balance")


def test_the_warning_that_a_rule_cannot_work_has_the_instant_at_which_it_was_turned_on() -> None:
    accounts = Accounts(a_holding(), rule=a_rule(None), cash=None)
    accounts.hear(a_rule(now_ns=at(5)))

    [warned] = [word for word in accounts.said if isinstance(word, Commit) for word in word.notices]
    assert (warned.kind, warned.ts) == ("drawdown_not_armed", at(5))


def test_how_an_account_stands_is_told_again_only_where_it_has_changed() -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62")).wait(2)
    told = [word for word in accounts.said if isinstance(word, EquityStanding)]

    accounts.tick(a_quote(3, "0.60", "0.62")).wait(4)

    assert [word for word in accounts.said if isinstance(word, EquityStanding)] == told


def test_without_the_rule_nothing_is_kept_of_ticks() -> None:
    accounts = Accounts(a_holding(), rule=a_rule(None)).tick(a_quote(1, "0.60", "0.62"), a_quote(2, "0.01", "0.62"))

    assert not accounts.engine._accounts.holds_anything
    assert (accounts.drawdowns, accounts.standing.drawdown) == ([], "off")


def test_a_rule_that_is_turned_off_lets_go_what_it_looked_at() -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"))

    accounts.hear(a_rule(None))

    assert not accounts.engine._accounts.holds_anything


def test_equity_is_what_closing_would_bring_in_the_style_of_its_venue() -> None:
    engine = StopEngine(styles={"paper": "buy_opposite"})
    accounts = Accounts(a_holding(), engine=engine).tick(a_quote(1, "0.60", "0.62", no_bid="0.30", no_ask="0.45"))

    assert accounts.standing.equity_low == 1550


def test_a_rebuilt_engine_goes_on_with_the_high_and_the_rule_of_the_lost_one() -> None:
    """Fault 41"""
    before = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"))

    after = Watch(*before.engine.progress(), a_holding(), engine=StopEngine(started_ns=at(2)))
    after.tick(a_quote(3, "0.10", "0.62"))

    assert [word.account for word in after.said if isinstance(word, DrawdownFired)] == ["acc"]


def test_a_rule_that_is_turned_off_and_on_begins_anew() -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"))
    accounts.hear(a_rule(None))
    accounts.tick(a_quote(2, "0.10", "0.12"))
    accounts.hear(a_rule())

    assert (accounts.drawdowns, accounts.standing.high) == ([], D(1100))


# Buying, selling, settling: none of them is a drawdown


def test_buying_moves_no_equity() -> None:
    pending = a_pending()
    accounts = Accounts(pending).tick(a_quote(1, "0.60", "0.60"))
    accounts.hear(filled(pending, a_fill(2, "1000", "0.60")))

    assert (accounts.standing.equity_low, accounts.standing.high) == (D(1000), D(1000))


@pytest.mark.parametrize("balance_first", [True, False])
def test_selling_most_of_an_account_is_no_drawdown_whoever_says_it_first(balance_first: bool) -> None:
    """Lesson 46: the cash of a sale is in the balance before or after its fill is heard."""
    held = a_holding(quantity="10000")
    accounts = Accounts(held).tick(a_quote(1, "0.60", "0.60"))
    sold = filled(held, a_fill(2, "10000", "0.60", Purpose.CLOSE))
    words = [a_balance(3, "7000"), sold]

    for word in words if balance_first else reversed(words):
        accounts.hear(word)
        accounts.tick(a_quote(4, "0.60", "0.60"))
    accounts.wait(120)

    assert (accounts.drawdowns, accounts.standing.equity_low, accounts.standing.high) == ([], D(7000), D(7000))


@pytest.mark.parametrize("lag_s", [1, 59])
def test_a_settlement_whose_money_is_not_in_the_balance_yet_is_no_drawdown(lag_s: int) -> None:
    """Lesson 46: the very glitch that halted an account which had won."""
    held = a_holding(quantity="10000")
    accounts = Accounts(held).tick(a_quote(1, "0.98", "0.99"))
    accounts.hear(msgspec.structs.replace(held, version=4, state=TradeState.EXPIRED, result=Result.YES))
    accounts.hear(
        settled := msgspec.structs.replace(
            held, version=5, state=TradeState.SETTLED, result=Result.YES, open_quantity=D(0), ts=at(10)
        )
    )
    accounts.hear(a_balance(10 + lag_s, "1000"))
    accounts.wait(75)
    accounts.hear(a_balance(80, "11000"))

    assert settled.filled_quantity == 10000
    assert (accounts.drawdowns, accounts.standing.equity_low) == ([], D(11000))


def test_settlement_money_that_has_not_come_after_its_grace_is_a_loss() -> None:
    held = a_holding(quantity="10000")
    accounts = Accounts(held).tick(a_quote(1, "0.98", "0.99"))
    accounts.hear(
        msgspec.structs.replace(
            held, version=5, state=TradeState.SETTLED, result=Result.YES, open_quantity=D(0), ts=at(10)
        )
    )

    accounts.run_to(at(70))
    accounts.hear(a_balance(70, "1000"))

    assert len(accounts.drawdowns) == 1


def test_what_awaits_its_settlement_is_worth_something_between_nothing_and_a_dollar() -> None:
    held = a_holding()
    accounts = Accounts(held).tick(a_quote(1, "0.60", "0.62"))
    accounts.hear(msgspec.structs.replace(held, version=4, state=TradeState.EXPIRED))
    waiting = accounts.standing
    accounts.hear(msgspec.structs.replace(held, version=5, state=TradeState.EXPIRED, result=Result.NO))
    known = accounts.standing

    assert (waiting.equity_low, waiting.equity_high) == (D(1000), D(2000))
    assert (known.equity_low, known.equity_high) == (D(1000), D(1000))


# Transfers, rebase


@pytest.mark.parametrize(("cash", "high"), [("400", "1000"), ("2600", "3200")])
def test_a_transfer_moves_the_high_and_not_the_distance_from_it(cash: str, high: str) -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"))
    accounts.hear(a_balance(2, cash))
    accounts.tick(*(a_quote(second, "0.60", "0.62") for second in range(3, 70, 10)))

    assert (accounts.drawdowns, accounts.standing.high) == ([], D(high))
    assert accounts.notices == ["transfer"]


def test_a_withdrawal_keeps_an_account_as_far_below_its_high_as_it_was() -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"), a_quote(2, "0.20", "0.22"))
    accounts.hear(a_balance(3, "600"))
    accounts.tick(*(a_quote(second, "0.20", "0.22") for second in range(4, 70, 10)))
    standing = accounts.standing

    assert accounts.drawdowns == []
    assert (standing.equity_low, standing.high) == (D(800), D("1066.666666666667"))


def test_a_balance_is_not_believed_while_an_order_is_on_its_way() -> None:
    held = a_holding(quantity="10000")
    flying = msgspec.structs.replace(held, version=4, attempts=(an_attempt(),))
    accounts = Accounts(flying).tick(a_quote(1, "0.60", "0.60"))
    accounts.hear(a_balance(2, "7000"))
    accounts.tick(*(a_quote(second, "0.60", "0.60") for second in range(3, 200, 20)))
    accounts.hear(filled(flying, a_fill(2, "10000", "0.60", Purpose.CLOSE)))

    assert (accounts.drawdowns, accounts.notices, accounts.standing.high) == ([], [], D(7000))


def an_attempt() -> Attempt:
    """A close whose fate is not known yet."""
    return Attempt(
        client_order_id="t1-close-1", purpose=Purpose.CLOSE, attempt=1, state=AttemptState.UNKNOWN, quantity=D(10_000)
    )


def test_an_emptied_account_begins_anew_with_what_is_paid_in() -> None:
    accounts = Accounts(rule=a_rule(settle_grace_ns=0))
    accounts.hear(a_balance(1, "0"))
    emptied = accounts.wait(3).standing
    accounts.hear(a_balance(5, "300"))
    accounts.wait(7)

    assert (emptied.drawdown, emptied.why, accounts.standing.high) == ("not_armed", "no_equity", D(300))


def test_a_rebase_takes_the_equity_of_now_as_the_high() -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"), a_quote(2, "0.20", "0.22"))
    accounts.hear(an_event("rebase", 3, None))
    accounts.tick(a_quote(4, "0.10", "0.12"))

    assert (accounts.drawdowns, accounts.standing.high) == ([], D(1200))


def test_a_rebase_of_another_account_changes_nothing() -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"), a_quote(2, "0.20", "0.22"))
    accounts.hear(an_event("rebase", 3, "other"))

    assert accounts.standing.high == 1600


def test_what_fired_is_quiet_after_a_rebase_even_before_it_is_resumed() -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"), a_quote(2, "0.10", "0.12"))
    accounts.hear(an_event("rebase", 3))
    accounts.tick(a_quote(4, "0.10", "0.12"))

    assert (len(accounts.drawdowns), accounts.standing.drawdown) == (1, "armed")


# Restart


def after_restart(accounts: Accounts, *words: object) -> Accounts:
    """Another engine, from what the first one has committed."""
    kept: dict[str, AccountProgress] = {}
    for commit in accounts.commits:
        kept |= {progress.account: progress for progress in commit.account_progress}
    engine = StopEngine(started_ns=accounts.now_ns)
    for progress in kept.values():
        engine.handle(progress)
    engine.remember(word for word in words if isinstance(word, Trade))
    again = Accounts(rule=a_rule(None), cash=None)
    again.engine, again.said, again.timers, again.now_ns = engine, [], {}, accounts.now_ns
    for word in (a_rule(), *words):
        again.hear(word)
    return again


def test_the_high_survives_a_restart() -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62")).wait(2)

    again = after_restart(accounts, a_holding()).tick(a_quote(3, "0.12", "0.62"))

    assert [fired.inputs["high"].value for fired in again.drawdowns] == [D(1600)]


def test_the_count_of_its_ticks_survives_a_restart() -> None:
    accounts = Accounts(a_holding(), rule=a_rule(confirm_ticks=2))
    accounts.tick(a_quote(1, "0.60", "0.62"), a_quote(2, "0.10", "0.62")).wait(2.5)

    again = after_restart(accounts)
    again.hear(a_rule(confirm_ticks=2))
    again.hear(a_holding())
    again.tick(a_quote(3, "0.10", "0.62"))

    assert len(again.drawdowns) == 1


def test_what_was_moved_and_not_kept_is_found_on_the_record_after_a_restart() -> None:
    accounts = Accounts(a_pending()).tick(a_quote(1, "0.60", "0.60")).wait(1.5)

    again = after_restart(accounts, filled(a_pending(), a_fill(2, "1000", "0.60"))).tick(a_quote(3, "0.60", "0.60"))

    assert again.standing.equity_low == 1000


def test_what_has_fired_stays_fired_after_a_restart() -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"), a_quote(2, "0.10", "0.12"))
    (fired,) = accounts.drawdowns
    again = Accounts(fired.progress, a_rule(), a_holding(), rule=a_rule(None), cash=None)

    again.tick(a_quote(3, "0.10", "0.12")).wait(20)

    assert (again.drawdowns, again.standing.drawdown) == ([], "fired")


def test_the_record_is_written_at_most_once_in_an_interval() -> None:
    accounts = Accounts(a_holding())
    accounts.tick(*(a_quote(1 + number / 100, f"0.{30 + number}", "0.99") for number in range(50))).wait(3)

    assert len([commit for commit in accounts.commits if commit.account_progress]) <= 4


# What somebody else does at the venue


@pytest.mark.parametrize("balance_first", [True, False])
def test_somebody_elses_close_at_an_unknown_price_is_no_drawdown(balance_first: bool) -> None:
    held = a_holding(quantity="10000")
    accounts = Accounts(held).tick(a_quote(1, "0.60", "0.60"))
    gone = msgspec.structs.replace(
        held, version=4, state=TradeState.CLOSED, open_quantity=D(0), closed_quantity=D(10_000),
        unpriced_quantity=D(10_000), ts=at(2),
    )  # fmt: skip
    words = [a_balance(3, "6900"), gone]

    accounts.hear(words[0] if balance_first else words[1])
    accounts.tick(a_quote(4, "0.60", "0.60"))
    accounts.hear(words[1] if balance_first else words[0])

    assert (accounts.drawdowns, accounts.standing.equity_low, accounts.standing.high) == ([], D(6900), D(7000))


def test_what_is_kept_after_a_restart_is_later_than_what_was_kept_before_though_the_clock_was_set_back() -> None:
    """Fault 38"""
    account = Account("acc")
    account.restore(AccountProgress(account="acc", ts=at(100)))

    assert account.keep(at(50)).ts > at(100)


def test_a_fill_that_is_older_than_the_balance_by_a_grace_period_is_in_it() -> None:
    accounts = Accounts(cash="1000").tick(a_quote(1, "0.60", "0.60"))
    accounts.hear(a_balance(100, "1000"))

    accounts.hear(filled(a_pending(), a_fill(30, "1000", "0.60")))

    assert accounts.standing.cash == 1000
