"""Settings come from one file and the environment; what is not known is refused with its path."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config import Settings, load_settings
from app.errors import BadSettings


def test_defaults_without_a_file(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}) == Settings()


def test_file_and_environment_over_it(tmp_path: Path) -> None:
    (tmp_path / "iskp.toml").write_text("[answer]\nfact_words = 40\nthreshold = 0.4\n")
    settings = load_settings(tmp_path, {"ISKP_ANSWER_THRESHOLD": "0.7", "ISKP_HOME": "/elsewhere"})
    assert (settings.answer.fact_words, settings.answer.threshold) == (40, 0.7)


@pytest.mark.parametrize(
    ("text", "where"),
    [("[answer]\nfoo = 1\n", "answer.foo"), ("[nonsense]\na = 1\n", "nonsense"), ("[chat]\nport = 0\n", "chat.port")],
)
def test_unknown_keys_and_bad_values_fail_with_their_path(tmp_path: Path, text: str, where: str) -> None:
    (tmp_path / "iskp.toml").write_text(text)
    with pytest.raises(BadSettings, match=where.replace(".", r"\.")):
        load_settings(tmp_path, {})


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "iskp.toml").write_text("[answer")
    with pytest.raises(BadSettings, match="cannot be read"):
        load_settings(tmp_path, {})
