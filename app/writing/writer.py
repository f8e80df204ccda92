"""Answers in a language model's words, each sentence checked against the exact words that it cites.

Whether there is an answer at all has been decided before (``app.answering.decide``); the model only words it. A sentence that
no passage carries is given back to the model once and else leaves the answer. If the model fails, or nothing of its
draft is left, the extractive answer stands in and says so.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import prompts
from app.answer import MARKER, Answer, Citation, Difference
from app.citation_text import with_marker
from app.policy.rules import declines_output
from app.question.analysis import kind_of
from app.question.followup import Turn
from app.stream import Discarded, Done, Draft, Event, Settled, Verdict, settled
from app.support import alignment
from app.text import claims
from app.text import orders as instructions
from app.text.spans import ended
from app.text.voices import voice_left_out, voice_not_there, with_voice
from app.writing.condense import trusted_rewrite
from app.writing.drafting import Drafting, DraftSentence, plain
from app.writing.engines import EngineError, TooLong, Usage
from app.writing.markers import Mark, closed_up, existing, split, without_markers
from app.writing.parts import (
    Checker,
    Given,
    Material,
    Model,
    Reading,
    Sentence,
    Sheet,
    Stage,
    Support,
    WriterSettings,
    closing,
)
from app.writing.passages import WORD, as_data, data_of, fitting, key, missing_figures, nearest, quoted, usable
from ingest.sentences import sentence_spans
from prompts import Prompt

MOST_SENTENCES = 16
"""What a model writes beyond these is dropped: it was asked for four, or for one a source."""
MOST_REPAIRS = 6
MOST_CITED = 3
LEAST = 0.8
"""Least support for a sentence of a model, higher than for a claim that a user asks about: what is left out costs
little, since quotations stand in. Of 177 sentences of CLAPnq's gold answers 85 % reach it, of 387 changed ones 1 %."""
SURE = 0.9
"""From here on the checker is believed although a sentence uses other words than the passage."""
NEW_WORDS = 1 / 3
"""Largest share of a sentence's topic words that the passage need not hold, unless the checker is sure."""
NEW_WORDS_AT_MOST = 0.1
"""The same for two or more words, however sure: so small models put an invention behind true words ("…, which was
later confirmed by the hospital"). Of 340 sentences of CLAPnq's gold answers 2 % go beyond."""
OTHER_WORDS = 0.15
"""Share of a sentence's topic words, none a name or figure, by which it must differ from those before it."""
_ANSWERS = 0.5
"""Share of the best evidence's score from which on a sentence of the extractive answer answers the question."""
_RESERVE_TOKENS = 64
"""For the model's own chat format around our text."""
_OTHERS = 3
"""Passages tried for a sentence whose markers lead nowhere."""
_REPAIRED = re.compile(r"^\W{0,3}([a-z])\W{0,2}[).:\]]\s*(.*)$", re.I)
_ABOUT_PROMPT = re.compile(
    r"\bpassages?\s+(?:[\"“'‘]|is|are|was|were|says?|said|states?|mentions?|numbers?|does|do|in question|\d+)\b", re.I
)



class Writer:
    """Writes answers with a language model. Threads may share one.

    Attributes:
        shapes: forms of answers that the model may word.
        wide: whether it is given more passages than were read for the answer.
    """

    shapes: frozenset[str] = frozenset({"point"})
    wide: bool = False

    def __init__(
        self,
        model: Model,
        checker: Checker,
        settings: WriterSettings = WriterSettings(),
        withholds: Callable[[str], str | None] = declines_output,
    ) -> None:
        """``withholds`` says of a sentence why it must not leave the program; None when it may."""
        self._withholds = withholds
        self._model = model
        self._checker = checker
        self._settings = settings

    @property
    def name(self) -> str:
        """The engine's name, kept in answers."""
        return self._model.name

    def condense(self, question: str, history: Sequence[Turn]) -> str | None:
        """The question with what it takes from the conversation written out, by the model.

        None when there is nothing to add, the model's words are not to be trusted (a name or a figure that stands
        nowhere, an answer instead of a question) or it failed.
        """
        turns = [t for t in history if t.content.strip()][-4:]
        if not turns:
            return None
        conversation = "\n".join(f"<turn by={t.role!r}>{data_of(without_markers(t.content))}</turn>" for t in turns)
        system, user = prompts.load("condense").render(conversation=conversation, question=data_of(question))
        try:
            reply = "".join(self._model.ask(system, user, Usage()))
        except EngineError:
            return None
        return trusted_rewrite(reply, question, [t.content for t in turns])

    def write(self, base: Answer, material: Material, stage: Stage) -> Iterator[Event]:
        """The answer as it comes about, ``Done`` last.

        Args:
            base: the extractive answer, which stands in when the model fails.
            stage: measures what is done inside it.
        """
        work = _Work(self._model, self._checker, self._settings, base, material, stage, self._withholds)
        try:
            yield from work.run()
        except EngineError as exc:
            yield from work.stand_in(str(exc))


@dataclass(slots=True)
class _Work:
    """One answer being written."""

    model: Model
    checker: Checker
    settings: WriterSettings
    base: Answer
    material: Material
    stage: Stage
    withholds: Callable[[str], str | None]
    usage: Usage = field(default_factory=Usage)
    sheet: Sheet = field(default_factory=Sheet)
    sentences: list[Sentence] = field(default_factory=list)
    given: tuple[Given, ...] = ()
    invented: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    shown: int = 0
    drafted: bool = False

    @property
    def prompt(self) -> Prompt:
        return prompts.load("overview" if self.material.topic else "answer")

    def run(self) -> Iterator[Event]:
        room = self.model.window_tokens - self.model.answer_tokens - _RESERVE_TOKENS
        try:
            yield from self.draft(room)
        except TooLong:
            # The window was a guess, or the tokens were.
            if self.drafted:
                raise
            yield from self.draft(room // 2)
        if not self.sentences:
            raise EngineError(f"the model {self.model.name} wrote nothing that can be used")
        if self.settings.repair:
            self.repair()
        for sentence in self.sentences:
            sentence.verdict = sentence.verdict or self.rejected
        yield from self.settle()
        if not any(s.verdict in {"supported", "repaired"} for s in self.sentences):
            raise EngineError(f"nothing that the model {self.model.name} wrote is carried by the passages")
        if not self.to_the_point():
            raise EngineError(f"what the model {self.model.name} wrote keeps clear of the sentences that answer")
        yield from self.close()
        yield Done(answer=self.answer())

    def to_the_point(self) -> bool:
        """Whether a sentence that stays rests on one that answers: what is true of the subject need not answer."""
        best = max((c.support for c in self.base.citations), default=0.0)
        answering = [c for c in self.base.citations if c.support >= _ANSWERS * best]
        supports = [s for x in self.sentences if x.verdict in {"supported", "repaired"} for s in x.supports]
        return (
            not answering
            or self.material.topic is not None
            or any(
                c.source_id == s.given.passage.source_id and c.start < s.end and s.start < c.end
                for c in answering
                for s in supports
            )
        )

    @property
    def rejected(self) -> Verdict:
        return "struck" if self.settings.unsupported == "strike" else "removed"

    # drafting

    def draft(self, room: int) -> Iterator[Event]:
        self.notes.clear()
        names = {"topic": self.material.topic} if self.material.topic else {"question": self.material.question}
        wording = {name: data_of(text or "") for name, text in names.items()}
        empty = "\n".join(self.prompt.render(passages="", **wording))
        with self.stage("generate"):
            room -= self.model.count(empty)
            self.given, left_out = fitting(self.material.passages, room, self.model.count)
        if not self.given:
            raise TooLong(f"the window of the model {self.model.name} is too small for a single passage")
        if left_out:
            self.notes.append(
                f"{left_out} of {left_out + len(self.given)} passages found no room in the model's window and were left out"
            )
        system, user = self.prompt.render(passages=as_data(self.given), **wording)
        drafting = Drafting()
        with closing(self.model.ask(system, user, self.usage)) as reply:
            while True:
                with self.stage("generate"):
                    delta = next(reply, None)
                words = drafting.finish() if delta is None else drafting.feed(delta)
                if words:
                    self.drafted = True
                    yield Draft(text=words)
                finished = drafting.sentences(whole=delta is None)
                if delta is None and self.usage.stopped and finished and not ended(finished[-1].text, ".!?…"):
                    finished.pop()  # cut in the middle, it may say something else than it was going to
                for sentence in finished:
                    yield from self.take(sentence)
                if delta is None or len(self.sentences) >= MOST_SENTENCES:
                    break
        if self.usage.stopped:
            self.notes.append("the model wrote more than it was allowed to; the rest was dropped")

    def take(self, draft: DraftSentence) -> Iterator[Settled]:
        """Check a finished sentence, and settle what can be settled."""
        if len(self.sentences) >= MOST_SENTENCES or self.repeats(draft.text):
            return
        with self.stage("verify"):
            if self.withholds(draft.text):
                self.notes.append("a sentence of the model was withheld by the policy")
                return
            sentence = Sentence(draft=draft, text=draft.text)
            cited, invented = existing(draft.marks, len(self.given))
            self.invented += invented
            sentence.supports, sentence.reason = self.judge(draft.text, cited)
        if sentence.supports:
            sentence.verdict = "supported"
        elif not self.settings.repair:
            sentence.verdict = self.rejected
        self.sentences.append(sentence)
        yield from self.settle()

    def repeats(self, sentence: str) -> bool:
        """Whether a sentence was tried before, or says nothing that those which stay do not say."""
        vocabulary, tried = self.material.vocabulary, {key(s.draft.text) for s in self.sentences}
        if key(sentence) in tried:
            return True
        stems, terms = set(vocabulary.stems(sentence)), vocabulary.content_terms(sentence)
        for text in (s.text for s in self.sentences if s.verdict in {"supported", "repaired"}):
            known = set(vocabulary.stems(text))
            if stems <= known:
                return True
            new = [t for t in terms if not known.issuperset(vocabulary.stems(t))]
            few = len(new) <= OTHER_WORDS * len(terms) and all(t.islower() and t.isalpha() for t in new)
            if terms and few and claims.denies(sentence) == claims.denies(text):
                return True
        return False

    def settle(self) -> Iterator[Settled]:
        """The next sentences whose fate is known, in order."""
        while self.shown < len(self.sentences):
            sentence = self.sentences[self.shown]
            if sentence.verdict is None:
                return
            self.shown += 1
            text, citations = self.worded(sentence)
            if text:
                text = self.lead(sentence) + text
                self.sheet.text += text
            yield Settled(text=text, verdict=sentence.verdict, citations=citations, draft_end=sentence.draft.end)

    def lead(self, sentence: Sentence) -> str:
        """What stands before a sentence: the text that goes before all, a space or a new line."""
        preface = f"{self.material.before} " if self.material.before and not self.sheet.text else ""
        if self.material.topic:
            return f"{preface.strip()}\n- ".lstrip("\n") if self.sheet.text or preface else "- "
        return preface or (" " if self.sheet.text else "")

    def worded(self, sentence: Sentence) -> tuple[str, tuple[Citation, ...]]:
        if sentence.verdict == "struck":
            return f"~~{sentence.text}~~ (not supported by the sources)", ()
        if sentence.verdict not in {"supported", "repaired"}:
            return "", ()
        citations = tuple(self.sheet.number(s) for s in sentence.supports)
        markers = sorted({c.marker for c in citations})
        voice = self.left_out(sentence.text, sentence.supports)
        text = with_marker(with_voice(sentence.text, voice) if voice else sentence.text, markers[0])
        first = f"[{markers[0]}]"
        return text.replace(first, first + "".join(f"[{m}]" for m in markers[1:]), 1), citations

    # checking

    def judge(self, sentence: str, cited: Sequence[int]) -> tuple[Sequence[Support], str]:
        """The quotes that carry a sentence, or none and why.

        First the passages that it cites, then the nearest others: a sentence with a wrong marker or none gets the
        right one. One passage has to carry it alone: what two say apart, put into one sentence, may be said by none.
        """
        if _ABOUT_PROMPT.search(sentence):
            return [], "it speaks of the passages instead of what they say"
        how_to = kind_of(self.material.question) == "manner"
        if instructions.question(sentence):
            return [], "it is a question"
        if instructions.to_answerer(sentence) or (instructions.imperative(sentence) and not how_to):
            return [], "it tells somebody what to do"
        named = [self.given[n - 1] for n in cited][:MOST_CITED]
        reason = "" if named else "it cites no passage"
        readings = [self.read(sentence, [g], how_to) for g in named]
        found = [r.supports for r in readings if r.label == "supported"]
        if found:
            return [*found[0], *(more[0] for more in found[1:])][:MOST_CITED], ""
        if readings:
            reason = readings[0].reason
        for other in nearest(sentence, [g for g in self.given if g not in named])[:_OTHERS]:
            reading = self.read(sentence, [other], how_to)
            if reading.label == "supported":
                return reading.supports, ""
        return [], reason or "no passage says so"

    def read(self, sentence: str, passages: Sequence[Given], how_to: bool) -> Reading:
        """What passages have to say on a sentence, by the checker."""
        runs = [(g, a, b) for g in passages for a, b in usable(g.passage.text, commands=how_to)]
        if instructions.link(sentence):
            addresses = [w.strip(".,;()<>\"'") for w in sentence.split() if instructions.link(w)]
            runs = [(g, a, b) for g, a, b in runs if all(w in g.passage.text[a:b] for w in addresses)]
        if not runs:
            return Reading(reason="the passage states nothing of the kind")
        told = self.checker.carried(
            sentence, [g.passage.text[a:b] for g, a, b in runs], [g.passage.context for g, _, _ in runs]
        )
        places = ([told.best] if told.best else []) + [*told.others]
        supports: list[Support] = []
        for which, start, end in places[:MOST_CITED]:
            given, offset, run_end = runs[which]
            first, last = quoted(given.passage.text, offset + start, min(offset + end, run_end))
            begin = given.passage.start
            made = Support(given=given, start=begin + first, end=begin + last, score=told.support)
            if made not in supports:
                supports.append(made)
        if told.label == "supported" and told.support < LEAST:
            return Reading(label="partly", reason=_listed(told.reasons) or "the passage does not clearly say so")
        new = self.new_words(sentence, passages, " ".join(g.passage.text[a:b] for g, a, b in runs))
        if told.label == "supported" and new and (len(new) > 1 or told.support < SURE):
            return Reading(reason=f"nothing in the passage matches: {', '.join(new)}")
        figures = missing_figures(sentence, passages, supports)
        if told.label == "supported" and figures:
            return Reading(reason=f"the passage does not say: {', '.join(figures)}")
        voice = self.left_out(sentence, supports)
        if told.label == "supported" and voice and not with_voice(sentence, voice):
            return Reading(reason=f"it leaves out who says so: {voice}")
        quotes = [s.given.source.text[s.start : s.end] for s in supports]
        other = voice_not_there(sentence, quotes)
        if told.label == "supported" and other:
            return Reading(reason=f"the passage has a figure from somebody else than {other}")
        bent = self.bent(sentence, quotes, passages) if told.label == "supported" else ""
        if bent:
            return Reading(reason=bent)
        return Reading(
            label=told.label if supports else "unsupported", supports=supports, reason=_listed(told.reasons)
        )

    def bent(self, sentence: str, quotes: Sequence[str], passages: Sequence[Given]) -> str:
        """What a sentence made of words of the text does to them: a verb left out, a name put together; else ""."""
        said = claims.read(sentence, self.material.vocabulary)
        verb = alignment.verb_left_out(said, [claims.read(q, self.material.vocabulary) for q in quotes])
        if verb:
            return f"it leaves out “{verb}”"
        facts = [
            part for g in passages for part in (g.passage.text, g.passage.context, g.source.title, g.source.publisher)
        ]
        name = alignment.name_made_up(said, [f for f in facts if f])
        return f"the passage has no such name: {name}" if name else ""

    def left_out(self, sentence: str, supports: Sequence[Support]) -> str:
        """The voice that the first quote names and the sentence does not: a claim would be told as a fact."""
        if not supports:
            return ""
        first = supports[0]
        return voice_left_out(sentence, first.given.source.text[first.start : first.end])

    def new_words(self, sentence: str, passages: Sequence[Given], text: str) -> list[str]:
        """Topic words that stand neither in the passages' usable text nor beside it; empty when they may be passed over.

        Meaning alone cannot tell "the strike was a hoax" from a passage about the strike.
        """
        vocabulary = self.material.vocabulary
        beside = [text]
        for g in passages:
            facts = (g.passage.context, g.source.title, g.source.author, g.source.publisher, g.source.date)
            beside += filter(None, (*facts, g.passage.claimed_by))
        known = set(vocabulary.stems("\n".join(beside)))
        terms = vocabulary.content_terms(sentence)
        new = [t for t in terms if not known.issuperset(vocabulary.stems(t))]
        allowed = NEW_WORDS if len(new) == 1 else NEW_WORDS_AT_MOST
        return new if len(new) > allowed * len(terms) else []

    # repairing

    def repair(self) -> None:
        """Give the model one try at the sentences that nothing carries."""
        waiting = [s for s in self.sentences if s.verdict is None][:MOST_REPAIRS]
        if not waiting:
            return
        listed = "\n".join(
            f"{letter}) {s.text} ({s.reason})" for letter, s in zip(string.ascii_lowercase, waiting, strict=False)
        )
        system, user = prompts.load("repair").render(passages=as_data(self.given), sentences=data_of(listed, lines=True))
        try:
            with self.stage("generate"), closing(self.model.ask(system, user, self.usage)) as reply:
                lines = "".join(reply).splitlines()
        except EngineError as exc:
            self.notes.append(f"no sentence was written again: {exc}")
            return
        with self.stage("verify"):
            for line in lines:
                found = _REPAIRED.match(line)
                at = ord(found[1].lower()) - ord("a") if found else len(waiting)
                if found is None or at >= len(waiting) or waiting[at].verdict is not None:
                    continue
                words = list(split(found[2]))
                text = plain("".join(p.text for p in words if not isinstance(p, Mark)))
                marks = [p for p in words if isinstance(p, Mark)]
                if not WORD.search(text) or len(sentence_spans(text)) > 1 or self.repeats(text):
                    continue
                if self.withholds(text):
                    self.notes.append("a sentence of the model was withheld by the policy")
                    continue
                cited, invented = existing(marks, len(self.given))
                self.invented += invented
                supports, _ = self.judge(text, cited)
                if supports:
                    waiting[at].text, waiting[at].supports, waiting[at].verdict = text, supports, "repaired"

    # finishing

    def close(self) -> Iterator[Settled]:
        """What the extractive answer says behind its evidence, renumbered."""
        if not self.material.after:
            return
        by_marker = {c.marker: c for c in self.base.citations}
        cited: list[Citation] = []

        def renumber(found: re.Match[str]) -> str:
            known = by_marker.get(int(found[1]))
            if known is None:
                return found.group()
            marker = self.sheet.adopt(known)
            cited.append(self.sheet.citations[marker - 1])
            return f"[{marker}]"

        text = MARKER.sub(renumber, self.material.after)
        self.sheet.text += text
        end = self.sentences[-1].draft.end if self.sentences else 0
        yield Settled(text=text, verdict="quoted", citations=tuple(dict.fromkeys(cited)), draft_end=end)

    def answer(self) -> Answer:
        """The written answer, once all is settled."""
        differences = tuple(self.renumbered(d) for d in self.base.differences)
        quotes = " ".join([self.sheet.text, *(c.quote for c in self.sheet.citations)])
        short = self.base.short_answer
        return replace(
            self.base,
            answer=self.sheet.text,
            short_answer=short if short and short in closed_up(quotes) else None,
            citations=tuple(self.sheet.citations),
            differences=differences,
            unsupported=self.unsupported(),
            reasons=(*self.base.reasons, *self.told()),
            engine=self.model.name,
            prompt_id=self.prompt.id,
            usage=self.tokens(),
        )

    def stand_in(self, reason: str) -> Iterator[Event]:
        """The extractive answer instead, with the reason."""
        notice = f"This answer is composed of quotations only: {reason}."
        if self.drafted:
            yield Discarded(reason=notice)
        yield from settled(self.base)
        yield Done(
            answer=replace(
                self.base,
                unsupported=self.unsupported(),
                reasons=(*self.base.reasons, *self.told(), notice),
                notice=notice,
                prompt_id=f"{self.base.prompt_id} {self.prompt.id}",
                usage=self.tokens(),
            )
        )

    def renumbered(self, difference: Difference) -> Difference:
        by_marker = {c.marker: c for c in self.base.citations}
        values = tuple(
            replace(v, marker=self.sheet.adopt(by_marker[v.marker])) if v.marker in by_marker else v
            for v in difference.values
        )
        return replace(difference, values=values)

    def unsupported(self) -> tuple[str, ...]:
        return tuple(s.draft.text for s in self.sentences if s.verdict not in {"supported", "repaired"})

    def told(self) -> list[str]:
        told = list(self.notes)
        counts = {v: sum(1 for s in self.sentences if s.verdict == v) for v in ("repaired", "removed", "struck")}
        told += [f"{n} of {len(self.sentences)} sentences of the model {v}" for v, n in counts.items() if n]
        if self.invented:
            told.append(f"{len(self.invented)} citation markers of the model name no passage and were dropped")
        return told

    def tokens(self) -> Mapping[str, int]:
        return {
            "calls": self.usage.calls, "input_tokens": self.usage.input_tokens, "output_tokens": self.usage.output_tokens,
        }  # fmt: skip


def _listed(reasons: Sequence[str]) -> str:
    """Sentences as parts of one line."""
    return "; ".join(f"{r[:1].lower()}{r[1:].removesuffix('.')}" for r in reasons)
