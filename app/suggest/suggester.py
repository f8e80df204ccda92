"""Questions offered on the page, each known to be answered from what is indexed.

Candidates are made from names, dates and headings of the sources by templates, so that any collection has
some. A thread asks the engine each of them; only what it answered with the right words is kept and offered.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from app.answer import Answer
from app.errors import AppError
from app.text.lexicon import MONTH_NAMES
from index.errors import IndexingError
from index.generation import replace_text
from index.search import OpenIndex
from ingest.chunk import Passage
from ingest.errors import IngestError
from ingest.source import Source

if TYPE_CHECKING:
    from app.home import Home

Group = Literal["fact", "differ", "argued"]
SUGGESTIONS_FILE = "suggestions.json"
"""In the home: what was found for the current index."""
ENOUGH = 24
"""So many answered questions are gathered for a collection …"""
MOST_TRIED = 90
"""… trying at most so many."""
MOST_ABOUT_ANSWER = 10
"""So many candidates are tried for the follow-ups of one answer."""
_PAUSE_SECONDS = 0.25
"""Between two candidates, so that people's questions are not held up."""
_FIRST_SOURCES = 60
_MONTH = "|".join(MONTH_NAMES)
_DATE = re.compile(rf"\b[Oo]n (\d{{1,2}} (?:{_MONTH}) \d{{4}}|(?:{_MONTH}) \d{{1,2}}, \d{{4}})\b")
_WORD = r"[A-Z][\w’'-]*[a-z][\w’'-]*"
_NAME = re.compile(rf"\b{_WORD}(?:(?: (?:of|and|for|the|al|de|von|bin)){{0,2}} {_WORD})+")
_ROLE = re.compile(
    r"\b(?:leader|head|chief|minister|president|spokesman|spokeswoman|director|founder|commander|governor|secretary|"
    rf"author|captain|mayor|chairman|chairwoman|chair|professor|emir|envoy)s?,? (?:of (?:(?!(?:in|at|on|by|as|an?|was|is|were|since)\b)[\w’'-]+ ){{1,4}}?)?({_WORD}(?: {_WORD})*)"
)
_REPORTED = re.compile(r"\b(?:reported by|according to|quoted by|cited by|told|via|by)(?: the)? $", re.I)
_QUESTION = re.compile(r"^(?:who|what|when|where|why|how|which)\b.{8,100}\?$", re.I)
_DULL = frozenset(
    [
        *_MONTH.casefold().split("|"),
        "see",
        "also",
        "read",
        "more",
        "note",
        "notes",
        "figure",
        "table",
        "source",
        "sources",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A question that may be answered.

    Attributes:
        about: words that a quote of the answer has to hold; empty for any.
        source_id: where the question came from.
        kind: the template, so that not all offered questions are alike.
    """

    question: str
    about: str
    source_id: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A question that the engine answered, and what its answer cites.

    Attributes:
        group: what the answer is: facts, values or sides that differ, or what a writer argues.
    """

    question: str
    about: str
    kind: str
    sources: tuple[str, ...]
    passages: tuple[str, ...]
    group: Group


class Suggester:
    """Finds and keeps questions for a home. No method that the page calls waits for the engine."""

    def __init__(self, home: Home, *, pause_seconds: float = _PAUSE_SECONDS) -> None:
        self._home = home
        self._pause = pause_seconds
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._key = ""
        self._found: list[Suggestion] = []
        self._tried: set[str] = set()
        self._whole = False
        self._wanted: list[Candidate] = []

    def first_questions(self, n: int = 4) -> list[str]:
        """Up to ``n`` questions to begin with, of different sources and kinds; more are there a while later."""
        if not self._begin():
            return []
        with self._lock:
            return [s.question for s in _varied(self._found, n)]

    def grouped(self, n: int = 3) -> dict[Group, list[str]]:
        """Up to ``n`` questions of each group, as :meth:`first_questions` gives them; no group is empty."""
        if not self._begin():
            return {}
        with self._lock:
            own: dict[Group, list[Suggestion]] = {g: [s for s in self._found if s.group == g] for g in get_args(Group)}
        return {g: [s.question for s in _varied(found, n)] for g, found in own.items() if found}

    @property
    def complete(self) -> bool:
        """Whether nothing more is looked for in the current index."""
        return self._whole

    def known(self, n: int = 2) -> list[str]:
        """Up to ``n`` questions of which it is known by now that they are answered; looks for no more.

        Where nothing has been looked for yet, the first of those that come with the bundled corpus.
        """
        opened = self._current()
        if opened is None:
            return []
        key = _key(self._home, opened)
        with self._lock:
            found = self._found if key == self._key else _read(self._file, key)[0]
            return [s.question for s in _varied(found, n)] or self._of_corpus()[:n]

    def _of_corpus(self) -> list[str]:
        if not self._home.has_corpus:
            return []
        return [c.question for c in _listed(files("ingest").joinpath("corpus", "questions.txt").read_text(encoding="utf-8"))]

    def follow_ups(self, answer: Answer, n: int = 3) -> list[str]:
        """Up to ``n`` questions that lead on from an answer; more are there a while later.

        They cite the sources that the answer cites, or what it names, but not only the same passages.
        """
        opened = self._current()
        if opened is None or answer.status == "declined" or not self._begin():
            return []
        cited = answer.citations or answer.nearest
        wanted = [c for c in about_answer(answer) if _plain(c.question) not in self._tried]
        with self._lock:
            known = {c.question for c in self._wanted}
            self._wanted += [c for c in wanted[:MOST_ABOUT_ANSWER] if c.question not in known]
            found = list(self._found)
        if wanted:
            self._start()
        passages, sources = {c.passage_id for c in cited}, {c.source_id for c in cited}
        asked = {_plain(answer.question), _plain(answer.standalone_question)}
        text = " ".join(c.quote for c in cited)

        def worth(s: Suggestion) -> float:
            named = bool(s.about) and s.about in text
            return 2 * named + len(sources & set(s.sources)) / len(s.sources)

        leading = [
            s for s in found
            # A question that is answered from the same passages leads nowhere new.
            if _plain(s.question) not in asked and 2 * len(passages & set(s.passages)) < len(s.passages) and worth(s) > 0
        ]  # fmt: skip
        return [s.question for s in _varied(sorted(leading, key=worth, reverse=True), n)]

    def wait(self, timeout_seconds: float = 60.0) -> bool:
        """Wait until nothing is being tried; whether that is so."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_seconds)
            return not thread.is_alive()
        return True

    def close(self) -> None:
        """Stop trying; waits for the question that is being tried."""
        self._stopped.set()
        self.wait(30)

    def _current(self) -> OpenIndex | None:
        try:
            return self._home.index.current()
        except (AppError, IndexingError, IngestError):
            return None  # whoever asks is told

    def _begin(self) -> bool:
        """Take up what is known of the current index and see to it that more is found; whether there is an index."""
        opened = self._current()
        if opened is None:
            return False
        key = _key(self._home, opened)
        with self._lock:
            if key != self._key:
                self._key, self._wanted = key, []
                self._found, self._tried, self._whole = _read(self._file, key)
            complete = self._whole
        if not complete:
            self._start()
        return True

    def _start(self) -> None:
        with self._lock:
            if self._stopped.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            self._thread = threading.Thread(target=self._work, name="suggestions", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        # A model that is missing, an index that is being replaced: the page does without suggestions.
        with suppress(AppError, IndexingError, IngestError):
            opened = self._home.index.current()
            if opened is None:
                return
            key = _key(self._home, opened)
            general = candidates(opened, self._home)
            while not self._stopped.is_set() and key == self._key:
                with self._lock:
                    candidate = self._wanted.pop(0) if self._wanted else None
                candidate = candidate or self._next(general)
                if candidate is None:
                    break
                began = time.monotonic()
                self._try(candidate, key)
                # At most half of the time is taken from people's own questions.
                self._stopped.wait(self._pause and max(self._pause, time.monotonic() - began))

    def _next(self, general: Iterator[Candidate]) -> Candidate | None:
        with self._lock:
            if not self._whole and len(self._found) < ENOUGH and len(self._tried) < MOST_TRIED:
                for candidate in general:
                    if _plain(candidate.question) not in self._tried:
                        return candidate
            self._whole = True
        self._save()
        return None

    def _try(self, candidate: Candidate, key: str) -> None:
        if _plain(candidate.question) in self._tried:
            return
        answer = self._home.answerer_with("extractive").answer(candidate.question)
        with self._lock:
            if key != self._key:
                return
            self._tried.add(_plain(candidate.question))
            if fits(candidate, answer):
                self._found.append(
                    Suggestion(
                        question=candidate.question, about=candidate.about, kind=candidate.kind,
                        sources=tuple(dict.fromkeys(c.source_id for c in answer.citations)),
                        passages=tuple(dict.fromkeys(c.passage_id for c in answer.citations)), group=group_of(answer),
                    )
                )  # fmt: skip
        self._save()

    @property
    def _file(self) -> Path:
        return self._home.folder / SUGGESTIONS_FILE

    def _save(self) -> None:
        with self._lock:
            data = {
                "key": self._key, "whole": self._whole, "tried": sorted(self._tried),
                "found": [asdict(s) for s in self._found],
            }  # fmt: skip
            with suppress(OSError):  # where nothing can be written, they are found again next time
                replace_text(self._file, json.dumps(data))


def first_questions(home: Home, n: int = 4) -> list[str]:
    """See :meth:`Suggester.first_questions`."""
    return home.suggester.first_questions(n)


def follow_ups(answer: Answer, home: Home, n: int = 3) -> list[str]:
    """See :meth:`Suggester.follow_ups`."""
    return home.suggester.follow_ups(answer, n)


def fits(candidate: Candidate, answer: Answer) -> bool:
    """Whether the answer is one to what was meant: cited, and with the words that the question is about."""
    if answer.status != "answered" or not answer.citations:
        return False
    quoted = " ".join(c.quote for c in answer.citations).casefold()
    return all(w in quoted for w in candidate.about.casefold().split())


def group_of(answer: Answer) -> Group:
    """What an answer is: it sets values or sides beside each other, gives what one writer holds, or tells facts."""
    disputed = answer.shape == "verdict" and answer.answer.startswith("Disputed")
    if answer.differences or disputed or answer.shape == "comparison":
        return "differ"
    if any(c.claim_status == "opinion" for c in answer.citations) and len({c.source_id for c in answer.citations}) == 1:
        return "argued"
    return "fact"


def candidates(opened: OpenIndex, home: Home) -> Iterator[Candidate]:
    """Questions that may be answered, the likeliest to be worth asking first."""
    if home.has_corpus:
        yield from _listed(files("ingest").joinpath("corpus", "questions.txt").read_text(encoding="utf-8"))
    sources = [s for s, _ in zip(opened.sources(), range(_FIRST_SOURCES), strict=False)]
    passages = {s.id: opened.passages_of(s.id) for s in sources}
    yield from _interleaved(
        list(_headings(sources)), list(_dates(passages)), list(_people(passages)), list(_names(passages, sources))
    )


def about_answer(answer: Answer) -> list[Candidate]:
    """Questions about what the quotes of an answer name and its question does not."""
    asked = f"{answer.question} {answer.standalone_question}".casefold()
    found: dict[str, Candidate] = {}
    for citation in answer.citations or answer.nearest:
        text = " ".join(citation.quote.split())
        writers = f"{citation.author} {citation.publisher}"
        for name in _names_in(text):
            if name.casefold() not in asked and name not in writers:
                found.setdefault(name, _of_name(name, citation.source_id, _has_article(name, text)))
        for match in _DATE.finditer(text):
            if match[1].casefold() not in asked:
                found.setdefault(match[1], _of_date(match[1], citation.source_id))
        for match in _ROLE.finditer(text):
            if match[1].casefold() not in asked:
                found[match[1]] = _of_person(match[1], citation.source_id)
    return list(found.values())


def _listed(text: str) -> Iterator[Candidate]:
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            yield Candidate(question=line.strip(), about="", source_id="", kind="listed")


def _headings(sources: Sequence[Source]) -> Iterator[Candidate]:
    """Headings and titles that are questions already."""
    for source in sources:
        for text in dict.fromkeys([source.title, *(h for p in source.paragraphs for h in p.headings)]):
            if _QUESTION.match(text):
                yield Candidate(question=text, about="", source_id=source.id, kind="heading")


def _dates(passages: Mapping[str, Sequence[Passage]]) -> Iterator[Candidate]:
    for source_id, own in passages.items():
        for match in (m for p in own for m in _DATE.finditer(p.text)):
            yield _of_date(match[1], source_id)
            break


def _people(passages: Mapping[str, Sequence[Passage]]) -> Iterator[Candidate]:
    for source_id, own in passages.items():
        for match in (m for p in own for m in _ROLE.finditer(p.text)):
            if _is_name(match[1]):
                yield _of_person(match[1], source_id)
                break


def _names(passages: Mapping[str, Sequence[Passage]], about: Sequence[Source]) -> Iterator[Candidate]:
    """Names by how many passages they stand in, those of several sources first."""
    writers = " ".join(f"{s.author or ''} {s.publisher or ''}" for s in about)
    sources: dict[str, set[str]] = {}
    count: dict[str, int] = {}
    for source_id, own in passages.items():
        for passage in own:
            for name in set(_names_in(passage.text)):
                sources.setdefault(name, set()).add(source_id)
                count[name] = count.get(name, 0) + 1
    for name in sorted(count, key=lambda n: (-len(sources[n]), -count[n], n)):
        if name not in writers:
            source_id = min(sources[name])
            article = any(_has_article(name, p.text) for p in passages[source_id])
            yield _of_name(name, source_id, article)


def _names_in(text: str) -> list[str]:
    """Names in a text, but not those of who reported it."""
    found = (m for m in _NAME.finditer(text) if not _REPORTED.search(text[: m.start()]))
    return [name for m in found if _is_name(name := re.sub(r"[’']s?$", "", m.group()))]


def _is_name(name: str) -> bool:
    words = name.casefold().split()
    return 3 < len(name) <= 50 and not _DULL & set(words) and words[0] not in _function_words()


@cache
def _function_words() -> frozenset[str]:
    """Words that begin a sentence, not a name."""
    return frozenset(
        [
            "a",
            "an",
            "and",
            "another",
            "are",
            "as",
            "at",
            "both",
            "but",
            "by",
            "each",
            "even",
            "for",
            "from",
            "he",
            "her",
            "his",
            "how",
            "if",
            "in",
            "is",
            "it",
            "its",
            "many",
            "most",
            "no",
            "not",
            "of",
            "on",
            "one",
            "or",
            "other",
            "our",
            "she",
            "since",
            "so",
            "some",
            "such",
            "that",
            "the",
            "their",
            "then",
            "there",
            "these",
            "they",
            "this",
            "those",
            "to",
            "two",
            "under",
            "was",
            "we",
            "were",
            "what",
            "when",
            "where",
            "which",
            "while",
            "who",
            "whose",
            "why",
            "with",
            "you",
        ]
    )


def _of_name(name: str, source_id: str, article: bool = False) -> Candidate:
    """A question about a name, with "the" where the text puts it."""
    named = f"the {name}" if article else name
    return Candidate(question=f"What do the sources say about {named}?", about=name, source_id=source_id, kind="name")


def _has_article(name: str, text: str) -> bool:
    return re.search(rf"\b[Tt]he {re.escape(name)}\b", text) is not None


def _of_person(name: str, source_id: str) -> Candidate:
    return Candidate(question=f"Who is {name}?", about=name, source_id=source_id, kind="person")


def _of_date(date: str, source_id: str) -> Candidate:
    return Candidate(question=f"What happened on {date}?", about=date, source_id=source_id, kind="date")


def _interleaved(*kinds: Sequence[Candidate]) -> Iterator[Candidate]:
    for n in range(max((len(k) for k in kinds), default=0)):
        yield from (k[n] for k in kinds if n < len(k))


def _varied(found: Sequence[Suggestion], n: int) -> list[Suggestion]:
    """The first ``n``, but of different sources and kinds as far as there are."""
    chosen: list[Suggestion] = []
    for rule in range(3):
        for s in found:
            if len(chosen) == n:
                return chosen
            same_source = any(set(s.sources[:1]) & set(c.sources[:1]) for c in chosen)
            same_kind = s.kind != "listed" and sum(c.kind == s.kind for c in chosen) >= max(1, n // 3)
            if s not in chosen and (rule > 1 or not same_source) and (rule > 0 or not same_kind):
                chosen.append(s)
    return chosen


def _plain(question: str) -> str:
    return " ".join(re.findall(r"\w+", question.casefold()))


def _key(home: Home, opened: OpenIndex) -> str:
    """Names everything that decides whether a question is answered."""
    settings = home.settings
    facts = [version("iskp-qa"), opened.id, settings.answer.model_dump(), settings.search.model_dump()]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _read(file: Path, key: str) -> tuple[list[Suggestion], set[str], bool]:
    """What was found before for the same key; nothing when there is no such file or it is another's."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        if data["key"] != key:
            return [], set(), False
        found = [
            Suggestion(**{**s, "sources": tuple(s["sources"]), "passages": tuple(s["passages"])}) for s in data["found"]
        ]
        return found, set(data["tried"]), bool(data["whole"])
    except (OSError, ValueError, KeyError, TypeError):
        return [], set(), False
