"""The recording that is shipped, and what fits each recording."""

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from actors.replay.sidecar import SHELF, Sidecar, read_sidecar, recording_name, sidecar_of
from actors.rules.catalog import SETTINGS
from tests.replay.make_slice import SHIPPED, cut

ALL_SIDECARS = [SHIPPED.with_name("polymarket_2026-07-14.toml"), *sorted(SHELF.glob("*.toml"))]


def test_the_shipped_recording_is_small_enough_for_a_repository() -> None:
    assert SHIPPED.stat().st_size <= 2_000_000


def test_the_shipped_recording_is_credited() -> None:
    notice = SHIPPED.with_name("NOTICE").read_text()

    assert "Polymarket Order Book Dataset (2026), Dinesh Gopalakrishnan" in notice
    assert "CC BY 4.0" in notice
    assert "Changed:" in notice


def test_the_shipped_recording_holds_settlements_and_is_in_order() -> None:
    with gzip.open(SHIPPED, "rt") as file:
        lines = [json.loads(line) for line in file]

    events = [line["event"] for line in lines if line["kind"] == "lifecycle"]
    assert (events.count("close"), events.count("settled")) == (272, 231)
    assert [line["ts"] for line in lines] == sorted(line["ts"] for line in lines)


def test_a_slice_keeps_every_ticker_that_closes_and_each_twelfth_other(tmp_path: Path) -> None:
    whole = tmp_path / "whole.jsonl.gz"
    quotes = [{"ts": "t", "kind": "quote", "ticker": f"T{n:02}", "category": "c", "yes_bid": n} for n in range(26)]
    end = {"ts": "t", "kind": "lifecycle", "ticker": "T05", "event": "close"}
    whole.write_bytes(gzip.compress("".join(f"{json.dumps(line)}\n" for line in [*quotes, end]).encode()))

    kept = cut(whole, tmp_path / "slice.jsonl.gz")

    lines = [json.loads(line) for line in gzip.decompress((tmp_path / "slice.jsonl.gz").read_bytes()).splitlines()]
    assert (kept, [line["ticker"] for line in lines]) == (5, ["T00", "T05", "T13", "T25", "T05"])
    assert all("category" not in line for line in lines)


def test_the_same_slice_has_the_same_bytes(tmp_path: Path) -> None:
    outs = [tmp_path / "a.gz", tmp_path / "b.gz"]

    for out in outs:
        cut(SHIPPED, out)

    assert outs[0].read_bytes() == outs[1].read_bytes()


@pytest.mark.parametrize("path", ALL_SIDECARS, ids=lambda path: path.stem)
def test_every_sidecar_names_settings_that_exist(path: Path) -> None:
    sidecar = read_sidecar(path.with_suffix(".jsonl.gz"))

    assert set(sidecar.stops) <= set(SETTINGS)


@pytest.mark.parametrize("path", ALL_SIDECARS, ids=lambda path: path.stem)
def test_every_plan_names_stop_settings_that_exist(path: Path) -> None:
    plans = read_sidecar(path.with_suffix(".jsonl.gz")).strategy.stops

    keys = {f"{stop['rule']}.{name}" for plan in plans for stop in plan for name in stop if name != "rule"}
    assert keys <= set(SETTINGS)


def test_a_sidecar_beside_the_recording_goes_before_the_shelf(tmp_path: Path) -> None:
    own = tmp_path / "kalshi_btc_hourly_2025-08-03.toml"
    own.write_text("")

    assert sidecar_of(tmp_path / "kalshi_btc_hourly_2025-08-03.jsonl.gz") == own


def test_a_recording_that_we_know_is_found_on_the_shelf_wherever_it_lies(tmp_path: Path) -> None:
    sidecar = read_sidecar(tmp_path / "btc_perp_1m_2022-01.jsonl.gz")

    assert (sidecar.strategy.underlying, sidecar.strategy.quantity) == (True, Decimal(1))


def test_a_recording_without_a_sidecar_gets_the_defaults(tmp_path: Path) -> None:
    assert read_sidecar(tmp_path / "mine.jsonl") == Sidecar()


@pytest.mark.parametrize("text", ["[strategy]\nquanity = 1", "no toml", "[strategy]\nprice_low = []"])
def test_a_sidecar_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.toml").write_text(text)

    with pytest.raises(ValueError, match=r"mine\.toml"):
        read_sidecar(tmp_path / "mine.jsonl.gz")


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl", "a.gz", "a"])
def test_a_recording_is_named_without_its_endings(name: str) -> None:
    assert recording_name(Path("/recordings") / name) == "a"
