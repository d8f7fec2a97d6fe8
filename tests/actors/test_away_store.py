"""PostgreSQL for a house that began without it."""

import pytest

from actors.away_store import AwayStore
from bus.messages.failures import StoreUnavailable
from bus.messages.records import Commit, Query


class Server:
    """Refuses as long as it is told to."""

    def __init__(self) -> None:
        self.refusal: Exception | None = StoreUnavailable("connection refused")
        self.reached = 0

    def reach(self) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.reached += 1


def outcomes(store: AwayStore, count: int) -> list[str]:
    said = []
    for _ in range(count):
        with pytest.raises(StoreUnavailable) as refused:
            store.commit([Commit(sender="test", cause="test", now_ns=1)])
        said.append(str(refused.value))
    return said


def test_it_takes_nothing_even_once_postgresql_is_back_and_says_so_once() -> None:
    """Fault 49: what was decided without the record is never written from here."""
    server, back = Server(), list[str]()
    store = AwayStore(server.reach, lambda: back.append("back"))

    outcomes(store, 2)
    server.refusal = None
    outcomes(store, 3)

    assert (server.reached, back) == (1, ["back"])


def test_a_schema_that_does_not_fit_keeps_the_stops_going() -> None:
    server = Server()
    server.refusal = RuntimeError("the schema is of another version")

    assert outcomes(AwayStore(server.reach, lambda: None), 1) == ["the schema is of another version"]


def test_it_answers_no_question() -> None:
    store = AwayStore(lambda: None, lambda: None)

    with pytest.raises(StoreUnavailable):
        store.recover()
    with pytest.raises(StoreUnavailable):
        store.query(Query(kind="trade", arguments={}, reply_to="_INBOX.1", now_ns=1))
    with pytest.raises(StoreUnavailable):
        store.mark_published([], 1)
