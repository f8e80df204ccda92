"""In a network namespace with nothing but the loopback address, everything but fetching works; fetching says so."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# First in the namespace: switch its loopback on, then be the program that was asked for.
ENTER = """
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
REACHES_NOTHING = """
import socket
for family, address in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
    try:
        socket.socket(family, socket.SOCK_STREAM).connect((address, 80))
    except OSError as exc:
        print(exc.errno)
"""
PAGE = """
import json, subprocess, sys, time, urllib.request
home, port = sys.argv[1:]
page = subprocess.Popen([sys.executable, "-m", "app.cli", "--home", home, "chat", "--port", port], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
try:
    for _ in range(600):
        try:
            html = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60).read().decode()
            break
        except OSError:
            assert page.poll() is None, page.stderr.read().decode()
            time.sleep(0.2)
    def call(name, *data):
        body = json.dumps({"data": data}).encode()
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}/gradio_api/run/{name}", body, {"Content-Type": "application/json"}
        )
        return json.load(urllib.request.urlopen(asked, timeout=120))["data"][0]
    print(json.dumps({"html": html, "answer": call("ask", "How did the Moscow concert hall attack happen?", None, "", "", None)}))
finally:
    page.terminate()
    page.wait(timeout=60)
"""


def isolated(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python program without any network."""
    return subprocess.run(
        ["unshare", "--map-root-user", "--net", sys.executable, "-c", ENTER, *arguments],
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=600,
    )  # fmt: skip


def iskp(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return isolated("-m", "app.cli", "--home", str(home), *arguments)


@pytest.fixture(scope="module", autouse=True)
def _namespaces() -> None:
    if not shutil.which("unshare") or isolated("-c", "").returncode:
        pytest.skip("network namespaces are not permitted here: unshare --map-root-user --net")
    assert isolated("-c", REACHES_NOTHING).stdout.split() == ["101", "101"]  # ENETUNREACH


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that was made and indexed without a network."""
    folder = tmp_path_factory.mktemp("cut off") / "home"
    for command in (["init"], ["index", "--json"]):
        done = iskp(folder, *command)
        assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["added"] > 100
    return folder


@pytest.mark.slow
def test_asking_searching_and_checking_work(home: Path) -> None:
    done = iskp(home, "ask", "--json", "Who is the author of the article?")
    answer = json.loads(done.stdout)
    assert answer["status"] == "answered" and answer["citations"], done.stderr
    done = iskp(home, "search", "--json", "recruitment of Tajiks")
    assert len(json.loads(done.stdout)) == 10, done.stderr
    done = iskp(home, "check", "--json", answer["citations"][0]["quote"])
    assert json.loads(done.stdout)["label"] == "supported", done.stderr


@pytest.mark.slow
def test_the_examination_works(home: Path, tmp_path: Path) -> None:
    done = iskp(home, "eval", "--limit", "6", "--report", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "<script src" not in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_the_page_opens_and_answers(home: Path, unused_port: int) -> None:
    done = isolated("-c", PAGE, str(home), str(unused_port))
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["answer"]["status"] == "answered"
    assert "iskp-qa" in shown["html"]


@pytest.mark.slow
def test_fetching_says_in_one_sentence_that_nobody_could_be_reached(home: Path) -> None:
    done = iskp(home, "fetch")
    assert done.returncode == 1
    assert [x for x in done.stderr.splitlines() if x.startswith("Error")] == [
        "Error: no original could be had; the notes serve as before"
    ]
    assert "Traceback" not in done.stderr
    assert json.loads(iskp(home, "ask", "--json", "Who is the author of the article?").stdout)["status"] == "answered"


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
