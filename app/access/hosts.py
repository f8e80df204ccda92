"""Under which names the page answers: a guard before the whole application.

A web page elsewhere can point a name of its own at 127.0.0.1 (DNS rebinding) or send requests here from a visitor's
browser. Both show in what the browser says: the ``Host`` that it asked for, and the ``Origin`` that it asks from.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[_Scope, _Receive, _Send], Awaitable[None]]

_AUTHORITY = re.compile(r"(\[[0-9a-f:.%]+\]|[^\s:/@\\\[\]?#,]+)(?::(\d{1,5}))?")
_ORIGIN = re.compile(r"(https?)://(.+)")
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_STATIC = ("/assets/", "/static/", "/favicon.ico")
"""What is the same for everybody, whoever asks for it."""


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine can reach a server that listens on ``host``."""
    bare = host.strip().removeprefix("[").removesuffix("]")
    if bare.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False  # a name may point anywhere


@dataclass(frozen=True, slots=True)
class Place:
    """A host name or address, lower case and without brackets or final dot, and a port; None means any or the usual."""

    name: str
    port: int | None = None


def parse_place(text: str) -> Place | None:
    """A ``Host`` header or the like, such as ``example.org:80`` or ``[::1]``; None where it is none."""
    found = _AUTHORITY.fullmatch(text.strip().lower())
    if found is None:
        return None
    name = found[1].strip("[]").removesuffix(".")
    return Place(name, int(found[2]) if found[2] else None) if name else None


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Names under which the page answers, beside those of the loopback.

    Attributes:
        configured: names, ``.example.org`` for all names below one, or ``*`` for any.
        any_address: whether every IP address is allowed: nobody can point one elsewhere, as a name can be.
    """

    configured: frozenset[Place]
    any_address: bool = False

    @classmethod
    def of(cls, host: str, allowed: Iterable[str]) -> AllowedHosts:
        """What follows from the address listened on and from the settings, which were checked."""
        places = {place for text in allowed if (place := parse_place(text))}
        bare = host.strip().removeprefix("[").removesuffix("]").removesuffix(".").lower()
        wildcard = bare in {"0.0.0.0", "::"}  # noqa: S104 - compared, not listened on
        if not wildcard and not is_loopback(bare):
            places.add(Place(bare))
        return cls(frozenset(places), any_address=wildcard)

    def admits(self, host: Place) -> bool:
        """Whether the page answers under this name."""
        return (
            is_loopback(host.name)
            or any(_covers(k, host) for k in self.configured)
            or (self.any_address and _is_address(host.name))
        )

    def same_site(self, origin: str, host: Place, scheme: str) -> bool:
        """Whether a request comes from the page itself, also through a proxy under a configured name."""
        found = _ORIGIN.fullmatch(origin.strip().lower())
        place = parse_place(found[2]) if found else None
        if found is None or place is None:
            return False  # also "null", which any page can send
        one = Place(_alias(place.name), place.port or _PORTS[found[1]])
        # The second: behind a proxy with TLS the schemes differ, and with them the usual ports.
        same = one == Place(_alias(host.name), host.port or _PORTS[scheme]) or place == host
        return same or any(_covers(known, one) for known in self.configured if known.name != "*")


def _covers(known: Place, place: Place) -> bool:
    """Whether a configured place stands for this one; without a port it stands for all ports."""
    below = known.name[:1] == "." and place.name.endswith(known.name)
    return (known.name in {"*", place.name} or below) and (known.port is None or place.port in {None, known.port})


def _alias(name: str) -> str:
    return "localhost" if is_loopback(name) else name


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class HostGuard:
    """ASGI middleware: answers 400 or 403 to requests under other names or from other sites, and else hands on."""

    def __init__(self, app: App, hosts: AllowedHosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Let a request through, or refuse it before the application sees it."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        refused = self._refusal(scope)
        if refused is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refused[1][:120]})
        else:
            status, text = refused
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": f"{text}\n".encode()})

    def _refusal(self, scope: _Scope) -> tuple[int, str] | None:
        """Status and one sentence, or None where the request is all right."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        given = [value.decode("latin-1") for name, value in headers if name == b"host"]
        host = parse_place(given[0]) if len(given) == 1 else None
        if host is None:
            return 400, "The request names no host that can be read; use the address that iskp chat printed."
        if not self._hosts.admits(host):
            return 403, (
                f"This page does not answer under the name {given[0][:100]!r}. If you reach it by that name, add it to "
                "allowed_hosts in the table [chat] of iskp.toml and start iskp chat again."
            )
        for name, value in headers:
            origin = value.decode("latin-1")
            if name == b"origin" and not self._hosts.same_site(origin, host, scope.get("scheme", "http")):
                if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} and _is_static(scope["path"]):
                    continue
                return 403, (
                    f"This page takes no requests from another site ({origin[:100]!r}). If it is the name of your own "
                    "proxy, add it to allowed_hosts in the table [chat] of iskp.toml and start iskp chat again."
                )
        return None


def _is_static(path: str) -> bool:
    return path.startswith(_STATIC) and ".." not in path
