"""Our own words take no side: templates, messages and bundled notes use no value words, and what others claim is theirs."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.answer import cite
from app.answering.compose import attribution, compose, with_marker
from app.evidence.gather import Evidence
from index.search import Hit
from ingest.blocks import Block, Extract, Metadata, assemble
from ingest.chunk import chunk
from ingest.formats import markdown
from ingest.sentences import sentence_spans
from ingest.source import Source

ROOT = Path(__file__).parent.parent
NOTES = sorted((ROOT / "ingest" / "corpus").rglob("*.md"))

# Words that judge. Nothing of ours needs them; where a source uses one it stands in a quote.
JUDGING = re.compile(
    r"\b(?:barbaric|evil|heinous|cowardly|horrif\w+|horrible|shocking\w*|savage\w*|monstrous|monsters?|vicious|despicable|"
    r"infamous|notorious\w*|so-called|fanatics?|fanatical|heroic|heroes?|glorious|unfortunately|sadly|luckily|fortunately|"
    r"obviously|alarmingly|chilling|terrible|terribly|tragic\w*|tragedy|outrageous|disgraceful|shameful|brutal\w*|"
    r"ruthless\w*|bloodthirsty|thugs?|senseless|butcher\w*|carnage|atrocit\w+|slaughter\w*|surprisingly|ironically|"
    r"admittedly|undoubtedly|rightly|appalling|disgusting|insane|crazy|pathetic|hateful|wicked|vile|sinister|freedom fighters?|"
    r"of course|needless to say|it is clear that|everyone knows|the truth is)\b",
    re.I,
)
# Words that describe a party or an act in somebody's terms: only with a name or a law behind them.
LOADED = re.compile(
    r"\b(?:terrorists?|jihadists?|regime|extremists?|radicals|martyrs?|massacres?|wrongly|worst|proven?|proves|reveals?|"
    r"revealed|admits?|admitted|propaganda)\b",
    re.I,
)
ATTRIBUTED = re.compile(
    r"\b(?:according to|as reported|report(?:s|ed|edly)?|said|say|says|wrote|writes|argue[sd]?|calls?|called|notes|noted|"
    r"suggest(?:s|ed)?|claim(?:s|ed)?|list(?:s|ed)|designated|warned|told|stated?|found|asks?|asked|considers?|holds?|sees?|"
    r"view|opinion|sources?|estimates?|reporting|officials|disputed|depending on|describes?|expects?|thinks?|believes?|judged?|concludes?|author|article|quoted|quotes|names?|named|"
    r"organi[sz]ation|sanctions|law|court|in the words)\b",
    re.I,
)
QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|‘[^’]*’")


def own_words(text: str) -> str:
    """The text without what stands in quotation marks."""
    return QUOTED.sub(" ", text)


def texts_of(node: ast.AST) -> Iterator[tuple[int, str]]:
    """String literals that a person may read: no docstrings, no patterns, no single words."""
    documented = {
        id(n.body[0].value)
        for n in ast.walk(node)
        if isinstance(n, (ast.Module, ast.FunctionDef, ast.ClassDef)) and n.body and isinstance(n.body[0], ast.Expr)
    }
    for n in ast.walk(node):
        if not isinstance(n, ast.Constant) or not isinstance(n.value, str) or id(n) in documented:
            continue
        if " " in n.value and not re.search(r"\\[bswd]|\(\?:|\|", n.value):
            yield n.lineno, n.value


MODULES = sorted([*(ROOT / "app").rglob("*.py"), *(ROOT / "ingest").rglob("*.py"), *(ROOT / "index").rglob("*.py")])


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_text_of_the_program_judges(module: Path) -> None:
    found = [
        (line, text)
        for line, text in texts_of(ast.parse(module.read_text(encoding="utf-8")))
        if JUDGING.search(text)
        or (
            re.search(r"\b(?:the|a|is|of|to|in)\b", text)
            and re.search(r"\b(?:terrorists?|jihadists?|regime|infidels?)\b", text, re.I)
        )
    ]
    assert found == []


@pytest.mark.parametrize(
    "file",
    [*sorted((ROOT / "app" / "rendering" / "templates").glob("*.html")), *sorted((ROOT / "prompts").glob("*.toml"))],
    ids=lambda p: p.name,
)
def test_no_template_judges(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".html":
        text = re.sub(r"<(style|script)\b.*?</\1>|\{[%#{].*?[%#}]\}|<[^>]+>", " ", text, flags=re.S)
    assert JUDGING.findall(text) == [] and LOADED.findall(text) == []


def test_no_message_of_the_policy_or_the_languages_judges() -> None:
    policy = tomllib.loads((ROOT / "app" / "policy" / "policy.toml").read_text(encoding="utf-8"))
    languages = tomllib.loads((ROOT / "app" / "text" / "languages.toml").read_text(encoding="utf-8"))
    said = [policy["message"], policy["output_message"], *(v["say"] for v in languages.values())]
    assert [t for t in said if JUDGING.search(t) or LOADED.search(t)] == []


def test_declining_is_calm() -> None:
    policy = tomllib.loads((ROOT / "app" / "policy" / "policy.toml").read_text(encoding="utf-8"))
    for text in (policy["message"], policy["output_message"]):
        assert not re.search(
            r"!|\b(?:must not|never|illegal|wrong|bad|you are (?:a|not)|shame|dangerous person)\b", text, re.I
        )
        assert len(text.split()) < 60


@pytest.mark.parametrize("note", NOTES, ids=lambda p: p.stem)
def test_no_bundled_note_judges(note: Path) -> None:
    found = []
    for block in markdown.read(note.read_text(encoding="utf-8")).blocks:
        if block.role in {"title", "heading"}:
            continue  # titles are their authors'
        for start, end in sentence_spans(block.text):
            sentence = own_words(block.text[start:end])
            judged = JUDGING.search(sentence)
            loaded = LOADED.search(sentence) and not ATTRIBUTED.search(sentence)
            if judged or (loaded and not ATTRIBUTED.search(own_words(block.text))):
                found.append(sentence)
    assert found == []


@pytest.mark.parametrize("note", NOTES, ids=lambda p: p.stem)
def test_no_claim_of_a_bundled_note_is_said_in_our_own_voice(note: Path) -> None:
    """Whatever sentence of a claim or an opinion is quoted, the answer names somebody who says it."""
    source = assemble(note.stem, markdown.read(note.read_text(encoding="utf-8")), fallback_title=note.stem)
    found = []
    for passage in chunk(source):
        if passage.claim_status not in {"claim", "opinion"}:
            continue
        for start, end in sentence_spans(passage.text):
            citation = cite(
                source, passage, start=passage.start + start, end=passage.start + end, support=0.9, marker=1
            )
            said = attribution(citation) + citation.quote
            names = re.findall(
                r"[^\W\d_]{3,}", f"{citation.claimed_by or ''} {citation.author or ''} {citation.publisher or ''}"
            )
            if not (
                attribution(citation) or ATTRIBUTED.search(said) or any(n in said for n in names if n[0].isupper())
            ):
                found.append(said)
    assert found == []


def source_of(genre: str, **more: str) -> Source:
    blocks = (Block(text="The harbour handled 41 million tonnes in 2019."),)
    return assemble("s", Extract(blocks=blocks, metadata=Metadata(genre=genre, **more)), fallback_title="Port")  # type: ignore[arg-type]


@pytest.mark.parametrize("genre", ["opinion", "un-report", "government", "news", "encyclopedia", "research", "unknown"])
def test_each_genre_is_attributed_and_dated(genre: str) -> None:
    source = source_of(genre, publisher="Port Office", date="2020")
    passage = chunk(source)[0]
    hit = Hit(passage=passage, score=1.0, similarity=0.8, lexical=1.0, rank=1)
    evidence = Evidence(
        hit=hit, text=passage.text, start=passage.start, end=passage.end, score=0.9, passage_score=0.9, similarity=0.9,
        overlap=1.0,
    )  # fmt: skip
    assert compose([evidence], lambda _: source).text.startswith("Port Office (2020): ")


def test_an_unknown_date_is_said_to_be_unknown_rather_than_guessed() -> None:
    source = source_of("news", publisher="Port Office")
    passage = chunk(source)[0]
    citation = cite(source, passage, start=passage.start, end=passage.end, support=0.9, marker=1)
    assert attribution(citation) == "Port Office (undated): "


@pytest.mark.parametrize(
    "text",
    ["The attack was brutal.", "Sadly, 40 people died.", "The so-called caliphate fell.", "It is clear that he lied."],
)
def test_the_guard_sees_a_judging_sentence(text: str) -> None:
    assert JUDGING.search(own_words(text))
    assert not JUDGING.search(own_words(f"He said: “{text}”"))


def test_a_marker_changes_no_word() -> None:
    assert with_marker("He said “no”.", 3) == "He said “no” [3]."
