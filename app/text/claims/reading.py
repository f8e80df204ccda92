"""A sentence read into pieces."""

from __future__ import annotations

from app.text.claims.denials import denials_of
from app.text.claims.figures import figures_of
from app.text.claims.moments import moments_of
from app.text.claims.names import initials_of, names_of
from app.text.claims.pieces import Said, Word
from app.text.claims.words import TOKEN, bare, parts, plain, printed, stem, stems_of
from index.terms import Vocabulary


def read(text: str, vocabulary: Vocabulary) -> Said:
    """What a sentence says."""
    text = printed(text)
    tokens = list(TOKEN.finditer(text))
    words: dict[str, Word] = {}
    for n, match in enumerate(tokens):
        word = bare(match.group())
        low = word.lower()
        if plain(low):
            continue
        words.setdefault(stem(low), Word(text=word, stem=stem(low), capital=word[0].isupper() and n > 0))
    names = names_of(text, tokens)
    return Said(
        text=text,
        words=tuple(words.values()),
        stems=frozenset(s for m in tokens for s in stems_of(m.group())),
        tokens=frozenset(p for m in tokens for p in parts(m.group())),
        names=names,
        aliases=frozenset(frozenset(a.lower() for a in vocabulary.aliases(m)) for m in vocabulary.mentions(text)),
        figures=figures_of(text),
        moments=moments_of(text),
        order=tuple((m.start(), "" if plain(m.group()) else stem(bare(m.group()).lower())) for m in tokens),
        denials=denials_of(text),
        initials=frozenset(initials_of(names)),
    )
