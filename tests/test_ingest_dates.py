from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.dates import date_bounds, iso_date
from ingest.errors import BadSource


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2024", "2024"),
        ("2024-03", "2024-03"),
        ("2024-03-22", "2024-03-22"),
        ("  2024-03-22 \n", "2024-03-22"),
        ("2024-03-22T08:30:00+02:00", "2024-03-22"),
        ("2024-03-22 08:30", "2024-03-22"),
        ("22 March 2024", "2024-03-22"),
        ("March 22, 2024", "2024-03-22"),
        ("Friday, 22nd of March 2024", "2024-03-22"),
        ("March 2024", "2024-03"),
        ("2024 March 22", "2024-03-22"),
        ("22.03.2024", "2024-03-22"),
        ("Fri, 22 Mar 2024 08:30:00 GMT", "2024-03-22"),
    ],
)
def test_common_spellings_become_iso_dates_of_the_same_precision(text: str, iso: str) -> None:
    assert iso_date(text) == iso


def test_the_day_comes_first_where_both_readings_exist() -> None:
    assert iso_date("5/3/2024") == "2024-03-05"


@pytest.mark.parametrize("text", ["2024/03/05", "2024.3.5", "2024-3-5", "20240305"])
def test_the_month_comes_second_when_the_year_comes_first(text: str) -> None:
    """dateutil's ``dayfirst`` makes 3 May of these."""
    assert iso_date(text) == "2024-03-05"


def test_an_unknown_time_zone_neither_fails_nor_warns() -> None:
    assert iso_date("5 March 2024 10:00 QQT") == "2024-03-05"


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "12 March", "Tuesday", "2024-13", "2023-02-29", "2024-00-10", "0000", "2024 was dry", "n. d."],
)
def test_what_is_no_full_date_is_refused_with_the_text_and_a_way_on(text: str) -> None:
    with pytest.raises(BadSource, match=re.escape(repr(text))):
        iso_date(text)


@given(st.dates(dt.date(1000, 1, 1)))
def test_every_day_survives_in_iso_and_in_words(day: dt.date) -> None:
    assert iso_date(day.isoformat()) == day.isoformat()
    assert iso_date(f"{day.day} {day:%B} {day.year}") == day.isoformat()


@given(st.text(max_size=30) | st.text("0123456789-/. TJanMarZ:", max_size=20))
def test_any_text_gives_an_iso_date_or_a_refusal(text: str) -> None:
    try:
        found = iso_date(text)
    except BadSource:
        return
    assert re.fullmatch(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?", found)
    first, last = date_bounds(found)
    assert first <= last
    assert iso_date(found) == found


@pytest.mark.parametrize(
    ("date", "bounds"),
    [
        ("2024", (20240101, 20241231)),
        ("2024-02", (20240201, 20240229)),
        ("2023-02", (20230201, 20230228)),
        ("2024-03-22", (20240322, 20240322)),
    ],
)
def test_bounds_span_every_day_that_a_date_may_mean(date: str, bounds: tuple[int, int]) -> None:
    assert date_bounds(date) == bounds
