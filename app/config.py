"""Settings of a home: ``iskp.toml``, with ``ISKP_*`` environment variables over it."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from app.access.hosts import parse_place
from app.errors import BadInput, BadSettings
from app.writing.engines import EXTRACTIVE, parse_engine
from index.precision import MULTILINGUAL_MODEL, Precision

SETTINGS_FILE = "iskp.toml"
_PREFIX = "ISKP_"
_ENGLISH_ONLY = re.compile(
    r"^(?:.*[/\\])?(?:all-MiniLM|all-mpnet|all-distilroberta|multi-qa-)|[-_]en(?:glish)?\b", re.I
)
_MULTILINGUAL = frozenset(
    ["ar", "az", "de", "en", "es", "fa", "fr", "hi", "it", "kk", "ky", "pl", "ps", "pt", "ru", "tg", "tr", "uk", "ur", "uz"]
)
"""Languages that the packaged multilingual model reads: those with a name here whose script is in its vocabulary."""
_NOT_SETTINGS = frozenset({"ISKP_HOME", "ISKP_CHAT_AUTH"})


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EncoderSection(_Section):
    """Which embedding model; changing it needs ``iskp index --rebuild``.

    ``model``: all-MiniLM-L6-v2 (packaged, English), multilingual-e5-small (packaged, twenty languages), or any of
    sentence-transformers' by its folder or its name in the local hub cache.
    ``precision``: of the packaged model's arithmetic and the evidence reader's; "auto" takes 8 bits where the processor
    multiplies them fast. The vectors are nearly the same: no rebuild is needed.
    ``languages``: ISO 639-1 codes that it reads, empty for any; by default told from the model's name.
    """

    model: str = "all-MiniLM-L6-v2"
    batch_size: int = Field(32, ge=1, le=512)
    precision: Precision = "auto"
    languages: tuple[str, ...] | None = None

    @field_validator("languages", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return _words(value)

    def reads(self) -> frozenset[str] | None:
        """ISO 639-1 codes that the model reads; None for any.

        Without the setting a model whose name says so counts as English-only, any other as multilingual.
        """
        if self.languages is not None:
            return frozenset(self.languages) or None
        if self.model == MULTILINGUAL_MODEL:
            return _MULTILINGUAL
        return frozenset({"en"}) if _ENGLISH_ONLY.search(self.model) else None


class IndexSection(_Section):
    """How passages are made, how long to wait for another writer, and where vectors lie.

    ``chroma_url``: a Chroma server; without it they lie in the home. Its token never stands here but in
    ``ISKP_CHROMA_TOKEN``; ``chroma_header`` names the header that carries it.
    """

    max_chars: int = Field(900, ge=200, le=4000)
    lock_timeout_seconds: float = Field(60.0, ge=0)
    chroma_url: str | None = Field(None, pattern=r"^https?://[^/\s]+/?$")
    chroma_header: str = Field("Authorization", pattern=r"^[A-Za-z-]+$")


class SearchSection(_Section):
    """Retrieval."""

    candidates: int = Field(40, ge=5, le=500)
    lexical_weight: float = Field(0.9, ge=0, le=10)


class AnswerSection(_Section):
    """The decision and the length of extractive answers.

    ``reader``: evidence (the packaged one), similarity (the embedding model alone), or cross-encoder:MODEL, with
    the folder of a sentence-transformers cross-encoder or its name in the local hub cache.
    ``threshold`` None means the one fitted with the reader.
    """

    reader: str = Field("evidence", pattern=r"^(?:evidence|similarity|cross-encoder:\s*\S.*)$")
    passages: int = Field(8, ge=1, le=50)
    threshold: float | None = Field(None, ge=0, le=1)
    fact_words: int = Field(60, ge=10)
    other_words: int = Field(150, ge=10)


class EngineSection(_Section):
    """Who writes the answers; keys of language models never stand here but in the environment.

    ``name``: extractive, ollama:MODEL, gguf:MODEL, openai:MODEL, anthropic:MODEL or http://HOST:PORT/v1#MODEL.
    ``context_tokens`` None asks the server. ``profile`` auto goes by the model's name, see :mod:`app.writing.profiles`;
    ``answer_tokens`` None and ``unsupported`` auto go by the profile.
    """

    name: str = EXTRACTIVE
    timeout_seconds: float = Field(60.0, gt=0, le=3600)
    total_seconds: float = Field(180.0, gt=0, le=3600)
    retries: int = Field(2, ge=0, le=10)
    context_tokens: int | None = Field(None, ge=512)
    profile: Literal["auto", "small", "strong", "reasoning"] = "auto"
    answer_tokens: int | None = Field(None, ge=16, le=32_000)
    temperature: float = Field(0.0, ge=0, le=2)
    repair: bool = True
    unsupported: Literal["auto", "remove", "strike", "badge"] = "auto"

    @field_validator("name")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            return parse_engine(value).name
        except BadInput as exc:
            raise ValueError(str(exc)) from exc


class ChatSection(_Section):
    """The page: where it listens, and how much each of its users may ask and send.

    Passwords never stand here: they come from ``--auth``, ``ISKP_CHAT_AUTH`` or the file ``auth_file``.
    ``allowed_hosts``: names under which the page answers beside ``host`` and the loopback, such as a proxy's;
    ``.example.org`` for all names below one, ``*`` for any.
    """

    host: str = "127.0.0.1"
    allowed_hosts: tuple[str, ...] = ()
    port: int = Field(7860, ge=1, le=65535)
    auth_file: Path | None = None
    read_only: bool = False
    requests_per_minute: float = Field(30.0, ge=0, le=100_000)
    burst: int = Field(10, ge=1, le=10_000)
    pending_per_client: int = Field(3, ge=1, le=1000)
    pending: int = Field(64, ge=1, le=10_000)
    upload_files: int = Field(50, ge=1, le=10_000)
    upload_megabytes: float = Field(50.0, gt=0, le=10_000)
    upload_total_megabytes: float = Field(200.0, gt=0, le=100_000)

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return _words(value)

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            if parse_place(text) is None:
                raise ValueError(f"{text!r} is no host name; write it such as 'iskp.example.org' or '10.0.0.5:8080'")
        return value


class Settings(_Section):
    """All settings, each with its default."""

    encoder: EncoderSection = EncoderSection()  # type: ignore[call-arg]
    index: IndexSection = IndexSection()  # type: ignore[call-arg]
    search: SearchSection = SearchSection()  # type: ignore[call-arg]
    answer: AnswerSection = AnswerSection()  # type: ignore[call-arg]
    engine: EngineSection = EngineSection()  # type: ignore[call-arg]
    chat: ChatSection = ChatSection()  # type: ignore[call-arg]


def _words(value: object) -> object:
    """The words of a variable's value, which may be separated by commas; anything else as it is."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def default_home() -> Path:
    """The platform's folder for user data."""
    return Path(platformdirs.user_data_dir("iskp-qa", appauthor=False))


def set_engine(home: Path, name: str) -> Path:
    """Write the engine's name into the settings file of a home; the rest of the file stays as it is. Its path.

    Raises:
        BadSettings: the file cannot be read or written.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    file = home / SETTINGS_FILE
    try:
        document = tomlkit.parse(file.read_text(encoding="utf-8") if file.is_file() else "")
        if "engine" not in document:
            document["engine"] = tomlkit.table()
        document["engine"]["name"] = name  # type: ignore[index]
        home.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".toml.new")
        new.write_text(tomlkit.dumps(document), encoding="utf-8")
        new.replace(file)
    except (OSError, UnicodeDecodeError, TOMLKitError, TypeError) as exc:
        raise BadSettings(f"the settings file {file} cannot be changed: {exc}") from exc
    return file


def load_settings(home: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the home's file and the environment.

    ``ISKP_ANSWER_THRESHOLD=0.6`` overrides ``threshold`` in the table ``[answer]``.

    Raises:
        BadSettings: unreadable file, unknown key or a value that does not fit; names the path of the key.
    """
    environment = os.environ if environment is None else environment
    file = home / SETTINGS_FILE
    values: dict[str, Any] = {}
    try:
        if file.is_file():
            values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise BadSettings(f"the settings file {file} cannot be read: {exc}") from exc
    for name, value in environment.items():
        if name.startswith(_PREFIX) and name not in _NOT_SETTINGS:
            section, _, key = name.removeprefix(_PREFIX).lower().partition("_")
            if section not in Settings.model_fields or not key:
                continue  # some other ISKP_ variable, such as one for the tests
            values.setdefault(section, {})[key] = value
    try:
        return Settings.model_validate(values)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        known = "is not a known setting" if first["type"] == "extra_forbidden" else first["msg"].lower()
        raise BadSettings(f"setting {where!r} in {file} (or its ISKP_ variable): {known}") from exc
