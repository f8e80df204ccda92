"""English questions that the English sources do not answer: looked up in the sources of other languages, by the second vectors."""

from __future__ import annotations

from dataclasses import replace

from app.answering.engine import Desk, Outcome
from app.answering.strategies.across import over, quoted_in
from app.text.language import listed, named
from index.errors import LanguagesMissing

_SAMPLE = 500


def elsewhere(desk: Desk) -> Outcome | None:
    """The answer of the strategies behind; where they abstain, that of the sources in other languages if it is one.

    None, at no cost, where every source that may be asked is in a language that the index reads: nothing is encoded for it.
    """
    request, models, other = desk.request, desk.models, desk.models.across
    if not request.served or request.language.code != "en" or request.turning != "new" or other is None:
        return None
    foreign = _foreign(desk)
    if not foreign:
        return None
    found = desk.answered(replace(desk, models=replace(models, across=None)))
    if found.answer.status != "abstained" or found.answer.task != "point":
        return found
    try:
        with desk.clock.stage("retrieve"):
            opened = other.vectors.view(desk.index)
    except LanguagesMissing as exc:
        return replace(found, answer=replace(found.answer, notice=str(exc)))
    own = over(desk, other, opened, crossing=True)
    filters = replace(request.filters, sources=tuple(sorted(foreign)))
    second = desk.answered(replace(own, request=replace(own.request, filters=filters)))
    codes = {quoted_in(opened, c.source_id, c.quote) for c in second.answer.citations}
    if second.answer.status != "answered" or not codes or "en" in codes:
        return replace(found, everywhere=True)
    told = f"Quoted as it stands, in {listed(sorted(named(code).name for code in codes))}: no English source answers."
    return replace(second, answer=replace(second.answer, notice=told), everywhere=True)


def _foreign(desk: Desk) -> frozenset[str]:
    """Ids of the sources that may be asked, hold text in a language that only the other encoder reads."""
    across, opened, read = desk.models.across, desk.index, desk.models.settings.languages
    assert across is not None
    if read is None:
        return frozenset()
    known = opened.languages()
    ids: set[str] = set()
    for code, of_language in known.items():
        first = opened.source(min(of_language)) if of_language and code not in read else None
        if first is not None and across.reads(first.text[:_SAMPLE]):
            ids |= of_language
    if desk.request.filters.sources:
        ids &= set(desk.request.filters.sources)
    return frozenset(ids)
