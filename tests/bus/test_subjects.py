"""The table of subjects: parsing, streams, prefix."""

import pytest

from bus import subjects
from bus.messages import addresses
from bus.subjects import ROUTES, Prefix, Route, UnknownSubject, matches, parse, stream_subjects

DESIGN_STREAMS = {
    "ORDERS": "order.epoch order.submit.> order.cancel.> order.report.>",
    "LEDGER": "trade.command.> trade.event.> account.position.> account.settlement.> account.balance.> stop.decision.> "
    "stop.coverage.> settings.event.> system.event.> market.lifecycle.>",
    "NOTICES": "notice.info.> notice.warning.> notice.critical.>",
    "MARKET": "market.quote.> market.price.> market.probability.> market.momentum.> market.feed.>",
}


def filled(route: Route) -> str:
    examples = {"<severity>": "info"}
    return ".".join(examples.get(token, "x%2E1" if token.startswith("<") else token) for token in route.tokens)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.pattern)
def test_every_subject_of_the_table_parses_to_its_own_row(route: Route) -> None:
    """Lesson 52"""
    assert parse(filled(route)).route is route


def test_tokens_come_back_as_they_were_before_escaping() -> None:
    address = parse(f"market.quote.{addresses.escape('KX 1.5%>*')}")

    assert dict(address.tokens) == {"ticker": "KX 1.5%>*"}


@pytest.mark.parametrize(
    "subject",
    [
        "",
        ".",
        "market",
        "market.quote",
        "market.quote.a.b",
        "market.quote.",
        "market.quote.%2",
        "Market.quote.x",
        "order.epoch.1",
    ],
)
def test_a_subject_that_is_not_in_the_table_has_no_fallback(subject: str) -> None:
    """Lesson 65"""
    with pytest.raises(UnknownSubject):
        parse(subject)


@pytest.mark.parametrize(("stream", "wanted"), DESIGN_STREAMS.items())
def test_each_stream_takes_what_the_design_says(stream: str, wanted: str) -> None:
    assert set(stream_subjects(stream)) == set(wanted.split())


def test_no_stream_captures_a_request() -> None:
    captured = [subject for stream in DESIGN_STREAMS for subject in stream_subjects(stream)]

    asked = [filled(route) for route in ROUTES if ".request." in route.pattern]

    assert not [(one, each) for one in asked for each in captured if matches(each, one)]


def test_no_two_streams_take_the_same_subject() -> None:
    for route in ROUTES:
        takers = [name for name in DESIGN_STREAMS if any(matches(s, filled(route)) for s in stream_subjects(name))]

        assert takers == ([route.stream] if route.stream else [])


def test_a_prefix_goes_on_and_comes_off() -> None:
    prefix = Prefix("blue.one")

    assert prefix.remove(prefix.add("order.epoch")) == "order.epoch"
    assert prefix.stream("ORDERS") == "blue_one_ORDERS"


def test_a_longer_first_token_is_not_the_prefix() -> None:
    with pytest.raises(UnknownSubject):
        Prefix("blue").remove("bluegreen.order.epoch")


def test_the_table_has_no_row_twice() -> None:
    assert len({route.pattern for route in subjects.ROUTES}) == len(subjects.ROUTES)
