"""A recording as lines and back is the same; lines that are none, or would be more than data, are refused with their number."""

import gzip
import json
from pathlib import Path

import msgspec
import pytest

from bus.codec import Codec
from bus.messages.envelope import Message, Outgoing, Received
from bus.messages.market import Part, Ticks
from bus.messages.records import Commit
from bus.messages.units import NS_PER_S
from bus.recorder.lines import BadLines, LinesReader, write_lines
from bus.recorder.segments import Block, Entry
from bus.recorder.words import pack
from tests.bus.examples import OPEN
from tests.rules.stops.builders import T0, a_beat, a_momentum, a_price, a_probability, a_quote

SHIPPED = Path(__file__).parents[2] / "replay/polymarket_2026-07-14.jsonl.gz"
READ = Ticks(
    batch=(a_quote(1, "0.40", "0.42"), a_probability(1, 55), a_momentum(1, "0.2"), a_price(1, 119_000), a_beat(1)),
    received_ns=T0 + NS_PER_S,
)
FOLDED = Ticks(batch=(a_quote(2, None, "0.42"),), received_ns=T0 + 2 * NS_PER_S, part=Part.WITNESS)
QUOTE = {"ticker": "A.B", "ts": "2026-07-14T00:00:00.000000Z", "yes_bid": "0.4"}


def asked() -> Received[Message]:
    body = json.dumps({"trade_id": "T1", "reason": "x", "requested_by": "eve"}).encode()
    word = Codec().decode("trade.command.close", body, {}, T0 + 2 * NS_PER_S)
    assert isinstance(word, Received)
    return word


def a_block(*words: object, said: tuple[object, ...] = ()) -> Block:
    """What AutoStop heard of ticks and TradeDesk of the rest, as noted with everybody else who heard it."""
    entries, packed = [], [pack(word) for word in (*words, *said)]
    for number, word in enumerate(words):
        actors = ("auto_stop", "trade_watcher") if isinstance(word, Ticks) else ("trade_desk",)
        at_ns = word.received_ns  # type: ignore[attr-defined]  # both have it
        entries += [Entry(actor, at_ns, number, tuple(range(len(words), len(packed)))) for actor in actors]
    return Block(packed, entries)


def a_file(tmp_path: Path, *lines: object, name: str = "events.jsonl") -> Path:
    body = b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines)
    path = tmp_path / name
    path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
    return path


def a_line(second: int = 1, subject: str = "market.quote.A%2EB", **changes: object) -> dict[str, object]:
    return {"received": f"2026-07-14T00:00:{second:02d}.000000Z", "subject": subject, "payload": QUOTE, **changes}


def words(path: Path) -> list[object]:
    return [word for word, _ in LinesReader(path).words()]


def test_what_was_heard_comes_back_as_it_was_heard(tmp_path: Path) -> None:
    heard = (READ, FOLDED, asked())

    path = a_file(tmp_path, *write_lines(a_block(*heard), pytest.fail))

    assert words(path) == list(heard)


def test_a_tick_that_several_actors_heard_is_one_line() -> None:
    assert len(list(write_lines(a_block(READ), pytest.fail))) == 5


def test_what_was_said_is_written_where_it_is_wanted_and_never_taken_in(tmp_path: Path) -> None:
    """Fault 58"""
    sent = Commit(
        sender="x", cause="x", now_ns=T0, outbox=(Outgoing(subject="trade.command.open", msg_id="1", message=OPEN),)
    )
    lines = list(write_lines(a_block(asked(), said=(sent,)), pytest.fail, said=True))
    reader = LinesReader(a_file(tmp_path, *lines))

    found = [word for word, _ in reader.words()]

    assert [json.loads(line).get("said", False) for line in lines] == [False, True]
    assert json.loads(lines[1])["payload"]["trade_id"] == OPEN.trade_id
    assert (found, reader.left_out) == ([asked()], {"said": 1})


def test_a_word_that_cannot_be_read_is_missed_and_the_others_are_written() -> None:
    block, missed = a_block(asked(), READ), list[str]()
    words = [("Received", msgspec.Raw(b"\x91")), *block.words[1:]]

    lines = list(write_lines(Block(words, block.entries), missed.append))

    assert (len(lines), len(missed)) == (5, 1)


def test_what_a_venue_said_of_orders_is_left_to_whoever_decides_again(tmp_path: Path) -> None:
    report = {"client_order_id": "T1-close-1", "ts": "2026-07-14T00:00:00.000000Z", "status": "accepted"}
    reader = LinesReader(a_file(tmp_path, a_line(1, "order.report.T1-close-1", payload=report)))

    assert (list(reader.words()), reader.left_out) == ([], {"order.report": 1})


def test_a_line_without_the_instant_of_its_arrival_is_of_its_own(tmp_path: Path) -> None:
    [word] = words(a_file(tmp_path, {"subject": "market.quote.A%2EB", "payload": QUOTE}))

    assert isinstance(word, Ticks)
    assert word.received_ns == word.batch[0].ts


def test_a_recorded_stream_is_read_in_the_words_of_the_contract() -> None:
    reader = LinesReader(SHIPPED, source="polymarket")

    found = [word for word, _ in reader.words()]

    ticks, others = sum(len(word.batch) for word in found if isinstance(word, Ticks)), len(found)
    assert (ticks + len([word for word in found if isinstance(word, Received)]), others > 700) == (48_062, True)
    assert reader.left_out["unreadable"] == 0


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([a_line(2), a_line(1)], "line 2: .* have changed places"),
        ([a_line(), b'{"received": "2026-07-14T00:00:02Z", "subj'], "line 2 .* may be truncated"),
        ([b"\x89PNG\r\n\x1a\n"], "line 1 is no event"),
        ([{"some": "json"}], "line 1 is no event"),
        ([a_line(), a_line(2, "order.submit.kalshi.T1")], r"line 2: order\.submit\.kalshi\.T1 is said by Watchkeeper"),
        ([a_line(1, "order.epoch")], "never taken from a file"),
        ([a_line(1, "venue.request.orders.kalshi")], "asked by Watchkeeper"),
        ([a_line(1, "market.nonsense.X.Y")], "line 1: no message is said"),
        ([a_line(1, payload={**QUOTE, "yes_bid": "NaN"})], "line 1: market"),
        ([a_line(1, payload={**QUOTE, "ticker": "OTHER"})], "the subject says ticker"),
        ([a_line(1, payload={**QUOTE, "more": "x" * 300_000})], "line 1 is longer than"),
        ([{"subject": "market.quote.A%2EB", "payload": {"ticker": "A.B"}}], "neither when it was received"),
        ([b"[" * 100_000 + b"\n"], "line 1 is no event"),
    ],
)
def test_what_can_only_be_wrong_is_refused_with_its_line(tmp_path: Path, lines: list[object], why: str) -> None:
    """Fault 58"""
    with pytest.raises(BadLines, match=why):
        words(a_file(tmp_path, *lines))


def test_a_truncated_file_is_said_to_be_one(tmp_path: Path) -> None:
    path = a_file(tmp_path, *(a_line(second) for second in range(1, 60)), name="events.jsonl.gz")
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(BadLines, match="truncated, its end is missing"):
        words(path)


def test_a_damaged_file_is_said_to_be_one(tmp_path: Path) -> None:
    path = a_file(tmp_path, *(a_line(second) for second in range(1, 60)), name="events.jsonl.gz")
    body = bytearray(path.read_bytes())
    body[40:50] = b"\xff" * 10
    path.write_bytes(body)

    with pytest.raises(BadLines, match="damaged"):
        words(path)


def test_a_decompression_bomb_fills_no_memory_and_no_disk(tmp_path: Path) -> None:
    path = a_file(tmp_path, *[json.dumps(a_line()).encode() + b"\n"] * 500_000, name="events.jsonl.gz")

    with pytest.raises(BadLines, match="times as large as packed"):
        words(path)
