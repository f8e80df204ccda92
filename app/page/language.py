"""In which language the page speaks to a visitor, and its components' texts as the framework shows them."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import gradio as gr
from babel.core import negotiate_locale

from app.text.messages import languages, texts

ENGLISH = "en"
RIGHT_TO_LEFT = frozenset({"fa"})


def preferred(accepted: str) -> str:
    """The language (ISO 639-1) of the page for an Accept-Language header such as "ru-RU,ru;q=0.9,en;q=0.8"; English where none fits."""
    weighed: list[tuple[float, str]] = []
    for part in accepted.split(","):
        tag, _, quality = part.partition(";q=")
        try:
            weighed.append((float(quality or 1), tag.strip()))
        except ValueError:
            continue
    wanted = [tag for weight, tag in sorted(weighed, key=lambda w: -w[0]) if weight > 0 and tag]
    return negotiate_locale(wanted, sorted({ENGLISH, *languages()}), sep="-") or ENGLISH


def language_of(request: gr.Request | None) -> str:
    """The language of the page for who sent a request; English without one, or without headers."""
    headers = getattr(request, "headers", None)
    return preferred(str(headers.get("accept-language", ""))) if headers is not None else ENGLISH


@cache
def script_words(language: str) -> str:
    """The texts of the page's script in a language as a JSON object: those of the catalogue that stand in it."""
    script = files("app.rendering").joinpath("templates", "page.js").read_text(encoding="utf-8")
    return json.dumps(
        {key: words for key, words in texts(language).items() if f'"{key}"' in script}, ensure_ascii=False
    )


def components() -> Any:
    """The page's texts for the labels, placeholders and buttons of components.

    The browser chooses by its first language alone, and only among languages that the framework itself has: Tajik is not one.
    """
    return gr.I18n(**{code: dict(texts(code)) for code in sorted(languages())})


def label(sentence: str) -> Any:
    """An English text of a component, to be shown in the browser's language; a key of :func:`components`."""
    return gr.I18n()(sentence)
