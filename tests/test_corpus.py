"""The bundled corpus: complete front matter, honest marks, own words."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "ingest" / "corpus"

REQUIRED = {"title", "publisher", "genre", "language", "licence", "paragraphs"}
ALLOWED = REQUIRED | {"author", "date", "date_note", "url", "disagreement"}
GENRES = {"opinion", "un-report", "government", "news", "encyclopedia", "research", "notes"}
ATTRIBUTES = {"paragraph", "status", "by", "role", "checked", "via"}
STATUSES = {"fact", "claim", "opinion"}
ROLES = {"credit", "caption", "author-note", "remark"}
CHECKED = {"source", "report", "general knowledge"}
RUN_WORDS = 8
MOST_SENTENCE_WORDS = 45
MOST_BLOCK_WORDS = 110

_FRONT = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.S)
_ATTRIBUTE_LINE = re.compile(r"\{((?:[a-z]+=(?:\"[^\"{}]*\"|[^\s\"{}]+) ?)+)\}")
_ATTRIBUTE = re.compile(r"([a-z]+)=(?:\"([^\"]*)\"|(\S+))")
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_URL = re.compile(r"https?://\S+")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')]?\s+(?=[\"A-Z0-9])")
_MARKUP = re.compile(r"[*`<>\[\]|]|__|https?://")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A paragraph of a note; ``attributes`` is what stands in the line above it."""

    attributes: dict[str, str]
    text: str


def notes() -> list[Path]:
    """All Markdown files of the corpus."""
    return sorted(CORPUS.rglob("*.md"))


def source_id(note: Path) -> str:
    """Path below the corpus, without the suffix."""
    return note.relative_to(CORPUS).with_suffix("").as_posix()


def front_and_body(note: Path) -> tuple[dict[str, str], str]:
    """Front matter as strings, and what follows it."""
    match = _FRONT.match(note.read_text(encoding="utf-8"))
    assert match, f"{note} has no front matter"
    front = yaml.safe_load(match[1])
    assert isinstance(front, dict), note
    return front, match[2]


def pieces(body: str) -> list[str]:
    """The parts of a Markdown body that stand between blank lines."""
    return [piece for piece in re.split(r"\n\s*\n", body.strip()) if piece.strip()]


def blocks(note: Path) -> list[Block]:
    """The paragraphs of a note in order, headings left out."""
    found = []
    for piece in pieces(front_and_body(note)[1]):
        if piece.startswith("#"):
            continue
        line, _, text = piece.partition("\n")
        match = _ATTRIBUTE_LINE.fullmatch(line)
        assert match, f"{note}: no attribute line above {line[:60]!r}"
        attributes = {name: quoted or plain for name, quoted, plain in _ATTRIBUTE.findall(match[1])}
        found.append(Block(attributes=attributes, text=" ".join(text.split())))
    return found


def words(text: str) -> list[str]:
    """Lower-cased words without punctuation; a hyphen parts words, a thousands comma does not part digits."""
    return re.findall(r"[^\W_]+", _THOUSANDS.sub("", text.lower()))


def runs(text: str) -> set[tuple[str, ...]]:
    """Every run of RUN_WORDS consecutive words."""
    listed = words(text)
    return {tuple(listed[i : i + RUN_WORDS]) for i in range(len(listed) - RUN_WORDS + 1)}


def copied(own: str, original: str) -> set[tuple[str, ...]]:
    """The runs of words that stand in both texts."""
    return runs(own) & runs(original)


def prose(note: Path) -> str:
    """All that a reader may be shown as ours, without the title: each block and heading apart."""
    return "\n\n".join(piece for piece in pieces(front_and_body(note)[1]) if not piece.startswith("# "))


def source_texts() -> list[Path]:
    """Original texts to compare with, where this machine has any."""
    named = [Path(p) for p in os.environ.get("ISKP_SOURCE_TEXTS", "").split(os.pathsep) if p]
    return named + sorted((ROOT.parent / "shared" / "sources").glob("*.txt"))


def test_the_corpus_holds_the_article_its_neighbours_and_the_disagreements() -> None:
    """An empty or moved corpus would let every check below pass."""
    ids = {source_id(note) for note in notes()}
    assert "article" in ids
    assert len([i for i in ids if "/" not in i]) > 20
    assert len([i for i in ids if i.startswith("disagreements/")]) >= 26


def test_front_matter_is_complete_and_valid() -> None:
    """Every citation shows publisher, date and licence, so they must be there and well-formed."""
    for note in notes():
        front, body = front_and_body(note)
        assert set(front) >= REQUIRED, (note, REQUIRED - set(front))
        assert set(front) <= ALLOWED, (note, set(front) - ALLOWED)
        assert all(isinstance(v, str) and v.strip() for v in front.values()), (note, front)
        assert front["genre"] in GENRES, note
        assert front["language"] == "en", note
        assert front["paragraphs"] == ("original" if source_id(note) == "article" else "notes"), note
        assert "date" not in front or _DATE.fullmatch(front["date"]), note
        assert "url" not in front or _URL.fullmatch(front["url"]), note
        first = pieces(body)[0]
        assert first == f"# {front['title']}", (note, first)


def test_a_source_without_address_says_through_which_report_it_was_seen() -> None:
    """A reader can always go and look: at the source, or at the report about it."""
    for note in notes():
        front, _ = front_and_body(note)
        if "url" not in front and front["genre"] != "notes":
            assert all("via" in b.attributes for b in blocks(note)), note


def test_blocks_carry_only_known_attributes() -> None:
    """A misspelt attribute would silently lose its meaning in the reader."""
    for note in notes():
        original = source_id(note) == "article"
        for block in blocks(note):
            marks = block.attributes
            assert set(marks) <= ATTRIBUTES, (note, marks)
            assert marks.get("role", "credit") in ROLES, (note, marks)
            assert marks.get("checked", "source") in CHECKED, (note, marks)
            assert "via" not in marks or _URL.fullmatch(marks["via"]), (note, marks)
            assert marks.get("role") == "credit" or marks.get("status") in STATUSES, (note, marks)
            numbered = original and "role" not in marks
            assert marks.get("paragraph", "").isdecimal() == numbered, (note, marks)


def test_what_is_from_general_knowledge_stands_apart_and_is_marked() -> None:
    """Only a block of its own can be kept from being evidence."""
    for note in notes():
        for block in blocks(note):
            told = "general knowledge" in block.text or "not checked against" in block.text
            assert told <= (block.attributes.get("checked") == "general knowledge"), (note, block.text)


def test_claims_and_opinions_say_whose_they_are() -> None:
    """A claim without its claimant would be shown as ours; a fact has no claimant."""
    for note in notes():
        for block in blocks(note):
            held = block.attributes.get("status") in {"claim", "opinion"}
            assert bool(block.attributes.get("by", "").strip()) == held, (note, block.attributes)


def test_the_articles_ten_paragraphs_are_noted_in_order() -> None:
    """Citations say "¶8 of the article"; caption, credit and author note are not counted."""
    listed = blocks(CORPUS / "article.md")
    numbers = [int(b.attributes["paragraph"]) for b in listed if "paragraph" in b.attributes]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, 11))
    assert {b.attributes["role"] for b in listed if "role" in b.attributes} == ROLES - {"remark"}


def test_bodies_hold_only_headings_and_plain_paragraphs() -> None:
    """Markup inside a sentence would show up in a quotation."""
    for note in notes():
        for piece in pieces(front_and_body(note)[1]):
            if piece.startswith("#"):
                assert re.fullmatch(r"#{1,2} \S.*", piece), (note, piece)
        for block in blocks(note):
            assert block.text and not _MARKUP.search(block.text), (note, block.text)
            assert not re.match(r"[-+*]\s|\d+[.)]\s", block.text), (note, block.text)


def test_sentences_and_blocks_are_short() -> None:
    """Sentences are the answers: nobody wants to read one twice."""
    for note in notes():
        for block in blocks(note):
            assert len(block.text.split()) <= MOST_BLOCK_WORDS, (note, block.text)
            for sentence in _SENTENCE_END.split(block.text):
                assert len(sentence.split()) <= MOST_SENTENCE_WORDS, (note, sentence)


def test_no_sentence_stands_twice_in_a_note() -> None:
    """The same sentence twice would be quoted twice."""
    for note in notes():
        sentences = [s for block in blocks(note) for s in _SENTENCE_END.split(block.text)]
        assert len(sentences) == len(set(sentences)), note


def test_no_sentence_opens_with_a_bare_pronoun() -> None:
    """Each sentence is quoted alone, so it must name its subject."""
    for note in notes():
        for block in blocks(note):
            for sentence in _SENTENCE_END.split(block.text):
                opening = words(sentence)[0]
                assert opening not in {"it", "he", "she", "they", "this", "these", "those", "its", "his", "their"}, (
                    note,
                    sentence,
                )


def test_the_articles_numbers_stand_in_its_notes() -> None:
    """The figures that people ask for first."""
    text = " ".join(b.text for b in blocks(CORPUS / "article.md"))
    for figure in ("2,000", "1,500", "2,200", "40%", "2023", "2022", "1990s"):
        assert figure in text, figure


def test_a_planted_copy_is_recognised() -> None:
    """The comparison itself must not be blind, or the next test passes for nothing."""
    original = "The quick brown fox, a 2,000-year-old animal, jumps “over” the lazy dog."
    assert copied("We heard that a 2,000-year-old animal jumps over the lazy dog!", original)
    assert copied("THE QUICK brown fox – a 2,000 year old animal", original)
    assert not copied("A fox that is 2,000 years old jumped over the lazy dog.", original)
    note = prose(CORPUS / "article.md")
    sentence = _SENTENCE_END.split(blocks(CORPUS / "article.md")[1].text)[0]
    assert len(words(sentence)) >= RUN_WORDS
    assert copied(note, f"Somebody else wrote: {sentence} And more.")


def test_the_notes_are_in_our_own_words() -> None:
    """No run of eight words of a note stands in an original that this machine has."""
    for text in source_texts():
        original = text.read_text(encoding="utf-8")
        for note in notes():
            # Piece by piece: words on both sides of a blank line are not a run.
            for piece in pieces(prose(note)):
                assert not copied(piece, original), (note, text, copied(piece, original))
