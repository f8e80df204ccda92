"""Whole-collection questions ("what do the sources say about X?"): one cited line a source, by date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.answer import Citation
from app.answering.compose import Composed, speaker, with_list
from app.answering.engine import Desk, Outcome
from app.answering.rows import LOOKED_THROUGH, NEEDED, held
from app.answering.speakers import speaker as holder_of
from app.citation_text import COMPARISON, is_comparison, one_line, shortened, with_marker
from app.evidence.citing import cited
from app.evidence.gather import Evidence
from app.evidence.statement import Wanted
from app.text.voices import REPORTING, reports_others, says_who
from index.embed import Encoder
from index.search import Hit
from index.terms import Vocabulary
from ingest.sentences import sentence_spans
from ingest.source import Source

MOST_LINES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    evidence: Evidence
    source: Source


def overview(desk: Desk) -> Outcome | None:
    """One sentence of each source; None for other questions, where one holder is meant, and when no sentence is about the topic."""
    request, opened, settings = desk.request, desk.index, desk.models.settings
    if request.topic is None or not request.topic.about or (request.topic.holder and holder_of(desk, request.topic.holder)):
        return None
    topic = request.topic.about
    with desk.clock.stage("retrieve"):
        hits = opened.search(topic, LOOKED_THROUGH, filters=request.filters, settings=settings.search)
    with desk.clock.stage("read"):
        chosen = choose(topic, hits, desk.models.encoder, opened.vocabulary)
    if not chosen:
        return None
    with desk.clock.stage("generate"):
        composed, left_out = compose(chosen, opened.source, words=settings.other_words)
    reasons = [f"an overview of “{topic}”: {len(composed.citations)} sources, one sentence each, by date"]
    if left_out:
        reasons.append(f"{left_out} more sources mention it and are not shown")
    return Outcome(
        answer=replace(
            desk.base, status="answered", answer=composed.text, citations=composed.citations, reasons=tuple(reasons),
            confidence=round(max(0.0, min(1.0, max(e.similarity for e in chosen))), 4),
        )
    )  # fmt: skip


def choose(topic: str, hits: Sequence[Hit], encoder: Encoder, vocabulary: Vocabulary) -> list[Evidence]:
    """For each source its sentence that says most about the topic; the best sources first.

    A sentence counts when ``NEEDED`` of the topic's terms stand in it, or in it and the headings above it with
    at least one in the sentence itself.
    """
    terms = vocabulary.content_terms(topic)
    asked = frozenset(s for t in terms for s in vocabulary.stems(t))
    wanted = Wanted(topic, vocabulary)
    found: dict[str, list[Evidence]] = {}
    for hit in hits:
        around = held(terms, hit.passage.context, vocabulary)
        for a, b in sentence_spans(hit.passage.text):
            text = hit.passage.text[a:b]
            inside = held(terms, text, vocabulary)
            share = len(inside | around) / len(asked) if asked else 0.0
            if inside and share >= NEEDED and wanted.answered_by(text, hit.passage):
                item = Evidence(
                    hit=hit, text=text, start=hit.passage.start + a, end=hit.passage.start + b, score=share,
                    passage_score=share, similarity=hit.similarity, overlap=len(inside) / len(asked),
                )  # fmt: skip
                found.setdefault(hit.passage.source_id, []).append(with_list(item))
    # The sentences of the best sources only: encoding them all would take longer than reading the answer.
    candidates = [e for own in list(found.values())[: MOST_LINES * 2] for e in sorted(own, key=_rank)[:3]]
    if not candidates:
        return []
    vectors = encoder.encode([vocabulary.spell_out(topic), *(e.text for e in candidates)])
    similarities = (vectors[1:] @ vectors[0]).tolist()
    best: dict[str, Evidence] = {}
    for item, similarity in zip(candidates, similarities, strict=True):
        exact = replace(item, similarity=similarity)
        other = best.get(item.hit.passage.source_id)
        if other is None or _worth(exact) > _worth(other):
            best[item.hit.passage.source_id] = exact
    return sorted(best.values(), key=_worth, reverse=True)


def compose(chosen: Sequence[Evidence], sources: Callable[[str], Source | None], *, words: int) -> tuple[Composed, int]:
    """One line a source, oldest first and undated last, and how many sources found no room.

    Args:
        words: about how long the overview may get; at least two sources are shown.
    """
    found = [(e, s) for e in chosen if (s := sources(e.hit.passage.source_id)) is not None]
    found.sort(key=lambda pair: pair[1].genre == "notes")  # what compiles others comes after what it compiles
    lines: list[_Line] = []
    for item, source in found[:MOST_LINES]:
        words -= len(item.text.split())
        if words < 0 and len(lines) >= 2:
            break
        lines.append(_Line(evidence=item, source=source))
    lines.sort(key=lambda line: (line.source.date is None, line.source.date or "", line.source.title))
    texts: list[str] = []
    citations: list[Citation] = []
    for marker, line in enumerate(lines, start=1):
        citation = cited(line.evidence, line.source, sources, marker=marker)
        texts.append(
            f"- {citation.date or 'undated'}, {_label(citation)}: {with_marker(one_line(citation.quote), marker)}"
        )
        citations.append(citation)
    return Composed(text="\n".join(texts), citations=tuple(citations)), len(chosen) - len(lines)


def _label(citation: Citation) -> str:
    """Which source a line is from, and whose words it gives where that is somebody else."""
    said_by = speaker(citation)
    if is_comparison(citation):
        return f"{said_by}, in a {COMPARISON}" if said_by else COMPARISON
    source = citation.author or citation.publisher or ""
    if not said_by or not source:
        return said_by or shortened(citation.title)
    if said_by != source and said_by not in source:
        return said_by if source in said_by else f"{said_by}, in {source}"
    return f"{source}{REPORTING}" if reports_others(citation.quote) and not says_who(citation.quote) else source


def _rank(item: Evidence) -> tuple[float, int]:
    return -item.overlap, item.start


def _worth(item: Evidence) -> float:
    return item.similarity + 0.5 * item.hit.similarity + 0.3 * item.overlap
