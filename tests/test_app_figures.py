"""Figures over time: drawn from the fact layer of any home, every point with its sentence; the page loads nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main
from app.figures.plots import COLOURS, SYMBOLS, Drawing, draw, page_html
from app.home import Home

PAYLOAD = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
TEXTS = {
    "almanac": "In 1995 the Sailors' League had 310 members. In 2001 the Sailors' League had over 700 members.\n\n"
    "From March to May 2003 the Sailors' League made 12 attacks.",
    "gazette": "In 2010 the Sailors' League had 900 to 1,100 members, according to Ana Bruun.\n\n"
    "In 2004 the Sailors' League made 30 attacks. In 2010 the Sailors' League does not have 5,000 members.",
    "ferries": "The harbour had 40 ferries in 1990.\n\nIn 1995 there were 55 ferries.",
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home without the bundled corpus; the title of one source is hostile."""
    folder = tmp_path_factory.mktemp("figures")
    home = Home(folder / "home")
    home.init(empty=True)
    for name, text in TEXTS.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
        given = {"title": PAYLOAD if name == "gazette" else name.title(), "publisher": f"The {name}", "date": "2012"}
        assert [o.status for o in home.add([folder / f"{name}.txt"], given)] == ["added"]
    home.sync()
    home.fill_facts()
    return home


def _traces(drawing: Drawing) -> list[dict[str, object]]:
    return list(json.loads(drawing.figure.to_json())["data"])


def _points(drawing: Drawing) -> list[list[object]]:
    return [data for t in _traces(drawing) for data in t.get("customdata", ())]  # type: ignore[attr-defined]


def test_figures_of_one_thing_are_drawn_over_time_in_any_home(own: Home) -> None:
    drawings, note = draw(own)
    assert note == ""
    found = {d.title: [line.cells[:3] for line in d.lines] for d in drawings}
    assert found == {
        "Sailors' League: members": [
            ("1995", "310 members", "The almanac"), ("2001", "over 700 members", "The almanac"), ("2010", "900 to 1,100 members", "Ana Bruun"),
        ],
        "Sailors' League: attacks": [("March to May 2003", "12 attacks", "The almanac"), ("2004", "30 attacks", "The gazette")],
        "Ferries: ferries": [("1990", "40 ferries", "The ferries"), ("1995", "55 ferries", "The ferries")],
    }  # fmt: skip
    members, attacks = (next(d for d in drawings if d.title.endswith(what)) for what in ("members", "attacks"))
    marks = [t for t in _traces(members) if t.get("customdata")]
    assert [t["y"] for t in marks] == [[310, 700], [900, 1100]], "a range has both ends"
    assert marks[0]["marker"]["symbol"] == ["circle", "arrow-up"]  # type: ignore[index]
    lines = [t for t in _traces(attacks) if t["mode"] == "lines"]
    assert [t["x"] for t in lines] == [["2003-03-01", "2003-05-31", None], ["2004-01-01", "2004-12-31", None]]


def test_every_point_leads_to_its_sentence_and_holders_have_a_colour_with_a_symbol(own: Home) -> None:
    for drawing in draw(own)[0]:
        drawn = {str(data[0]): data for data in _points(drawing)}
        assert drawn.keys() == {line.key for line in drawing.lines}
        for line in drawing.lines:
            source = own.library.get(line.source_id)
            assert line.cells[3].strip("“”") == source.text[line.start : line.end] and line.cells[4] == source.title
            assert drawn[line.key][1:4] == [line.source_id, line.start, line.end]
            assert str(drawn[line.key][4]).startswith(f"<b>{line.cells[1]}</b><br>{line.cells[2]}<br>{line.cells[0]}<br>")
        named = [t for t in _traces(drawing) if t.get("showlegend") is not False]
        assert [t["marker"]["color"] for t in named] == list(COLOURS)[: len(named)]  # type: ignore[index]
        assert [t["marker"]["symbol"] for t in named] == list(SYMBOLS)[: len(named)]  # type: ignore[index]
    light, dark = (draw(own, dark=d)[0][0] for d in (False, True))
    assert light.figure.layout.font.color != dark.figure.layout.font.color
    assert [t.get("x") for t in _traces(light)] == [t.get("x") for t in _traces(dark)]


def test_what_is_not_read_is_told(tmp_path: Path) -> None:
    home = Home(tmp_path / "half")
    home.init(empty=True)
    for name, text in TEXTS.items():
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    list(home.add([tmp_path / f"{name}.txt" for name in TEXTS], {}))
    home.sync()
    assert draw(home) == ([], "facts: 0 % (0 of 3 sources are read); for the rest run: iskp index.")
    ask = iter([False] * 4 + [True] * 9)
    home.fill_facts(stop=lambda: next(ask))
    assert "facts: 33 % (1 of 3" in draw(home)[1]
    home.close()


def test_texts_of_sources_are_not_read_as_html(own: Home) -> None:
    drawings, note = draw(own)
    hovers = [str(data[4]) for d in drawings for data in _points(d)]
    assert any("&lt;img" in h for h in hovers) and not any("<img" in h for h in hovers)
    html = page_html(drawings, note, made="m")
    body = html[html.index("<body>") :]
    assert "<img" not in body and body.count("<script") == 2 and body.count("</script>") == 2


def test_the_command_writes_the_page_and_says_what_is_missing(own: Home, tmp_path: Path) -> None:
    out = tmp_path / "figures.html"
    done = CliRunner().invoke(main, ["--home", str(own.folder), "figures", str(out)])
    assert done.exit_code == 0 and "Sailors' League: members (3 rows)" in done.output and out.stat().st_size > 1_000_000
    done = CliRunner().invoke(main, ["--home", str(own.folder), "figures", str(tmp_path / "none" / "f.html")])
    assert done.exit_code == 1 and "cannot be written" in done.output
    empty = Home(tmp_path / "empty")
    empty.init(empty=True)
    empty.close()
    done = CliRunner().invoke(main, ["--home", str(tmp_path / "empty"), "figures", str(out)])
    assert done.exit_code == 1 and "nothing to draw" in done.output


@pytest.mark.browser
def test_the_page_draws_offline_follows_the_theme_and_leads_to_the_row(own: Home, tmp_path: Path) -> None:
    sync = pytest.importorskip("playwright.sync_api")
    file = tmp_path / "figures.html"
    drawings, note = draw(own)
    name = drawings[0].name
    file.write_text(page_html(drawings, note, made="m"), encoding="utf-8")
    with sync.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(color_scheme="light")
        asked: list[str] = []
        failed: list[str] = []
        page.on("request", lambda r: asked.append(r.url))
        page.on("pageerror", lambda e: failed.append(str(e)))
        page.goto(file.as_uri())
        page.wait_for_function("document.querySelectorAll('.js-plotly-plot .scatterlayer').length >= 3")
        ink = f"document.getElementById('{name}').layout.font.color"
        page.wait_for_function(f"{ink} === '#1b1f24'")
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(f"{ink} === '#e6e9ed'")
        point = page.locator(f"#{name} .scatterlayer .point").first
        point.hover(force=True)
        page.wait_for_selector(f"#{name} .hoverlayer .hovertext")
        point.click(force=True)
        page.wait_for_selector("tr.chosen")
        assert page.evaluate("document.activeElement.id").startswith(f"row-{name}-")
        browser.close()
    assert asked == [file.as_uri()] and failed == []
