"""Markers in a model's text, in every form that models use, however the stream is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.writing.drafting import Drafting, DraftSentence
from app.writing.markers import Mark, MarkerStream, Piece, Text, existing, split, without_markers

FORMS = {
    "one": ("It rained [1].", [(1,)]),
    "several": ("It rained [1][2] and [3].", [(1,), (2,), (3,)]),
    "joined": ("It rained [1,2].", [(1, 2)]),
    "semicolon": ("It rained [1; 3].", [(1, 3)]),
    "range": ("It rained [1-3].", [(1, 2, 3)]),
    "en dash": ("It rained [2–4].", [(2, 3, 4)]),
    "words": ("It rained [1 and 3].", [(1, 3)]),
    "repeated": ("It rained [1, 1][1].", [(1,), (1,)]),
    "full width": ("It rained【1】.", [(1,)]),
    "full-width figures": ("It rained［２］.", [(2,)]),
    "with source": ("It rained【3†source】.", [(3,)]),
    "with position": ("It rained【4:0†report.pdf】.", [(4,)]),
    "doubled": ("It rained [[1]].", [(1,)]),
    "footnote": ("It rained[^1].", [(1,)]),
    "named": ("It rained [passage 2].", [(2,)]),
    "names": ("It rained [Source 1, Source 2].", [(1, 2)]),
    "linked": ("It rained [1](https://example.org/x).", [(1,)]),
    "invented": ("It rained [99].", [(99,)]),
    "year": ("It rained [2024].", [(2024,)]),
    "endless range": ("It rained [1-100000].", [(1, 100000)]),
    "huge": ("It rained [" + "9" * 60 + "].", [(999999999,)]),
}


@pytest.mark.parametrize("name", FORMS)
def test_each_form_is_read(name: str) -> None:
    text, numbers = FORMS[name]
    assert [p.numbers for p in split(text) if isinstance(p, Mark)] == numbers
    assert without_markers(text).startswith("It rained") and not any(c.isdigit() for c in without_markers(text))


@pytest.mark.parametrize("text", ["a [note] b", "x[i] = y", "[1, p. 3]", "[]", "[ ]", "[1a]", "(1)", "[12:30]", "{1}"])
def test_what_is_no_marker_stays_text(text: str) -> None:
    assert list(split(text)) == [Text(text=text)]


@given(st.sampled_from([text for text, _ in FORMS.values()]), st.lists(st.integers(1, 5), min_size=1, max_size=60))
def test_the_borders_of_the_pieces_do_not_matter(text: str, steps: list[int]) -> None:
    stream, found, at = MarkerStream(), [], 0
    for step in steps:
        found += stream.feed(text[at : at + step])
        at += step
    found += [*stream.feed(text[at:]), *stream.finish()]
    assert _joined(found) == list(split(text))


def test_an_open_bracket_is_held_back_until_it_is_clear() -> None:
    stream = MarkerStream()
    assert list(stream.feed("It rained [")) == [Text(text="It rained ")]
    assert list(stream.feed("1")) == []
    assert list(stream.feed("] here")) == [Mark(numbers=(1,)), Text(text=" here")]


def test_a_bracket_that_never_closes_is_text_in_the_end() -> None:
    stream = MarkerStream()
    assert [*stream.feed("a [1"), *stream.finish()] == [Text(text="a "), Text(text="[1")]
    assert _joined([*stream.feed("b [" + "x" * 200)]) == [Text(text="b [" + "x" * 200)]


def test_only_existing_numbers_count_and_in_order_of_use() -> None:
    marks = [Mark(numbers=(3, 0)), Mark(numbers=(1, 3, 7))]
    assert existing(marks, 3) == ((3, 1), (0, 7))


@given(st.text(alphabet="[]【】(){}^1234 ,;-–†a.", max_size=80))
def test_any_text_can_be_split_and_no_marker_is_left_over(text: str) -> None:
    left = "".join(p.text for p in split(text) if isinstance(p, Text))
    assert len(left) <= len(text)
    assert not any(isinstance(p, Mark) for p in split(without_markers(left))) or "[" in left or "【" in left


SENTENCES = {
    "markers behind": ("The crew left on Monday [1]. The harbour closed later [2][3].", [("The crew left on Monday.", (1,)), ("The harbour closed later.", (2, 3))]),
    "markers behind the stop": ("The crew left on Monday. [1] The harbour closed later. [2]", [("The crew left on Monday.", (1,)), ("The harbour closed later.", (2,))]),
    "markers in front": ("[1] The crew left on Monday. [2] The harbour closed later.", [("The crew left on Monday.", (1,)), ("The harbour closed later.", (2,))]),
    "a list": ("- The crew left on Monday [1].\n- The **harbour** closed later. [2]\n", [("The crew left on Monday.", (1,)), ("The harbour closed later.", (2,))]),
    "numbered": ("1. The crew left on Monday 【1】.\n2. The harbour closed later 【2】.", [("The crew left on Monday.", (1,)), ("The harbour closed later.", (2,))]),
    "thinking aloud": ("<think>Passage [9] says nothing.\nHm.</think>\nThe crew left on Monday [1].", [("The crew left on Monday.", (1,))]),
    "abbreviation": ("The U.S. Army left on Monday [1]. It came back [2].", [("The U.S. Army left on Monday.", (1,)), ("It came back.", (2,))]),
    "html": ("<b>The crew</b> left <img src=x onerror=alert(1)>on Monday [1].", [("The crew left on Monday.", (1,))]),
    "a link": ("The crew left [here](http://example.org) on Monday [1].", [("The crew left here on Monday.", (1,))]),
    "no marker": ("The crew left on Monday", [("The crew left on Monday", ())]),
    "only thinking": ("<think>The crew never", []),
    "empty": ("", []),
}  # fmt: skip


@pytest.mark.parametrize("name", SENTENCES)
@pytest.mark.parametrize("step", [1, 3, 7, 1000])
def test_sentences_come_out_with_their_markers_and_without_decoration(name: str, step: int) -> None:
    text, expected = SENTENCES[name]
    found, words = _drafted(text, step)
    assert [(s.text, tuple(n for m in s.marks for n in m.numbers)) for s in found] == expected
    assert ("[" not in words or name == "a link") and "think" not in words


@pytest.mark.parametrize("name", SENTENCES)
def test_the_ends_of_sentences_rise_and_stay_inside_the_draft(name: str) -> None:
    found, words = _drafted(SENTENCES[name][0], 4)
    ends = [s.end for s in found]
    assert ends == sorted(ends) and all(0 < e <= len(words) for e in ends)


def test_a_sentence_is_told_before_the_draft_is_whole() -> None:
    drafting = Drafting()
    drafting.feed("The crew left on Monday [1]. The harbour closed")
    assert [s.text for s in drafting.sentences()] == ["The crew left on Monday."]


def _drafted(text: str, step: int) -> tuple[list[DraftSentence], str]:
    drafting, found, words = Drafting(), [], ""
    for at in range(0, len(text), step):
        words += drafting.feed(text[at : at + step])
        found += drafting.sentences()
    words += drafting.finish()
    found += drafting.sentences(whole=True)
    assert words == drafting.text
    return found, words


def _joined(pieces: list[Piece]) -> list[Piece]:
    joined: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, Text) and joined and isinstance(joined[-1], Text):
            joined[-1] = Text(text=joined[-1].text + piece.text)
        else:
            joined.append(piece)
    return joined
