"""The page's HTTP functions under requests that schemathesis makes from their published description."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from app.home import Home
from app.page.server import build_chat, theme

FUNCTIONS = {"ask_json": "question", "search_json": "query", "sources_json": ""}
"""With the argument that must be given; Gradio itself answers 500 when it is missing or one is unknown."""
EXAMPLES = 25


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "lighthouse.md").write_text("# The Lighthouse\n\nThe lighthouse of Skarvoy was lit in 1871.\n", "utf-8")
    home = Home(folder / "home")
    home.init(empty=True)
    list(home.add([folder / "lighthouse.md"], {}))
    home.sync()
    blocks = build_chat(home)
    blocks.queue()
    _, url, _ = blocks.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, theme=theme())
    yield url
    blocks.close()
    home.close()


def outcome(address: str, function: str, body: object) -> tuple[str, object]:
    """The last event of a call and its data."""
    posted = httpx.post(f"{address}gradio_api/call/v2/{function}", json=body, timeout=60)
    if posted.status_code != 200:
        return str(posted.status_code), posted.json()
    stream = httpx.get(f"{address}gradio_api/call/{function}/{posted.json()['event_id']}", timeout=60).text
    event, data = stream.strip().rsplit("event: ", 1)[1].split("\ndata: ", 1)
    return event, json.loads(data)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("function", "needed"), FUNCTIONS.items())
def test_whatever_fits_the_description_is_answered_or_told_in_words(address: str, function: str, needed: str) -> None:
    described = httpx.get(f"{address}gradio_api/openapi.json").json()
    body = described["paths"][f"/gradio_api/call/v2/{function}"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    body |= {"additionalProperties": False, "required": [needed] if needed else []}
    schema = schemathesis.openapi.from_dict(described)
    operation = schema[f"/gradio_api/call/v2/{function}"]["POST"]
    ends: set[str] = set()

    @settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True
    )
    @given(case=operation.as_strategy())
    def drive(case: schemathesis.Case) -> None:
        event, data = outcome(address, function, case.body)
        ends.add(event)
        assert event in {"complete", "error", "422"}, data
        if event == "error":
            assert data and "Traceback" not in json.dumps(data), f"{case.body} ends without a word"

    drive()
    assert ends
    event, _ = outcome(address, "sources_json", {})
    assert event == "complete", "the page still answers"
