"""A model's standalone question, and whether to trust it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.writing.passages import FIGURE, WORD, key, words_of
from ingest.sentences import sentence_spans

_LABEL = re.compile(r"^\W*(?:standalone |rewritten |the same |follow-up )?question\s*:\s*", re.I)
_CAPITAL = re.compile(r"\b[A-ZÀ-ÞА-Я][\w’'-]*")
_ASKS = re.compile(
    r"^\W*(?:and |but |so )?(?:who|whom|whose|what|when|where|which|why|how|is|are|was|were|do|does|did|has|have|had|can|could|"
    r"will|would|should|may|might|in|on|by|from|to|at|for|since|until|tell|describe|explain|list|name|give|compare|summari[sz]e)\b",
    re.I,
)


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
    if len(sentence_spans(rewrite)) != 1 or not (rewrite.endswith("?") or _ASKS.match(rewrite)):
        return None
    if not _ASKS.match(rewrite):
        return None
    first = rewrite.split()[0]
    names = [n for n in _CAPITAL.findall(rewrite) if n != first or not _ASKS.match(n)]
    known_words = set(WORD.findall(known))
    if any(part not in known_words for name in names for part in WORD.findall(name.lower())):
        return None
    figures = {f.strip(".,") for f in FIGURE.findall(known)}
    if any(f.strip(".,") not in figures for f in FIGURE.findall(rewrite)):
        return None
    kept = rewrite.lower()
    asked_names = [n for n in _CAPITAL.findall(question) if not _ASKS.match(n) and not question.startswith(n)]
    must = [n.lower() for n in asked_names] + [f.strip(".,") for f in FIGURE.findall(question)]
    if any(m not in kept for m in must):
        return None
    new = [w for w in words_of(rewrite) if w not in known_words]
    return rewrite if len(new) <= max(1, len(words_of(rewrite)) // 4) else None
