"""The page's functions for programs, through the clients that programs use; the examples of docs/connect.md are run."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.home import Home
from app.page.server import build_chat, theme

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "connect.md"
TEXT = "# The Lighthouse\n\nThe author of the article is Ingrid Moe. The lighthouse of Skarvoy was lit in 1871.\n"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("api")
    (folder / "lighthouse.md").write_text(TEXT, encoding="utf-8")
    home = Home(folder / "home")
    home.init(empty=True)
    assert [o.status for o in home.add([folder / "lighthouse.md"], {})] == ["added"]
    home.sync()
    blocks = build_chat(home)
    blocks.queue()
    _, url, _ = blocks.launch(
        server_name="127.0.0.1", server_port=None, prevent_thread_lock=True, quiet=True, mcp_server=True, theme=theme()
    )
    yield url
    blocks.close()
    home.close()


@pytest.mark.filterwarnings("ignore")  # of the clients, not ours
def test_gradio_client_finds_the_functions_and_asks(address: str) -> None:
    from gradio_client import Client

    client = Client(address, verbose=False)
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert {"/ask", "/search", "/sources"} <= set(named)
    answer = client.predict("When was the lighthouse of Skarvoy lit?", api_name="/ask")
    assert answer["status"] == "answered" and "1871" in answer["citations"][0]["quote"]
    assert [s["title"] for s in client.predict(api_name="/sources")] == ["The Lighthouse"]
    assert "1871" in client.predict("lighthouse", 1, api_name="/search")[0]["text"]
    with pytest.raises(Exception, match="the question is empty"):
        client.predict(" ", api_name="/ask")


@pytest.mark.filterwarnings("ignore")
def test_an_mcp_client_lists_the_tools_and_asks(address: str) -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def talk() -> tuple[dict[str, Any], str, bool]:
        async with (
            streamablehttp_client(f"{address}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = {t.name: t for t in (await session.list_tools()).tools}
            result = await session.call_tool("ask", {"question": "When was the lighthouse of Skarvoy lit?"})
            bad = await session.call_tool("search", {"query": "x", "since": "no date"})
            return tools, result.content[0].text, bool(bad.isError)  # type: ignore[union-attr]

    tools, said, refused = asyncio.run(talk())
    assert set(tools) == {"ask", "search", "sources"}
    assert "citations" in tools["ask"].description and "question" in tools["ask"].inputSchema["properties"]
    assert json.loads(said)["status"] == "answered" and refused


@pytest.mark.parametrize("example", re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S))
def test_the_examples_of_the_document_work(address: str, example: str) -> None:
    program = example.replace("http://127.0.0.1:7860/", address)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "Ingrid Moe" in done.stdout
