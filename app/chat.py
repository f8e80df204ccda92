"""The chat page. It shows answers; it does not retrieve, and only it and ``app.page`` know gradio."""

from __future__ import annotations

import importlib.util
import os
import threading
from importlib.resources import files
from typing import Any

# Before gradio is imported: it reads this once.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr

from app.errors import AppError
from app.home import Home
from app.page import api, ask, evaluation, sources
from app.page.bridge import bridge
from app.page.talk import Talk
from app.page.work import Work
from app.render import render
from index.errors import IndexingError

_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
_MONO = ["ui-monospace", "Menlo", "Consolas", "monospace"]


def theme() -> gr.themes.Base:
    """A plain theme with the system's own fonts: nothing is loaded from elsewhere. Greys have contrast AA."""
    base = gr.themes.Base(primary_hue="slate", neutral_hue="slate", font=_FONTS, font_mono=_MONO, text_size="md")
    return base.set(
        body_text_color_subdued="*neutral_600", body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600", block_info_text_color_dark="*neutral_300",
        block_label_text_color="*neutral_700", block_label_text_color_dark="*neutral_200",
        block_title_text_color="*neutral_700", block_title_text_color_dark="*neutral_200",
        input_placeholder_color="*neutral_600", input_placeholder_color_dark="*neutral_400",
        button_primary_background_fill="#1d4f91", button_primary_background_fill_dark="#1d4f91",
        button_primary_background_fill_hover="#163d70", button_primary_background_fill_hover_dark="#163d70",
        button_primary_text_color="white", button_primary_text_color_dark="white",
    )  # fmt: skip


def build_chat(home: Home, *, ready: threading.Event | None = None, read_only: bool = False) -> gr.Blocks:
    """The page over a home.

    Args:
        ready: set once the models are loaded; the page says so until then.
        read_only: sources cannot be changed and the evaluation cannot be run from the page.
    """
    work = Work()
    asking = ask.AskTab(home, ready=ready, read_only=read_only)
    shelf = sources.SourcesTab(home, work, read_only=read_only)
    examined = evaluation.EvaluationTab(home, work, read_only=read_only)
    with gr.Blocks(title="iskp-qa", analytics_enabled=False, fill_height=True) as blocks:
        gr.HTML(render("masthead.html"), apply_default_css=False)
        told = bridge()
        talk: gr.State = gr.State(Talk())
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("Ask", id="ask"):
                asked = ask.build(asking, told, talk)
            with gr.Tab("Sources", id="sources"):
                listed = sources.build(shelf, told, tabs, talk, asked.sources, read_only=read_only).listed
            with gr.Tab("Evaluation", id="evaluation") as tab:
                reported = evaluation.build(examined, told, read_only=read_only)
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        blocks.load(asking.wait_until_ready, None, asked.notice, concurrency_limit=None, **quiet)
        blocks.load(shelf.listed, None, listed, queue=False, **quiet)
        blocks.load(shelf.follow, None, listed, concurrency_limit=None, **quiet)
        api.build(api.Api(home))
        tab.select(examined.reported, None, reported, **quiet)
    return blocks  # type: ignore[no-any-return]


def serve(home: Home, *, host: str, port: int, auth: tuple[str, str] | None = None) -> None:
    """Serve the page until interrupted; the models load meanwhile."""
    ready = threading.Event()
    threading.Thread(target=_warm_up, args=(home, ready), daemon=True).start()
    blocks = build_chat(home, ready=ready)
    blocks.queue(max_size=64, default_concurrency_limit=4)
    blocks.launch(
        server_name=host, server_port=port, auth=auth, share=False, ssr_mode=False, show_error=False,
        footer_links=[], quiet=False, mcp_server=_has_mcp(), theme=theme(), css=_asset("page.css"),
        head=f"<script>{_asset('page.js')}</script>",
    )  # fmt: skip


def _warm_up(home: Home, ready: threading.Event) -> None:
    # A model that cannot be loaded is told at the first question, where somebody reads it.
    try:
        home.warm_up()
    except (AppError, IndexingError):
        return
    finally:
        ready.set()


def _has_mcp() -> bool:
    return importlib.util.find_spec("mcp") is not None


def _asset(name: str) -> str:
    return files("app").joinpath("templates", name).read_text(encoding="utf-8")
