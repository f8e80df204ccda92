"""What a strong model's sentences look like once they are through: played back by a server of the OpenAI form.

Each row is a sentence with the passages that it cites, true or with one planted change. A server on the loopback address
answers with that sentence and its markers; the product's own engine, writer and check do the rest. Nothing of the model is real, so
this measures the check and the second call, not how well a model writes or verifies: the second call is played too, by a model
that is always right, always wrong, agrees to everything, or never says. What a model of some accuracy gives lies between "right" and
"wrong" in proportion.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args

import prompts
from app.answer import Answer
from app.config import EngineSection
from app.home import Home
from app.stream import Discarded, Done, Settled
from app.wiring import engine as engine_of
from app.wiring import writer as writer_of
from app.writing.parts import Given, Material
from app.writing.strong import BADGE
from eval.errors import EvalError
from index.terms import Vocabulary
from ingest.chunk import Passage
from ingest.sentences import sentence_spans
from ingest.source import Paragraph, Source

Outcome = Literal["as written", "badge", "rewritten", "removed", "quotations"]
OUTCOMES: tuple[Outcome, ...] = ("as written", "badge", "rewritten", "removed", "quotations")
Second = Literal["off", "right", "wrong", "yes", "unstated"]
SECONDS: tuple[Second, ...] = get_args(Second)
_REQUEST = "What do the passages say?"
_HEAD = re.compile(r"\[(?P<title>.*?)(?:, (?P<date>\d{4}(?:-\d{2}(?:-\d{2})?)?))?\] (?P<text>.*)", re.S)
_MARKERS = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedRow:
    """A sentence to be played back.

    Attributes:
        label: its kind, such as "true", "true-close" or "false".
        passages: the passages that it cites, each as "[title, date] text".
    """

    id: str
    label: str
    claim: str
    passages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What became of a row.

    Attributes:
        outcome: quotations: nothing of the sentence was settled and the quotations stood in.
        shown: the sentence as the reader sees it; empty where it left the answer.
        calls: requests to the model.
        seconds: for the whole answer.
    """

    row: PlayedRow
    outcome: Outcome
    shown: str
    calls: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts of one kind of sentence.

    Attributes:
        without_badge: share shown with no badge, as written or rewritten, in [0, 1].
    """

    label: str
    rows: int
    counts: dict[Outcome, int]
    without_badge: float


def read_rows(file: Path) -> list[PlayedRow]:
    """Rows of a JSONL file with id, label, claim and with_source.

    Raises:
        EvalError: a line lacks one of them or is no JSON.
    """
    rows = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            passages = re.split(r"\n\n(?=\[)", data["with_source"])
            rows.append(PlayedRow(id=data["id"], label=data["label"], claim=data["claim"], passages=tuple(passages)))
        except (ValueError, KeyError, TypeError) as exc:
            raise EvalError(f"line {number} of {file.name} is no row; it needs id, label, claim and with_source as JSON") from exc
    if not rows:
        raise EvalError(f"{file.name} holds no row")
    return rows


def run(
    rows: Sequence[PlayedRow], *, second: Second = "off", tell: Callable[[str], None] = lambda _: None
) -> list[Played]:
    """Play each row back through the strong profile of a home without sources.

    Args:
        second: how the model of the second call verifies; "off" makes none.
    """
    played: list[Played] = []
    with TemporaryDirectory() as folder, serving() as server:
        home = Home(Path(folder) / "home")
        home.init(empty=True)
        settings = EngineSection(name=server.engine, profile="strong", context_tokens=16_384, retries=0, repair=second != "off")  # type: ignore[call-arg]
        writer = writer_of(settings, engine_of(settings, server.engine), home.checker, home.policy)
        vocabulary = home.vocabulary()
        verifies = prompts.load("verify").system
        for number, row in enumerate(rows, start=1):
            server.reply = _replies(row, verifies, second)
            began = time.perf_counter()
            events = list(writer.write(_base(), _material(row, vocabulary), lambda _name: nullcontext()))
            played.append(_outcome(row, events, time.perf_counter() - began))
            if number % 20 == 0 or number == len(rows):
                tell(f"{number} of {len(rows)} sentences")
        home.close()
    return played


def tallies(played: Sequence[Played]) -> list[Tally]:
    """Counts by kind, in the order in which the kinds appear."""
    found = []
    for label in dict.fromkeys(p.row.label for p in played):
        mine = [p for p in played if p.row.label == label]
        counts = {o: sum(1 for p in mine if p.outcome == o) for o in OUTCOMES}
        bare = (counts["as written"] + counts["rewritten"]) / len(mine)
        found.append(Tally(label=label, rows=len(mine), counts=counts, without_badge=bare))
    return found


def as_table(played: Sequence[Played]) -> str:
    """The tallies as a Markdown table."""
    head = ["kind", "rows", *OUTCOMES, "no badge"]
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for t in tallies(played):
        cells = [t.label, str(t.rows), *(str(t.counts[o]) for o in OUTCOMES), f"{t.without_badge:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    seconds = sum(p.seconds for p in played) / max(1, len(played))
    calls = sum(p.calls for p in played) / max(1, len(played))
    return "\n".join([*lines, "", f"{calls:.2f} calls and {seconds:.2f} s an answer"])


def to_json(played: Sequence[Played]) -> dict[str, Any]:
    """The tallies and every row."""
    return {"kinds": [asdict(t) for t in tallies(played)], "rows": [asdict(p) for p in played]}


def _outcome(row: PlayedRow, events: Sequence[Any], seconds: float) -> Played:
    done = events[-1]
    assert isinstance(done, Done)
    fell_back = done.answer.notice != ""
    ours: list[Settled] = []
    for event in events:
        if isinstance(event, Discarded) and not (fell_back and event.reason == done.answer.notice):
            ours.clear()
        if isinstance(event, Settled) and event.verdict != "quoted":
            ours.append(event)
    verdicts = {e.verdict for e in ours}
    shown = "" if fell_back else _MARKERS.sub("", "".join(e.text for e in ours)).strip()
    if "removed" in verdicts or "struck" in verdicts:
        outcome: Outcome = "removed"
    elif fell_back:
        outcome = "quotations"
    elif BADGE in shown:
        outcome = "badge"
    elif "repaired" in verdicts or shown != row.claim:
        outcome = "rewritten"
    else:
        outcome = "as written"
    return Played(row=row, outcome=outcome, shown=shown, calls=done.answer.usage.get("calls", 0), seconds=round(seconds, 3))


def _replies(row: PlayedRow, verifies: str, second: Second) -> Callable[[str], str]:
    """What the played model answers to a prompt; ``verifies`` begins that of the second call."""
    return lambda prompt: _verified(row, prompt, second) if prompt.startswith(verifies) else _cited(row)


def _cited(row: PlayedRow) -> str:
    marks = "".join(f"[{n}]" for n in range(1, len(row.passages) + 1))
    return re.sub(r"\s*([.!?…]?)$", rf" {marks}\1", row.claim, count=1)


def _verified(row: PlayedRow, prompt: str, second: Second) -> str:
    """The second call's reply; its words are the sentence of the passages that shares most words with the claim."""
    wanted = set(re.findall(r"\w+", row.claim.lower()))
    sentences = [t[a:b] for t in (_given(row, 1, p).passage.text for p in row.passages) for a, b in sentence_spans(t)]
    words = max(sentences, key=lambda s: len(wanted & set(re.findall(r"\w+", s.lower()))))
    true = {"right": row.label != "false", "wrong": row.label == "false"}.get(second, True)
    verdict = "not stated" if second == "unstated" else f"{'supported' if true else 'contradicted'} | [1] \"{words}\""
    return "\n".join(f"{name}) {verdict}" for name in re.findall(r"^(s\d+)\)", prompt.rpartition("Sentences:")[2], re.M))


def _base() -> Answer:
    return Answer(question=_REQUEST, standalone_question=_REQUEST, status="answered", answer="The passages.")


def _material(row: PlayedRow, vocabulary: Vocabulary) -> Material:
    return Material(
        question=_REQUEST, passages=tuple(_given(row, n, text) for n, text in enumerate(row.passages, start=1)), vocabulary=vocabulary,
        today="2026-11-01",
    )  # fmt: skip


def _given(row: PlayedRow, number: int, block: str) -> Given:
    found = _HEAD.fullmatch(block)
    title, date, text = (found["title"], found["date"], found["text"]) if found else (row.id, None, block)
    source = Source(
        id=f"{row.id}-{number}", title=title, date=date, text=text, paragraphs=(Paragraph(start=0, end=len(text)),), genre="news",
    )  # fmt: skip
    passage = Passage(id=f"{source.id}#0", source_id=source.id, start=0, end=len(text), text=text, ordinal=0, context=title)
    return Given(passage=passage, source=source)


# --- the server --------------------------------------------------------------------------------------------


class PlayedServer:
    """Answers every request of the OpenAI chat form, streamed, with what ``reply`` makes of its prompt."""

    def __init__(self) -> None:
        self.reply: Callable[[str], str] = lambda _prompt: ""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not self.path.endswith("/chat/completions"):
                    self.send_error(404)
                    return
                text = outer.reply("\n".join(m["content"] for m in body["messages"]))
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                for piece in ({"content": text}, {}):
                    choice = {"index": 0, "delta": piece, "finish_reason": None if piece else "stop"}
                    data = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "played", "choices": [choice]}
                    self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())
                self.wfile.write(b"data: [DONE]\n\n")

            def do_GET(self) -> None:
                self.send_error(404)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def engine(self) -> str:
        """The server as an engine's name."""
        return f"http://127.0.0.1:{self._server.server_port}/v1#played"

    def start(self) -> None:
        """Serve in a thread."""
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def serving() -> Iterator[PlayedServer]:
    """A server on a free port of the loopback address, closed behind the block."""
    server = PlayedServer()
    server.start()
    try:
        yield server
    finally:
        server.close()
