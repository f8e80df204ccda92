"""The product inside other people's LangChain chains: a retriever and a runnable."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableLambda
from pydantic import ConfigDict

from app.answer import to_json, words_of
from app.answering.pipeline import Answerer
from app.question.followup import Turn
from index.search import IndexReader


class PassageRetriever(BaseRetriever):
    """Passages as LangChain documents.

    The metadata carry ``source_id``, ``title``, ``date``, ``url``, ``words``, ``locator``, ``paragraph`` and the
    offsets ``start`` and ``end`` into the source's canonical text, so that a citation stays exact.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    index: IndexReader
    k: int = 8

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        opened = self.index.current()
        if opened is None:
            return []
        documents = []
        for hit in opened.search(query, self.k):
            passage = hit.passage
            source = opened.source(passage.source_id)
            documents.append(
                Document(
                    page_content=passage.text,
                    id=passage.id,
                    metadata={
                        "source_id": passage.source_id,
                        "title": source.title if source else None,
                        "date": source.date if source else None,
                        "url": source.url if source else None,
                        "words": words_of(source.origin) if source else None,
                        "locator": passage.locator,
                        "paragraph": passage.number,
                        "start": passage.start,
                        "end": passage.end,
                        "score": hit.score,
                    },
                )
            )
        return documents


def answer_runnable(answerer: Answerer) -> Runnable[Any, dict[str, Any]]:
    """A runnable that takes a question, or ``{"question", "history"}``, and gives the Answer JSON."""

    def run(value: str | dict[str, Any]) -> dict[str, Any]:
        if isinstance(value, str):
            return to_json(answerer.answer(value))
        turns = [Turn(role=t["role"], content=t["content"]) for t in value.get("history", [])]
        return to_json(answerer.answer(value["question"], turns))

    return RunnableLambda(run)
