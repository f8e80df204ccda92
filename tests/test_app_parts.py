"""Questions that ask several things at once."""

from pathlib import Path

import pytest

from app.question.parts import split
from index.terms import Vocabulary

VOCABULARY = Vocabulary.load(Path("no-such-file"))


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("When and where was the bridge opened?", ["When was the bridge opened?", "Where was the bridge opened?"]),
        ("Who led the company, and since when?", ["Who led the company?", "Since when led the company?"]),
        (
            "When was the bridge built, by whom and at what cost?",
            ["When was the bridge built?", "By whom was the bridge built?", "At what cost was the bridge built?"],
        ),
        (
            "How many ships did Genoa send to Acre, and in how many convoys?",
            ["How many ships did Genoa send to Acre?", "In how many convoys did Genoa send to Acre?"],
        ),
        ("Who founded Siemens? What did he invent?", ["Who founded Siemens?", "What did he invent – founded Siemens?"]),
        ("where did the settlers come from and how did they arrive in plymouth",
         ["Where did the settlers come from?", "How did the settlers arrive in plymouth?"]),
        ("What is the size of Siemens and its leader?", ["What is the size of Siemens?", "What is Siemens’ leader?"]),
    ],
)  # fmt: skip
def test_each_part_stands_by_itself(question: str, parts: list[str]) -> None:
    assert list(split(question, VOCABULARY)) == parts


@pytest.mark.parametrize(
    "question",
    [
        "When was the bridge opened?",
        "How many people did the flood kill and injure?",
        "Who wrote “War and Peace”?",
        "When many people are arrested, what is a common tactic?",
        "What is the difference between mass and weight, in which every student fails?",
        "Is it true that the bridge and the tunnel were opened in 1974?",
        "Which player got a penalty, which gave the other side a free kick?",
        "What is the role of China and the West?",
        "What are the names of the president and the head of government?",
        "What is the influence of the harbour and the government of Norholm?",
        "a; b; c; d; e",
        "?",
    ],
)
def test_what_asks_one_thing_stays_whole(question: str) -> None:
    assert split(question, VOCABULARY) == (question,)
