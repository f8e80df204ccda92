"""Nothing leaves the machine: with sockets blocked, everything from ingest to the page works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

SCRIPT = """
import sys
from pytest_socket import disable_socket
disable_socket(allow_unix_socket=True)   # unix sockets: asyncio makes a pair for itself
from pathlib import Path
from app.home import Home
home = Home(Path(sys.argv[1]) / "home")
home.init(empty=True)
note = Path(sys.argv[1]) / "note.md"
note.write_text("# Ferries\\n\\nThe ferry to Norholm sails at nine. It carries 300 people.\\n")
assert [o.status for o in home.add([note], {})] == ["added"]
assert home.sync().added == 1
answer = home.answerer.answer("How many people does the ferry carry?")
assert answer.status == "answered" and "300" in answer.answer, answer
import app.page.server
app.page.server.build_chat(home)
print("done")
"""


@pytest.mark.slow
def test_ingest_index_ask_and_page_work_with_blocked_sockets(tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert shown.stdout.strip().endswith("done"), shown.stderr
