"""Under which names the page answers, asked of the running command as a browser or a rebound name would ask."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.access.hosts import AllowedHosts, Place, parse_place
from app.config import load_settings
from app.errors import BadSettings

PATHS = {
    "page": ("GET", "/", None),
    "configuration": ("GET", "/config", None),
    "api": ("POST", "/gradio_api/call/sources", {"data": []}),
    "upload": ("POST", "/gradio_api/upload", {}),
    "mcp": (
        "POST", "/gradio_api/mcp/",
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Of ``iskp chat`` over an empty home, which also answers as iskp.example.org and below .example.net."""
    home = tmp_path_factory.mktemp("hosts")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "app.cli", "--home", str(home)]
    subprocess.run([*command, "init", "--empty"], check=True, capture_output=True)
    environment = {**os.environ, "ISKP_CHAT_ALLOWED_HOSTS": "iskp.example.org, .example.net"}
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "chat", "--offline", "--port", str(free)], env=environment, stdout=log, stderr=log
        )
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", free)) == 0:
                    break
            assert process.poll() is None, (home / "log").read_text()
            time.sleep(0.2)
        yield free
    finally:
        process.terminate()
        process.wait(timeout=30)


def ask(port: int, what: str, host: str | None, origin: str | None = None) -> tuple[int, str]:
    method, path, body = PATHS.get(what, ("GET", what, None))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.putrequest(method, path, skip_host=True)
    headers = {"Host": host, "Origin": origin, "Accept": "application/json, text/event-stream"}
    data = b"" if body is None else json.dumps(body).encode()
    headers |= {"Content-Type": "application/json", "Content-Length": str(len(data))} if body is not None else {}
    for name, value in headers.items():
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders(data)
    answer = connection.getresponse()
    text = answer.read(400).decode("utf-8", "replace")
    connection.close()
    return answer.status, text


@pytest.mark.slow
@pytest.mark.parametrize("what", ["page", "configuration", "api", "mcp"])
@pytest.mark.parametrize(
    "host", ["127.0.0.1:{port}", "LocalHost:{port}", "[::1]:{port}", "ISKP.example.org", "a.example.net:81"]
)
def test_page_api_and_mcp_answer_under_the_loopback_and_configured_names(port: int, what: str, host: str) -> None:
    assert ask(port, what, host.format(port=port))[0] == 200


@pytest.mark.parametrize("what", PATHS)
@pytest.mark.parametrize(
    "host",
    [
        "evil.example:{port}", "localhost.evil.example", "127.0.0.1.nip.io:{port}", "iskp.example.org.evil.example",
        "evilexample.net", "192.0.2.7:{port}", "[2001:db8::1]:{port}", "2130706433", "0.0.0.0:{port}", "user@localhost",
    ],
)  # fmt: skip
def test_another_name_is_refused_for_page_api_and_mcp(port: int, what: str, host: str) -> None:
    status, text = ask(port, what, host.format(port=port))
    assert status in {400, 403}
    assert "allowed_hosts" in text or "no host" in text


@pytest.mark.parametrize("what", PATHS)
def test_a_request_without_a_host_is_refused(port: int, what: str) -> None:
    assert ask(port, what, None)[0] == 400
    assert ask(port, what, "")[0] == 400


@pytest.mark.parametrize("what", PATHS)
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost:1", "null", "http://localhost.evil.example"]
)
def test_a_request_from_another_site_is_refused(port: int, what: str, origin: str) -> None:
    status, text = ask(port, what, f"localhost:{port}", origin)
    assert status == 403 and "another site" in text


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:{port}", "http://localhost:{port}"),
        ("127.0.0.1:{port}", "http://localhost:{port}"),
        ("[::1]:{port}", "http://[::1]:{port}"),
        ("127.0.0.1:{port}", "https://iskp.example.org"),  # a proxy that asks under its own address
        ("iskp.example.org", "https://iskp.example.org"),
    ],
)
def test_the_page_itself_may_ask_also_through_a_proxy(port: int, host: str, origin: str) -> None:
    assert ask(port, "api", host.format(port=port), origin.format(port=port))[0] == 200
    assert ask(port, "mcp", host.format(port=port), origin.format(port=port))[0] == 200


def test_static_files_may_be_fetched_from_elsewhere_but_not_under_another_name(port: int) -> None:
    # What matters is that the guard lets it through; whether there is such a file is the server's matter.
    assert ask(port, "/static/img/logo.svg", f"localhost:{port}", "https://evil.example")[0] in {200, 404}
    assert ask(port, "/static/../config", f"localhost:{port}", "https://evil.example")[0] == 403
    assert ask(port, "/static/img/logo.svg", "evil.example", None)[0] == 403


def test_a_listener_on_every_address_answers_under_addresses_and_configured_names_only() -> None:
    for host in ("0.0.0.0", "::", "[::]"):
        hosts = AllowedHosts.of(host, ["desk.example.org"])
        assert all(hosts.admits(Place(n)) for n in ("192.0.2.7", "2001:db8::1", "localhost", "desk.example.org"))
        assert not hosts.admits(Place("evil.example"))
    named = AllowedHosts.of("Desk.Example.org.", [])
    assert named.admits(Place("desk.example.org", 7860)) and not named.admits(Place("192.0.2.7"))
    assert named.same_site("https://desk.example.org", Place("127.0.0.1", 7860), "http")


def test_any_name_may_be_allowed_and_other_sites_still_not() -> None:
    hosts = AllowedHosts.of("127.0.0.1", ["*"])
    assert hosts.admits(Place("anything.example"))
    assert hosts.same_site("https://anything.example", Place("anything.example"), "http")
    assert not hosts.same_site("https://evil.example", Place("anything.example"), "http")


def test_a_port_in_the_setting_is_the_only_one() -> None:
    hosts = AllowedHosts.of("127.0.0.1", ["localhost:8080"])
    assert hosts.same_site("http://localhost:8080", Place("localhost", 7860), "http")
    assert not hosts.same_site("http://localhost:9090", Place("localhost", 7860), "http")


@pytest.mark.parametrize("text", ["", " ", "a b", "http://a", "a/b", "[::1", "a:b", "a:123456", "u@a", "a, b"])
def test_what_is_no_host_is_none(text: str) -> None:
    assert parse_place(text) is None


def test_a_setting_that_is_no_name_is_refused_with_an_example(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"chat\.allowed_hosts.*'https://a\.example' is no host name.*such as"):
        load_settings(tmp_path, {"ISKP_CHAT_ALLOWED_HOSTS": "https://a.example"})
    assert load_settings(tmp_path, {"ISKP_CHAT_ALLOWED_HOSTS": "a.example, .b.example"}).chat.allowed_hosts == (
        "a.example", ".b.example",
    )  # fmt: skip
