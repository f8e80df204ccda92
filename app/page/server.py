"""The chat page. It shows answers; it does not retrieve, and only it and ``app.page`` know gradio."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from importlib.resources import files
from io import StringIO
from typing import Any

# Before gradio is imported: it reads this once.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr
from starlette.middleware import Middleware

from app.access.exposure import Gate, Refused, address_of, allowance_of, check_port, upload_limits_of
from app.access.hosts import AllowedHosts, HostGuard
from app.home import Home
from app.page import api, ask, evaluation, figures, notebook, sources, tools
from app.page.bridge import bridge
from app.page.head import OwnHead
from app.page.keeper import Keeper
from app.page.language import components, label, language_of, script_words
from app.page.readiness import LOADING, Readiness, prepare
from app.page.talk import Talk
from app.page.work import Work
from app.rendering.render import render
from app.writing.available import ollama
from index.generation import current

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


def build_chat(
    home: Home, *, ready: Readiness | None = None, gate: Gate | None = None, read_only: bool = False,
    work: Work | None = None, beside: tools.Tools | None = None, models: Sequence[str] = (),
) -> gr.Blocks:  # fmt: skip
    """The page over a home.

    Args:
        gate: counts what each client asks.
        ready: what is still to be done before the first answer; the page says so until it is.
        read_only: sources cannot be changed and the evaluation cannot be run from the page.
        work: the jobs that the page shows, when others start some too.
        beside: the parts of the Tools tab, when others look into them too.
        models: further engines to choose from, such as the models of an Ollama on this machine.
    """
    work = work or Work()
    beside = beside or tools.Tools(home, work, gate, read_only=read_only)
    asking = ask.AskTab(home, ready=ready, gate=gate, read_only=read_only, line_of=beside.ledger.line, models=models)
    shelf = sources.SourcesTab(home, work, read_only=read_only)
    examined = evaluation.EvaluationTab(home, work, read_only=read_only)
    plotted = figures.FiguresTab(home)
    kept = notebook.NotebookTab(home)

    def headed(request: gr.Request) -> Any:
        language = language_of(request)
        return gr.skip() if language == "en" else masthead(adds=not read_only, language=language)

    with api.Page(title="iskp-qa", analytics_enabled=False, fill_height=True) as blocks:
        api.build(api.Api(home, gate, ready))  # first, so that no event of the page takes its names
        head = gr.HTML(masthead(adds=not read_only), apply_default_css=False)
        told = bridge()
        talk: gr.State = gr.State(Talk())
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab(label("Ask"), id="ask") as ask_tab:
                asked = ask.build(asking, told, talk)
            with gr.Tab(label("Sources"), id="sources") as shelf_tab:
                shelved = sources.build(shelf, told, talk, asked.sources, read_only=read_only)
                listed = shelved.listed
            with gr.Tab(label("Notebook"), id="notebook") as notebook_tab:
                pinned = notebook.build(kept, told, talk)
            with gr.Tab(label("Tools"), id="tools") as tools_tab:
                tools.build(beside, work, told, talk, tools_tab, read_only=read_only)
            with gr.Tab(label("Figures"), id="figures") as figures_tab:
                dark, drawn = figures.build(plotted)
            with gr.Tab(label("Evaluation"), id="evaluation") as tab:
                reported = evaluation.build(examined, told, talk, read_only=read_only)
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        told.look(shelf.look, talk, asked.reader, queue=False, **quiet)
        told.lookpage(shelf.look_page, talk, asked.reader, queue=False, **quiet)
        met = blocks.load(asking.greet, asked.who, asked.shown, js="() => window.iskp.greet()", queue=False, **quiet)
        met.then(None, None, None, js="() => window.iskp.welcomed()", **quiet)
        blocks.load(headed, None, head, queue=False, **quiet)
        blocks.load(asking.translated, None, asked.translated, queue=False, **quiet)
        met.then(
            asking.restore,
            asked.kept_filters,
            asked.filters,
            js="() => window.iskp.keptFilters()",
            queue=False,
            **quiet,
        )
        met.then(asking.offer, None, asked.front, concurrency_limit=None, **quiet)
        ask_tab.select(asking.scope, None, asked.scope, queue=False, **quiet)
        ask_tab.select(asking.offer, None, asked.front, concurrency_limit=None, **quiet)
        for fetched in shelved.fetched:  # the welcome says of how many publications only summaries are here
            fetched.then(asking.offer, None, asked.front, concurrency_limit=None, **quiet)
        blocks.load(asking.wait_until_ready, None, asked.notice, concurrency_limit=None, **quiet)
        # A tab's parts come to life after it is chosen; what arrives before that would be lost.
        shelf_tab.select(shelf.listed, talk, listed, js=_once_there("source-table"), **quiet)
        shelf_tab.select(shelf.follow, talk, listed, js=_once_there("source-table"), concurrency_limit=None, **quiet)
        notebook_tab.select(kept.shown, talk, pinned, js=_once_there("notebook"), queue=False, **quiet)
        figures_tab.select(plotted.drawn, dark, drawn, js="() => window.iskp.isDark('figures-note')", **quiet)
        tab.select(examined.reported, talk, reported, js=_once_there("eval-cases"), **quiet)
    return blocks  # type: ignore[no-any-return]


def masthead(*, adds: bool, language: str = "en") -> str:
    """The title, with the words of the page's script where they are not English.

    Args:
        adds: visitors may add sources.
    """
    return render("masthead.html", adds=adds, language=language, words=script_words(language))


def serve(
    home: Home, *, host: str, port: int, auth: Callable[[str, str], bool] | None = None, read_only: bool = False,
    say: Callable[[str], None] = print, afterwards: Callable[[], None] | None = None,
) -> None:  # fmt: skip
    """Serve the page until interrupted. A first index is made and the models load meanwhile.

    Args:
        auth: whether a user may come in with this password; None asks nobody.
        read_only: see :func:`build_chat`.
        say: prints a line for who started the server.
        afterwards: done in a thread once the page can be used.

    Raises:
        Refused: nobody can listen there.
    """
    ready = Readiness(usable=current(home.index_folder) is not None)
    ready.word = ready.word or LOADING
    work = Work()
    home.library  # noqa: B018 - opened here, before threads share it
    limits = home.settings.chat
    gate = Gate(allowance_of(limits))
    beside = tools.Tools(home, work, gate, read_only=read_only)
    models = [m.engine for m in ollama() if m.stays and m.state == "ready"]
    blocks = build_chat(home, ready=ready, gate=gate, read_only=read_only, work=work, beside=beside, models=models)
    blocks.queue(max_size=limits.pending, default_concurrency_limit=4)
    try:
        with redirect_stdout(StringIO()):  # Gradio's own lines advise public links
            blocks.launch(
                server_name=host, server_port=port, auth=auth, share=False, ssr_mode=False, show_error=False,
                max_file_size=upload_limits_of(limits).file_bytes, footer_links=[], quiet=True, mcp_server=_has_mcp(),
                theme=theme(), i18n=components(), css=_asset("page.css"),
                head=f"<script>{_asset('page.js')}</script><style media='print'>{_asset('print.css')}</style>"
                f"<style media='(max-width: 899px)'>{_asset('phone.css')}</style>",
                inbrowser=False,
                favicon_path=str(files("app.rendering").joinpath("templates", "icon.png")),
                pwa=True,
                prevent_thread_lock=True,
                app_kwargs={
                    "middleware": [
                        Middleware(HostGuard, hosts=AllowedHosts.of(host, limits.allowed_hosts)), Middleware(OwnHead),
                    ],
                    "exception_handlers": api.wrong_calls(),
                },
            )  # fmt: skip
    except OSError as exc:  # somebody took the port since it was checked
        check_port(host, port)
        raise Refused(
            f"the page cannot be served at {address_of(host, port)}: {exc.strerror or 'the port is taken'}"
        ) from exc
    except ValueError as exc:  # Gradio asks its own page a few times, for seconds each
        if "localhost is not accessible" not in str(exc):
            raise
        raise Refused(
            f"the page at {address_of(host, port)} does not answer this machine; if the machine is very busy, start it "
            "again in a minute; if HTTP_PROXY is set, set NO_PROXY=localhost,127.0.0.1 too"
        ) from exc
    say(f"iskp-qa is at {address_of(host, port)} (Ctrl+C ends it).")

    keeper = Keeper(home, work, made=beside.ledger.prepare)

    def behind() -> None:
        prepare(home, work, ready, say)
        beside.ledger.prepare()
        keeper.start()
        if afterwards:
            afterwards()

    threading.Thread(target=behind, daemon=True).start()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        say("Ended.")
    finally:
        keeper.end()
        blocks.close(verbose=False)


def _once_there(element: str) -> str:
    return f"() => window.iskp.mounted('{element}').then(() => [null])"  # null stands for the conversation


def _has_mcp() -> bool:
    return importlib.util.find_spec("mcp") is not None


def _asset(name: str) -> str:
    return files("app.rendering").joinpath("templates", name).read_text(encoding="utf-8")
