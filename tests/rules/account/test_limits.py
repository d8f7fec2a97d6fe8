"""The hard limits of new risk (Fault 57), each at its boundary: at the limit an entry passes, beyond it not."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from actors.rules.account.entries import Entries
from actors.rules.account.exposure import Exposure, Exposures, at_risk
from actors.rules.account.limits import EntryLimits, Limits, refusal, refusal_by_price
from bus.messages.system import Error, ErrorCode
from bus.messages.trades import Attempt, AttemptState, Mode, Purpose, Side, Trade, TradeState
from bus.messages.units import NS_PER_S

D = Decimal
NOW_NS = 1_800_000_000 * NS_PER_S


def an_entry(**changes: Any) -> Trade:
    """Ten yes contracts, at most 0.60 each."""
    trade = Trade(
        trade_id="new", state=TradeState.REQUESTED, version=0, account="acc", venue="paper", mode=Mode.PAPER, ticker="T",
        side=Side.YES, quantity=D(10), ts=NOW_NS, limit_price=D("0.60"),
    )  # fmt: skip
    return msgspec.structs.replace(trade, **changes)


def begun(*ages_s: float, ticker: str = "T", account: str = "acc") -> Entries:
    """Entries begun so many seconds ago."""
    entries = Entries()
    for age_s in sorted(ages_s, reverse=True):
        entries.note(an_entry(ticker=ticker, account=account), NOW_NS - int(age_s * NS_PER_S))
    return entries


def judged(
    entry: Trade | None = None,
    *,
    entries: Entries | None = None,
    exposure: Exposure | None = None,
    same: int = 0,
    every: dict[str, Any] | None = None,
    **own: Any,
) -> str | None:
    """The limit that refuses the entry, None if it passes."""
    limits = Limits(each=EntryLimits(**own), **(every or {}))
    found = refusal(entry or an_entry(), limits, entries or Entries(), exposure or Exposure(), same=same, now_ns=NOW_NS)
    return named(found)


def priced(entry: Trade, price: str | None, *, exposure: Exposure | None = None, **own: Any) -> str | None:
    """The same, once it is known what entering would cost."""
    limits = Limits(each=EntryLimits(**own))
    return named(refusal_by_price(entry, limits, exposure or Exposure(), None if price is None else D(price)))


def named(error: Error | None) -> str | None:
    if error is None:
        return None
    assert error.code == "limit"
    return error.message.split()[2]


@pytest.mark.parametrize(("limit", "refused"), [("9.99", True), ("10", False), ("0", False)])
def test_the_quantity_of_one_entry(limit: str, refused: bool) -> None:
    assert (judged(max_quantity=D(limit)) == "max_quantity") is refused


@pytest.mark.parametrize(("limit", "refused"), [("5.99", True), ("6", False), ("0", False)])
def test_the_dollars_of_one_entry(limit: str, refused: bool) -> None:
    assert (judged(max_notional=D(limit)) == "max_notional") is refused


def test_an_event_contract_without_a_limit_price_costs_a_dollar_at_most() -> None:
    entry = an_entry(limit_price=None)

    assert (judged(entry, max_notional=D("9.99")), judged(entry, max_notional=D(10))) == ("max_notional", None)


@pytest.mark.parametrize(("ask", "refused"), [("100.01", True), ("100", False), (None, True)])
def test_a_linear_entry_without_a_limit_price_costs_what_the_market_asks(ask: str | None, refused: bool) -> None:
    """Nobody quotes: then nobody knows, and nothing is opened."""
    entry = an_entry(side=Side.LONG, limit_price=None)

    assert judged(entry, max_notional=D(1000)) is None
    assert (priced(entry, ask, max_notional=D(1000)) == "max_notional") is refused


@pytest.mark.parametrize(("limit", "refused"), [(2, True), (3, False), (0, False)])
def test_the_entries_of_one_account_in_a_second(limit: int, refused: bool) -> None:
    entries = begun(0.1, 0.999, 1, 30)

    assert (judged(entries=entries, max_entries_per_second=limit) == "max_entries_per_second") is refused


@pytest.mark.parametrize(("limit", "refused"), [(3, True), (4, False)])
def test_the_entries_of_one_account_in_a_minute(limit: int, refused: bool) -> None:
    entries = begun(0.1, 30, 59.9, 60, 90)

    assert (judged(entries=entries, max_entries_per_minute=limit) == "max_entries_per_minute") is refused


@pytest.mark.parametrize(("name", "limit", "refused"), [("all_per_second", 1, True), ("all_per_second", 2, False), ("all_per_minute", 2, True), ("all_per_minute", 3, False)])  # fmt: skip
def test_the_entries_of_all_accounts_together(name: str, limit: int, refused: bool) -> None:
    entries = begun(0.5, 30, account="other")

    assert (judged(entries=entries, every={name: limit}) == name) is refused


def test_the_entries_of_another_account_do_not_count_for_this_one() -> None:
    assert judged(entries=begun(0.1, 0.2, account="other"), max_entries_per_second=1) is None


@pytest.mark.parametrize(("limit", "refused"), [(2, True), (3, False)])
def test_the_same_ticker_opened_again_and_again(limit: int, refused: bool) -> None:
    """Fault 57: loops."""
    entries = begun(1, 599.9, 600, 700)

    assert (judged(entries=entries, max_repeats=limit, repeat_window_s=D(600)) == "max_repeats") is refused


def test_another_ticker_is_no_repetition() -> None:
    assert judged(entries=begun(1, 2, ticker="U"), max_repeats=1) is None


@pytest.mark.parametrize(("same", "refused"), [(0, False), (1, True)])
def test_a_second_trade_of_one_ticker_and_side_where_one_is_allowed(same: int, refused: bool) -> None:
    """Lesson 53: the natural key of a trade, where an operator wants it to be one; closed, never open, when in doubt."""
    assert (judged(same=same, max_same=1) == "max_same") is refused


@pytest.mark.parametrize(("open_trades", "refused"), [(1, False), (2, True)])
def test_the_trades_that_an_account_has_open(open_trades: int, refused: bool) -> None:
    assert (judged(exposure=Exposure(trades=open_trades), max_open_trades=2) == "max_open_trades") is refused


@pytest.mark.parametrize(("dollars", "refused"), [("94", False), ("94.01", True)])
def test_the_dollars_that_an_account_has_at_risk(dollars: str, refused: bool) -> None:
    """S11"""
    assert (judged(exposure=Exposure(1, D(dollars)), max_exposure=D(100)) == "max_exposure") is refused


@pytest.mark.parametrize(("ask", "refused"), [("0.50", False), ("0.49", True), (None, False)])
def test_an_entry_that_bids_far_beyond_the_market(ask: str | None, refused: bool) -> None:
    """Fault 57: a price of 0.60 where 0.06 was meant."""
    assert (priced(an_entry(), ask, price_band=D("0.10")) == "price_band") is refused


@pytest.mark.parametrize(
    ("side", "limit_price", "price", "refused"),
    [
        (Side.LONG, "110", "100", False),
        (Side.LONG, "220", "200", False),
        (Side.LONG, "110.01", "100", True),
        (Side.LONG, "50", "100", False),
        (Side.SHORT, "90", "100", False),
        (Side.SHORT, "89.99", "100", True),
        (Side.SHORT, "150", "100", False),
    ],
)
def test_a_linear_entry_may_reach_so_many_percent_beyond_the_market(
    side: Side, limit_price: str, price: str, refused: bool
) -> None:
    entry = an_entry(side=side, limit_price=D(limit_price))

    assert (priced(entry, price, price_band_percent=D(10)) == "price_band_percent") is refused


@pytest.mark.parametrize(
    ("own", "words", "retry"),
    [
        ({"max_quantity": D(5)}, "max_quantity of the account acc is 5; asked for: 10", False),
        ({"max_notional": D(5)}, "max_notional of the account acc is 5; asked for: 6.00", False),
        ({"max_exposure": D(7)}, "max_exposure of the account acc is 7; asked for: 6.00 more than 2", True),
        ({"max_entries_per_second": 2}, "max_entries_per_second of the account acc is 2; asked for: number 3", True),
        ({"max_open_trades": 1}, "max_open_trades of the account acc is 1; asked for: number 2", True),
    ],
)
def test_a_refusal_names_the_limit_its_value_what_was_asked_for_and_whether_to_ask_again(
    own: dict[str, Any], words: str, retry: bool
) -> None:
    found = refusal(
        an_entry(), Limits(each=EntryLimits(**own)), begun(0.1, 0.2), Exposure(1, D(2)), same=0, now_ns=NOW_NS
    )

    assert found == refused(words, retry=retry)


def refused(words: str, *, retry: bool) -> Error:
    return Error(code=ErrorCode.LIMIT, message=f"The limit {words}. Nothing was opened.", retry=retry)


def test_a_limit_of_all_accounts_is_named_as_theirs() -> None:
    entries = begun(0.1, 0.2, account="other")

    found = refusal(an_entry(), Limits(all_per_second=2), entries, Exposure(), same=0, now_ns=NOW_NS)

    assert found == refused("all_per_second of all accounts together is 2; asked for: number 3", retry=True)


@pytest.mark.parametrize(
    ("own", "name"),
    [(EntryLimits(max_notional=D(9)), "max_notional"), (EntryLimits(max_exposure=D(9)), "max_exposure")],
)
def test_an_entry_at_any_price_is_refused_by_name_where_nobody_quotes(own: EntryLimits, name: str) -> None:
    entry = an_entry(side=Side.LONG, limit_price=None)

    found = refusal_by_price(entry, Limits(each=own), Exposure(), None)

    words = f"{name} of the account acc is 9; asked for: an entry without a limit_price, and nobody quotes"
    assert found == refused(words, retry=False)


@pytest.mark.parametrize(
    ("entry", "own", "wanted"),
    [
        (an_entry(), {"max_notional": D(9), "max_exposure": D(9)}, False),
        (an_entry(limit_price=None), {"max_quantity": D(9)}, False),
        (an_entry(limit_price=None), {"max_notional": D(9)}, True),
        (an_entry(limit_price=None), {"max_exposure": D(9)}, True),
        (an_entry(), {"price_band": D("0.10")}, True),
        (an_entry(), {"price_band_percent": D(10)}, False),
        (an_entry(side=Side.SHORT), {"price_band_percent": D(10)}, True),
    ],
)
def test_the_market_is_asked_only_where_the_account_s_own_limits_need_its_price(
    entry: Trade, own: dict[str, Any], wanted: bool
) -> None:
    assert Limits(accounts={"acc": EntryLimits(**own)}).want_price(entry) is wanted


def test_an_account_of_its_own_has_its_own_limits() -> None:
    limits = Limits(each=EntryLimits(max_quantity=D(5)), accounts={"acc": EntryLimits(max_quantity=D(20))})
    entries, exposure = Entries(), Exposure()

    own = refusal(an_entry(), limits, entries, exposure, same=0, now_ns=NOW_NS)
    other = refusal(an_entry(account="other"), limits, entries, exposure, same=0, now_ns=NOW_NS)

    assert (named(own), named(other)) == (None, "max_quantity")


def test_a_refusal_for_the_market_s_price_names_the_band_of_its_account() -> None:
    limits = Limits(accounts={"acc": EntryLimits(price_band=D("0.05"))})

    found = refusal_by_price(an_entry(), limits, Exposure(), D("0.40"))

    words = "price_band of the account acc is 0.05; asked for: a limit of 0.60, 0.20 beyond the market's 0.40"
    assert found == refused(words, retry=True)


def test_a_clock_that_is_set_back_makes_no_room() -> None:
    """Fault 38"""
    entries = begun(0.1)
    entries.note(an_entry(), NOW_NS - 3600 * NS_PER_S)

    assert judged(entries=entries, max_entries_per_second=2) == "max_entries_per_second"


def test_of_too_many_tickers_the_one_that_was_quiet_for_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 40: what is kept does not grow with the tickers."""
    monkeypatch.setattr("actors.rules.account.entries._PLACES_MAX", 4)  # All, the account, and two tickers.
    entries = Entries()

    for ticker in ("A", "B", "A", "C"):
        entries.note(an_entry(ticker=ticker), NOW_NS)

    assert [entries.on_ticker("acc", ticker, 0) for ticker in "ABC"] == [2, 0, 1]
    assert (entries.of("acc", 0), entries.of_all(0)) == (4, 4)


# What is at risk


def an_attempt(state: AttemptState, filled: str = "0") -> Attempt:
    return Attempt(
        client_order_id="t-entry-1", purpose=Purpose.ENTRY, attempt=1, state=state, quantity=D(10), filled=D(filled)
    )


@pytest.mark.parametrize(
    ("state", "filled", "dollars"),
    [
        (AttemptState.SENT, "0", "6.00"),
        (AttemptState.UNKNOWN, "0", "6.00"),
        (AttemptState.UNKNOWN, "4", "5.60"),
        (AttemptState.DEAD, "4", "2.00"),
        (AttemptState.DEAD, "0", "0"),
    ],
)
def test_an_entry_counts_for_all_that_it_may_still_buy(state: AttemptState, filled: str, dollars: str) -> None:
    """S11: what is unknown counts as if it were filled."""
    trade = an_entry(
        attempts=(an_attempt(state, filled),), open_quantity=D(filled), entry_price=D("0.50") if D(filled) else None
    )

    assert at_risk(trade) == D(dollars)


def test_what_is_at_risk_follows_every_change_and_ends_with_the_trade() -> None:
    exposures = Exposures()
    pending = an_entry(state=TradeState.PENDING, attempts=(an_attempt(AttemptState.SENT),))
    held = msgspec.structs.replace(
        pending, attempts=(an_attempt(AttemptState.DEAD, "10"),), open_quantity=D(10), entry_price=D("0.50")
    )
    seen = []

    for trade in (pending, pending, held, msgspec.structs.replace(held, state=TradeState.CLOSED)):
        exposures.note(trade)
        seen.append(exposures.of("acc"))

    assert seen == [Exposure(1, D("6.00")), Exposure(1, D("6.00")), Exposure(1, D("5.00")), Exposure()]


def test_what_is_at_risk_is_the_sum_over_the_trades_that_have_not_ended() -> None:
    """S11"""
    exposures = Exposures()
    first, second = (an_entry(trade_id=name, attempts=(an_attempt(AttemptState.SENT),)) for name in "ab")

    for trade in (first, second, msgspec.structs.replace(first, state=TradeState.CLOSED)):
        exposures.note(trade)

    assert exposures.of("acc") == Exposure(1, D("6.00"))


@pytest.mark.parametrize(("side", "paid", "dollars"), [(Side.YES, "0.50", "8.00"), (Side.LONG, "100", "1000")])
def test_the_rest_of_an_entry_at_any_price_may_cost_a_dollar_each_or_as_much_as_the_filled_part(
    side: Side, paid: str, dollars: str
) -> None:
    """S11"""
    trade = an_entry(
        side=side, limit_price=None, attempts=(an_attempt(AttemptState.SENT, "4"),), open_quantity=D(4), entry_price=D(paid)
    )  # fmt: skip

    assert at_risk(trade) == D(dollars)


def test_entries_on_the_record_count_each_from_its_own_instant_in_whatever_order_they_are_told() -> None:
    begun_ago = (an_entry(trade_id=name, requested_ts=NOW_NS - age * NS_PER_S, attempts=(an_attempt(AttemptState.DEAD),)) for name, age in (("a", 0), ("b", 90)))  # fmt: skip

    entries = Entries(begun_ago)

    assert (entries.of("acc", NOW_NS - NS_PER_S), entries.of("acc", 0)) == (1, 2)


def test_entries_on_the_record_count_after_a_restart_and_adoptions_never() -> None:
    entry = an_entry(requested_ts=NOW_NS - NS_PER_S // 2, attempts=(an_attempt(AttemptState.DEAD),))
    adopted = an_entry(trade_id="b", requested_ts=NOW_NS)

    entries = Entries((adopted, entry))

    assert (judged(entries=entries, max_entries_per_second=1), judged(entries=entries, max_entries_per_second=2)) == (
        "max_entries_per_second",
        None,
    )
