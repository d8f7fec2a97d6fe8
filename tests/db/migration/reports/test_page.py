"""The page of an audit in the system's Chromium: complete, by keyboard, in the dark, and with hostile files in it."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from db.migration.reports import page
from db.migration.words import Audit
from tests.db.migration.reports.trees import HOSTILE, a_tree
from tests.fixtures.browser import SIZES, Opened, opened


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    return a_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, found: Audit) -> Path:
    path = tmp_path_factory.mktemp("page") / "audit.html"
    path.write_bytes(page.document(found))
    return path


@pytest.fixture
def there(browser: Browser, path: Path) -> Opened:
    return opened(browser, path)


def test_it_asks_for_nothing_and_complains_of_nothing(there: Opened, path: Path) -> None:
    assert there.asked == [path.as_uri()]
    assert there.said == []


def test_hostile_files_are_shown_and_not_obeyed(there: Opened) -> None:
    """Fault 58"""
    assert HOSTILE in (there.page.locator("pre").filter(has_text="b/x.db").first.text_content() or "")
    assert there.page.locator("main img, main script").count() == 0


def test_every_finding_stands_with_its_code_under_its_file(there: Opened, found: Audit) -> None:
    assert there.page.locator("article").count() == len(found.findings)
    marked = there.page.locator("details[data-file='desk.py'] article[data-rule=direct-sqlite] .here")
    assert (marked.text_content() or "").strip() == "conn = sqlite3.connect('a/x.db')"
    assert marked.get_attribute("data-n") == "5"


def test_the_matrix_says_in_words_who_writes(there: Opened) -> None:
    row = there.page.locator("#matrix tbody tr").filter(has_text="desk.py")

    assert row.locator("td").all_text_contents() == ["w"]


def test_a_rule_is_picked_and_its_findings_alone_are_shown(there: Opened) -> None:
    there.page.get_by_role("link", name="service-cycle").click()

    expect(there.page.locator("article:visible")).to_have_count(1)
    expect(there.page.locator("#shown")).to_contain_text("1 of")


def test_words_are_looked_for_by_keyboard_alone(there: Opened) -> None:
    there.page.keyboard.press("/")
    there.page.keyboard.type("x y#z")

    expect(there.page.locator("details.file:visible")).to_have_count(1)
    there.page.keyboard.press("Escape")
    expect(there.page.locator("details.file:visible")).to_have_count(3)


def test_a_service_that_is_reached_by_tab_shows_its_calls_alone(there: Opened) -> None:
    there.page.get_by_label("Files and tables").focus()
    there.page.keyboard.press("Tab")

    expect(there.page.locator("svg.asked .node.of")).to_have_count(2)
    assert there.page.evaluate("document.activeElement.dataset.name") == "desk"


def test_ways_round_are_drawn_apart_from_other_calls(there: Opened) -> None:
    assert there.page.locator("svg .edge.round").count() == 2
    assert there.page.locator("svg .edge:not(.round)").count() == 1


def test_in_the_dark_it_is_dark(browser: Browser, path: Path) -> None:
    dark = opened(browser, path, scheme="dark")

    expect(dark.page.locator("body")).to_have_css("background-color", "rgb(15, 19, 25)")
    expect(dark.page.locator("body")).to_have_css("color", "rgb(230, 234, 240)")


def test_on_a_narrow_screen_nothing_is_wider_than_the_screen(browser: Browser, path: Path) -> None:
    narrow = opened(browser, path, "narrow")

    assert narrow.page.evaluate("document.documentElement.scrollWidth") <= SIZES["narrow"]["width"]


def test_without_scripts_every_finding_can_be_read(browser: Browser, path: Path, found: Audit) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    bare = context.new_page()
    bare.goto(path.as_uri())

    assert bare.locator("article").count() == len(found.findings)
    expect(bare.locator(".filter")).to_be_hidden()
