"""The page in the system's Chromium: it opens from a file, asks for nothing, complains of nothing, and everything is there."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from actors.replay.page import write
from actors.rules.pictures.sweeping import picture
from tests.fixtures.browser import SIZES, Opened, opened
from tests.replay.pictures import a_picture
from tests.rules.pictures.test_sweeping import a_sweep


def figure(there: Opened, expression: str) -> Any:
    """What plotly drew: `expression` of `chart`."""
    return there.page.evaluate(f"(() => {{ const chart = document.getElementById('chart'); return {expression}; }})()")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write(a_picture(), path)
    return path


@pytest.fixture(scope="module")
def there(browser: Browser, path: Path) -> Opened:
    return opened(browser, path)


def test_it_asks_for_nothing_and_complains_of_nothing(there: Opened, path: Path) -> None:
    assert there.asked == [path.as_uri()]
    assert there.said == []


def test_hostile_words_are_shown_and_not_obeyed(there: Opened) -> None:
    """Fault 58"""
    assert there.page.title().startswith("Trade </script><script>")
    assert there.page.locator("main a, main img, svg a").count() == 0


def test_lines_marks_and_spans_are_drawn(there: Opened) -> None:
    # One of the two lines has a gap.
    assert there.page.locator(".scatterlayer .js-line").count() == 3
    # 36 roles, the hostile one, and the one at its price.
    drawn = figure(there, "chart.data.filter((one) => one.mode === 'markers').reduce((n, one) => n + one.x.length, 0)")
    assert there.page.locator(".scatterlayer .points path").count() == drawn > 30
    assert there.page.locator(".barlayer .point path").count() == 1
    assert there.page.locator(".shapelayer path").count() == 2


def test_what_the_pointer_shows_is_exact_and_in_utc(there: Opened) -> None:
    there.page.evaluate("Plotly.Fx.hover('chart', [{curveNumber: 0, pointNumber: 0}], ['xy'])")

    shown = there.page.locator(".hoverlayer").text_content() or ""
    assert "$0.580" in shown
    assert "from 2026-07-14 03:33:20 UTC" in shown


def test_a_name_of_the_legend_hides_what_it_names(there: Opened) -> None:
    button, lines = (
        there.page.get_by_role("button", name="line stop"),
        there.page.locator(".scatterlayer .js-line"),
    )

    button.click()
    expect(lines).to_have_count(2)
    button.click()
    expect(lines).to_have_count(3)


def test_in_the_dark_it_is_dark(browser: Browser, path: Path) -> None:
    dark = opened(browser, path, scheme="dark")

    assert figure(dark, "chart.layout.paper_bgcolor") == "#171c24"
    dark.page.emulate_media(color_scheme="light")
    expect(dark.page.locator(".main-svg").first).to_have_css("background-color", "rgb(255, 255, 255)")


def test_on_a_narrow_screen_nothing_is_wider_than_the_screen(browser: Browser, path: Path) -> None:
    narrow = opened(browser, path, "narrow")

    assert narrow.page.evaluate("document.documentElement.scrollWidth") <= SIZES["narrow"]["width"]
    assert narrow.said == []


def test_a_sweep_is_drawn_over_its_values(browser: Browser, tmp_path: Path) -> None:
    write(picture(a_sweep("0", "2", "-1")), tmp_path / "sweep.html")

    there = opened(browser, tmp_path / "sweep.html")

    assert there.said == []
    assert there.page.locator(".xaxislayer-above .xtick text").all_text_contents() == ["20", "25", "30"]
    there.page.evaluate("Plotly.Fx.hover('chart', [{curveNumber: 1, pointNumber: 1}], ['xy'])")
    shown = there.page.locator(".hoverlayer").text_content() or ""
    assert "$12" in shown
    assert "from 25" in shown
