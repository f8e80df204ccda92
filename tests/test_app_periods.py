"""Times in sentences and questions; what "last year" means on a given day."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.text.periods import asked, day_of, in_time_first, iso_of, of_date, periods, shown, speaks_of, strict

TODAY = dt.date(2024, 5, 20)


@pytest.mark.parametrize(
    ("text", "first", "last", "iso"),
    [
        ("on 22 March 2024", 20240322, 20240322, "2024-03-22"),
        ("on March 5, 2020", 20200305, 20200305, "2020-03-05"),
        ("2024-03-22", 20240322, 20240322, "2024-03-22"),
        ("in May 2019", 20190501, 20190531, "2019-05"),
        ("as of February 2017", 20170201, 20170228, "2017-02"),
        ("in May–July 2024", 20240501, 20240731, "2024-07"),
        ("from 14 May to 31 July 2024", 20240514, 20240731, "2024-07-31"),
        ("between 22 and 30 March 2024", 20240322, 20240330, "2024-03-30"),
        ("in July and August 2023", 20230701, 20230831, "2023-08"),
        ("in mid-2021", 20210501, 20210831, "2021"),
        ("early 2022", 20220101, 20220430, "2022"),
        ("by the end of 2023", 20231001, 20231231, "2023"),
        ("in 2017–18", 20170101, 20181231, "2018"),
        ("from 2021 to 2025", 20210101, 20251231, "2025"),
        ("in 2019.", 20190101, 20191231, "2019"),
    ],
)
def test_a_period_is_read_as_precisely_as_it_is_written(text: str, first: int, last: int, iso: str) -> None:
    (found,) = periods(text)
    assert (found.first, found.last, found.iso) == (first, last, iso)


@pytest.mark.parametrize(
    "text",
    [
        "about 2000 fighters",
        "resolution 2024",
        "1500–2200 men",
        "1,500",
        "some 1900 houses",
        "31 February",
        "$2020",
        "2000 people",
        "no year",
    ],
)
def test_counts_and_numbers_are_no_years(text: str) -> None:
    assert periods(text) == []


@pytest.mark.parametrize(
    ("text", "relation"),
    [
        ("in 2021", "at"),
        ("as of 2021", "as of"),
        ("since 2021", "since"),
        ("before 2021", "before"),
        ("after 2021", "after"),
        ("the attack of 2021", "of"),
        ("from May to June 2021", "at"),
    ],
)
def test_the_word_before_a_period_is_kept(text: str, relation: str) -> None:
    assert periods(text)[0].relation == relation


@pytest.mark.parametrize(
    ("question", "resolved"),
    [
        ("How many came last year?", "How many came in 2023?"),
        ("How many have come since last month?", "How many have come since April 2024?"),
        ("What was built two years ago?", "What was built in 2022?"),
        ("Who resigned yesterday?", "Who resigned on 19 May 2024?"),
        ("What happened in the last two years?", "What happened since 2022?"),
        ("Which laws passed this year?", "Which laws passed in 2024?"),
        ("What about this week?", "What about on 20 May 2024 – 26 May 2024?"),
        ("How many are there?", None),
    ],
)
def test_relative_words_are_written_out(question: str, resolved: str | None) -> None:
    assert asked(question, TODAY).text == (resolved or question)


def test_the_time_asked_for() -> None:
    since = asked("What has changed since 2021?", TODAY).period
    assert since is not None and since.bounds == (20210101, 99991231)
    span = asked("How did it grow from 2019 to 2022?", TODAY).period
    assert span is not None and span.bounds == (20190101, 20221231)
    before = asked("Who led it before 2020?", TODAY).period
    assert before is not None and before.bounds[1] < 20200101
    assert asked("How many are there now?", TODAY).now
    assert asked("What is the latest estimate?", TODAY).now
    assert not asked("How many were there in 2020?", TODAY).now


def test_what_speaks_of_the_time_comes_first_and_what_speaks_of_others_last() -> None:
    period = asked("How many in 2019?", TODAY).period
    assert period is not None and strict(period)
    texts = ["In 2015 there were 3.", "There are 4.", "In June 2019 there were 5."]
    assert [speaks_of(t, period) for t in texts] == [-1, 0, 1]
    assert in_time_first(texts, period, lambda t: speaks_of(t, period), lambda t: 0.0, 1.0) == [texts[2], texts[1], texts[0]]


@pytest.mark.parametrize(
    ("text", "published", "sign"),
    [
        ("Last year 300 came.", "2020-05-02", 1),
        ("Last year 300 came.", "2020", 1),
        ("Last year 300 came.", "2019-12-30", -1),
        ("Two years ago 300 came.", "2021-03-01", 1),
        ("Last year 300 came.", None, 0),
    ],
)
def test_last_year_in_a_text_is_told_from_its_date(text: str, published: str | None, sign: int) -> None:
    period = asked("How many came in 2019?", TODAY).period
    assert period is not None
    found = speaks_of(text, period, published)
    assert (found > 0) - (found < 0) == sign


@pytest.mark.parametrize(
    ("first", "last", "iso"), [(20210304, 20210304, "2021-03-04"), (20210301, 20210331, "2021-03"), (20210101, 20211231, "2021"), (20190601, 20200531, "2020")]
)
def test_a_stretch_of_days_as_an_iso_date(first: int, last: int, iso: str) -> None:
    assert iso_of(first, last) == iso


@pytest.mark.parametrize(("date", "day"), [("2021-03-04", "2021-03-04"), ("2021-03", "2021-03-01"), ("2021", "2021-07-01")])
def test_a_day_in_an_inexact_date(date: str, day: str) -> None:
    assert day_of(date).isoformat() == day


def test_a_time_that_only_names_a_thing_costs_nothing() -> None:
    period = asked("Who planned the attack of 2019?", TODAY).period
    assert period is not None and not strict(period)
    texts = ["In 2015 it was planned.", "It was planned by three men."]
    assert in_time_first(texts, period, lambda t: speaks_of(t, period), lambda t: 0.0, 1.0) == texts


def test_dates_in_words() -> None:
    assert [shown(d) for d in ("2024", "2024-03", "2024-03-05")] == ["2024", "March 2024", "5 March 2024"]
    assert of_date("2024-02").last == 20240229


@given(st.text(alphabet=st.sampled_from("0123456789 ,.–-MayJuneofintbwd"), max_size=50))
def test_any_text_is_read(text: str) -> None:
    found = periods(text)
    assert all(p.first <= p.last for p in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@pytest.mark.parametrize(
    ("text", "published", "worth"),
    [
        ("The island has 300 farms.", "2012-05-02", 1),
        ("The ferry sank in a storm.", "2012-05-02", 0.5),
        ("The island has 300 farms.", "2015-05-02", -1),
        ("The ferry sank in a storm.", "2015-05-02", 0),
        ("The island lies north of the cape.", "2015-05-02", 0),
        ("In 2012 the island had 300 farms.", "2015-05-02", 1),
        ("The island has 300 farms.", None, 0),
    ],
)
def test_a_statement_without_a_time_of_its_own_is_of_the_date_of_its_source(
    text: str, published: str | None, worth: float
) -> None:
    period = asked("How many farms did the island have in 2012?", dt.date(2030, 1, 1)).period
    assert period is not None
    assert speaks_of(text, period, published) == worth
