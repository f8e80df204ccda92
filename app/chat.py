"""The chat page. It shows answers; it does not retrieve, and nothing else of ours knows gradio."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

# Before gradio is imported: it reads this once.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr

from app.answer import Answer
from app.errors import AppError
from app.followup import Turn
from app.home import Home
from app.render import evidence_html, message_html, plain_html
from index.errors import IndexingError
from ingest.errors import IngestError

EXAMPLES = (
    "How many fighters is ISKP reported to have?",
    "What does the author mean by a “Trojan horse”?",
    "Why does the author think Tajik citizens were used for the attack?",
    "What did the Afghan Interior Ministry say about incidents in 2023?",
    "Is ISKP an existential threat to Central Asia?",
)
_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
_MONO = ["ui-monospace", "Menlo", "Consolas", "monospace"]

Messages = list[dict[str, Any]]


def theme() -> gr.themes.Base:
    """A plain theme with the system's own fonts: nothing is loaded from elsewhere."""
    return gr.themes.Base(primary_hue="slate", neutral_hue="slate", font=_FONTS, font_mono=_MONO)


def build_chat(home: Home, *, examples: tuple[str, ...] = EXAMPLES) -> gr.Blocks:
    """The page over a home. The first question waits until the models are loaded."""
    page = Page(home)
    with gr.Blocks(title="iskp-qa", analytics_enabled=False, fill_height=True) as blocks:
        gr.Markdown(
            "# iskp-qa\nAnswers from one news analysis and related public sources. "
            "Every statement cites the exact words; what the sources do not say is not answered.",
            elem_id="title",
        )
        turns: gr.State = gr.State([])
        with gr.Row(elem_id="panes"):
            with gr.Column(scale=3, min_width=320):
                chatbot = gr.Chatbot(
                    label="Conversation", height="60vh", sanitize_html=True, latex_delimiters=[],
                    feedback_options=None, buttons=["copy"], elem_id="conversation",
                    placeholder="Ask about ISKP, the Moscow attack, or what the sources say.",
                )  # fmt: skip
                with gr.Row():
                    question = gr.Textbox(
                        label="Question", placeholder="Ask a question …", lines=1, max_lines=4, scale=6,
                        elem_id="question", autofocus=True,
                    )  # fmt: skip
                    ask = gr.Button("Ask", variant="primary", scale=1, min_width=90, elem_id="ask")
                    clear = gr.Button("New", scale=1, min_width=70, elem_id="new")
                gr.Examples([[e] for e in examples], inputs=[question], label="Examples", elem_id="examples")
            with gr.Column(scale=2, min_width=320):
                evidence = gr.HTML(page.no_evidence(), elem_id="evidence", label="Evidence")
        inputs, outputs = [question, chatbot, turns], [question, chatbot, turns, evidence]
        for event in (ask.click, question.submit):
            event(page.respond, inputs, outputs, api_visibility="private", concurrency_limit=2)
        clear.click(page.new, None, outputs, api_visibility="private")
    return blocks  # type: ignore[no-any-return]


class Page:
    """What the page does; each handler is a plain method that tests can call."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def no_evidence(self) -> str:
        """The evidence pane before the first question."""
        return evidence_html(None, 0, lambda _: None, lambda _: None)

    def new(self) -> tuple[str, Messages, list[Turn], str]:
        """Start a new conversation."""
        return "", [], [], self.no_evidence()

    def respond(
        self, question: str, messages: Messages, turns: list[Turn]
    ) -> Iterator[tuple[str, Messages, list[Turn], Any]]:
        """Answer, sentence by sentence; an error is one sentence in the conversation."""
        messages = list(messages or [])
        if not question.strip():
            yield question, messages, turns, gr.skip()
            return
        number = len(turns) // 2 + 1
        asked = [*messages, {"role": "user", "content": plain_html(question)}]
        yield "", [*asked, _assistant(plain_html("Reading the sources …"))], turns, gr.skip()
        try:
            answer = self._home.answerer.answer(question, turns)
        except (AppError, IndexingError, IngestError) as exc:
            yield question, [*asked, _assistant(plain_html(str(exc)))], turns, gr.skip()
            return
        turns = [*turns, Turn(role="user", content=question), Turn(role="assistant", content=answer.answer)]
        pane = self._evidence(answer, number)
        for shown in range(1, len(answer.citations)):
            yield "", [*asked, _assistant(message_html(answer, number, sentences=shown))], turns, pane
        yield "", [*asked, _assistant(message_html(answer, number))], turns, pane

    def _evidence(self, answer: Answer, turn: int) -> str:
        opened = self._home.index.current()
        if opened is None:
            return self.no_evidence()
        spans: dict[str, tuple[int, int]] = {}
        for source_id in {c.source_id for c in (*answer.citations, *answer.nearest)}:
            spans |= {p.id: (p.start, p.end) for p in opened.passages_of(source_id)}
        return evidence_html(answer, turn, opened.source, spans.get)


def serve(home: Home, *, host: str, port: int, auth: tuple[str, str] | None = None) -> None:
    """Serve the page until interrupted; the models load meanwhile."""
    threading.Thread(target=_warm_up, args=(home,), daemon=True).start()
    blocks = build_chat(home)
    blocks.queue(max_size=64, default_concurrency_limit=4)
    blocks.launch(
        server_name=host, server_port=port, auth=auth, share=False, ssr_mode=False, show_error=False,
        footer_links=[], quiet=False, theme=theme(), css=_asset("page.css"),
        head=f"<script>{_asset('page.js')}</script>",
    )  # fmt: skip


def _warm_up(home: Home) -> None:
    # A model that cannot be loaded is told at the first question, where somebody reads it.
    try:
        home.warm_up()
    except (AppError, IndexingError):
        return


def _assistant(html: str) -> dict[str, Any]:
    return {"role": "assistant", "content": html}


def _asset(name: str) -> str:
    return files("app").joinpath("templates", name).read_text(encoding="utf-8")
