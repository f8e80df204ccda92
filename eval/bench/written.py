"""What the measures over written collections share: the home of a collection, and their table."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from app.home import Home

S = TypeVar("S")


def made(texts: Path, folder: Path) -> Home:
    """The home of a collection, made in a folder.

    Args:
        texts: the folder of its texts.
    """
    home = Home(folder)
    home.init(empty=True)
    list(home.add([texts], {}))
    home.sync()
    return home


@contextmanager
def lent(texts: Path) -> Iterator[Home]:
    """The home of a collection, which is gone afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = made(texts, Path(folder) / "home")
        try:
            yield home
        finally:
            home.close()


def as_table(
    scores: Sequence[S], kind: Callable[[S], str], sums: Callable[[Sequence[S]], Mapping[str, float]], whole: Sequence[str] = ()
) -> str:
    """The sums by kind and of all, as Markdown.

    Args:
        whole: sums that are whole numbers.
    """
    by_kind: dict[str, list[S]] = defaultdict(list)
    for s in scores:
        by_kind[kind(s)].append(s)
    names = list(sums(scores))
    lines = ["| kind | cases | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    for name, own in [*sorted(by_kind.items()), ("all", list(scores))]:
        cells = [f"{v:.0f}" if n in whole else f"{v:.2f}" for n, v in sums(own).items()]
        lines.append(f"| {name} | {len(own)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
