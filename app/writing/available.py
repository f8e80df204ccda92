"""What language models there are: on this machine, on servers of the settings, by keys in the environment. Nothing leaves it.

Only the loopback address and the server that the settings name are asked, and only what they hold.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from app.writing.engines import KEY_VARIABLE, EngineSpec, is_loopback, parse_engine
from app.writing.local import SUFFIX, known, models_folder

OLLAMA = "http://127.0.0.1:11434"
_PATIENCE = 1.5
"""Seconds for a server on this machine to answer."""
State = Literal["ready", "here", "to download", "to install"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A model that can be used or had.

    Attributes:
        engine: its name for ``iskp model use``.
        where: "Ollama", "server" or "file".
        state: "ready"; a file that is "here" but whose package is missing; or what has to be done first.
        about: size, licence and the like, in words.
        stays: questions and passages stay on this machine.
    """

    engine: str
    where: Literal["Ollama", "server", "file"]
    state: State
    about: str
    stays: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Available:
    """All that was found.

    Attributes:
        notes: what was looked for and not found, in words.
        keys: environment variables that hold a key, never what they hold; with the engine that each is for.
    """

    models: tuple[Offered, ...]
    notes: tuple[str, ...]
    keys: Mapping[str, str]


def available(engine: str, environment: Mapping[str, str] | None = None) -> Available:
    """What there is.

    Args:
        engine: of the settings; a server of the OpenAI form is asked for its models.
    """
    environment = os.environ if environment is None else environment
    notes: list[str] = []
    models = [*ollama(environment, notes), *_of_server(parse_engine(engine), environment, notes), *_files(environment)]
    for package, what in (("langchain_ollama", "Ollama's models"), ("langchain_openai", "servers, OpenAI and model files")):
        if importlib.util.find_spec(package) is None:
            notes.append(f"for {what} install: pip install {package.replace('_', '-')}")
    forms = {"OPENAI_API_KEY": "openai:MODEL", "ANTHROPIC_API_KEY": "anthropic:MODEL", KEY_VARIABLE: "http://HOST:PORT/v1#MODEL"}
    return Available(models=tuple(models), notes=tuple(notes), keys={k: v for k, v in forms.items() if environment.get(k)})


def ollama(environment: Mapping[str, str] | None = None, notes: list[str] | None = None) -> list[Offered]:
    """The models of an Ollama on this machine; none where it does not run.

    Args:
        notes: is told why there are none.
    """
    environment = os.environ if environment is None else environment
    address = environment.get("OLLAMA_HOST") or OLLAMA
    address = address if "//" in address else f"http://{address}"
    address = address if urlsplit(address).port else f"{address.rstrip('/')}:11434"
    told: list[str] = [] if notes is None else notes
    if not is_loopback(address):
        told.append("OLLAMA_HOST names another machine; it was not asked")
        return []
    listed = _json(f"{address.rstrip('/')}/api/tags", {})
    entries = listed.get("models") if isinstance(listed, dict) else None
    if not isinstance(entries, list):
        told.append(f"no Ollama answers at {address}")
        return []
    found = []
    for entry in entries:
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name:
            continue
        size = entry.get("size")
        spec = EngineSpec(provider="ollama", model=name)
        about = f"{size / 1e9:.1f} GB" if isinstance(size, int) and size > 0 else ""
        ready = importlib.util.find_spec("langchain_ollama") is not None
        found.append(Offered(engine=spec.name, where="Ollama", state="ready" if ready else "here", about=about, stays=spec.stays_here(environment)))
    if not found:
        told.append(f"Ollama runs at {address} and has no model; run: ollama pull NAME")
    return found


def _of_server(spec: EngineSpec, environment: Mapping[str, str], notes: list[str]) -> list[Offered]:
    if spec.provider != "compatible":
        return []
    key = environment.get(KEY_VARIABLE, "")
    listed = _json(f"{spec.base_url}/models", {"Authorization": f"Bearer {key}"} if key else {})
    entries = listed.get("data") if isinstance(listed, dict) else None
    if not isinstance(entries, list):
        notes.append(f"the server of the settings, {spec.base_url}, does not answer")
        return []
    ids = [e["id"] for e in entries if isinstance(e, dict) and isinstance(e.get("id"), str)]
    return [
        Offered(engine=f"{spec.base_url}#{i}", where="server", state="ready", about="", stays=is_loopback(spec.base_url)) for i in ids
    ]


def _files(environment: Mapping[str, str]) -> list[Offered]:
    folder = models_folder(environment)
    runs: State = "ready" if all(importlib.util.find_spec(p) for p in ("xllamacpp", "langchain_openai")) else "here"
    found = []
    for entry in known().values():
        here = entry.file(folder) is not None
        missing: State = "to install" if entry.package else "to download"
        about = f"{entry.title}; {entry.gigabytes:g} GB, {entry.licence}"
        found.append(Offered(engine=f"gguf:{entry.name}", where="file", state=runs if here else missing, about=about))
    own: list[Path] = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
    for path in own:
        if path.stem not in known():
            about = f"{path.stat().st_size / 1e9:.1f} GB"
            found.append(Offered(engine=f"gguf:{path.stem}", where="file", state=runs, about=about))
    return found


def _json(url: str, headers: Mapping[str, str]) -> Any:
    import httpx

    try:
        # trust_env: a proxy must not be asked for this machine.
        reply = httpx.get(url, headers=dict(headers), timeout=_PATIENCE, trust_env=False)
        return reply.json() if reply.status_code == 200 else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None
