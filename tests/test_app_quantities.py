"""Figures as they stand in news and reports: what is a count, of what, and how firm it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.text.quantities import Quantity, events_in, group_of, quantities


def _only(sentence: str) -> Quantity:
    found = quantities(sentence)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("sentence", "text", "low", "high", "unit"),
    [
        ("The group had 1,500–2,200 fighters in 2021.", "1,500–2,200", 1500, 2200, "fighters"),
        ("It has between 4,000 and 6,000 members.", "between 4,000 and 6,000", 4000, 6000, "members"),
        ("Only 145 people were killed.", "145", 145, 145, "people killed"),
        ("One hundred and forty-five were injured.", "One hundred and forty-five", 145, 145, "injured"),
        ("There were two to three hundred sailors.", "two to three hundred", 200, 300, "sailors"),
        ("A camp of some 2 thousand tents.", "some 2 thousand", 1800, 2200, "tents"),
        ("There were up to 10,000 birds there.", "up to 10,000", 5000, 10000, "birds"),
        ("Fewer than 100 families stayed.", "Fewer than 100", 50, 100, "families"),
        ("At least 40 drowned.", "At least 40", 40, 44, "drowned"),
        ("Several tens of thousands of voters came.", "Several tens of thousands", 20000, 99999, "voters"),
        ("In 1998 some 1 500 lamps burned.", "some 1 500", 1350, 1650, "lamps"),
        ("The town has a dozen mills.", "a dozen", 12, 12, "mills"),
    ],
)
def test_counts_are_read_with_their_noun(sentence: str, text: str, low: float, high: float, unit: str) -> None:
    found = _only(sentence)
    assert (found.text, found.kind, found.unit) == (text, "count", unit)
    assert (found.low, found.high) == pytest.approx((low, high))


@pytest.mark.parametrize(
    ("sentence", "kind", "unit", "inside", "outside"),
    [
        ("Prices rose by 12 per cent.", "percent", "%", 12, 13),
        ("The fine was $10 million.", "money", "$", 10.2e6, 11e6),
        ("It cost €2.5bn.", "money", "€", 2.5e9, 2.6e9),
        ("It earned 1.2 billion euros.", "money", "€", 1.23e9, 1.3e9),
        ("The tower is 940 metres high.", "measure", "metres", 940, 941),
        ("Some 6,500 hectares burned.", "measure", "hectares", 6400, 9000),
    ],
)
def test_money_shares_and_measures_keep_their_unit(
    sentence: str, kind: str, unit: str, inside: float, outside: float
) -> None:
    found = _only(sentence)
    assert (found.kind, found.unit) == (kind, unit)
    assert found.low <= inside <= found.high < outside


@pytest.mark.parametrize(
    "sentence",
    [
        "It happened on 22 March 2024.",
        "Resolution 2734 was passed.",
        "The 14th report came in May.",
        "A 27-year-old man was seen.",
        "He was aged 29.",
        "It began at 20:00.",
        "That is the one that they repeat.",
        "He came between 2019 and 2021.",
        "It tripled: three times as many.",
        "See ¶8 and page 12.",
        "On 5 May they left.",
        "On Nov. 15, they left.",
        "They left on September\u00a012, 2010.",
    ],
)
def test_dates_ordinals_ages_and_numbers_of_things_are_no_counts(sentence: str) -> None:
    assert [q for q in quantities(sentence) if not q.aside] == []


@pytest.mark.parametrize(
    ("sentence", "events"),
    [
        ("The blast killed 60 and injured 145.", [{"killed"}, {"injured"}]),
        ("The attack left 23 dead.", [{"killed"}]),
        ("The toll stood at 212.", [{"killed"}]),
        ("Police arrested 64 people.", [{"arrested"}]),
        ("Later counts give 149 and 150 dead.", [{"killed"}, {"killed"}]),
        ("It killed about 80 people according to the ministry and 97 according to the press.", [{"killed"}] * 2),
        ("The toll is given as 84, 91, at least 95 or 103.", [{"killed"}] * 4),
        ("12,000 people marched.", [set()]),
        ("After the feast 40 people fell ill.", [{"infected"}]),
    ],
)
def test_what_happened_to_those_counted_is_told(sentence: str, events: list[set[str]]) -> None:
    assert [set(q.events) for q in quantities(sentence)] == events


@pytest.mark.parametrize(
    ("sentence", "kept"),
    [
        ("It has 2,500 fighters, 2,100 of them in the east.", ["2,500"]),
        ("The crash killed 21 people, including 16 children.", ["21"]),
        ("Sales were 1,200 units, up from 900.", ["1,200"]),
        ("They had about 6,000 fighters, three times the earlier 2,000.", ["about 6,000"]),
        ("It grew from 2,200 to almost 4,000 fighters.", ["almost 4,000"]),
    ],
)
def test_parts_and_earlier_states_stand_aside(sentence: str, kept: list[str]) -> None:
    assert [q.text for q in quantities(sentence) if not q.aside] == kept


def test_a_figure_takes_no_noun_across_another_name() -> None:
    first, second = quantities("It has 2,000 fighters and the River Army about 6,000, as reported.")
    assert (first.unit, second.unit) == ("fighters", "")


def test_rises_and_falls_are_told_from_levels() -> None:
    assert [q.change for q in quantities("Incidents fell by 40%.")] == [True]
    assert [q.change for q in quantities("A 40% reduction followed.")] == [True]
    assert [q.change for q in quantities("Turnout was 40%.")] == [False]
    assert [q.change for q in quantities("Some spoke of growth to 6,000 men, others of 2,000 men.")] == [False, False]
    assert [q.change for q in quantities("Some spoke of a growth of 2,000 men.")] == [True]


def test_a_verb_is_kept_to_its_own_figure() -> None:
    first, second = quantities("The storm destroyed 50 houses and damaged 200 barns.")
    assert (first.verb, second.verb) == ("destroy", "damag")


def test_nouns_that_mean_the_same_share_a_group() -> None:
    assert group_of("fighters") == group_of("members") == "strength"
    assert group_of("Species") == group_of("species")
    assert group_of("bridges") != group_of("tunnels")
    assert events_in("How many people died or were wounded?") == {"killed", "injured"}


@given(st.text(alphabet=st.sampled_from("0123456789 ,.–-%$€aeknotfrmbdl"), max_size=60))
def test_any_text_is_read_and_figures_are_slices_of_it(text: str) -> None:
    for q in quantities(text):
        assert q.text == " ".join(text[q.start : q.end].split())
        assert q.low <= q.high
