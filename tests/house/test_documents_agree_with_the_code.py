"""The specification's tables are those of the code, and what it names exists."""

import re

import pytest

from actors.rules.catalog import RULES, SETTINGS
from actors.rules.tables import TABLES
from bus.messages.trades import TradeState
from config.settings import load
from tests.house.generate import ADAPTER, DOCUMENT, generated, with_example
from tests.house.source import ROOT, modules


def test_the_specification_has_every_table_as_the_code_has_it() -> None:
    text = DOCUMENT.read_text()

    assert generated(text) == text, "run `make docs`"
    assert set(re.findall(r"<!-- table: (\w+) -->", text)) == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_changed_by_hand_is_found(name: str) -> None:
    marker = f"<!-- table: {name} -->\n"

    changed = DOCUMENT.read_text().replace(marker, marker + "| by hand |\n")

    assert generated(changed) != changed


def test_every_state_rule_guard_and_setting_is_printed() -> None:
    text = DOCUMENT.read_text()

    missing = [name for name in (*TradeState, *RULES, *SETTINGS) if f"`{name}`" not in text]

    assert missing == []


def test_the_adapter_that_is_explained_is_the_one_that_is_tested() -> None:
    text = ADAPTER.read_text()

    assert with_example(text) == text, "run `make docs`"
    assert with_example(text.replace("class SampleExecutor:", "class AnotherExecutor:")) == text


@pytest.mark.parametrize("document", ["README.md", "docs/adapter.md", "docs/architecture.md", "docs/specification.md"])
def test_every_file_that_a_document_names_exists(document: str) -> None:
    text = re.sub(r"^```.*?^```$", "", (ROOT / document).read_text(), flags=re.DOTALL | re.MULTILINE)
    ours = [f"/{module}" for module in modules()]

    named = re.findall(r"`([\w/]+\.py)`", text)
    linked = re.findall(r"\]\((?!http|#)([^)]+)\)", text)

    assert [name for name in named if not any(module.endswith(f"/{name}") for module in ours)] == []
    assert [link for link in linked if not ((ROOT / document).parent / link).exists()] == []


def test_every_seeded_setting_is_one_of_the_catalog_and_within_its_limits() -> None:
    """Lesson 9, lesson 57: a seed that nobody reads, or that nobody would accept, is an error."""
    for key, value in load({}).stops.items():
        setting = SETTINGS[key]
        if isinstance(value, str):
            assert value in setting.words
        elif not isinstance(value, bool):
            assert setting.low is not None
            assert setting.high is not None
            assert setting.low <= value <= setting.high


def test_every_guard_is_seeded_for_every_rule_that_it_holds_back() -> None:
    """Lesson 9: no guard is off because nobody wrote it down."""
    guards = {f"{rule}.{guard}" for rule, facts in RULES.items() for guard in facts.guards}

    assert guards <= set(load({}).stops)
