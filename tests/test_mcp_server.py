"""``iskp mcp`` as a real client sees it: over stdio, in a process of its own, before a real small home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.stdio import stdio_client
from pydantic import AnyUrl

from app.home import Home

ROOT = Path(__file__).parent.parent
TOWER = "# The Lighthouse\n\nThe lighthouse of Skarvoy was lit in 1871 by Ingrid Moe.\n\nIts lamp burnt rape oil until 1904.\n"
DRAFT = "# A ferry plan\n\nThe ferry of Norholm carries 310 passengers.\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("mcp")
    (made / "reports").mkdir()
    (made / "reports" / "tower.md").write_text(TOWER, encoding="utf-8")
    (made / "reports" / "ferry plan.md").write_text(DRAFT, encoding="utf-8")
    home = Home(made / "home")
    home.init(empty=True)
    assert [o.status for o in home.add([made / "reports"], {"author": "Ann Lee", "date": "2020-05"})] == ["added"] * 2
    home.close()
    return made / "home"


@asynccontextmanager
async def client(folder: Path) -> AsyncIterator[ClientSession]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    server = StdioServerParameters(command=sys.executable, args=["-m", "app.cli", "--home", str(folder), "mcp"], env=env)
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        yield session


async def call(session: ClientSession, name: str, **arguments: Any) -> dict[str, Any]:
    result = await session.call_tool(name, arguments)
    assert not result.isError, result.content
    assert result.structuredContent is not None
    assert json.loads(result.content[0].text) == result.structuredContent  # type: ignore[union-attr]
    return result.structuredContent


async def refused(session: ClientSession, name: str, **arguments: Any) -> str:
    result = await session.call_tool(name, arguments)
    assert result.isError
    return str(result.content[0].text)  # type: ignore[union-attr]


async def test_a_client_searches_fetches_and_asks(folder: Path) -> None:
    async with client(folder) as session:
        tools = {t.name: t for t in (await session.list_tools()).tools}
        assert list(tools) == ["search", "fetch", "ask"]
        for tool in tools.values():
            assert tool.annotations is not None and tool.annotations.readOnlyHint and not tool.annotations.openWorldHint
            assert tool.outputSchema is not None
            jsonschema.Draft202012Validator.check_schema(tool.outputSchema)

        best = (await call(session, "search", query="lighthouse Skarvoy", k=3))["results"][0]
        assert (best["title"], best["metadata"]["author"], best["metadata"]["date"]) == ("The Lighthouse", "Ann Lee", "2020-05")
        assert "1871" in best["text"] and best["text"] == best["passages"][0]["text"]

        whole = await call(session, "fetch", id=best["id"])
        assert whole["next_start"] is None and whole["metadata"]["characters"] == len(whole["text"])
        assert whole["url"] == best["url"] and "rape oil" in whole["text"]
        parts = [await call(session, "fetch", id=best["id"], characters=40)]
        while (start := parts[-1]["next_start"]) is not None:
            parts.append(await call(session, "fetch", id=best["id"], start=start, characters=40))
        assert len(parts) > 2 and "".join(p["text"] for p in parts) == whole["text"]

        answer = await call(session, "ask", question="When was the lighthouse of Skarvoy lit?")
        cited = answer["citations"][0]
        assert answer["status"] == "answered" and "[1]" in answer["answer"] and cited["source_id"] == best["id"]
        assert whole["text"][cited["start"] : cited["end"]] == cited["quote"] and "1871" in cited["quote"]


async def test_sources_are_resources_and_what_is_wrong_is_one_sentence(folder: Path) -> None:
    async with client(folder) as session:
        listed = {r.title: r.uri for r in (await session.list_resources()).resources}
        assert set(listed) == {"The Lighthouse", "A ferry plan"}
        assert [t.uriTemplate for t in (await session.list_resource_templates()).resourceTemplates] == ["iskp://source/{id}"]
        text = (await session.read_resource(listed["A ferry plan"])).contents[0].text  # type: ignore[union-attr]
        assert "310 passengers" in text
        with pytest.raises(McpError, match="there is no source 'nowhere/x'"):
            await session.read_resource(AnyUrl("iskp://source/nowhere%2Fx"))
        with pytest.raises(McpError, match="is no source"):
            await session.read_resource(AnyUrl("file:///etc/passwd"))

        assert "there is no source 'x'" in await refused(session, "fetch", id="x")
        assert "there is no source 'x'" in await refused(session, "ask", question="Why?", sources=["x"])
        assert "take a smaller start" in await refused(session, "fetch", id=next(iter(await ids(session))), start=9999)
        assert "no date" in await refused(session, "search", query="x", since="no date")
        assert "'query' is a required property" in await refused(session, "search")
        assert "'page' was unexpected" in await refused(session, "search", query="x", page=2)
        assert "there is no tool 'delete'" in await refused(session, "delete")


async def ids(session: ClientSession) -> list[str]:
    return [r["id"] for r in (await call(session, "search", query="lighthouse"))["results"]]


def test_standard_output_is_nothing_but_the_protocol_and_closing_the_input_ends_it(folder: Path) -> None:
    lines = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]  # fmt: skip
    said = "".join(json.dumps(line) + "\n" for line in lines)
    command = [sys.executable, "-c", (
        "import app.cli.serve as s\n"
        "real = s.prepare\n"
        "def loud(home):\n"
        "    import os; print('noise'); os.write(1, b'noise from below'); real(home)\n"
        "s.prepare = loud\n"
        "from app.cli import main; main()"
    ), "--home", str(folder), "mcp"]  # fmt: skip
    # The protocol's own library drops what is unanswered when the input ends, so the answers are read first.
    server = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert server.stdin and server.stdout
        server.stdin.write(said)
        server.stdin.flush()
        assert [json.loads(server.stdout.readline())["id"] for _ in range(2)] == [1, 2]
        rest, told = server.communicate(timeout=60)
    finally:
        server.kill()
    assert (server.returncode, rest) == (0, "")
    assert "noise from below" in told
