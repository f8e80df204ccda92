"""Language models through LangChain, behind one small face: ask, and read the reply as it comes.

Only this module (with ``app.langchain``) knows LangChain. Keys come from the environment and go nowhere but to
the model's own client. A model's errors become one :class:`EngineError` sentence that holds no reply and no key.
"""

from __future__ import annotations

import importlib
import ipaddress
import math
import os
import queue
import re
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from app.errors import AppError, BadInput
from app.writing import local

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

EXTRACTIVE = "extractive"
KEY_VARIABLE = "ISKP_MODEL_KEY"
"""Key for an OpenAI-compatible server. Not OPENAI_API_KEY: that one is sent to OpenAI only."""
DEFAULT_CONTEXT_TOKENS = 8192
_KEYS = {"ollama": "", "gguf": "", "openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "compatible": KEY_VARIABLE}
"""The environment variable that holds a provider's key; what runs on this machine takes none."""
_FORMS = "extractive, ollama:MODEL, gguf:MODEL, openai:MODEL, anthropic:MODEL or http://HOST:PORT/v1#MODEL"
_TOO_LONG = re.compile(
    r"context.{0,20}(?:length|size|window)|exceed.{0,20}context|too (?:long|many tokens)|max.{0,12}tokens", re.I
)
_MOST_CHARS_PER_TOKEN = 12
_WAITING = 64

Provider = Literal["extractive", "ollama", "gguf", "openai", "anthropic", "compatible"]


class EngineError(AppError):
    """A language model can't be set up or did not do its work."""


class TooLong(EngineError):
    """The model has no room for what it was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec:
    """Which engine writes the answer.

    Attributes:
        model: the model's name for its provider; of a model file its name or path, see :mod:`app.writing.local`; empty for the
            extractive engine.
        base_url: where an OpenAI-compatible server listens.
    """

    provider: Provider
    model: str = ""
    base_url: str = ""

    @property
    def name(self) -> str:
        """As the user writes it; kept in answers. Holds no key."""
        if self.provider == "extractive":
            return EXTRACTIVE
        return f"{self.base_url}#{self.model}" if self.base_url else f"{self.provider}:{self.model}"

    def stays_here(self, environment: Mapping[str, str] | None = None) -> bool:
        """Whether questions and passages stay on this machine with this engine."""
        environment = os.environ if environment is None else environment
        if self.provider in {"extractive", "gguf"}:
            return True
        if self.provider == "ollama":
            hosted = self.model.endswith(("-cloud", ":cloud"))  # the local server hands these on
            return not hosted and is_loopback(environment.get("OLLAMA_HOST", "127.0.0.1"))
        return self.provider == "compatible" and is_loopback(self.base_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """How a language model is asked.

    Attributes:
        timeout_seconds: longest wait for the next piece of a reply, the first included.
        total_seconds: longest time for a whole reply.
        retries: how often the provider's library tries again after a refusal that may pass.
        context_tokens: the model's window; None asks the server, else 8192.
        answer_tokens: longest reply.
        temperature: for models that we run ourselves; hosted ones may refuse it.
    """

    timeout_seconds: float = 60.0
    total_seconds: float = 180.0
    retries: int = 2
    context_tokens: int | None = None
    answer_tokens: int = 400
    temperature: float = 0.0


@dataclass(slots=True)
class Usage:
    """What the model's calls for one answer took.

    Attributes:
        input_tokens, output_tokens: as the model counted them; 0 where it did not say.
        waited_seconds: how long we waited for the model, as against worked ourselves.
        first_seconds: from the first request to its first words; None before them.
        stopped: the last reply was ended by its limit, by the server or by us.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    waited_seconds: float = 0.0
    first_seconds: float | None = None
    stopped: bool = False

    def add(self, told: Mapping[str, Any] | None) -> None:
        """Add the tokens that came with a piece of a reply."""
        self.input_tokens += int((told or {}).get("input_tokens") or 0)
        self.output_tokens += int((told or {}).get("output_tokens") or 0)


def parse_engine(text: str) -> EngineSpec:
    """The engine that a user names.

    Raises:
        BadInput: it is none of the known forms, or an address carries a password or key.
    """
    wanted = text.strip()
    if wanted == EXTRACTIVE:
        return EngineSpec(provider="extractive")
    if re.match(r"https?://", wanted, re.I):
        return _compatible(wanted)
    provider, _, model = wanted.partition(":")
    if provider == "gguf":
        return EngineSpec(provider="gguf", model=local.checked_name(model))
    if provider in _KEYS and provider != "compatible" and model.strip() and not re.search(r"[\s\x00-\x1f]", model):
        return EngineSpec(provider=provider, model=model)  # type: ignore[arg-type]
    raise BadInput(f"the engine {wanted[:60]!r} is not known; give {_FORMS}")


def _compatible(wanted: str) -> EngineSpec:
    base, _, model = wanted.partition("#")
    try:
        parts = urlsplit(base)
        host, _ = parts.hostname, parts.port
    except ValueError as exc:
        raise BadInput("the engine's address cannot be read; give http://HOST:PORT/v1#MODEL") from exc
    if parts.username or parts.password or parts.query:
        raise BadInput(f"the engine's address must hold no name, password or key; put the key into {KEY_VARIABLE}")
    if not host or not model.strip():
        raise BadInput("the engine's address needs a model behind a '#', as in http://127.0.0.1:8080/v1#my-model")
    return EngineSpec(provider="compatible", model=model.strip(), base_url=base.rstrip("/"))


def is_loopback(address: str) -> bool:
    """Whether a host or URL is this machine itself."""
    host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def chat_model(
    spec: EngineSpec, settings: EngineSettings = EngineSettings(), environment: Mapping[str, str] | None = None
) -> BaseChatModel:
    """The LangChain chat model of an engine; nothing is sent yet.

    Raises:
        EngineError: its package or its key is missing, or it is the extractive engine.
    """
    environment = os.environ if environment is None else environment
    if spec.provider == "extractive":
        raise EngineError("the extractive engine is no language model; name one, such as ollama:llama3.1")
    provider = "openai" if spec.provider in {"compatible", "gguf"} else spec.provider
    key = environment.get(_KEYS[spec.provider], "")
    if spec.provider in {"openai", "anthropic"} and not key:
        raise EngineError(f"the engine {spec.name} needs your key in the environment variable {_KEYS[spec.provider]}")
    try:
        # Without this package LangChain would quietly look for an older one of the provider.
        importlib.import_module(f"langchain_{provider}")
        from langchain.chat_models import init_chat_model
    except ImportError as exc:
        raise EngineError(
            f"the engine {spec.name} needs a package that is not installed; run: pip install langchain-{provider}"
        ) from exc
    if spec.provider == "gguf":
        spec = _run(spec, settings, environment)
    model: BaseChatModel = init_chat_model(spec.model, model_provider=provider, **_options(spec, settings, key))
    return model


def _run(spec: EngineSpec, settings: EngineSettings, environment: Mapping[str, str]) -> EngineSpec:
    """The server of a model file as an engine, started where it does not run yet."""
    try:
        base_url = local.served(spec.model, settings.context_tokens or DEFAULT_CONTEXT_TOKENS, environment=environment)
    except local.LocalModelError as exc:
        raise EngineError(str(exc)) from exc
    return EngineSpec(provider="compatible", model=spec.model, base_url=base_url)


def _options(spec: EngineSpec, settings: EngineSettings, key: str) -> dict[str, Any]:
    """What LangChain's common names leave to each provider: limits of time and of length, and keys."""
    import httpx
    from pydantic import SecretStr

    timeout = httpx.Timeout(settings.timeout_seconds, connect=min(10.0, settings.timeout_seconds))
    if spec.provider == "ollama":
        return {
            "temperature": settings.temperature, "num_predict": settings.answer_tokens,
            "num_ctx": settings.context_tokens or DEFAULT_CONTEXT_TOKENS, "client_kwargs": {"timeout": timeout},
        }  # fmt: skip
    usual = {"max_retries": settings.retries, "api_key": SecretStr(key or "none")}
    if spec.provider == "anthropic":
        return {**usual, "timeout": settings.timeout_seconds, "max_tokens": settings.answer_tokens}
    usual |= {"timeout": timeout, "stream_usage": True, "use_responses_api": False}
    if spec.provider == "openai":
        # No temperature: newer hosted models refuse any but their own.
        return {**usual, "max_tokens": settings.answer_tokens}
    return {
        **usual, "base_url": spec.base_url, "temperature": settings.temperature,
        # The library would send these from the environment to any server.
        "default_headers": {"OpenAI-Organization": "", "OpenAI-Project": ""},
        # Servers that follow the older form know only this name of the limit.
        "extra_body": {"max_tokens": settings.answer_tokens},
    }  # fmt: skip


class Engine:
    """A language model, ready to be asked. Threads may share it."""

    def __init__(
        self,
        spec: EngineSpec,
        settings: EngineSettings = EngineSettings(),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Nothing is loaded or sent before the first question."""
        self.spec = spec
        self.settings = settings
        self._environment = os.environ if environment is None else environment

    @property
    def name(self) -> str:
        """The engine as the user names it."""
        return self.spec.name

    @property
    def answer_tokens(self) -> int:
        """Longest reply."""
        return self.settings.answer_tokens

    @cached_property
    def model(self) -> BaseChatModel:
        """The LangChain chat model."""
        return chat_model(self.spec, self.settings, self._environment)

    def load(self) -> None:
        """Make the chat model, so that a missing package or key is told before the first question.

        Raises:
            EngineError: one is missing.
        """
        _ = self.model

    def ask(self, system: str, user: str, usage: Usage) -> Iterator[str]:
        """The reply as it comes in; closing the iterator ends the request.

        Args:
            usage: is added to.

        Raises:
            EngineError: the model failed, before the first word or midway.
            TooLong: the prompt does not fit into its window.
        """
        usage.calls += 1
        usage.stopped = False
        room = self.settings.answer_tokens * _MOST_CHARS_PER_TOKEN
        began, begun = time.perf_counter(), False
        with _Pump(
            self._request(system, user), self.settings.timeout_seconds, began + self.settings.total_seconds
        ) as pump:
            while True:
                asked = time.perf_counter()
                try:
                    chunk = pump.next()
                except Exception as exc:
                    # Every client has its own errors; what a user can do about them is the same.
                    raise explained(exc, self.spec, self.settings, begun=begun) from None
                finally:
                    usage.waited_seconds += time.perf_counter() - asked
                if chunk is None:
                    return
                begun = True
                usage.add(chunk.usage_metadata)
                usage.stopped = usage.stopped or _ended_by_limit(chunk.response_metadata)
                text = str(chunk.text)
                if not text:
                    continue
                if usage.first_seconds is None:
                    usage.first_seconds = time.perf_counter() - began
                room -= len(text)
                if room < 0:
                    usage.stopped = True
                    return
                yield text

    def _request(self, system: str, user: str) -> Callable[[], Generator[Any]]:
        model = self.model

        def stream() -> Generator[Any]:
            try:
                yield from model.stream([("system", system), ("human", user)])
            except ValueError as exc:
                # LangChain's word for a reply without a single piece; an empty reply is told by its reader.
                if "No generation" not in str(exc):
                    raise

        return stream

    @cached_property
    def window_tokens(self) -> int:
        """How many tokens prompt and reply may have together."""
        if self.settings.context_tokens:
            return self.settings.context_tokens
        if self._server is not None:
            return self._server.window(self.spec.model) or DEFAULT_CONTEXT_TOKENS
        if self.spec.provider == "ollama":
            return DEFAULT_CONTEXT_TOKENS
        return int((self.model.profile or {}).get("max_input_tokens") or DEFAULT_CONTEXT_TOKENS)

    def count(self, text: str) -> int:
        """Tokens of a text: by the server's own tokenizer where it offers one, else a safe estimate."""
        counted = self._server.count(text, self.spec.model) if self._server is not None else None
        return estimated_tokens(text) if counted is None else counted

    @cached_property
    def _server(self) -> _Server | None:
        """What tells more than the common interface; None where the provider has no such server."""
        if self.spec.provider == "gguf":
            return _Server(_run(self.spec, self.settings, self._environment).base_url, "")
        return _Server(self.spec.base_url, self._environment.get(KEY_VARIABLE, "")) if self.spec.provider == "compatible" else None


def estimated_tokens(text: str) -> int:
    """Tokens of a text by its bytes, three a token: more than any common tokenizer makes of prose."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / 3)


def explained(exc: Exception, spec: EngineSpec, settings: EngineSettings, *, begun: bool = False) -> EngineError:
    """What went wrong with a model, in one sentence. The server's own words stay out: they may hold keys.

    Args:
        begun: part of the reply had come.
    """
    if isinstance(exc, EngineError):
        return exc
    status = getattr(exc, "status_code", None)
    kinds = " ".join(c.__name__ for c in type(exc).__mro__)
    if status in {400, 413, 422, 500} and _TOO_LONG.search(str(exc)):
        return TooLong(f"the model {spec.name} has no room for the question and its passages")
    if status in {401, 403}:
        variable = _KEYS.get(spec.provider) or "its key"
        return EngineError(f"the model {spec.name} refused access (HTTP {status}); check {variable}")
    if status == 404:
        hint = f"; run: ollama pull {spec.model}" if spec.provider == "ollama" else "; check its name and address"
        return EngineError(f"the model {spec.name} is not known there (HTTP 404){hint}")
    if status == 429:
        return EngineError(
            f"the model {spec.name} takes no more requests for now (HTTP 429); wait, or check your quota"
        )
    if isinstance(status, int) and status >= 400:
        return EngineError(f"the model {spec.name} failed (HTTP {status})")
    if isinstance(exc, TimeoutError) or "Timeout" in kinds:
        return EngineError(
            f"the model {spec.name} did not reply within {settings.timeout_seconds:g} s "
            "(setting engine.timeout_seconds)"
        )
    if "Connect" in kinds and not begun:
        return EngineError(f"the model {spec.name} cannot be reached; is its server running?")
    return EngineError(f"the model {spec.name} broke off or sent something unreadable ({type(exc).__name__})")


def _ended_by_limit(told: Mapping[str, Any]) -> bool:
    """Whether the server says that it stopped because of the limit of tokens."""
    return any(told.get(name) in {"length", "max_tokens"} for name in ("finish_reason", "done_reason", "stop_reason"))


class _Pump:
    """Reads an iterator in a thread of its own, so that a reader can stop waiting for it.

    On leaving, the thread is told to stop: it closes the iterator, and with it the request, as soon as the
    next piece comes or the client's own time-out ends its wait.
    """

    def __init__(self, source: Callable[[], Generator[Any]], patience: float, deadline: float) -> None:
        self._source = source
        self._patience = patience
        self._deadline = deadline
        self._pieces: queue.Queue[Any] = queue.Queue(maxsize=_WAITING)
        self._stop = threading.Event()

    def __enter__(self) -> _Pump:
        threading.Thread(target=self._run, name="iskp-model", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    def next(self) -> Any:
        """The next piece, None at the end.

        Raises:
            TimeoutError: it did not come in time.
            Exception: what the iterator raised.
        """
        left = self._deadline - time.perf_counter()
        try:
            piece = self._pieces.get(timeout=max(0.0, min(self._patience, left)))
        except queue.Empty:
            raise TimeoutError from None
        if isinstance(piece, Exception):
            raise piece
        return piece

    def _run(self) -> None:
        last: Exception | None = None
        try:
            with closing(self._source()) as pieces:
                for piece in pieces:
                    if not self._put(piece):
                        return
        except Exception as exc:  # handed over to the reader
            last = exc
        self._put(last)

    def _put(self, piece: Any) -> bool:
        while not self._stop.is_set():
            with suppress(queue.Full):
                self._pieces.put(piece, timeout=0.2)
                return True
        return False


class _Server:
    """What llama.cpp and vLLM tell beyond the common interface; a server that does not is asked once."""

    def __init__(self, base_url: str, key: str) -> None:
        self._base = base_url
        self._root = base_url.removesuffix("/v1")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._counts: bool | None = None

    def window(self, model: str) -> int | None:
        """The context window in tokens, if the server tells it."""
        told = self._json("GET", f"{self._root}/props")
        found = _dig(told, "default_generation_settings", "n_ctx")
        if not found:
            listed = self._json("GET", f"{self._base}/models")
            entries = listed.get("data") if isinstance(listed, dict) else None
            for entry in entries if isinstance(entries, list) else []:
                if _dig(entry, "id") == model:
                    found = _dig(entry, "max_model_len")
        return found if isinstance(found, int) and found > 0 else None

    def count(self, text: str, model: str) -> int | None:
        """Tokens by the server's tokenizer, if it offers one."""
        if self._counts is False:
            return None
        told = self._json("POST", f"{self._root}/tokenize", {"content": text, "prompt": text, "model": model})
        tokens = _dig(told, "tokens")
        self._counts = isinstance(tokens, list)
        return len(tokens) if isinstance(tokens, list) else None

    def _json(self, method: str, url: str, body: Any = None) -> Any:
        import httpx

        try:
            reply = httpx.request(method, url, json=body, headers=self._headers, timeout=3.0)
            return reply.json() if reply.status_code == 200 else None
        except (httpx.HTTPError, ValueError):
            return None


def _dig(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data
