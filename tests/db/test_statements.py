"""Every statement of the house is one that PostgreSQL accepts from the role that says it."""

import re
from types import ModuleType

import psycopg
import pytest

from db import reader, recovery, standing, statements, store
from db.access import Access

_NAMED = re.compile(r"%\((\w+)\)s")


def _collect(*modules: ModuleType) -> list[tuple[str, str]]:
    return [
        (name, text)
        for module in modules
        for name, text in vars(module).items()
        if name.isupper() and not name.startswith("_") and isinstance(text, str)
    ]


WRITTEN = _collect(statements, standing, store)
READ = _collect(reader, recovery)


def _numbered(text: str) -> str:
    """Return the statement with `$n` for its placeholders, as PREPARE wants it."""
    order: list[str] = []
    for name in _NAMED.findall(text):
        if name not in order:
            order.append(name)
    text = _NAMED.sub(lambda hit: f"${order.index(hit.group(1)) + 1}", text)
    count = iter(range(1, 100))
    return re.sub(r"%s", lambda _: f"${next(count)}", text)


@pytest.mark.parametrize(("name", "text"), [one for one in WRITTEN if not one[1].lstrip().startswith("COPY")])
def test_the_writer_may_say(access: Access, name: str, text: str) -> None:
    """Lesson 54"""
    with psycopg.connect(access.conninfo(access.names.writer, epoch=1, read_only=False)) as connection:
        connection.execute(f"PREPARE {name.lower()} AS {_numbered(text)}".encode())


@pytest.mark.parametrize(("name", "text"), READ)
def test_the_reader_may_say(access: Access, name: str, text: str) -> None:
    """Lesson 54"""
    with psycopg.connect(access.conninfo(access.names.reader, epoch=1, read_only=True)) as connection:
        connection.execute(f"PREPARE {name.lower()} AS {_numbered(text)}".encode())


@pytest.mark.parametrize(
    ("text", "types"),
    [
        (statements.COPY_JOURNAL, statements.JOURNAL_TYPES),
        (statements.COPY_OUTBOX, statements.OUTBOX_TYPES),
        (statements.COPY_QUARANTINE, statements.QUARANTINE_TYPES),
    ],
)
def test_a_copy_names_as_many_columns_as_it_has_types(text: str, types: tuple[str, ...]) -> None:
    """Lesson 54"""
    columns = text[text.index("(") + 1 : text.index(")")].split(",")

    assert len(columns) == len(types)


def test_every_statement_is_collected() -> None:
    assert len(WRITTEN) > 30
    assert len(READ) > 15
