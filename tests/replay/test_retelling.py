"""A recording told again: what nothing can decide is skipped and counted, and is never taken for equal."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from actors.engines import Beginning, Engines
from actors.recorded import RecordedEngine, note_beginning
from actors.replay.beside import CopyFailedError
from actors.replay.explaining import explain
from actors.replay.replaying import Wanted, replay, replay_in_parts
from actors.replay.retelling import Retelling
from actors.rules.stops.engine import StopEngine
from bus.messages.market import Ticks
from bus.messages.recording import EntriesLost, LifeContinues
from bus.messages.records import OrdersTail, Recovered
from bus.messages.stops import BidReturned, StopFired
from bus.recorder.reading import read
from bus.recorder.segments import LIFE, Block, Entry, SegmentWriter
from bus.recorder.words import Packed, pack
from config.settings import load, retold
from tests.replay.recordings import FOLDER
from tests.replay.tape import Tape
from tests.rules.stops.builders import T0, a_quote, a_trade, at, stop


def a_life(epoch: int = 1, *bids: str) -> Block:
    """One that watches a trade and hears of these bids."""
    tape, settings = Tape(), load({})
    beginning = Beginning(recovered=Recovered(), instance="one", epoch=epoch, streams={}, now_ns=T0)
    note_beginning(tape, settings, beginning)
    engine = RecordedEngine("auto_stop", Engines(settings, beginning).stops, tape)
    engine.handle(a_trade(stop("price", stop_price="0.40")))
    for second, bid in enumerate(bids, 1):
        tick = a_quote(second, bid, "0.99")
        engine.handle(Ticks(batch=(tick,), received_ns=tick.ts))
    return tape.block


def only(block: Block, *numbers: int) -> Block:
    return Block(block.words, [block.entries[number] for number in numbers])


def test_what_an_engine_said_it_says_again() -> None:
    told = list(Retelling(retold).hear(a_life(1, "0.60", "0.39")))

    assert [one.difference() for one in told] == [None] * 3
    assert any(told[-1].said or ())


def test_a_field_that_an_older_recording_does_not_know_is_no_difference() -> None:
    block = a_life(1, "0.60", "0.39")
    words = [without("stop", word) if word[0] == "StopFired" else word for word in block.words]

    told = list(Retelling(retold).hear(Block(words, block.entries)))

    assert words != block.words
    assert [one.difference() for one in told] == [None] * 3


def test_a_field_that_a_recording_knows_is_compared() -> None:
    block = a_life(1, "0.60", "0.39")
    words = [changed(word, now_ns=T0) if word[0] == "StopFired" else word for word in block.words]

    told = list(Retelling(retold).hear(Block(words, block.entries)))

    assert [one.difference() is None for one in told] == [True, True, False]


def test_an_order_that_would_leave_otherwise_is_a_difference() -> None:
    """What is sent stands in its commit as the document that leaves."""
    [block] = (part for part in read(FOLDER / "filled_in_parts_and_late.wkr") if isinstance(part, Block))
    words = [with_other_outbox(word) if word[0] == "Commit" else word for word in block.words]

    told = list(Retelling(retold).hear(Block(words, block.entries)))

    different = {one.entry.actor for one in told if one.said is not None and one.difference() is not None}
    assert words != block.words
    assert different == {"trade_desk"}


def with_other_outbox(packed: Packed) -> Packed:
    fields = msgspec.msgpack.decode(packed[1])
    for row in fields["outbox"]:
        if row["subject"].startswith("order.submit."):
            row["message"]["limit_price"] = "0.01"
    return packed[0], msgspec.Raw(msgspec.msgpack.encode(fields))


def without(field: str, packed: Packed) -> Packed:
    fields = msgspec.msgpack.decode(packed[1])
    del fields[field]
    return packed[0], msgspec.Raw(msgspec.msgpack.encode(fields))


def changed(packed: Packed, **fields: object) -> Packed:
    return packed[0], msgspec.Raw(msgspec.msgpack.encode(msgspec.msgpack.decode(packed[1]) | fields))


def test_a_stop_that_the_desk_found_changed_is_explained_as_held_back(tmp_path: Path) -> None:
    tape, settings, trade = Tape(), load({}), a_trade(stop("price", stop_price="0.40"))
    recovered = Recovered(trades=(replace(trade, stops=(stop("price", stop_price="0.10"),)),))
    beginning = Beginning(recovered=recovered, instance="one", epoch=1, streams={}, now_ns=T0)
    note_beginning(tape, settings, beginning)
    engines = Engines(settings, beginning)
    stops, desk = RecordedEngine("auto_stop", engines.stops, tape), RecordedEngine("trade_desk", engines.desk, tape)
    tape.note("trade_desk", OrdersTail(), engines.start_desk(OrdersTail(), T0))
    stops.handle(trade)
    said = stops.handle(Ticks(batch=(a_quote(1, "0.39", "0.99"),), received_ns=at(1)))
    desk.handle(next(word for word in said if isinstance(word, StopFired)))
    writer = SegmentWriter(tmp_path, T0)
    writer.append(tape.block)
    writer.close()

    (decision,) = explain(tmp_path, "t1", None, retold).decisions

    assert (decision.fired, decision.guards[-1].name) == (False, "stop_in_force")


def test_behind_a_gap_nothing_is_decided_before_the_next_life() -> None:
    first, retelling = a_life(1, "0.60", "0.39"), Retelling(retold)
    list(retelling.hear(only(first, 0, 1, 2)))

    retelling.lose()
    behind = list(retelling.hear(only(first, 3, 4)))
    again = list(retelling.hear(a_life(2, "0.60")))

    assert [one.said for one in behind] == [None, None]
    assert all(one.said is not None for one in again)
    assert retelling.tally.skipped == 2


def test_where_the_recorder_lost_something_it_is_a_gap_as_well() -> None:
    life, retelling = a_life(1, "0.60"), Retelling(retold)
    list(retelling.hear(only(life, 0, 1, 2)))

    list(retelling.hear(Block([pack(EntriesLost(count=7))], [Entry("recorder", T0, 0)])))
    [behind] = retelling.hear(only(life, 3))

    assert behind.said is None
    assert retelling.tally.lost == 7


def test_a_segment_of_another_s_life_is_not_told_by_these_engines() -> None:
    """Two processes may record into one folder."""
    life, retelling = a_life(1, "0.60"), Retelling(retold)
    list(retelling.hear(only(life, 0, 1, 2)))

    for epoch, is_told in ((1, True), (2, False)):
        continues = LifeContinues(instance="one", epoch=epoch)
        list(retelling.hear(Block([pack(continues)], [Entry(LIFE, T0, 0)])))
        [later] = retelling.hear(only(life, 3))

        assert (later.said is not None) is is_told


def test_without_its_beginning_a_life_is_skipped() -> None:
    retelling = Retelling(retold)

    told = list(retelling.hear(only(a_life(1, "0.60"), 2, 3)))

    assert [one.said for one in told] == [None, None]
    assert (retelling.lives.count, retelling.tally.skipped) == (0, 2)


def test_a_block_that_is_damaged_ends_what_can_be_decided(tmp_path: Path) -> None:
    life = a_life(1, "0.60", "0.39")
    writer = SegmentWriter(tmp_path, T0)
    for block in (only(life, 0, 1, 2), only(life, 3), only(life, 4)):
        writer.append(block)
    writer.close()
    body = writer.path.read_bytes()
    second = body.find(b"WKRB", body.find(b"WKRB") + 4)
    writer.path.write_bytes(body[: second + 60] + bytes([body[second + 60] ^ 1]) + body[second + 61 :])

    found = replay(tmp_path, Wanted(), retold)

    assert (len(found.gaps), found.compared, found.skipped, found.different) == (1, 1, 1, 0)


def test_entries_that_are_answered_by_nothing_then_as_now_may_be_counted_instead() -> None:
    life, quiet = a_life(1, "0.60", "0.60", "0.39"), Counter[str]()
    answered = [entry for entry in life.entries if entry.said]

    told = list(Retelling(retold).hear(life, quiet=quiet))

    assert [one.entry for one in told] == answered
    assert quiet == {"auto_stop": 4 - len(answered)}


def test_a_word_that_is_not_answered_any_more_is_never_counted_as_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    life, quiet = a_life(1, "0.60", "0.39"), Counter[str]()
    answered = [entry for entry in life.entries if entry.said]
    monkeypatch.setattr(StopEngine, "handle", lambda *_: [])

    told = list(Retelling(retold).hear(life, quiet=quiet))

    assert answered
    assert [one.entry for one in told if one.difference() is not None] == answered


def test_more_processes_find_what_one_finds(tmp_path: Path) -> None:
    place = a_house_s_recording(tmp_path, BidReturned(trade_id="t1", now_ns=at(1)))

    together, alone = replay_in_parts(place, Wanted(), retold), replay(place, Wanted(), retold)

    assert together == alone
    assert together.by_actor == {"auto_stop": 2, "trade_watcher": 2}
    assert [found.actor for found in together.differences] == ["auto_stop", "trade_watcher"]


def test_a_part_of_a_replay_that_fails_is_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    place = a_house_s_recording(tmp_path)
    monkeypatch.setattr(StopEngine, "handle", lambda *_: 1 / 0)

    with pytest.raises(CopyFailedError):
        replay_in_parts(place, Wanted(), retold)

    assert "ZeroDivisionError" in capfd.readouterr().err


def a_house_s_recording(folder: Path, *made_up: object) -> Path:
    """AutoStop and TradeWatcher hear of a trade and of a quote; `made_up` is what both are said to have answered beside."""
    tape, settings = Tape(), load({})
    beginning = Beginning(recovered=Recovered(), instance="one", epoch=1, streams={}, now_ns=T0)
    note_beginning(tape, settings, beginning)
    engines = Engines(settings, beginning)
    ticks = Ticks(batch=(a_quote(1, "0.60", "0.99"),), received_ns=at(1))
    for actor, engine in (("auto_stop", engines.stops), ("trade_watcher", engines.watch)):
        for word, also in ((a_trade(stop("price", stop_price="0.40")), ()), (ticks, made_up)):
            tape.note(actor, word, (*engine.handle(word), *also))
    return tape.write(folder)


def test_what_newer_code_cannot_read_of_a_trade_is_said_where_it_is_explained(tmp_path: Path) -> None:
    block = a_life(1, "0.60", "0.39")
    desk = [("Trade", pack(a_trade())[1]), ("StopCoverage", msgspec.Raw(msgspec.msgpack.encode({"trade_id": "t1"})))]
    heard, said = len(block.words), (len(block.words), len(block.words) + 1)
    told = Entry("trade_desk", at(9), heard, said)
    writer = SegmentWriter(tmp_path, T0)
    writer.append(Block([*block.words, *desk], [*block.entries, told]))
    writer.close()

    found = explain(tmp_path, "t1", None, retold)

    assert found.watched
    assert [gap for gap in found.gaps if "StopCoverage" in gap] == list(found.gaps) != []
