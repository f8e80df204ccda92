"""Figures from tables: rows are checked, every point has its source and passage, the page loads nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main
from app.figures.plots import (
    COLOURS,
    OTHER,
    SYMBOLS,
    Shown,
    attacks_figure,
    draw,
    estimate,
    number,
    page_html,
    strength_figure,
    timeline_figure,
)  # fmt: skip
from app.figures.tables import COLUMNS, FOLDER, EventRow, StrengthRow, load_tables
from app.home import Home

NOBODY = Shown(places={}, sources=lambda _: None)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Home]:
    """A home without the bundled corpus, with one source on ferries."""
    text = tmp_path / "ferries.md"
    text.write_text("# Ferries\n\nThe harbour had 40 ferries in 1990.\n\nIn 1995 there were 55 to 60 ferries.\n")
    home = Home(tmp_path / "home")
    home.init(empty=True)
    assert [o.status for o in home.add([text], {})] == ["added"]
    home.sync()
    (home.folder / FOLDER).mkdir()
    yield home
    home.close()


def _strength(home: Home, *rows: str) -> None:
    head = ",".join([*COLUMNS["strength"], "note"])
    (home.folder / FOLDER / "strength.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")


def _row(key: str, as_of: str, low: float, high: float | None, group: str = "g") -> StrengthRow:
    return StrengthRow(
        key=key, source_id="s", locator="¶1", note="", group=group, as_of=as_of, low=low, high=high, unit="ferries",
        counts="ferries", who="somebody",
    )  # fmt: skip


def _points(figure: object) -> list[tuple[dict[str, object], list[object]]]:
    traces = json.loads(figure.to_json())["data"]  # type: ignore[attr-defined]
    return [(t, data) for t in traces for data in t.get("customdata", ())]


def test_every_bundled_row_is_drawn_and_leads_to_its_passage(bundled_home: Home) -> None:
    drawings, problems = draw(bundled_home)
    assert problems == () and [d.name for d in drawings] == ["strength", "attacks", "timeline"]
    opened = bundled_home.index.current()
    assert opened is not None
    for drawing in drawings:
        drawn = {str(data[0]): data for _, data in _points(drawing.figure)}
        assert set(drawn) == {line.key for line in drawing.lines} and len(drawn) > 15
        for line in drawing.lines:
            place = line.place
            assert place is not None and place.passage_id and place.start is not None
            assert drawn[line.key][1:4] == [place.source_id, place.start, place.end]
            source = opened.source(place.source_id)
            assert source is not None and any(cell.endswith(f": {source.title}") for cell in line.cells)
            passage = source.text[place.start : place.end]
            first = line.cells[1].split("–")[0].split(" ")[0].lstrip("−")
            if drawing.name == "strength":  # the figure stands in the passage that a click opens
                assert first in passage, (line, passage)


def test_every_point_tells_source_and_date_on_hover(bundled_home: Home) -> None:
    for drawing in draw(bundled_home)[0]:
        for trace, data in _points(drawing.figure):
            hover = str(data[4])
            assert trace["hovertemplate"] == "%{customdata[4]}<extra></extra>"
            assert hover.startswith("<b>") and any(
                lead in hover for lead in ("Summary by iskp-qa of:", "Comparison by iskp-qa:")
            ), hover
            assert any(word in hover for word in ("20", "undated")), hover


def test_ranges_are_bars_single_figures_points_and_lower_bounds_arrows() -> None:
    rows = [_row("range", "2020", 10, 20), _row("one", "2021", 15, 15), _row("more", "2022", 30, None)]
    figure = strength_figure(rows, NOBODY)
    drawn = [(t["y"], t["marker"]["symbol"]) for t in json.loads(figure.to_json())["data"] if t.get("customdata")]
    assert drawn == [([10, 20, 15, 30], ["circle", "circle", "circle", "arrow-up"])]
    assert [estimate(r) for r in rows] == ["10–20", "15", "30 or more"]
    assert number(-39.6) == "−39.6" and number(2500) == "2,500"


def test_estimates_that_would_hide_each_other_stand_apart() -> None:
    rows = [_row(str(n), "2020-05", 10, 20) for n in range(4)]
    xs = [x for t in json.loads(strength_figure(rows, NOBODY).to_json())["data"] if t.get("customdata") for x in t["x"]]
    assert len(set(xs)) == 4
    apart = strength_figure([_row("a", "2020-05", 10, 20), _row("b", "2020-05", 30, 40)], NOBODY)
    assert len({x for t in json.loads(apart.to_json())["data"] if t.get("customdata") for x in t["x"]}) == 1


def test_colours_come_with_symbols_and_rare_groups_share_the_last() -> None:
    rows = [_row(f"{g}{n}", f"20{10 + g}", 1, 2, group=f"group {g}") for g in range(9) for n in range(9 - g)]
    named = [t for t in json.loads(strength_figure(rows, NOBODY).to_json())["data"] if t.get("showlegend") is not False]
    assert [t["name"] for t in named] == [*(f"group {g}" for g in range(len(COLOURS) - 1)), OTHER]
    assert [t["marker"]["color"] for t in named] == list(COLOURS)
    assert [t["marker"]["symbol"] for t in named] == list(SYMBOLS)


def test_light_and_dark_differ_in_ink_only(bundled_home: Home) -> None:
    for light, dark in zip(draw(bundled_home)[0], draw(bundled_home, dark=True)[0], strict=True):
        assert light.figure.layout.font.color != dark.figure.layout.font.color
        assert light.figure.layout.paper_bgcolor == "rgba(0,0,0,0)"
        assert [t["x"] for t in light.figure.data] == [t["x"] for t in dark.figure.data]


def test_rows_of_the_home_are_drawn_and_bad_ones_are_told(own: Home) -> None:
    (source_id,) = own.library.fingerprints()
    _strength(
        own,
        f"1990,40,40,ferries,ferries,the harbour,{source_id},¶1,",
        f"1995,55,60,ferries,ferries,the harbour,{source_id},2,by number",
        "1996,55,60,ferries,ferries,the harbour,nowhere,¶1,",
        f"1997,many,60,ferries,ferries,the harbour,{source_id},¶1,",
        f"1998,60,55,ferries,ferries,the harbour,{source_id},¶1,",
        f"soon,60,65,ferries,ferries,the harbour,{source_id},¶1,",
        f"1999,,65,ferries,ferries,the harbour,{source_id},¶1,",
        f"1999,nan,,ferries,ferries,the harbour,{source_id},¶1,",
        f"2000,1,2,ferries,ferries,,{source_id},¶1,",
        f"2001,70,71,ferries,ferries,the harbour,{source_id},¶99,moved",
        "2002",
    )
    drawings, problems = draw(own)
    (strength,) = drawings
    assert [line.cells[:2] for line in strength.lines] == [("1990", "40"), ("1995", "55–60"), ("2001", "70–71")]
    starts = [line.place.start for line in strength.lines if line.place]
    assert starts[0] is not None and starts[1] is not None and starts[0] < starts[1] and starts[2] is None
    said = "\n".join(problems)
    for words in (
        "row 3, is left out: there is no source 'nowhere'", "row 4, is left out: low is 'many'", "row 5, is left out: high is 55",
        "row 6, is left out: 'soon' is not a date", "row 7, is left out: high is 65", "row 8, is left out: low is 'nan'",
        "row 9, is left out: who is empty", "row 11, is left out: there is no source ''",
    ):  # fmt: skip
        assert words in said, words
    assert len(problems) == 8


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,2\n", "no column as_of"),
        (b"", "no column as_of"),
        (b"\xff\xfe\x00bad", "cannot be read"),
        (("as_of,low,high,unit,counts,who,source_id,locator\n2020," + "9" * 200_000 + "\n").encode(), "is not CSV"),
    ],
)
def test_a_table_that_is_none_is_told(own: Home, content: bytes, said: str) -> None:
    (own.folder / FOLDER / "strength.csv").write_bytes(content)
    tables = load_tables(own)
    assert tables.strength == () and len(tables.problems) == 1 and said in tables.problems[0]


def test_a_home_without_the_corpus_has_none_of_its_rows(own: Home) -> None:
    assert draw(own) == ([], ())


def test_texts_of_a_table_are_not_read_as_html(own: Home) -> None:
    (source_id,) = own.library.fingerprints()
    payload = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    _strength(own, f'1990,40,41,ferries,ferries,"{payload}",{source_id},¶1,"{payload}"')
    drawings, problems = draw(own)
    assert all("<img" not in str(data[4]) and "&lt;img" in str(data[4]) for _, data in _points(drawings[0].figure))
    html = page_html(drawings, problems, made="m")
    body = html[html.index("<body>") :]
    assert "<img" not in body and body.count("<script") == 2 and body.count("</script>") == 2


def test_units_of_attacks_have_panels_of_their_own(bundled_home: Home) -> None:
    rows = load_tables(bundled_home).attacks
    figure = attacks_figure(rows, NOBODY)
    units = {r.unit for r in rows}
    assert {a["text"] for a in json.loads(figure.to_json())["layout"]["annotations"]} == units
    axis_of: dict[str, set[str]] = {}
    for trace, data in _points(figure):
        unit = next(r.unit for r in rows if r.key == data[0])
        axis_of.setdefault(unit, set()).add(str(trace["yaxis"]))
    assert all(len(axes) == 1 for axes in axis_of.values()) and len({str(a) for a in axis_of.values()}) == len(units)


def test_events_run_from_early_to_late_and_vague_dates_are_bars() -> None:
    rows = [
        EventRow(
            key=str(n), source_id="s", locator="¶1", note="", group="g", date=d, title=f"event {n}", place="", killed_low=None,
            killed_high=None, what="",
        ) for n, d in enumerate(["2019", "2020-02", "2020-03-04"])
    ]  # fmt: skip
    traces = json.loads(timeline_figure(rows, NOBODY).to_json())["data"]
    assert traces[0]["x"] == ["2019-01-01", "2019-12-31", None, "2020-02-01", "2020-02-29", None]
    assert next(t["y"] for t in traces if t.get("customdata")) == [0, 1, 2]


def test_the_command_writes_the_page_and_says_what_is_missing(bundled_home: Home, own: Home, tmp_path: Path) -> None:
    out = tmp_path / "figures.html"
    done = CliRunner().invoke(main, ["--home", str(bundled_home.folder), "figures", str(out)])
    assert done.exit_code == 0 and "Timeline of events (28 rows)" in done.output and out.stat().st_size > 1_000_000
    done = CliRunner().invoke(main, ["--home", str(own.folder), "figures", str(out)])
    assert done.exit_code == 1 and "no table has a row to draw" in done.output
    done = CliRunner().invoke(main, ["--home", str(bundled_home.folder), "figures", str(tmp_path / "none" / "f.html")])
    assert done.exit_code == 1 and "cannot be written" in done.output


@pytest.mark.browser
def test_the_page_draws_offline_follows_the_theme_and_leads_to_the_row(bundled_home: Home, tmp_path: Path) -> None:
    sync = pytest.importorskip("playwright.sync_api")
    file = tmp_path / "figures.html"
    drawings, problems = draw(bundled_home)
    file.write_text(page_html(drawings, problems, made="m"), encoding="utf-8")
    with sync.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(color_scheme="light")
        asked: list[str] = []
        failed: list[str] = []
        page.on("request", lambda r: asked.append(r.url))
        page.on("pageerror", lambda e: failed.append(str(e)))
        page.goto(file.as_uri())
        page.wait_for_function("document.querySelectorAll('.js-plotly-plot .scatterlayer').length >= 3")
        ink = "document.getElementById('strength').layout.font.color"
        page.wait_for_function(f"{ink} === '#1b1f24'")
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(f"{ink} === '#e6e9ed'")
        point = page.locator("#strength .scatterlayer .point").first
        point.hover(force=True)
        page.wait_for_selector("#strength .hoverlayer .hovertext")
        point.click(force=True)
        page.wait_for_selector("tr.chosen")
        assert page.evaluate("document.activeElement.id").startswith("row-strength-")
        browser.close()
    assert asked == [file.as_uri()] and failed == []
