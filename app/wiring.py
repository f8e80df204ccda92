"""Which parts the settings of a home mean: encoder, index, reader, checker, policy, language model, answerer.

Functions of plain values. Models are loaded at their first use, not here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from app.answer import Grades
from app.answering.decide import load_calibrations
from app.answering.engine import Across, AnswerSettings, Models
from app.answering.pipeline import Answerer
from app.config import EncoderSection, EngineSection, IndexSection, Settings
from app.evidence.cross_encoder import PREFIX, CrossEncoderReader
from app.evidence.gather import PassageReader, SimilarityReader
from app.evidence.model_reader import ModelReader
from app.policy.rules import POLICY_FILE, Policy
from app.policy.rules import load as load_policy
from app.question.tasks import TaskClassifier, TasksAcross, load_across
from app.question.tasks import load as load_tasks
from app.support.calibration import load_support_calibrations
from app.support.checker import SupportChecker
from app.writing.engines import Engine, EngineSettings, parse_engine
from app.writing.parts import WriterSettings
from app.writing.profiles import ANSWER_TOKENS, profile_of
from app.writing.strong import StrongWriter
from app.writing.writer import Writer
from index.embed import Encoder
from index.encoders import open_encoder
from index.languages import LanguageVectors
from index.multilingual_encoder import reads as reads_script
from index.precision import MULTILINGUAL_MODEL
from index.search import IndexReader, SearchSettings
from index.store import ChromaServer
from index.terms import Vocabulary
from ingest.chunk import ChunkSettings

_TERMS_FILE = "terms.toml"


def encoder(settings: EncoderSection) -> Encoder:
    """The embedding model."""
    return open_encoder(settings.model, batch_size=settings.batch_size, precision=settings.precision)


def vocabulary(folder: Path) -> Vocabulary:
    """Function words and aliases, with those of a home's ``terms.toml`` added."""
    return Vocabulary.load(folder / _TERMS_FILE)


def chunking(settings: IndexSection) -> ChunkSettings:
    """How passages are made."""
    return ChunkSettings(max_chars=settings.max_chars)


def chroma_server(settings: IndexSection, environment: Mapping[str, str] = os.environ) -> ChromaServer | None:
    """The server that keeps the vectors, with its token from the environment; None where they lie in the home."""
    if settings.chroma_url is None:
        return None
    token = environment.get("ISKP_CHROMA_TOKEN")
    bearer = "Bearer " if settings.chroma_header.lower() == "authorization" else ""
    return ChromaServer(
        url=settings.chroma_url.rstrip("/"), headers={settings.chroma_header: f"{bearer}{token}"} if token else {}
    )


def index(folder: Path, settings: IndexSection, encoder: Encoder, words: Callable[[], Vocabulary]) -> IndexReader:
    """The index whose generations lie in ``folder``, always the current one."""
    return IndexReader(folder, encoder, chunking(settings), words, chroma_server(settings))


def other_encoder(settings: EncoderSection) -> Encoder:
    """The packaged multilingual encoder, for questions in other languages."""
    return open_encoder(MULTILINGUAL_MODEL, batch_size=settings.batch_size, precision=settings.precision)


def language_vectors(folder: Path, settings: EncoderSection, other: Encoder) -> LanguageVectors | None:
    """The second set of vectors, in ``folder``, of a home whose encoder reads English only; None for others."""
    return LanguageVectors(folder, other) if settings.reads() == frozenset({"en"}) else None


def reader(settings: Settings, encoder: Encoder) -> PassageReader:
    """What scores sentences."""
    wanted = settings.answer.reader
    if wanted == "similarity":
        return SimilarityReader(encoder)
    if wanted.startswith(PREFIX):
        return CrossEncoderReader(wanted.removeprefix(PREFIX).strip())
    return ModelReader(settings.encoder.precision)


def checker(
    settings: Settings, encoder: Encoder, reader: PassageReader, vocabulary: Vocabulary, grades: Grades
) -> SupportChecker:
    """Checks claims against texts and the collection."""
    packaged: ModelReader | None = None
    if settings.answer.reader != "similarity":
        # A cross-encoder of one's own finds answers; whether words carry a claim only the packaged reader learnt.
        packaged = reader if isinstance(reader, ModelReader) else ModelReader(settings.encoder.precision)
    return SupportChecker(
        reader=packaged,
        encoder=encoder,
        calibration=load_support_calibrations()["evidence" if packaged else "similarity"],
        vocabulary=vocabulary,
        grades=grades,
    )


def policy(folder: Path, encoder: Encoder, other: Encoder) -> Policy:
    """What is declined, with the ``policy.toml`` of a home's folder added; ``other`` is the multilingual encoder."""
    return load_policy(folder / POLICY_FILE, encoder, other)


def tasks(encoder: Encoder) -> TaskClassifier:
    """Tells talk and questions about the sources from questions to search for."""
    return load_tasks(encoder)


def other_tasks(other: Encoder) -> TasksAcross:
    """The same for other languages than English; ``other`` is the multilingual encoder."""
    return load_across(other)


def engine(settings: EngineSection, name: str) -> Engine:
    """A language model by name, with the limits of the settings.

    Raises:
        BadInput: there is no such engine.
        EngineError: it is no language model, or its package or key is missing.
    """
    spec = parse_engine(name)
    profile = profile_of(spec) if settings.profile == "auto" else settings.profile
    model = Engine(
        spec,
        EngineSettings(
            timeout_seconds=settings.timeout_seconds,
            total_seconds=settings.total_seconds,
            retries=settings.retries,
            context_tokens=settings.context_tokens,
            answer_tokens=settings.answer_tokens or ANSWER_TOKENS[profile],
            temperature=settings.temperature,
        ),
    )
    model.load()
    return model


def writes(name: str) -> bool:
    """Whether the engine of this name is a language model, rather than quotation.

    Raises:
        BadInput: there is no such engine.
    """
    return parse_engine(name).provider != "extractive"


def writer(settings: EngineSection, engine: Engine, checker: SupportChecker, policy: Policy) -> Writer:
    """What lets a language model word an answer and checks its sentences."""
    profile = profile_of(engine.spec) if settings.profile == "auto" else settings.profile
    usual: Literal["remove", "badge"] = "remove" if profile == "small" else "badge"
    how = WriterSettings(repair=settings.repair, unsupported=usual if settings.unsupported == "auto" else settings.unsupported)
    made = Writer if profile == "small" else StrongWriter
    return made(engine, checker, how, policy.declines_output)


def answerer(
    settings: Settings,
    *,
    index: IndexReader,
    encoder: Encoder,
    languages: LanguageVectors | None,
    reader: PassageReader,
    policy: Policy,
    tasks: TaskClassifier,
    other_tasks: TasksAcross,
    offers: Callable[[int], Sequence[str]],
    writer: Writer | None,
    grades: Grades,
) -> Answerer:
    """Answers questions from an index in a writer's words, or by quotation.

    Args:
        languages: for questions that ``encoder`` does not read.
        offers: questions that are known to be answered, see :class:`app.suggest.suggester.Suggester`.
        grades: those of the sources.
    """
    answer = settings.answer
    kind = PREFIX.removesuffix(":") if answer.reader.startswith(PREFIX) else answer.reader
    reads = settings.encoder.reads()
    calibrations = load_calibrations()
    by_cosine = "multilingual" if settings.encoder.model == MULTILINGUAL_MODEL else "similarity"
    only_english = reads == frozenset({"en"})
    across = None
    if languages is not None:
        by_meaning = SimilarityReader(languages.encoder)
        across = Across(vectors=languages, reads=reads_script, reader=by_meaning, calibration=calibrations["multilingual"])
    models = Models(
        encoder=encoder,
        reader=reader,
        calibration=calibrations[kind],
        foreign=None if only_english else (SimilarityReader(encoder), calibrations[by_cosine]),
        across=across,
        other_tasks=other_tasks.task,
        offers=offers,
        settings=AnswerSettings(
            passages=answer.passages,
            threshold=answer.threshold,
            fact_words=answer.fact_words,
            other_words=answer.other_words,
            languages=reads,
            search=SearchSettings(
                candidates=settings.search.candidates,
                lexical_weight=settings.search.lexical_weight,
            ),
        ),
    )
    return Answerer(index=index, models=models, writer=writer, rules=policy, tasks=tasks, grades=grades)
