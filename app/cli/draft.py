"""``iskp check --draft``: a text of one's own, sentence by sentence against the sources."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from app.cli.home import prepare
from app.cli.output import bar, write
from app.errors import BadInput

if TYPE_CHECKING:
    from app.home import Home
    from index.search import Filters


def check_file(home: Home, draft: IO[bytes], filters: Filters, *, form: str, style: str, out: Path | None) -> None:
    """Check a draft and print it, or write it to a file.

    Raises:
        BadInput: it is no text, empty or too long, or a Word file is to go to a terminal.
    """
    from app.exports import checked
    from app.support.draft import check_draft

    if form == "docx" and out is None and sys.stdout.isatty():
        raise BadInput("a Word file cannot be shown on a terminal; give --out FILE.docx")
    try:
        text = draft.read().decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise BadInput("the draft is no UTF-8 text; save it as plain text or Markdown") from exc
    if text.strip():
        prepare(home)
    opened = home.index.current()
    with bar("checking", "sentences") as show:
        made = check_draft(text, lambda claim: home.checker.check(claim, opened, filters=filters), show)
    data = checked.write(made, form, style)
    if out is not None:
        out.write_bytes(data)
        write(f"{checked.summary(made)}; written to {out}")
    elif form == "text":
        for line in data.decode().splitlines():
            write(line.lstrip(), " " * (len(line) - len(line.lstrip())))
    else:
        sys.stdout.buffer.write(data)
