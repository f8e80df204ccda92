"""The chunking benchmark: its arithmetic on tiny hand-made cases, and one run over a small collection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli import main
from eval.bench.chunking import Piece, Question, as_table, find_data, merged, overlap, raw_ranges, run
from eval.errors import EvalError


def question(*excerpts: tuple[int, int]) -> Question:
    return Question(text="?", corpus="a", excerpts=excerpts)


@pytest.mark.parametrize(
    ("pieces", "recall", "precision", "iou"),
    [
        ([], 0, 0, 0),
        ([("a", 0, 10)], 10 / 10, 10 / 10, 10 / 10),
        ([("a", 5, 25)], 5 / 10, 5 / 20, 5 / (10 + 20 - 5)),
        ([("b", 0, 10)], 0, 0, 0),  # the same place in another corpus
        ([("a", 0, 10), ("b", 0, 30)], 10 / 10, 10 / 40, 10 / (10 + 40 - 10)),
        ([("a", 0, 10), ("a", 0, 10)], 10 / 10, 10 / 20, 10 / (10 + 20 - 10)),  # retrieved twice, found once
    ],
)
def test_measures_of_one_excerpt_of_ten_characters(
    pieces: list[tuple[str, int, int]], recall: float, precision: float, iou: float
) -> None:
    found = overlap(question((0, 10)), [Piece(corpus=c, start=s, end=e) for c, s, e in pieces])
    assert (found.recall, found.precision, found.iou) == pytest.approx((recall, precision, iou))


def test_several_excerpts_count_together() -> None:
    found = overlap(question((0, 10), (20, 50)), [Piece(corpus="a", start=5, end=30)])
    assert (found.recall, found.precision, found.iou) == pytest.approx((15 / 40, 15 / 25, 15 / (40 + 25 - 15)))


def test_ranges_that_touch_or_overlap_are_one() -> None:
    assert merged([(5, 8), (0, 3), (3, 4), (7, 9), (6, 7)]) == [(0, 4), (5, 9)]


def test_passages_are_found_in_the_file_whose_white_space_was_cleaned() -> None:
    raw = "One  two\nthree.\n\n\nOne two.  Four\tfive."
    ranges = raw_ranges(raw, ["One two three.", "One two.", "Four five."])
    assert [raw[a:b] for a, b in ranges] == ["One  two\nthree.", "One two.", "Four\tfive."]


def test_a_passage_that_the_reader_altered_is_found_by_its_ends() -> None:
    raw = "The quick brown fox <unk> jumps over the lazy dog at noon.\nNext."
    [(start, end), _] = raw_ranges(raw, ["The quick brown fox jumps over the lazy dog at noon.", "Next."])
    assert (start, end) == (0, raw.index("\n"))
    with pytest.raises(ValueError, match="is not in the file"):
        raw_ranges(raw, ["Something else altogether"])


def test_a_run_scores_fixed_windows_and_our_passages(tmp_path: Path, hash_encoder: Any) -> None:
    (tmp_path / "corpora").mkdir()
    facts = [f"The {name} guild of the town keeps {n} carts in its yard near the river bridge." for n, name in enumerate(
        ["bakers", "coopers", "dyers", "fullers", "glovers", "hatters", "joiners", "masons", "potters", "tanners"] * 4
    )]  # fmt: skip
    text = "\n\n".join(facts)
    (tmp_path / "corpora" / "guilds.md").write_text(text)
    at = text.index(facts[4])
    gold = json.dumps([{"content": facts[4], "start_index": at, "end_index": at + len(facts[4])}])
    quoted = gold.replace('"', '""')
    (tmp_path / "questions_df.csv").write_text(
        f'question,references,corpus_id\nHow many carts do the glovers guild keep with 4?,"{quoted}",guilds\n'
    )
    fixed, ours = run(tmp_path, hash_encoder, k=5)
    assert (fixed.questions, ours.questions, ours.passages) == (1, 1, 40)
    assert ours.recall == 1 and ours.iou > fixed.iou > 0
    assert ours.iou == pytest.approx(ours.precision)  # all of the gold was found
    assert "ours 900, hybrid" in as_table([fixed, ours])


def test_the_data_are_found_where_the_variable_says_else_in_the_usual_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ISKP_BENCH_DATA", raising=False)
    with pytest.raises(EvalError, match=r"^no data were found: get them with 'git clone https://.*ISKP_BENCH_DATA$"):
        find_data()
    for folder in ("data/chunking_evaluation", "mine"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "questions_df.csv").write_text("question,references,corpus_id\n")
    assert find_data() == Path("data/chunking_evaluation")
    monkeypatch.setenv("ISKP_BENCH_DATA", str(tmp_path / "mine"))
    assert find_data() == tmp_path / "mine"
    monkeypatch.setenv("ISKP_BENCH_DATA", "nowhere")
    with pytest.raises(EvalError, match=r"names 'nowhere', which does not hold questions_df\.csv"):
        find_data()


def test_without_data_the_command_says_in_one_line_where_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ISKP_BENCH_DATA", raising=False)
    for arguments in ([], [str(tmp_path)]):
        result = CliRunner().invoke(main, ["bench", "chunking", *arguments], catch_exceptions=False)
        assert result.exit_code == 1 and result.stdout == ""
        assert len(result.stderr.strip().splitlines()) == 1 and "questions_df.csv" in result.stderr
