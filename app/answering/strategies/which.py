"""Questions about "the article" or "the author" where several texts may be meant: the user is asked which."""

from __future__ import annotations

from dataclasses import replace

from app.answering.engine import Desk, Outcome
from app.answering.speakers import fitting, named_source
from app.answering.strategies.summary import topic_beside
from app.citation_text import is_comparison, one_line
from app.question.reference import Reference, reference

OPTIONS = 4
"""Texts that are offered; of more none is."""
WHICH = "It is not clear which text “{words}” means. Which of these do you mean?"
NAME_IT = "It is open which text “{words}” means: please name its title or author."


def which(desk: Desk) -> Outcome | None:
    """A question back; None where one text is meant, or what is asked can be looked for in all of them."""
    request = desk.request
    question = request.standalone
    referred = reference(question) if request.language.code == "en" else None
    if referred is None or named_source(desk, question) is not None:
        return None
    works = [s for s in desk.index.sources() if request.filters.admits(s) and not is_comparison(s)]
    meant = fitting(desk, referred.beside, works) if referred.beside else works
    if len(meant) < 2 or topic_beside(desk, question.replace(referred.text, referred.noun, 1), None):
        return None
    options = tuple(dict.fromkeys(_about(question, referred, one_line(s.title)) for s in meant)) if len(meant) <= OPTIONS else ()
    answer = replace(
        desk.base, status="unclear", answer=(WHICH if options else NAME_IT).format(words=referred.text), options=options, confidence=0.0,
        standalone_question=request.asked, reasons=(f"{len(meant)} texts may be meant by “{referred.text}”",),
    )  # fmt: skip
    return Outcome(answer=answer)


def _about(question: str, referred: Reference, title: str) -> str:
    """The question with the title of a text in the place of the words that mean it."""
    rest = question[referred.start + len(referred.text) :]
    named = f"the author of “{title}”" if referred.writer and not rest.startswith(("'", "’")) else f"“{title}”"
    text = f"{question[: referred.start]}{named}{rest}"
    return f"{text[:1].upper()}{text[1:]}"
