"""Temporary homes with texts of a data set, indexed as a user would index them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.home import Home
from index.embed import Encoder
from ingest.blocks import Block, Extract, Metadata, assemble


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text of a data set: the id of its source, its title ("" for none) and its paragraphs."""

    id: str
    title: str
    paragraphs: Sequence[str]


@contextmanager
def home_of(texts: Iterable[Text], encoder: Encoder | None = None) -> Iterator[Home]:
    """An indexed home with the texts alone, gone afterwards; ``encoder`` in place of the default."""
    with tempfile.TemporaryDirectory(prefix="iskp-training-", ignore_cleanup_errors=True) as folder:
        home = Home(Path(folder))
        if encoder is not None:
            home.encoder = encoder
        home.init(empty=True)
        for text in texts:
            blocks = tuple(Block(text=p) for p in text.paragraphs)
            made = assemble(text.id, Extract(blocks=blocks, metadata=Metadata(title=text.title or None)), fallback_title=text.id)
            home.library.put(made, raw_digest=text.id)
        home.sync()
        yield home
        home.close()


@contextmanager
def bundled_home() -> Iterator[Home]:
    """An indexed home with the bundled sources, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="iskp-training-", ignore_cleanup_errors=True) as folder:
        home = Home(Path(folder))
        list(home.update_sources())
        home.sync()
        yield home
        home.close()
