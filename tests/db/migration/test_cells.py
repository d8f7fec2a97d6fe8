"""Values of SQLite are read, written down and compared bit for bit."""

import sqlite3
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from db.migration.cells import Cell, cell_of, literal, raw_bytes, read_exactly, same, text_of

CELLS: st.SearchStrategy[Cell] = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.binary().map(text_of),
)


@given(CELLS)
def test_a_literal_gives_its_cell_again(cell: Cell) -> None:
    assert same(cell_of(literal(cell)), cell)


@given(CELLS)
def test_a_literal_can_be_stored_as_utf8_without_nul(cell: Cell) -> None:
    assert b"\0" not in literal(cell).encode("utf-8")


@given(st.binary())
def test_the_bytes_of_a_text_are_read_as_they_stand_in_the_file(raw: bytes) -> None:
    with closing(read_exactly(sqlite3.connect(":memory:"))) as connection:
        ((text,),) = connection.execute("SELECT CAST(? AS TEXT)", (raw,)).fetchall()

    assert raw_bytes(text) == raw


def test_cells_differ_by_storage_class_and_by_the_sign_of_zero() -> None:
    assert not any(same(*pair) for pair in ((0.0, -0.0), (1, 1.0), ("a", b"a"), (None, "")))
