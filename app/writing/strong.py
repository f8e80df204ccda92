"""Answers of a strong language model: in the form of the request, combined from passages, and each unit of them checked.

A unit is a sentence, an item of a list or a row of a table. What the passages contradict, or what has a figure or name that stands
nowhere in them, leaves the answer. What the check cannot confirm stays with a badge: the check refuses many true sentences
of a strong model that use words of their own. A second call lets the model verify its sentences by the literal words of the
passages, and reword once what they contradict. Headings, lead-ins, direct answers and "the passages do not say" may stand
without a passage when they bring in no figure or name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import prompts
from app.answer import Answer, Citation
from app.stream import Discarded, Done, Draft, Event, Settled, Verdict
from app.text import claims
from app.text import orders as instructions
from app.text.spans import FIGURE, LEAD
from app.writing.drafting import Drafting, plain
from app.writing.engines import EngineError
from app.writing.markers import Mark, existing, split
from app.writing.parts import Given, Material, Stage, Support, closing
from app.writing.passages import data_of, facts_of, fitting, nearest, quoted, usable
from app.writing.second import Opinion, opinions
from app.writing.writer import LEAST, MOST_CITED, Writer, _Work
from ingest.sentences import sentence_spans, unmarked
from prompts import Prompt

FORMS: Mapping[str, str] = {
    "point": "one to five sentences, the direct answer first",
    "list": "one line that says what is listed, then one item a line, each beginning with “- ”",
    "timeline": "one item a line, each beginning with “- ” and its date, in order of time",
    "comparison": "a Markdown table with a column for each side and a row for each point, then one sentence on the main difference",
    "summary": "one sentence that says the main thing, then three to eight items, each beginning with “- ”",
    "definition": "one or two sentences that say what or who it is, then at most three more",
    "verdict": "“Yes”, “No” or “Disputed” with the reason in the first sentence, then what speaks for it and what against it",
    "why": "the reasons, each with who gives it",
}
"""What is asked for, by shape."""
BADGE = "(not confirmed by the check)"
MOST_UNITS = 60
_FOREIGN = re.compile(r"</?[A-Za-z!][^>\n]*>|`+|!?\[([^\]\n]*)\]\((?!\d)[^)\n]*\)")
_NOT_STATED = re.compile(
    r"\b(?:passages?|sources?)\b[^.]{0,40}\b(?:not|no|nothing|neither)\b|\bno (?:passage|source)\b|\bnot (?:stated|said|given) in\b", re.I
)



@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A piece of the reply that is judged as a whole.

    Attributes:
        text: with its markers; of Markdown only bold, bullets and tables are left.
        lead: what stands before it: a new line and bullet, or a blank.
        frame: a heading, the head or rule of a table, a label: it states nothing.
    """

    text: str
    lead: str
    frame: bool = False


@dataclass(slots=True)
class _Judged:
    """A unit and what the check says of it.

    Attributes:
        words: as plain text; of a row its cells.
        cited: numbers of the passages that it cites.
        verdict: of the check, "unconfirmed" whatever the setting; "repaired" where ``text`` is the model's correction.
        opposed: the check finds a figure, name, date or denial that differs.
        barred: it may not come back: an order, what the policy withholds, or what has a figure or name that stands nowhere.
        kept: it may not be reworded either.
    """

    unit: Unit
    words: str
    cited: tuple[int, ...]
    verdict: Verdict
    supports: Sequence[Support] = ()
    opposed: bool = False
    barred: bool = False
    kept: bool = False
    text: str = ""


def units(line: str, *, table_goes_on: bool) -> Iterator[Unit]:
    """The units of a line of the reply.

    Args:
        table_goes_on: the line before was a row too, so that this one is no head.
    """
    if not line.strip():
        return
    if _is_row(line) and (not table_goes_on or not line.strip(" \t:|-")):
        yield Unit(text=line.strip(), lead="\n", frame=True)
        return
    if _is_row(line):
        yield Unit(text=line.strip(), lead="\n")
        return
    shown = _FOREIGN.sub(lambda m: m[1] or "", line)
    item = LEAD.match(shown)
    body = shown[item.end() :] if item else shown.strip()
    if item and item["heading"]:
        yield Unit(text=f"**{body.strip().strip('*')}**", lead="\n", frame=True)
        return
    starts = [a for a, _ in sentence_spans(_masked(body))]
    starts = [0, *starts[1:]]
    for n, (start, end) in enumerate(zip(starts, [*starts[1:], len(body)], strict=True)):
        text = body[start:end].strip()
        if not re.search(r"\w", text):
            continue
        lead = ("\n- " if item else "\n") if n == 0 else " "
        yield Unit(text=text, lead=lead, frame=_is_label(text) and not any(isinstance(p, Mark) for p in split(text)))


def _is_row(line: str) -> bool:
    """Whether a line is a row of a Markdown table."""
    shown = line.strip()
    return len(shown) > 1 and shown.startswith("|") and shown.endswith("|")


def _is_label(text: str) -> bool:
    """Whether a text leads to what follows: it ends with a colon, or all of it is bold."""
    bold = text.removeprefix("**").removesuffix("**")
    return text.endswith(":") or (len(bold) == len(text) - 4 and bool(bold) and "*" not in bold)


def _masked(text: str) -> str:
    """The text with its markers blanked out, so that a sentence ends before them and they stay with it."""
    out, at = [], 0
    for piece in split(text):
        if isinstance(piece, Mark):
            continue
        found = text.index(piece.text, at)
        out.append(" " * (found - at) + piece.text)
        at = found + len(piece.text)
    return "".join(out) + " " * (len(text) - at)


class StrongWriter(Writer):
    """Writes answers with a strong language model. Threads may share one."""

    shapes = frozenset(FORMS)
    wide = True

    def write(self, base: Answer, material: Material, stage: Stage) -> Iterator[Event]:
        """The answer as it comes about, ``Done`` last; see :meth:`Writer.write`."""
        work = StrongWork(self._model, self._checker, self._settings, base, material, stage, self._withholds)
        try:
            yield from work.run()
        except EngineError as exc:
            yield from work.stand_in(str(exc))


@dataclass(slots=True)
class StrongWork(_Work):
    """One answer being written by a strong model."""

    judged: list[_Judged] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    draft_text: Drafting = field(default_factory=Drafting)

    @property
    def prompt(self) -> Prompt:
        """The prompt that is sent."""
        return prompts.load("strong")

    def draft(self, room: int) -> Iterator[Event]:
        """Ask, and settle line by line."""
        self.notes.clear()
        wording = {
            "request": data_of(self.material.question), "form": FORMS.get(self.material.shape, FORMS["point"]), "today": self.material.today,
            "differences": f"Listed below your answer, so do not repeat: {data_of(' '.join(self.material.after.split()))}" if self.material.after else "",
        }  # fmt: skip
        with self.stage("generate"):
            room -= self.model.count("\n".join(self.prompt.render(passages="", **wording)))
            self.given, left_out = fitting(self.material.passages, room, self.model.count)
        if not self.given:
            raise EngineError(f"the window of the model {self.model.name} is too small for a single passage")
        self.given = tuple(sorted(self.given, key=lambda g: [x.source.id for x in self.given].index(g.source.id)))
        if left_out:
            self.notes.append(f"{left_out} of {left_out + len(self.given)} passages found no room in the model's window and were left out")
        system, user = self.prompt.render(passages=grouped(self.given), **wording)
        thinking, pending, row = "", "", False
        with closing(self.model.ask(system, user, self.usage)) as reply:
            while True:
                with self.stage("generate"):
                    delta = next(reply, None)
                words = self.draft_text.finish() if delta is None else self.draft_text.feed(delta)
                if words:
                    self.drafted = True
                    yield Draft(text=words)
                thinking += delta or ""
                if delta is not None and re.match(r"\s*<(?:think|thinking|reasoning)>(?!.*</)", thinking, re.I | re.S):
                    continue
                pending += re.sub(r"^\s*<(think|thinking|reasoning)>.*?</\1>", "", thinking, flags=re.I | re.S)
                thinking = "" if pending or delta is None else thinking
                lines = pending.split("\n")
                pending = "" if delta is None else lines.pop()
                if delta is None and self.usage.stopped and lines:
                    lines.pop()  # cut in the middle, it may say something else than it was going to
                for line in lines:
                    for unit in units(line, table_goes_on=row):
                        yield from self.take_unit(unit)
                    row = _is_row(line)
                if delta is None or len(self.judged) >= MOST_UNITS:
                    break
        if self.usage.stopped:
            self.notes.append("the model wrote more than it was allowed to; the rest was dropped")

    def run(self) -> Iterator[Event]:
        """Events of the whole answer."""
        yield from self.draft(self.model.window_tokens - self.model.answer_tokens - 64)
        if self.settings.repair:
            yield from self.second_reading()
        if not self.sheet.citations:
            raise EngineError(f"nothing that the model {self.model.name} wrote is carried by the passages")
        yield from self.close()
        yield Done(answer=replace(self.answer(), rows=()))

    def take_unit(self, unit: Unit) -> Iterator[Settled]:
        """Judge a unit and settle it."""
        marks = [p for p in split(unit.text) if isinstance(p, Mark)]
        cells = re.sub(r"\s*\|\s*", " ", unit.text).strip() if _is_row(unit.text) else unit.text
        words = plain("".join(p.text for p in split(cells) if not isinstance(p, Mark)))
        cited, invented = existing(marks, len(self.given))
        self.invented += invented
        with self.stage("verify"):
            judged = self.judge_unit(unit, words, cited)
        self.judged.append(judged)
        yield self.settle_unit(judged)

    def settle_unit(self, judged: _Judged) -> Settled:
        """The unit as it is shown, by its verdict and the setting."""
        verdict = judged.verdict
        if verdict == "unconfirmed" and self.settings.unsupported == "remove":
            verdict = "removed"
        self.counts[verdict] = self.counts.get(verdict, 0) + 1
        end = max(0, len(self.draft_text.text))
        if verdict == "removed":
            self.removed.append(judged.words)
            return Settled(text="", verdict="removed", draft_end=end)
        source = judged.text or judged.unit.text
        text, citations = self.numbered(source, judged.supports)
        if verdict == "unconfirmed":
            badge = {"strike": f"~~{text}~~ (not supported by the sources)"}.get(self.settings.unsupported, f"{text} {BADGE}")
            text = f"{text[:-1].rstrip()} {BADGE} |" if _is_row(source) else badge
        lead = judged.unit.lead if self.sheet.text else judged.unit.lead.lstrip("\n")
        before = f"{self.material.before}\n" if self.material.before and not self.sheet.text else ""
        text = before + lead + text
        self.sheet.text += text
        return Settled(text=text, verdict=verdict, citations=citations, draft_end=end)

    def judge_unit(self, unit: Unit, words: str, cited: Sequence[int]) -> _Judged:
        """What the check says of a unit, with the quotes beside it."""

        def told(verdict: Verdict, supports: Sequence[Support] = (), *, opposed: bool = False) -> _Judged:
            return _Judged(unit=unit, words=words, cited=tuple(cited), verdict=verdict, supports=supports, opposed=opposed)

        if self.withholds(words) or instructions.to_answerer(words):
            return replace(told("removed"), barred=True, kept=True)
        if self.unknown(words):
            return replace(told("removed"), barred=True, kept=unit.frame)
        if unit.frame or (not cited and _NOT_STATED.search(words)):
            return told("framing")
        named = [self.given[n - 1] for n in cited][: MOST_CITED + 1]
        others = [[g] for g in nearest(words, [g for g in self.given if g not in named])[:MOST_CITED]]
        kept: list[Support] = []
        opposed = False
        for passages in [named, *others] if named else others:  # a wrong marker, or none, gets the right evidence
            verdict, supports, differs = self.held(words, passages)
            if verdict == "removed":
                return told(verdict, supports, opposed=True)
            # What the model did not cite has to carry it surely, as for a small model.
            if verdict == "supported" and (passages is named or supports[0].score >= LEAST):
                return told(verdict, supports)
            kept = kept or supports
            opposed = opposed or (passages is named and differs)
        supports = kept if cited else []
        if not cited and not FIGURE.search(words) and not self.named(words):
            return told("framing")
        return told("unconfirmed", supports, opposed=opposed)

    def held(self, words: str, passages: Sequence[Given]) -> tuple[Verdict, list[Support], bool]:
        """A statement against the union of passages: supported, removed when they contradict it, else unconfirmed.

        The last value tells whether the best place differs in a figure, name, date or denial.
        """
        runs = [(g, a, b) for g in passages for a, b in usable(g.passage.text)]
        if not runs:
            return "unconfirmed", [], False
        told = self.checker.carried(
            words, [g.passage.text[a:b] for g, a, b in runs], [f"{g.passage.context}. {facts_of(g)}" for g, _, _ in runs]
        )
        supports: list[Support] = []
        for which, start, end in ([told.best, *told.others] if told.best else [])[:MOST_CITED]:
            given, offset, run_end = runs[which]
            first, last = quoted(given.passage.text, offset + start, min(offset + end, run_end))
            begin = given.passage.start
            supports.append(Support(given=given, start=begin + first, end=begin + last, score=told.support))
        if told.label == "supported":
            return "supported", supports, False
        return ("removed" if told.verdict == "contradicted" else "unconfirmed"), supports, told.opposed

    # the second call

    def second_reading(self) -> Iterator[Event]:
        """Let the model verify its statements; where that changes something, all units settle anew."""
        asked = [j for j in self.judged if not j.kept and j.verdict != "framing"]
        if not asked:
            return
        numbers = sorted({n for j in asked for n in self.behind(j)})
        passages = [self.given[n - 1] for n in numbers]
        at = {n: place for place, n in enumerate(numbers, start=1)}

        def cites(judged: _Judged) -> str:
            return f" (cites {', '.join(str(at[n]) for n in judged.cited)})" if judged.cited else ""

        listed = "\n".join(f"s{n}) {j.words}{cites(j)}" for n, j in enumerate(asked, start=1))
        system, user = prompts.load("verify").render(passages=grouped(passages), sentences=data_of(listed, lines=True))
        try:
            with self.stage("generate"), closing(self.model.ask(system, user, self.usage)) as reply:
                text = "".join(reply)
        except EngineError as exc:
            self.notes.append(f"no sentence was verified by the model: {exc}")
            return
        with self.stage("verify"):
            read = opinions(text, [g.passage.text for g in passages])
            changed = sum(self.weigh(j, read[n], passages) for n, j in enumerate(asked, start=1) if n in read)
        if not changed:
            return
        self.sheet.citations.clear()
        self.sheet.text = ""
        self.removed.clear()
        self.counts.clear()
        yield Discarded(reason=f"The model's second reading changed {changed} of {len(asked)} sentences")
        for judged in self.judged:
            yield self.settle_unit(judged)

    def behind(self, judged: _Judged) -> set[int]:
        """Numbers of the passages that a statement cites, that the check found, and that is nearest to it."""
        near = nearest(judged.words, self.given)[: 1 if judged.cited else MOST_CITED]
        return {*judged.cited, *(self.given.index(g) + 1 for g in (*(s.given for s in judged.supports), *near))}

    def weigh(self, judged: _Judged, opinion: Opinion, passages: Sequence[Given]) -> bool:
        """Bring the check's verdict and the model's opinion together; whether that changes the unit.

        An opinion without literal words, and "not stated", change nothing. Where check and model say the opposite, the unit
        gets the badge: alone, neither is sure enough to delete what the other supports.
        """
        if opinion.place is None:
            return False
        given = passages[opinion.place.which]
        if opinion.verdict == "contradicted":
            if self.reworded(judged, opinion.rewrite, passages):
                return True
            if judged.verdict == "removed":
                return False
            judged.verdict = "unconfirmed" if judged.verdict == "supported" else "removed"
            return True
        if judged.barred or judged.verdict == "supported":
            return False
        before = judged.verdict
        judged.verdict = "supported" if before == "unconfirmed" and not judged.opposed else "unconfirmed"
        first, last = quoted(given.passage.text, opinion.place.start, opinion.place.end)
        begin = given.passage.start
        words = Support(given=given, start=begin + first, end=begin + last, score=max((s.score for s in judged.supports), default=0.0))
        others = [s for s in judged.supports if (s.given, s.start) != (given, words.start)]
        elsewhere = given not in [self.given[n - 1] for n in judged.cited]  # the unit's own markers would hide it
        judged.supports = [words] if elsewhere else [words, *others][:MOST_CITED]
        return judged.verdict != before

    def reworded(self, judged: _Judged, rewrite: str, passages: Sequence[Given]) -> bool:
        """Put the model's correction in the place of a unit, if the check finds it carried."""
        pieces = list(split(rewrite))
        words = plain("".join(p.text for p in pieces if not isinstance(p, Mark)))
        if _is_row(judged.unit.text) or not re.search(r"\w", words) or len(sentence_spans(words)) != 1 or words == judged.words:
            return False
        if self.withholds(words) or instructions.to_answerer(words) or instructions.question(words) or self.unknown(words):
            return False
        cited, invented = existing([p for p in pieces if isinstance(p, Mark)], len(passages))
        self.invented += invented
        verdict, supports, _ = self.held(words, [passages[n - 1] for n in cited] or passages)
        if verdict != "supported":
            return False
        # Its markers count the passages of this call; the answer's own stand behind it instead.
        judged.text, judged.supports, judged.verdict = words, supports, "repaired"
        return True

    def named(self, words: str) -> list[tuple[str, ...]]:
        """Names of a text that the request does not have."""
        vocabulary = self.material.vocabulary
        asked = claims.read(self.material.question, vocabulary)
        return [n for n in claims.read(words, vocabulary).names if claims.name_share(n, asked) < 0.6]

    def unknown(self, words: str) -> bool:
        """Whether a text has a figure or a name that stands nowhere in the passages, beside them or in the request."""
        beside = [self.material.question, self.material.today, *(f"{g.passage.text} {g.passage.context} {facts_of(g)}" for g in self.given)]
        known = " ".join(beside)
        vocabulary = self.material.vocabulary
        said, there = claims.read(words, vocabulary), claims.read(known, vocabulary)
        if set(FIGURE.findall(words)) - set(FIGURE.findall(known)):
            return True
        return any(claims.name_share(n, there) < 0.6 and not (said.aliases & there.aliases) for n in said.names)

    def numbered(self, text: str, supports: Sequence[Support]) -> tuple[str, tuple[Citation, ...]]:
        """The text with the answer's own markers where the model's stood, or behind it where it had none."""
        numbers = dict(enumerate(self.given, start=1))
        shown, used = [], []
        for piece in split(text):
            if not isinstance(piece, Mark):
                shown.append(piece.text)
                continue
            mine = [s for n in piece.numbers for s in supports if numbers.get(n) is s.given]
            cited = list(dict.fromkeys(self.sheet.number(s) for s in mine))
            used += cited
            shown.append("".join(f"[{c.marker}]" for c in cited))
        made = re.sub(r" +([.,;:!?…|])", lambda m: m[0] if m[1] == "|" else m[1], "".join(shown)).strip()
        if supports and not used:
            used = list(dict.fromkeys(self.sheet.number(s) for s in supports[:1]))
            marks = "".join(f"[{c.marker}]" for c in used)
            made = f"{made[:-1].rstrip()} {marks} |" if made.endswith("|") else re.sub(r"\s*([.!?…]?)$", rf" {marks}\1", made, count=1)
        return made, tuple(dict.fromkeys(used))

    def unsupported(self) -> tuple[str, ...]:
        """What was removed."""
        return tuple(self.removed)

    def told(self) -> list[str]:
        """What became of the model's units, in words."""
        total = sum(self.counts.values())
        told = [*self.notes, *(f"{self.counts[v]} of {total} sentences of the model {v}" for v in ("repaired", "removed", "unconfirmed") if v in self.counts)]
        if self.invented:
            told.append(f"{len(self.invented)} citation markers of the model name no passage and were dropped")
        return told


def grouped(passages: Sequence[Given]) -> str:
    """Numbered passages under their sources; passages of a source must stand together."""
    blocks: list[str] = []
    for number, given in enumerate(passages, start=1):
        source, passage = given.source, given.passage
        if number == 1 or passages[number - 2].source.id != source.id:
            facts = {
                "title": source.title, "by": ", ".join(filter(None, (source.author, source.publisher))), "date": source.date or "undated",
            }  # fmt: skip
            blocks.append("<source {}>".format(" ".join(f'{k}="{data_of(v)}"' for k, v in facts.items() if v)))
        whose = f" by {passage.claimed_by}" if passage.claimed_by else ""
        status = f' status="{data_of(f"{passage.claim_status}{whose}")}"' if passage.claim_status else ""
        blocks.append(f'<passage n="{number}"{status}>\n{data_of(unmarked(passage.text))}\n</passage>')
    return "\n".join(blocks)
