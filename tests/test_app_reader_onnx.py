from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from app.evidence.packaged import EvidenceReader, ReaderInput

HARBOUR = ReaderInput(
    context="Port Selwick - History",
    sentences=(
        "Port Selwick grew up around a lighthouse that fishermen paid for themselves.",
        "The stone breakwater was finished in 1874 after eleven years of work.",
        "Its engineer, Maud Farrant, had studied tides on the opposite coast.",
        "Storms still flood the lower quay every winter.",
    ),
)
PASSAGES = [
    HARBOUR,
    replace(HARBOUR, context=""),
    ReaderInput(context="Short", sentences=("It rained.",)),
    ReaderInput(context="Blank", sentences=("", "Then it snowed on the quay.", "")),
    ReaderInput(context="Long", sentences=tuple(f"Ship {i} left the harbour with timber and wool." for i in range(70))),
    ReaderInput(context="Endless", sentences=("timber and wool " * 400, "The breakwater was finished in 1874.")),
    ReaderInput(context="Nothing", sentences=()),
]


@pytest.fixture(scope="module")
def runtimes() -> tuple[EvidenceReader, EvidenceReader]:
    return EvidenceReader.load(precision="float32"), EvidenceReader.load(runtime="torch")


@pytest.mark.slow
@pytest.mark.parametrize("head", ["read", "check"])
@pytest.mark.parametrize("asked", ["When was the breakwater finished?", "The engineer studied tides.", "", "why " * 90])
def test_scores_and_spans_are_those_of_torch(
    runtimes: tuple[EvidenceReader, EvidenceReader], head: str, asked: str
) -> None:
    onnx, torch = (getattr(reader, head)(asked, PASSAGES) for reader in runtimes)
    for mine, theirs in zip(onnx, torch, strict=True):
        assert mine.sentence_scores == pytest.approx(theirs.sentence_scores, abs=1e-4)
        assert mine.answerable == pytest.approx(theirs.answerable, abs=1e-4)
        for a, b in zip(mine.spans, theirs.spans, strict=True):
            assert (a is None) == (b is None)
            if a and b:
                assert a[3] == pytest.approx(b[3], abs=1e-3)
                assert a[:3] == b[:3]


def test_both_runtimes_name_the_same_weights(runtimes: tuple[EvidenceReader, EvidenceReader]) -> None:
    assert runtimes[0].fingerprint == runtimes[1].fingerprint


def test_reading_does_not_import_torch() -> None:
    script = (
        "import sys; from app.evidence.packaged import EvidenceReader as R, ReaderInput as I; "
        "R.load().read('Who?', [I(context='', sentences=('It rained.',))]); "
        "print({'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
