"""The page is one file that loads nothing, and what a recording says in it stays text."""

import html
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.replay.drawing import figure
from actors.replay.page import page, write
from actors.rules.pictures.drawn import Mark, Panel, Role, place_ns
from tests.replay.pictures import HOSTILE, LINK, a_picture, at


def traces(**wanted: object) -> list[dict[str, Any]]:
    found = figure(a_picture())["data"]
    return [trace for trace in found if all(trace.get(key) == value for key, value in wanted.items())]


def test_a_value_is_drawn_digit_for_digit() -> None:
    [line] = traces(mode="lines", legendgroup="exit")

    assert line["y"] == ["0.580", "0.55", "0.55", None, "0.390", "0.42"]


def test_a_value_is_held_up_to_the_instant_from_which_it_is_unknown() -> None:
    [line] = traces(mode="lines", legendgroup="exit")

    seconds = [(us - at(0) // 1000) // 1_000_000 for us in line["x"]]
    assert list(zip(seconds, line["y"], strict=True))[1:4] == [(1, "0.55"), (2, "0.55"), (2, None)]


def test_every_role_has_a_look_and_a_colour_in_both_schemes() -> None:
    style = (Path(__file__).parents[2] / "actors/replay/page.css").read_text()
    groups = {trace["legendgroup"] for trace in traces()}

    assert groups >= {str(role) for role in Role}
    for role in Role:
        assert len(re.findall(rf"--{role}: #", style)) == 2, role


def test_a_mark_stands_in_the_panel_that_it_belongs_to() -> None:
    placed = [trace for trace in traces(legendgroup="fired", mode="markers") if trace["yaxis"] == "y"]
    listed = [trace for trace in traces(legendgroup="fired", mode="markers") if trace["yaxis"] == "y2"]

    assert [trace["y"] for trace in placed] == [["0.390"]]
    assert [trace["y"] for trace in listed] == [[1]]


def test_panels_stand_under_each_other_without_overlap() -> None:
    layout = figure(a_picture())["layout"]

    assert layout["yaxis"]["domain"][0] > layout["yaxis2"]["domain"][1]
    assert (layout["yaxis"]["domain"][1], layout["yaxis2"]["domain"][0]) == (1, pytest.approx(0))


def test_plotly_takes_nothing_that_is_said_for_markup() -> None:
    drawn = json.dumps(figure(a_picture()))

    assert "<a " not in drawn
    assert "<img" not in drawn
    assert "&lt;a href" in drawn


def test_what_is_said_can_neither_end_a_script_nor_begin_one() -> None:
    whole = page(a_picture())

    assert HOSTILE not in whole
    assert len(re.findall(r"<script\b", whole.split("<body>")[0])) == 0
    assert len(re.findall(r"<script\b", whole)) == 3
    [figure] = re.findall(r'id="figure">(.*?)</script>', whole)
    assert "<" not in figure


def test_the_page_allows_the_browser_nothing_but_its_own_two_scripts() -> None:
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', page(a_picture()))

    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert re.findall(r"script-src ([^;]*);", policy)[0].count("'sha256-") == 2
    assert "unsafe" not in policy.split("style-src")[0]


def test_the_same_picture_is_the_same_file() -> None:
    assert page(a_picture()) == page(a_picture())


def test_a_page_stays_below_the_size_of_a_mail(tmp_path: Path) -> None:
    assert write(a_picture(), tmp_path / "x.html") < 2_500_000
    assert [path.name for path in tmp_path.iterdir()] == ["x.html"]


def test_where_a_page_cannot_be_written_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "x.html").mkdir()

    with pytest.raises(OSError, match=r"x\.html"):
        write(a_picture(), tmp_path / "x.html")

    assert [path.name for path in tmp_path.iterdir()] == ["x.html"]


def test_values_stand_on_the_axis_where_a_picture_has_no_time() -> None:
    mark = Mark(at_ns=place_ns(1), role=Role.GAIN, title="$2", value=Decimal(2))
    drawn = figure(
        a_picture(values=("20", LINK), panels=(Panel(key="effect", name="Effect", marks=(mark,)),), shades=())
    )

    axis, [dots] = drawn["layout"]["xaxis"], drawn["data"]
    assert (axis["type"], axis["tickvals"]) == ("linear", [0, 1])
    assert axis["ticktext"] == ["20", html.escape(LINK, quote=False)]
    assert (dots["x"], dots["text"]) == ([1000], [f"<b>$2</b><br>{html.escape(LINK, quote=False)}"])
