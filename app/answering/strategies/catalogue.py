"""Questions about the sources themselves: which, how many, the newest, who wrote one. Answered from their records."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rapidfuzz.distance import OSA

from app.answer import Citation, cite
from app.answering.compose import Composed
from app.answering.engine import Desk, Outcome
from app.answering.speakers import titled
from app.answering.strategies.talk import NO_SOURCES
from app.citation_text import COMPARISON, is_comparison, one_line, with_marker
from app.question.analysis import asks_author, kind_of
from app.question.tasks import Task, catalogue_words
from app.text import periods
from app.text.counts import counted
from app.text.language import codes_by_name, named
from app.text.lexicon import CALENDAR
from app.text.messages import translated
from index.search import Filters, OpenIndex
from index.terms import tokens
from ingest.chunk import Passage
from ingest.dates import date_bounds
from ingest.sentences import sentence_spans
from ingest.source import Source

NOUNS = {
    "opinion": "opinion piece", "un-report": "UN report", "government": "government publication", "news": "news report",
    "encyclopedia": "encyclopedia article", "research": "research publication", "notes": "note", "unknown": "text",
}  # fmt: skip
_KINDS: Mapping[str, str] = {
    "un": "un-report", "opinion": "opinion", "commentary": "opinion", "editorial": "opinion", "encyclopedia": "encyclopedia",
    "encyclopaedia": "encyclopedia", "news": "news", "press": "news", "newspaper": "news", "government": "government",
    "official": "government", "research": "research", "study": "research", "academic": "research", "note": "notes",
}  # fmt: skip
"""Words for the kinds of sources, which are a fixed set; what else a question names is looked for in the records."""
_FEW = 12
"""So many titles are listed one by one; more are told by publisher."""
_MARKED = 40
_RECORDS = 3
"""Of so many works at most the records are told at once; else the reader is asked which is meant."""
_SAME = 0.6
"""Share of a value's words, by rarity, that a question has to hold to name it."""
_PARTS = re.compile(r"[,;()]|\bvia\b|\breposted by\b|\band other\b")
_SIGNED = ("author-note", "byline")
_TOPIC = re.compile(
    r"\b(?:mention(?:s|ed|ing)?|about|on|regarding|concerning|cover(?:s|ed|ing)?|discuss(?:es|ed|ing)?|deal(?:s|t|ing)? with|"
    r"speak(?:s|ing)? of|talk(?:s|ing)? about|nam(?:e|es|ed|ing))\s+(?=\S)",
    re.I,
)
"""Words behind which a topic stands, so that "mention the UN" asks for no UN reports."""
_FIELDS: Mapping[str, tuple[str, Callable[[Source], str | None]]] = {
    "authors": ("author", lambda s: s.author),
    "writers": ("author", lambda s: s.author),
    "publishers": ("publisher", lambda s: s.publisher),
    "outlets": ("publisher", lambda s: s.publisher),
    "organisations": ("publisher", lambda s: s.publisher),
    "organizations": ("publisher", lambda s: s.publisher),
    "languages": ("language", lambda s: named(s.language).name if s.language else None),
}
"""What is listed or counted instead of the sources themselves when a question has the word."""
_NAME = re.compile(r"(?<![.!?:] )(?<!^)\b[A-Z][\w’'-]*[a-z][\w’'-]*(?: [A-Z][\w’'-]*[a-z][\w’'-]*)*|\b[A-Z]{3,}\b")


def catalogue(desk: Desk) -> Outcome | None:
    """What the records of the sources tell; None where the texts themselves have to."""
    request = desk.request
    task: Task = "catalogue-record" if _asks_for_writer(desk) else request.task
    if not task.startswith("catalogue"):
        return None
    with desk.clock.stage("retrieve"):
        told = Catalogue(desk.opened, request.filters, request.today)
        composed = told.answer_in(request.frame, task) or told.answer(task, request.text)
    if not composed.text:
        return None
    return Outcome(answer=replace(desk.told("catalogue", composed.text), citations=composed.citations))


def _asks_for_writer(desk: Desk) -> bool:
    """Whether a question asks who wrote the text whose title it gives, and the record of that text tells."""
    question = desk.request.question
    source = titled(desk, question.text) if desk.opened and question.about_author and question.kind == "person" else None
    return source is not None and bool(source.author)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The sources that a question speaks of.

    Attributes:
        sources: those that pass all of its filters.
        said: the filters in words, to stand behind "sources": " from 2024", " that mention “dam”"; empty without any.
        noun: what they are called.
        passages: for a topic, the passage of each source that mentions it, by source id.
    """

    sources: tuple[Source, ...]
    said: str
    noun: str
    passages: Mapping[str, Passage]


class Catalogue:
    """Tells of the sources of an index that pass the filters of the page."""

    def __init__(self, opened: OpenIndex | None, filters: Filters, today: dt.date) -> None:
        self._opened = opened
        self._filters = filters
        self._today = today
        self.sources = tuple(s for s in opened.sources() if filters.admits(s)) if opened else ()
        self._citations: list[Citation] = []

    def answer(self, task: Task, question: str) -> Composed:
        """The answer to a question of this task; without text when the texts themselves have to tell."""
        if not self.sources:
            text = "No source passes the filters that are set." if self._filters != Filters() else NO_SOURCES
            return Composed(text=text, citations=())
        text = {
            "catalogue-about": self._about,
            "catalogue-list": self._list,
            "catalogue-newest": self._newest,
            "catalogue-oldest": self._oldest,
            "catalogue-count": self._count,
            "catalogue-record": self._record,
            "catalogue-new-since": self._new_since,
        }[task](question)
        return Composed(text=text, citations=tuple(self._citations))

    def answer_in(self, language: str, task: Task) -> Composed | None:
        """The answer to a question in another language than English, which names no filters; None where it is told in English.

        Args:
            language: ISO 639-1.
        """
        number = len(self.sources)
        main = self._main()
        if not number:
            return None
        if task == "catalogue-about":
            told = translated("about", language, sources=number)
            named = f"{translated('centre', language)} {self._line(main)}\n{self._gist(main, language)}" if main and told else ""
            body = named if number == 1 else f"{told}\n{named}".strip()
        elif task in {"catalogue-list", "catalogue-count"}:
            told = translated("listed", language, sources=number)
            every = Chosen(sources=self.sources, said="", noun="source", passages={})
            body = f"{told}\n{self._lines(every)}" if told else ""
        elif task in {"catalogue-newest", "catalogue-oldest"}:
            newest = task == "catalogue-newest"
            told = translated("newest" if newest else "oldest", language)
            dated = sorted((s for s in self.sources if s.date and not is_comparison(s)), key=lambda s: date_bounds(s.date or "")[0])
            first = (dated[::-1] if newest else dated)[:_RECORDS]
            body = "\n".join((told, *(f"- {self._line(s)}" for s in first))) if told and first else ""
        else:
            told = body = ""
        return Composed(text=body, citations=tuple(self._citations)) if told and body else None

    # ------------------------------------------------------------ the answers

    def _list(self, question: str) -> str:
        chosen = self._chosen(question)
        if not chosen.sources:
            return self._none(chosen)
        if told := self._field(question, chosen):
            return told
        lead = _there_are(chosen)
        return f"{lead}:\n{self._lines(chosen)}"

    def _count(self, question: str) -> str:
        chosen = self._chosen(question)
        if not chosen.sources:
            return self._none(chosen)
        if told := self._field(question, chosen):
            return told
        if len(chosen.sources) == len(self.sources):
            return f"{_there_are(chosen)}: {_kinds(chosen.sources)}."
        own = sum(map(is_comparison, chosen.sources))
        ours = f", {own} of them by iskp-qa itself" if own and own < len(chosen.sources) else ""
        return f"{_called(chosen)}, of {counted(len(self.sources), 'source')} in all{ours}:\n{self._lines(chosen)}"

    def _field(self, question: str, chosen: Chosen) -> str:
        """The different authors, publishers or languages, where the question asks for those; else empty."""
        field = next((_FIELDS[w] for t in tokens(question) if (w := t.casefold()) in _FIELDS), None)
        if field is None:
            return ""
        noun, of = field
        found = sorted({value for s in chosen.sources if (value := of(s)) and not is_comparison(s)}, key=str.casefold)
        if not found:
            return f"No {noun} is recorded of {_called(chosen)}."
        return f"The records of {_called(chosen)} name {counted(len(found), noun)}: {'; '.join(map(one_line, found))}."

    def _newest(self, question: str) -> str:
        return self._at_an_end(question, newest=True)

    def _oldest(self, question: str) -> str:
        return self._at_an_end(question, newest=False)

    def _at_an_end(self, question: str, *, newest: bool) -> str:
        chosen = self._chosen(question)
        dated = [s for s in chosen.sources if s.date]
        own = [s for s in dated if is_comparison(s)]
        dated = [s for s in dated if not is_comparison(s)] or dated
        word = "newest" if newest else "oldest"
        if not chosen.sources:
            return self._none(chosen)
        if not dated:
            return f"{_there_are(chosen)}, without a known date:\n{self._lines(chosen)}"
        dated.sort(key=lambda s: date_bounds(s.date or "")[0], reverse=newest)
        first = [s for s in dated if s.date == dated[0].date]
        lines = "\n".join(f"- {self._line(s)}" for s in (first if len(first) > 2 else dated)[:_RECORDS])
        text = (
            f"The {word} of {_called(chosen)} is of {_day(dated[0])}. {word.capitalize()} first:\n{lines}"
            if len(dated) > 1
            else self._line(dated[0])
        )
        undated = sum(not s.date for s in chosen.sources)
        if undated:
            text += f"\nOf {undated} no date is known."
        if newest and len(own) < len(chosen.sources) and own:
            text += f"\niskp-qa’s own comparisons of sources are of {periods.shown(max(s.date or '' for s in own))}."
        return text

    def _new_since(self, question: str) -> str:
        asked = periods.asked(question, self._today)
        if asked.period is None:
            return f"When a source was added is not kept, only when it was published. {self._newest(question)}"
        if asked.period.relation not in {"since", "after"} or _bounds(asked) != asked.period.bounds:
            return self._list(question)  # "from 2023" names a year, no beginning
        since = asked.period.last + 1 if asked.period.relation == "after" else asked.period.first
        chosen = self._chosen(question, timed=False)
        new = tuple(s for s in chosen.sources if s.date and date_bounds(s.date)[1] >= since)
        shown = asked.text[asked.period.start : asked.period.end]
        found = Chosen(
            sources=new,
            said=f"{chosen.said} {asked.period.relation if asked.period.relation == 'after' else 'since'} {shown}",
            noun=chosen.noun,
            passages={},
        )
        return f"{_called(found)}:\n{self._lines(found)}" if new else self._none(found)

    def _record(self, question: str) -> str:
        meant, unknown = self._meant(question)
        lead = f"No record of a source holds {', '.join(f'“{w}”' for w in unknown)}. " if unknown else ""
        unsigned = asks_author(question) and not any(s.author or s.publisher for s in meant)
        if unsigned or (len(meant) > _RECORDS and asks_author(question) and kind_of(question) != "person"):
            return ""  # what no record tells of an author, a note on the author in a text may tell
        if len(meant) > _RECORDS:
            lines = "\n".join(f"- {self._line(s)}" for s in meant[:_FEW])
            return f"{lead}Which source do you mean? Name its title, author or publisher; {len(meant)} fit, among them:\n{lines}"
        if lead:
            lead += "The nearest:\n"
        told = [self._told(s) for s in meant]
        return lead + (told[0] if len(told) == 1 else "\n".join(f"- {t}" for t in told))

    def _about(self, question: str) -> str:
        main = self._main()
        if len(self.sources) == 1 and main:
            return f"{self._told(main)}\n{self._gist(main)}"
        own = [s for s in self.sources if is_comparison(s)]
        works = [s for s in self.sources if not is_comparison(s)]
        dates = sorted(s.date for s in works if s.date)
        span = (
            f", published between {dates[0][:4]} and {dates[-1][:4]}" if dates and dates[0][:4] != dates[-1][:4] else ""
        )
        text = f"This collection holds {counted(len(self.sources), 'source')}: {_kinds(self.sources)}{span}."
        names = self._names(works or own)
        if names:
            text += f" What they name most: {', '.join(names)}."
        if main:
            text += f"\nAt its centre: {self._told(main)}\n{self._gist(main)}"
        elif works and len(works) <= _FEW:
            text += "\n" + "\n".join(f"- {self._line(s)}" for s in works)
        return text

    # ------------------------------------------------------------ parts of them

    def _told(self, source: Source) -> str:
        """Author, publisher, date and address of a source in words."""
        by = f"is by {one_line(source.author)}" if source.author else "names no author"
        published = f"; published by {one_line(source.publisher)}" if source.publisher else ""
        when = f"dated {_day(source)}" if source.date else "no date is known"
        note = next((p for p in self._passages(source) if p.role in _SIGNED), None)
        text = self._marked(f"“{one_line(source.title)}” {by}{published}; {when}.", source, note)
        if not source.publisher:
            text += self._imprint(source)
        return f"{text} Read it at {source.url}" if source.url else f"{text} No web address is recorded."

    def _imprint(self, source: Source) -> str:
        """Short lines at the foot of a text without a known publisher: they may name it."""
        lines = [
            p
            for p in source.paragraphs
            if p.role in {"footer", "credit"} and 1 < len(source.text[p.start : p.end].split()) <= _FEW
        ]
        passages = self._passages(source)
        if not lines or not passages:
            return " No publisher is recorded."
        foot = lines[-1]
        quote = one_line(source.text[foot.start : foot.end])
        marker = self._cite(source, passages[-1], foot.start, foot.end)
        return f" No publisher is recorded; a line beside the text reads: “{quote}” [{marker}]."

    def _gist(self, source: Source, language: str = "en") -> str:
        """How a source begins and how it ends, cited; ``language`` is that of the two leads, ISO 639-1."""
        leads = (translated("begins", language) or "It begins:", translated("ends", language) or "It ends:")
        body = [p for p in self._passages(source) if p.role == "body"]
        told = []
        for lead, passage in zip(leads, dict.fromkeys([*body[:1], *body[-1:]]), strict=False):
            a, b = sentence_spans(passage.text)[0]
            marker = self._cite(source, passage, passage.start + a, passage.start + b)
            told.append(f"{lead} {with_marker(one_line(passage.text[a:b]), marker)}")
        return " ".join(told)

    def _names(self, sources: Sequence[Source], most: int = 6) -> list[str]:
        """The names that stand in most of the sources; months and days of the week are none."""
        found: Counter[str] = Counter()
        for source in sources:
            found.update({name.removesuffix("'s").removesuffix("’s") for name in _NAME.findall(source.text)})
        said = found.most_common(4 * most)
        told = [name for name, n in said if (n > 1 or len(sources) == 1) and not CALENDAR.issuperset(self._words(name))]
        return told[:most]

    def _lines(self, chosen: Chosen) -> str:
        if len(chosen.sources) <= _FEW:
            return "\n".join(f"- {self._line(s, chosen.passages.get(s.id))}" for s in chosen.sources)
        lines = []
        for genre, noun in NOUNS.items():
            of_kind = [s for s in chosen.sources if s.genre == genre]
            if own := [s for s in of_kind if is_comparison(s)]:
                lines.append(f"- {counted(len(own), 'comparison')} of sources by iskp-qa")
                of_kind = [s for s in of_kind if not is_comparison(s)]
            by: dict[str, list[Source]] = {}
            for source in of_kind:
                by.setdefault(source.publisher or source.author or source.title, []).append(source)
            if by:
                lines.append(
                    f"- {counted(len(of_kind), noun)}: {'; '.join(self._house(who, texts) for who, texts in by.items())}"
                )
        return "\n".join(lines)

    def _house(self, who: str, sources: Sequence[Source]) -> str:
        years = sorted({s.date[:4] for s in sources if s.date})
        span = years[0] if len(years) == 1 else f"{years[0]}–{years[-1]}" if years else "undated"
        markers = "".join(f" [{self._cite_first(s)}]" for s in sources if len(self._citations) < _MARKED)
        return f"{one_line(who)} ({f'{len(sources)}, ' if len(sources) > 1 else ''}{span}){markers}"

    def _line(self, source: Source, passage: Passage | None = None) -> str:
        parts = (source.title, source.author, COMPARISON if is_comparison(source) else source.publisher, _day(source))
        return self._marked(", ".join(one_line(p) for p in parts if p), source, passage)

    def _none(self, chosen: Chosen) -> str:
        return f"There is no {chosen.noun}{chosen.said} among the {counted(len(self.sources), 'source')}."

    def _marked(self, text: str, source: Source, passage: Passage | None = None) -> str:
        marker = self._cite_first(source, passage)
        return with_marker(text, marker) if marker else text

    def _cite_first(self, source: Source, passage: Passage | None = None) -> int:
        """A marker that opens the source where it begins, or at a passage; 0 for a source without passages."""
        passages = [passage] if passage else sorted(self._passages(source), key=lambda p: p.role != "body")
        if not passages:
            return 0
        a, b = sentence_spans(passages[0].text)[0]
        return self._cite(source, passages[0], passages[0].start + a, passages[0].start + b)

    def _cite(self, source: Source, passage: Passage, start: int, end: int) -> int:
        for known in self._citations:
            if (known.source_id, known.start, known.end) == (source.id, start, end):
                return known.marker
        self._citations.append(
            cite(source, passage, start=start, end=end, support=1.0, marker=len(self._citations) + 1)
        )
        return len(self._citations)

    def _passages(self, source: Source) -> list[Passage]:
        return self._opened.passages_of(source.id) if self._opened else []

    # ------------------------------------------------------------ which sources are meant

    def _chosen(self, question: str, *, timed: bool = True) -> Chosen:
        """The sources that pass what the question says of kind, publisher, author, language and time, and mention its topic."""
        found, said, noun = list(self.sources), "", "source"
        asked = periods.asked(question, self._today)
        text = asked.text
        if asked.period:
            text = f"{text[: asked.period.start]} {text[asked.period.end :]}"
            if timed:
                bounds = _bounds(asked)
                found = [s for s in found if s.date and periods.overlap(date_bounds(s.date), bounds)]
                said += f" from {asked.text[asked.period.start : asked.period.end]}"
        split = _TOPIC.search(text)
        text, topic = (text[: split.start()], text[split.end() :]) if split else (text, "")
        words = self._words(text)
        written = [t.casefold() for t in tokens(text)]
        for word, genre in _KINDS.items():
            if any(_alike(w, word) for w in written) and any(s.genre == genre for s in self.sources):
                found, noun = [s for s in found if s.genre == genre], NOUNS[genre]
                words = [w for w in words if not _alike(w, word)]
                break
        for name, code in codes_by_name().items():
            held = any(s.language == code for s in self.sources)
            if name.casefold() in written and (held or f"in {name.casefold()}" in text.casefold()):
                found, said = [s for s in found if s.language == code], f"{said} in {name}"
                words = [w for w in words if w != name.casefold()]
        value, used = self._named_value(words)
        if value:
            found = [s for s in found if value in _values(s)]
            said += f" from {one_line(value)}"
            words = [w for w in words if w not in used]
        proper = {t.casefold() for t in tokens(question)[1:] if t[0].isupper()}
        loose = not topic and not any(w in proper for w in words)
        words += [w for w in self._words(topic) if w not in words]
        passages = self._mentioning(words) if words else {}
        if words and (passages or not loose):  # a verb that no source has is no topic
            shown = " ".join(t for t in tokens(question) if t.casefold().removesuffix("'s") in words) or " ".join(words)
            found = [s for s in found if s.id in passages]
            said += f" that mention{'s' if len(found) < 2 else ''} “{shown}”"
        return Chosen(sources=tuple(found), said=said, noun=noun, passages=passages)

    def _words(self, text: str) -> list[str]:
        """The words of a question that are no function words and none that questions about sources are made of."""
        if self._opened is None:
            return []
        vocabulary = self._opened.vocabulary
        frame = {vocabulary.stem(w) for w in catalogue_words()}
        return [
            w.casefold() for t in vocabulary.content_terms(text) for w in tokens(t) if vocabulary.stem(w) not in frame
        ]

    def _named_value(self, words: Collection[str]) -> tuple[str, set[str]]:
        """The publisher or author that the words name best, as the records write it, and the words that name it."""
        rarity = _rarity(part for s in self.sources for part in _values(s))
        best, most, used = "", 0.0, set[str]()
        for value in {v for s in self.sources for v in _values(s)}:
            weights = {w: rarity[w] for w in _significant(value)}
            held = {w for w in weights if any(_alike(u, w) for u in words)}
            weight = sum(weights[w] for w in held)
            if held and weight >= _SAME * sum(weights.values()) and weight > most:
                best, most = value, weight
                used = {u for u in words if any(_alike(u, w) for w in held)}
        return best, used

    def _mentioning(self, words: Sequence[str]) -> dict[str, Passage]:
        """The first passage of each source that holds all the words, by source id."""
        if self._opened is None:
            return {}
        found: dict[str, Passage] | None = None
        for word in words:
            hits = self._opened.search_words(
                [self._opened.vocabulary.aliases(word)], self._opened.passage_count(), filters=self._filters
            )
            of_word: dict[str, Passage] = {}
            for hit in hits:
                of_word.setdefault(hit.passage.source_id, hit.passage)
            found = of_word if found is None else {i: p for i, p in found.items() if i in of_word}
        return found or {}

    def _meant(self, question: str) -> tuple[list[Source], list[str]]:
        """The works that a question names, and its words that none of them holds.

        They are named by words of title, author, publisher and year, else of the text; "the article" is the main one.
        """
        works = [s for s in self.sources if not is_comparison(s)] or list(self.sources)
        words = list(dict.fromkeys([*self._words(question), *(t for t in tokens(question) if t.isdigit())]))
        of_work = {
            s.id: set(_significant(f"{s.title} {s.author or ''} {s.publisher or ''} {s.date or ''}")) for s in works
        }
        rarity = _rarity(" ".join(of) for of in of_work.values())
        main = self._main()

        def worth(source: Source) -> float:
            return sum(rarity.get(w, 0.0) for w in of_work[source.id] if any(_alike(u, w) for u in words))

        best = max(map(worth, works))
        if best > 0:
            meant = [s for s in works if worth(s) >= 0.99 * best]
            meant = [main] if main in meant and main else meant
        else:
            mentioning = self._mentioning(words)
            meant = [s for s in works if s.id in mentioning] or ([main] if main and not words else works)
        texts = " ".join(f"{s.text} {' '.join(of_work[s.id])}" for s in meant).casefold()
        return meant, [
            w for w in words if w not in texts and not any(_alike(w, o) for s in meant for o in of_work[s.id])
        ]

    def _main(self) -> Source | None:
        """The work that a collection is about: its only one, its only signed opinion piece, or its only news report."""
        works = [s for s in self.sources if not is_comparison(s)]
        opinions = [s for s in works if s.genre == "opinion"]
        for group in (works, opinions, [s for s in opinions if s.author], [s for s in works if s.genre == "news"]):
            if len(group) == 1:
                return group[0]
        return None


def _bounds(asked: periods.Asked) -> tuple[int, int]:
    """The days asked for; a source "from 2023" is of that year, one "from 2023 on" of it or later."""
    period = asked.period
    assert period is not None
    before, behind = asked.text[: period.start].rstrip(), asked.text[period.end :].lstrip()
    of_it = before.casefold().endswith("from") and not re.match(r"on\b|onwards?\b|and later", behind)
    return (period.first, period.last) if of_it else period.bounds


def _there_are(chosen: Chosen) -> str:
    return f"There {'is' if len(chosen.sources) == 1 else 'are'} {_called(chosen)}"


def _called(chosen: Chosen) -> str:
    return f"{counted(len(chosen.sources), chosen.noun)}{chosen.said}"


def _kinds(sources: Sequence[Source]) -> str:
    """How many there are of each kind: "2 UN reports, 1 news report"."""
    own = sum(is_comparison(s) for s in sources)
    counts: Counter[str] = Counter(s.genre for s in sources if not is_comparison(s))
    parts = [counted(counts[g], NOUNS[g]) for g in NOUNS if counts[g]]
    return ", ".join([*parts, f"{counted(own, 'comparison')} of sources by iskp-qa"] if own else parts)


def _day(source: Source) -> str:
    if not source.date:
        return "undated"
    return f"{periods.shown(source.date)} ({source.date_note})" if source.date_note else periods.shown(source.date)


def _values(source: Source) -> set[str]:
    """Publishers and authors of a source, each by itself."""
    parts = [p.strip() for held in (source.publisher, source.author) for p in _PARTS.split(held or "")]
    return {p for p in parts if len(p) > 1}


def _significant(text: str) -> list[str]:
    return [
        w
        for t in tokens(text)
        if len(w := t.casefold().removesuffix("'s").removesuffix("’s")) > 1
        and w not in {"the", "of", "and", "for", "in", "on", "at", "to"}
    ]


def _rarity(values: Iterable[str]) -> dict[str, float]:
    """For each word of the values how rare it is among them, from 0.1 up."""
    held = [set(_significant(v)) for v in values]
    counts: Counter[str] = Counter(w for words in held for w in words)
    return {word: 0.1 + math.log(len(held) / n) for word, n in counts.items()}


def _alike(one: str, other: str) -> bool:
    """Whether two words are the same but for a plural or, in longer ones, a slip."""
    if one == other:
        return True
    if min(len(one), len(other)) >= 4 and one.rstrip("s") in {other.rstrip("s"), f"{other.rstrip('sy')}ie"}:
        return True
    return min(len(one), len(other)) >= 6 and OSA.distance(one, other, score_cutoff=1) <= 1
