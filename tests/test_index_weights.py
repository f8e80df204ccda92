from __future__ import annotations

import sys
from pathlib import Path

import pytest

from index import multilingual_encoder
from index.errors import ModelUnavailable
from index.weights import PACKAGE, placed


@pytest.fixture
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of weights that can be imported, with one folder."""
    folder = tmp_path / "site" / PACKAGE / "index" / "words"
    folder.mkdir(parents=True)
    (tmp_path / "site" / PACKAGE / "__init__.py").touch()
    (folder / "model.safetensors").write_bytes(b"apart")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.delitem(sys.modules, PACKAGE, raising=False)
    return folder


def test_weights_come_from_their_package_only_where_the_program_has_none(tmp_path: Path, apart: Path) -> None:
    own = tmp_path / "program" / "index" / "words"
    assert placed(own, tmp_path / "program") == apart
    assert placed(own.parent / "other", tmp_path / "program") == own.parent / "other"
    own.mkdir(parents=True)
    (own / "model.safetensors").write_bytes(b"own")
    assert placed(own, tmp_path / "program") == own


def test_missing_weights_say_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multilingual_encoder, "WEIGHTS", tmp_path / "model.safetensors")
    with pytest.raises(ModelUnavailable, match=r"No such file.*make weights"):
        multilingual_encoder.check_weights()
