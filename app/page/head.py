"""The head of the page: Gradio's own words for other sites ("Click to try out the app!", @Gradio) leave it."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.page.language import ENGLISH, RIGHT_TO_LEFT, preferred

_OWN = (
    b'<head><title>iskp-qa</title><meta name="description" content="Answers from your sources, each sentence with its passage">'
    b'<link rel="icon" type="image/png" href="favicon.ico">'
)
_FOREIGN = re.compile(rb'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*')


class OwnHead:
    """ASGI middleware that takes tags of the framework out of the page and names its language; all other answers pass as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["path"].rstrip("/") or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        language = preferred(Headers(scope=scope).get("accept-language", ""))
        start: Message = {}
        body = bytearray()

        async def kept(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            page = _FOREIGN.sub(b"", bytes(body)).replace(b"<head>", _OWN, 1)
            if language != ENGLISH:
                side = ' dir="rtl"' if language in RIGHT_TO_LEFT else ""
                page = page.replace(b'lang="en"', f'lang="{language}"{side}'.encode(), 1)
            headers = [(k, v) for k, v in start["headers"] if k.lower() != b"content-length"]
            await send(
                {
                    **start,
                    "headers": [*headers, (b"vary", b"Accept-Language"), (b"content-length", str(len(page)).encode())],
                }
            )
            await send({**message, "body": page})

        await self._app(scope, receive, kept)
