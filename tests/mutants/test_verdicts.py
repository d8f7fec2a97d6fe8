import json
from pathlib import Path

from tests.mutants.verdicts import function_of, percent, read, room_of, survivors, table, together


def test_failed_tests_and_tests_that_never_end_kill(tmp_path: Path) -> None:
    """0: all passed. 33: no test comes by. 1 and 3: failed. -24: the processor's time was up. None: not tried."""
    folder = tmp_path / "mutants" / "actors"
    folder.mkdir(parents=True)
    (folder / "fees.py.meta").write_text(
        json.dumps({"exit_code_by_key": {"a": 1, "b": 0, "c": -24, "d": 33, "e": None}})
    )

    assert read(tmp_path) == {"a": True, "b": False, "c": True, "d": False}


def test_what_one_round_killed_is_killed() -> None:
    both = together({"a": True, "b": False, "c": False}, {"b": True, "c": False})

    assert both == {"a": True, "b": True, "c": False}
    assert survivors(both) == ["c"]


def test_a_mutant_is_told_by_its_function() -> None:
    assert function_of("actors.rules.fees.x_fee__mutmut_3") == "actors.rules.fees.fee"
    assert function_of("actors.rules.fees.x__rounded__mutmut_12") == "actors.rules.fees._rounded"
    assert function_of("bus.relay.xǁRelayǁ_hear__mutmut_1") == "bus.relay.Relay._hear"


def test_decisions_are_counted_by_their_room_and_the_rest_by_module() -> None:
    assert room_of("actors.rules.trade.late.x_f__mutmut_1") == "actors/rules/trade"
    assert room_of("actors.rules.fees.x_f__mutmut_1") == "actors/rules"
    assert room_of("actors.inbox.x_f__mutmut_1") == "actors/inbox.py"


def test_a_share_is_never_rounded_up() -> None:
    assert percent(8_999, 10_000) == "89.9 %"
    assert percent(0, 0) == "-"


def test_the_table_counts_killed_of_made_and_ends_with_all() -> None:
    found = {"bus.relay.x_f__mutmut_1": True, "bus.relay.x_f__mutmut_2": False, "db.writer.x_g__mutmut_1": True}

    assert list(table(found, "module"))[2:] == [
        "| `bus.relay` | 1 | 2 | 50.0 % |",
        "| `db.writer` | 1 | 1 | 100.0 % |",
        "| **all** | 2 | 3 | 66.6 % |",
    ]
