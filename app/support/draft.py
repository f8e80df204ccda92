"""A draft of one's own, sentence by sentence against the collection."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.errors import BadInput
from app.support.checker import MAX_PASSAGE_CHARS
from app.support.verdict import ClaimCheck
from app.text.spans import LEAD
from ingest.sentences import sentence_spans

_MARKS = re.compile(r"\s*\[\^?\d+\]|\*\*|__|`")
"""Notes and emphasis of a draft, which are no words of the claim."""
_LEAST_WORDS = 3
"""A shorter sentence states nothing that could be checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence of a draft.

    Attributes:
        text: one line, as it stands in the draft.
        paragraph: its number, from 1.
        lead: what stands before it on its line: a bullet or number with its blank, or "".
        check: None for what is not checked: a heading, a question, a few words.
    """

    text: str
    paragraph: int
    lead: str = ""
    check: ClaimCheck | None = None

    @property
    def verdict(self) -> str:
        """One of the five verdicts, or "not checked"."""
        return self.check.verdict if self.check else "not checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedDraft:
    """All sentences of a draft in their order."""

    sentences: tuple[Sentence, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many sentences have each verdict, the most frequent first."""
        return dict(Counter(s.verdict for s in self.sentences).most_common())


def check_draft(text: str, check: Callable[[str], ClaimCheck], tell: Callable[[int, int], None]) -> CheckedDraft:
    """Every sentence of a text with its verdict.

    Args:
        text: paragraphs with blank lines between; Markdown headings and lists are known.
        check: holds a claim against the collection.
        tell: is told how many sentences are done, and of how many.

    Raises:
        BadInput: the text is empty or too long.
    """
    if not text.strip():
        raise BadInput("the draft is empty; give a text with sentences to check")
    if len(text) > MAX_PASSAGE_CHARS:
        raise BadInput(f"the draft has {len(text):,} characters; the limit is {MAX_PASSAGE_CHARS:,}: check it in parts")
    found = list(_sentences(text))
    told = []
    for done, (sentence, states) in enumerate(found):
        tell(done, len(found))
        told.append(_checked(sentence, check) if states else sentence)
    tell(len(found), len(found))
    return CheckedDraft(sentences=tuple(told))


def _checked(sentence: Sentence, check: Callable[[str], ClaimCheck]) -> Sentence:
    try:
        made = check(_MARKS.sub("", sentence.text))
    except BadInput:  # longer than a claim may be
        return sentence
    return Sentence(text=sentence.text, paragraph=sentence.paragraph, lead=sentence.lead, check=made)


def _sentences(text: str) -> Iterator[tuple[Sentence, bool]]:
    """Sentences of a text, each with whether it states something."""
    for number, block in enumerate(_blocks(text), start=1):
        lead = LEAD.match(block)
        body = block[lead.end() :] if lead else block
        heading = bool(lead and lead["heading"])
        starts = [a for a, _ in sentence_spans(_MARKS.sub(lambda m: " " * len(m.group()), body))]
        for at, (start, end) in enumerate(zip(starts, [*starts[1:], len(body)], strict=True)):
            sentence = body[start:end].strip()
            states = not heading and not _MARKS.sub("", sentence).rstrip("\"'”’)").endswith("?") and len(sentence.split()) >= _LEAST_WORDS
            yield Sentence(text=sentence, paragraph=number, lead=lead.group().lstrip() if lead and at == 0 else ""), states


def _blocks(text: str) -> Iterator[str]:
    """Paragraphs, headings and items of lists, each in one line."""
    block: list[str] = []
    for line in [*text.splitlines(), ""]:
        if block and (not line.strip() or LEAD.match(line) or block[0].lstrip().startswith("#")):
            yield " ".join(block)
            block = []
        if line.strip():
            block.append(line.strip())
