from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml
from click.testing import CliRunner

from app.cli import main
from app.config import load_settings

ROOT = Path(__file__).parent.parent


def test_compose_starts_a_command_that_exists_with_settings_that_exist(tmp_path: Path) -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    app = compose["services"]["app"]
    settings = load_settings(tmp_path, app["environment"])
    assert settings.index.chroma_url == "http://chroma:8000"
    command, *options = app["command"]
    shown = CliRunner().invoke(main, [command, "--help"]).output
    assert all(o in shown for o in options if o.startswith("--"))
    named = {v.split(":")[0] for s in compose["services"].values() for v in s["volumes"]}
    assert named == set(compose["volumes"])


def test_compose_opens_no_port_to_other_machines_and_none_of_the_server() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert "ports" not in services["chroma"]
    assert all(port.startswith("127.0.0.1:") for port in services["app"]["ports"])


def test_the_server_is_of_a_version_that_the_client_is_made_for() -> None:
    image = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["chroma"]["image"]
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    low, high = re.search(r"chromadb>=([\d.]+),<([\d.]+)", " ".join(wanted)).groups()
    version = [int(x) for x in image.split(":")[1].split(".")]
    assert [int(x) for x in low.split(".")] <= version < [int(x) for x in high.split(".")]


def test_the_page_on_scale_names_the_files_and_settings_that_exist() -> None:
    text = (ROOT / "docs" / "scale.md").read_text()
    for name in ("compose.yaml", "ISKP_INDEX_CHROMA_URL", "ISKP_CHROMA_TOKEN", "ISKP_EMBEDDINGS_KEY"):
        assert name in text
    sources = "".join(p.read_text() for folder in ("app", "index") for p in (ROOT / folder).rglob("*.py"))
    assert "ISKP_CHROMA_TOKEN" in sources and "ISKP_EMBEDDINGS_KEY" in sources
