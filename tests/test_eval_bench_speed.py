from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from eval.bench.cli import bench
from eval.bench.speed import (
    Latency,
    MadeUpEncoder,
    Report,
    Size,
    Start,
    Tutorial,
    as_table,
    plot,
    ratios,
    sentences,
    to_json,
    write_corpus,
)

LATENCY = Latency(p50=10, p95=20, p99=30, n=100)
SIZE = Size(
    passages=100, made_up=False, ingest_seconds=4, ingest_cpu_seconds=6, encoder_share=0.9, raw_seconds=3.8,
    raw_cpu_seconds=5.7, torch_seconds=5, unchanged_seconds=0.01, changed_seconds=0.4, changed_written_mb=None,
    reading_seconds=1, ingest_peak_mb=400, stages={"search": LATENCY, "total": LATENCY},
    answer_mb=500, disk_mb=3, tutorial=Tutorial(ingest_seconds=8, ingest_cpu_seconds=9, chunks=120, search=LATENCY),
)  # fmt: skip
REPORT = Report(
    machine={"cores": 2, "precision": "int8", "load_before": 0.1, "load_after": 0.2},
    starts=[Start(name=n, seconds=s, cpu_seconds=s, peak_mb=100) for n, s in (("iskp ask", 2.0), ("bare", 4.0))],
    sizes=[
        SIZE,
        replace(SIZE, passages=1000, made_up=True, raw_seconds=None, raw_cpu_seconds=None, torch_seconds=None),
    ],
)


def test_a_corpus_is_the_same_for_the_same_seed_and_no_paragraph_twice(tmp_path: Path) -> None:
    asked = write_corpus(tmp_path / "a", 90)
    assert asked == write_corpus(tmp_path / "b", 90)
    assert len(asked) == 100
    texts = [f.read_text() for f in sorted((tmp_path / "a").iterdir())]
    assert texts == [f.read_text() for f in sorted((tmp_path / "b").iterdir())]
    paragraphs = [p for text in texts for p in text.split("\n---\n\n", 1)[1].strip().split("\n\n")]
    assert len(paragraphs) == len(set(paragraphs)) == 90


def test_sentences_are_prose_without_marks_of_their_files() -> None:
    stock = sentences()
    assert len(stock) > 1000
    assert not [s for s in stock if re.search(r"^[#|>-]|\{|\n", s)]


def test_made_up_vectors_are_unit_rows_that_depend_on_the_text_alone() -> None:
    class Real:
        name, dimension = "real", 8

        def encode(self, texts: list[str], *, progress: object = None) -> np.ndarray:
            return np.eye(8, dtype=np.float32)[: len(texts)]

        def is_word(self, word: str) -> bool:
            return True

    encoder = MadeUpEncoder(Real(), np.eye(8, dtype=np.float32)[3:5])
    told: list[int] = []
    rows = encoder.encode(["a", "b", "a"], progress=told.append)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(3), abs=1e-6)
    assert (rows[0] == rows[2]).all()
    assert not (rows[0] == rows[1]).all()
    assert told == [3]
    assert set(rows.argmax(axis=1)) <= {3, 4}
    assert (encoder.encode(["question"]) == np.eye(8)[:1]).all()


def test_ratios_say_what_is_promised() -> None:
    assert ratios(SIZE) == pytest.approx(
        {
            "ingest / raw encoder": 0.95, "the same in processor time": 0.95, "ingest / raw encoder on torch": 1.25,
            "tutorial ingest / ingest": 2.0, "tutorial ingest / no-change sync": 800.0, "search p50 / tutorial": 1.0,
        }
    )  # fmt: skip


def test_the_table_marks_made_up_vectors_and_compares_with_an_earlier_run() -> None:
    before = json.loads(json.dumps(to_json(REPORT)))
    before["sizes"][0]["ingest_seconds"] = 8
    table = as_table(REPORT, before)
    assert re.search(r"^ +100 +1,000 \*$", table, re.M)
    assert re.search(r"^÷ before: ingest s +0\.50 +1\.00$", table, re.M)
    assert re.search(r"^× ingest / raw encoder +0\.95 +–$", table, re.M)
    assert re.search(r"^sync of one changed file, s +0\.400 +0\.400$", table, re.M)
    assert "written, MB" not in table
    assert re.search(r"^iskp ask +2\.00 +2\.00 +100 +0\.50$", table, re.M)
    assert "* vectors made up" in table
    assert table.endswith("2 cores, encoder and reader in int8, load 0.1 before and 0.2 after.")


def test_the_plot_needs_no_network() -> None:
    page = plot(REPORT)
    assert "tutorial search p95" in page
    assert not re.search(r"<script[^>]+src=|<link", page)


@pytest.mark.slow
def test_a_small_run_measures_ingest_answers_and_memory(tmp_path: Path) -> None:
    file = tmp_path / "now.json"
    done = CliRunner().invoke(
        bench, ["speed", "--size", "20", "--no-tutorial", "--no-torch", "--no-starts", "--json", str(file)]
    )
    assert done.exit_code == 0, done.output
    (size,) = json.loads(file.read_text())["sizes"]
    assert size["passages"] >= 20
    assert 0 < size["encoder_share"] <= 1
    assert size["stages"]["total"]["p95"] >= size["stages"]["read"]["p50"] > 0
    assert 50 < size["answer_mb"] < 2000
    assert size["reading_seconds"] < size["ingest_seconds"]
    assert size["ingest_peak_mb"] > 50
    assert 0 <= size["changed_written_mb"] < 10  # nothing on a file system in memory
    assert size["changed_seconds"] > 0
