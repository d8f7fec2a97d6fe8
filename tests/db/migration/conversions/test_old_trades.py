"""Amounts of the old system without the noise of its floats, and JSON as jsonb spells it."""

from decimal import Decimal

import psycopg
import pytest

from db.embedded import EmbeddedPostgres
from db.migration.conversions.base import Unconvertible
from db.migration.conversions.old_trades import HeldSide, as_jsonb, denoised


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        (1 - 0.07, "0.93"),
        (0.9299999999999999, "0.93"),
        (0.1 + 0.2, "0.3"),
        (119_175.71, "119175.71"),
        (-0.27, "-0.27"),
        (200, "200"),
        (1e-12, "0.000000000001"),
        (0.0, "0"),
    ],
)
def test_noise_of_floats_is_taken_off_and_nothing_else(cell: float, amount: str) -> None:
    """Lesson 63."""
    assert str(format(denoised(cell), "f")) == amount


@pytest.mark.parametrize("cell", [0.9300000000001, 1e-13, 10**18, 1e18, "0.93 dollars", None, b"1"])
def test_an_amount_that_would_lose_what_counts_is_refused(cell: float) -> None:
    """Lesson 63."""
    with pytest.raises(Unconvertible):
        denoised(cell)


@pytest.mark.parametrize(("cell", "side"), [(3, "yes"), (-3, "no"), (0.5, "yes")])
def test_the_sign_of_a_position_is_its_side(cell: float, side: str) -> None:
    assert HeldSide().convert((cell,)) == side


def test_a_position_of_nothing_has_no_side() -> None:
    with pytest.raises(Unconvertible):
        HeldSide().convert((0,))


def test_json_is_spelled_as_jsonb_gives_it_back(postgres_server: EmbeddedPostgres) -> None:
    value = {"b": 1, "aa": [True, None, 'ü " \\ \n \x01 \U0001f600'], "a": {}, "ä": str(Decimal("0.10")), "é": []}
    text = as_jsonb(value)

    with psycopg.connect(postgres_server.admin_dsn) as connection:
        assert connection.execute("SELECT %s::jsonb::text", [text]).fetchone() == (text,)
