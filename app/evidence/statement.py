"""Whether a sentence of a source can stand as a statement, and so as an answer to a question.

A question, a line that repeats the question's own words, a byline, a time stamp and an order state nothing.
Fact-sheet lines ("Killed: 14"), rows of tables and captions do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from app.question.analysis import Kind, asks_author, fits_kind, kind_of, unlinked
from app.text import orders as instructions
from app.text.lexicon import AMOUNTS, CALENDAR, FUNCTION
from app.text.spans import ended
from index.terms import Vocabulary, tokens
from ingest.chunk import Passage, is_row, tells
from ingest.formats.plain import BYLINE
from ingest.sentences import unmarked

_OPENING = re.compile(r"[\"“„«(\[]|(?<!\w)['‘]")
_SPEAKER = re.compile(r"^[^:?!.]{1,60}:\s+")
_ASKS_WITHOUT_MARK = re.compile(
    r"^\W*(?:who|whom|whose|what|when|where|why|how|which)\s+(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|"
    r"should|many|much)\b[^.!…;]*$",
    re.I,
)
_POSTED = frozenset(("published", "updated", "posted", "modified", "edited", "read", "ago"))
_OF_STAMPS = (
    CALENDAR
    | _POSTED
    | frozenset(
        """
    sept first last on at of from a p m am pm h t est edt cst cdt mst mdt pst pdt et ct mt pt wt wst wdt gmt utc bst cest local time min mins
    minute minutes hour hours day days st nd rd th date dated
    """.split()  # noqa: SIM905
    )
)
_CLOCK = re.compile(r"\b\d{1,2}[:.h]\d{2}\b(?:\s*[ap]\.?m\b)?|\b\d{1,2}\s*[ap]\.?m\b", re.I)
_DATE_IN_DIGITS = re.compile(r"\b\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b")
_BY = re.compile(
    r"^\W*(?:(?:story|text|words|reporting|written|edited|photographs?|photos?|compiled) )?by:?\s+[A-ZÀ-Þ][^.!?]{1,80}$",
    re.I,
)
_ASKS_PUBLICATION = re.compile(
    r"\b(?:published|posted|updated|written|dated|released|appeared?|came? out|date of (?:the )?(?:article|report|text|publication))\b",
    re.I,
)
_PICTURE = frozenset(
    """
    photo photos photograph photographs photographer photographed picture pictures image images illustration illustrations credit credits credited cover
    """.split()  # noqa: SIM905
)
_HOW_TO = re.compile(
    r"\bhow (?:do|does|to|can|could|should|would|must|may|is|are)\b|\bwhat (?:should|must) (?:i|we|you|one)\b", re.I
)
_REPLIES = frozenset(("never", "nobody", "nothing", "yes", "no", "not", "always"))
_FULL_SENTENCE_WORDS = 3


@dataclass(frozen=True)
class Wanted:
    """What a question asks for, as far as it decides what may answer."""

    question: str
    vocabulary: Vocabulary

    @cached_property
    def kind(self) -> Kind:
        """What kind of answer it wants."""
        return kind_of(plain_question(self.question))

    @cached_property
    def words(self) -> frozenset[str]:
        """Stems of the question's words."""
        return frozenset(self.vocabulary.stems(self.question)) | {
            self.vocabulary.stem(t) for t in tokens(self.question)
        }

    @cached_property
    def topic(self) -> frozenset[str]:
        """Stems of the question's words but for those of grammar."""
        return frozenset(self.vocabulary.stems(self.question)) - FUNCTION

    @cached_property
    def names(self) -> frozenset[str]:
        """Stems of the words that the question writes with a capital, but for its first."""
        capitals = [w for w in tokens(self.question)[1:] if w[0].isupper()]
        return frozenset(s for w in capitals for s in self.vocabulary.stems(w))

    def answered_by(self, sentence: str, passage: Passage) -> bool:
        """Whether a sentence of a passage states something that could answer the question."""
        shown = unmarked(sentence).strip()
        if interrogative(shown) or instructions.to_answerer(shown):
            return False
        if instructions.imperative(shown) and not _HOW_TO.search(self.question):
            return False
        if is_row(passage.locator):
            return True
        if stamp(shown) and not self._wants_stamp(shown):
            return False
        if _is_byline(shown, passage) and not (asks_author(self.question) or _ASKS_PUBLICATION.search(self.question)):
            return False
        if passage.role == "credit" and not _PICTURE & set(_words(self.question)):
            return False
        if passage.role == "heading" and not tells(shown):
            return False
        if (
            self.kind == "yes-no"
            and not ended(shown)
            and self.names
            and not self.names & set(self.vocabulary.stems(shown))
        ):
            return False  # a line of a list that holds others than the question is about
        return not self._echoed(shown)

    def _wants_stamp(self, stamp_line: str) -> bool:
        """A bare date may answer "when"; one with a time of day is when a text came out."""
        if _ASKS_PUBLICATION.search(self.question):
            return True
        return self.kind == "date" and not (_CLOCK.search(stamp_line) or _POSTED & set(_words(stamp_line)))

    def _echoed(self, sentence: str) -> bool:
        """Whether a sentence has nothing but words of the question: it may confirm, it can't tell what, who or when."""
        if set(self.vocabulary.stems(sentence)) - FUNCTION - self.words:
            return False
        asked = self.question.lower()
        if any(word not in asked for word in re.findall(r"\w+", sentence.lower()) if word in AMOUNTS | _REPLIES or word[0].isdigit()):
            return False
        return not (self.kind == "yes-no" and ended(sentence) and len(sentence.split()) >= _FULL_SENTENCE_WORDS)

    def asked_in(self, question: str, context: str) -> bool:
        """Whether a question that stands in a source asks the same: of the same kind, on the same things.

        Args:
            context: title and headings above it, which it need not repeat.
        """
        if kind_of(plain_question(question)) != self.kind or not self.topic:
            return False
        inside = self.topic & set(self.vocabulary.stems(question))
        around = inside | (self.topic & set(self.vocabulary.stems(context)))
        return bool(inside) and (
            len(around) >= _SAME * len(self.topic) or (len(inside) > 1 and len(inside) >= _NEARLY * len(self.topic))
        )

    def labelled_in(self, line: str, around: str) -> bool:
        """Whether a line of a fact sheet gives what is asked for behind its label: "Weapon roadside bomb".

        Args:
            around: the other lines and the headings above, which name what the sheet is on.
        """
        if ended(line) or not self.topic:
            return False
        words = self.vocabulary.stems(line)
        there = set(words) | set(self.vocabulary.stems(around))
        if len(self.topic & there) < _SAME * len(self.topic) or not set(words) - FUNCTION - self.words:
            return False
        label = next((w for w in words if w not in FUNCTION), "")
        return label in self.topic and fits_kind(self.kind, line)


_SAME, _NEARLY = 0.75, 0.4
"""Share of a question's words that the text needs to ask or label the same: with its headings, and by itself."""


def plain_question(text: str) -> str:
    """A question without the name of who asks ("Herald: And who …?") and without linking words."""
    return unlinked(_SPEAKER.sub("", text))


def interrogative(sentence: str) -> bool:
    """Whether a sentence asks; one that tells what somebody asked does not."""
    text = unmarked(sentence).rstrip()
    if text.endswith("?"):
        return True
    if instructions.question(text):
        openings = list(_OPENING.finditer(text))
        before = text[: openings[0].start()] if openings else text
        return not re.search(r"\w", _SPEAKER.sub("", f"{before} ")) or not openings
    return bool(_ASKS_WITHOUT_MARK.match(text))


def stamp(sentence: str) -> bool:
    """Whether a line holds nothing but a day or a time: "Sept. 12, 5:16 p.m. ET"."""
    words = set(_words(sentence))
    dated = words & (CALENDAR | _POSTED) or _CLOCK.search(sentence) or _DATE_IN_DIGITS.search(sentence)
    hours = len(_CLOCK.findall(sentence)) > 1  # "8 am – 8 pm" tells when something is open
    return bool(dated) and not hours and words <= _OF_STAMPS and any(c.isdigit() for c in sentence)


def _words(text: str) -> list[str]:
    """The words of a text, lower case, without figures."""
    return re.findall(r"[^\W\d_]+", text.lower())


def _is_byline(sentence: str, passage: Passage) -> bool:
    return bool(BYLINE.match(sentence) or _BY.match(sentence)) or (passage.role == "byline" and not ended(sentence))
