import json
from pathlib import Path

from tests.mutants.verdicts import Row, function_of, percent, read, rows, survivors, table

FEES, TRADE = Row(1, 2, 2, "abc1234"), Row(1_200, 1_300, 1_300, "abc1234 with changes")


def test_a_mutant_that_no_test_noticed_survives(tmp_path: Path) -> None:
    tried = tmp_path / "tried.jsonl"
    tried.write_text("".join(json.dumps({"mutant": name, "killed": name == "a", "by": None}) + "\n" for name in "ab"))

    assert survivors(read(tried)) == ["b"]


def test_a_mutant_is_told_by_its_function() -> None:
    assert function_of("actors.rules.fees.x_fee__mutmut_3") == "actors.rules.fees.fee"
    assert function_of("actors.rules.fees.x__rounded__mutmut_12") == "actors.rules.fees._rounded"
    assert function_of("bus.relay.xǁRelayǁ_hear__mutmut_1") == "bus.relay.Relay._hear"


def test_a_share_is_never_rounded_up() -> None:
    assert percent(8_999, 10_000) == "89.9 %"
    assert percent(0, 0) == "-"


def test_the_table_ends_with_the_sum_of_its_rows() -> None:
    assert list(table({"fees": FEES, "trade": TRADE}, ["trade", "fees"]))[2:] == [
        "| `trade` | 1,200 | 1,300 | 1,300 | 92.3 % | abc1234 with changes |",
        "| `fees` | 1 | 2 | 2 | 50.0 % | abc1234 |",
        "| **all** | 1,201 | 1,302 | 1,302 | 92.2 % | |",
    ]


def test_a_sample_speaks_for_its_whole_room_and_says_how_exactly() -> None:
    *_, total, _, words = table({"fees": FEES, "desk": Row(90, 100, 998, "abc1234")}, ["fees", "desk"])

    assert total == "| **all** | 91 | 102 | 1,000 | 89.9 % | |"
    assert "exact to 5.8% (95 %)" in words


def test_rows_are_read_as_they_were_written() -> None:
    found = {"fees": FEES, "trade": TRADE}

    assert rows("\n".join(table(found, found))) == found


def test_a_room_that_is_no_more_has_no_row() -> None:
    assert rows("\n".join(table({"fees": FEES, "trade": TRADE}, ["fees"]))) == {"fees": FEES}
