"""A model's standalone question, and whether to trust it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.question.analysis import unlinked
from app.text.lexicon import AUXILIARIES
from app.text.parse import parse
from app.text.spans import CAPITALISED, FIGURE
from app.writing.passages import WORD, key, words_of
from ingest.sentences import sentence_spans

_LABEL = re.compile(r"^\W*(?:standalone |rewritten |the same |follow-up )?question\s*:\s*", re.I)


def trusted_rewrite(reply: str, question: str, history: Sequence[str]) -> str | None:
    """The model's standalone question, or None when it changes nothing or brings in what nobody said.

    Names and figures of the rewrite must stand in the question or the conversation, those of the question must
    stay, most of its other words must be known, and it must be one question.
    """
    lines = [line.strip() for line in reply.splitlines() if line.strip()]
    if not lines or len(lines) > 3:
        return None
    rewrite = _LABEL.sub("", lines[0]).strip(" \"“”'`*")
    known = " ".join([question, *history]).lower()
    if not rewrite or key(rewrite) == key(question) or len(rewrite) > len(question) + 200:
        return None
    if len(sentence_spans(rewrite)) != 1 or not _asks(rewrite):
        return None
    opening = parse(rewrite).words[0]
    names = [n for n in CAPITALISED.findall(rewrite) if n != opening.text or opening.pos == "PROPN"]
    known_words = set(WORD.findall(known))
    if any(part not in known_words for name in names for part in WORD.findall(name.lower())):
        return None
    if set(FIGURE.findall(rewrite)) - set(FIGURE.findall(known)):
        return None
    kept = rewrite.lower()
    asked_names = [n for n in CAPITALISED.findall(question) if not question.startswith(n)]
    must = [n.lower() for n in asked_names] + FIGURE.findall(question)
    if any(m not in kept for m in must):
        return None
    new = [w for w in words_of(rewrite) if w not in known_words]
    return rewrite if len(new) <= max(1, len(words_of(rewrite)) // 4) else None


def _asks(text: str) -> bool:
    """Whether a text begins as a question or a request does."""
    parsed = parse(unlinked(text))
    first = next((w for w in parsed.words if w.pos not in {"PUNCT", "ADP", "SPACE"}), None)
    return first is not None and (first.tag.startswith("W") or first.text.lower() in AUXILIARIES or parsed.is_order)
