"""The server of ``riemopt explore``: a page and its socket on this machine, for whoever has the token."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import signal
import socket
from collections.abc import Callable
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.web import Application, HTTPError, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from riemopt.explore import page
from riemopt.explore.conversation import Conversation, Limits, Spare
from riemopt.explore.opening import explorable
from riemopt.explore.presets import PRESETS
from riemopt.explore.requests import MOST_CHARACTERS, FrameError, read
from riemopt.explore.worker import encoded

__all__ = ["ADDRESS", "application", "serve"]

ADDRESS = "127.0.0.1"
MOST_PAGES = 8
_REFUSED, _TOO_MANY = 1008, 1013
"""Codes of RFC 6455 with which a socket is closed."""
_HEADERS = {
    # no script comes from elsewhere or stands in the page; 'unsafe-eval' is for tools that drive a browser, whose
    # conditions are evaluated in the page: nothing of ours evaluates text
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def hosts(port: int) -> tuple[str, str]:
    """The names under which a server on this machine may be addressed."""
    return f"{ADDRESS}:{port}", f"localhost:{port}"


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


class _Handler(RequestHandler):
    """Answers requests that name this server, and no others."""

    def set_default_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.set_header(name, value)
        self.clear_header("Server")

    def prepare(self) -> None:
        if self.request.host not in hosts(self.settings["port"]()):
            raise HTTPError(403)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("This address is not complete: take the one that riemopt explore printed, its token included.\n")


class _Page(_Handler):
    def get(self) -> None:
        if not _same(self.get_query_argument("token", ""), self.settings["token"]):
            raise HTTPError(403)
        self.write(page.text("page.html"))


class _Module(_Handler):
    def get(self) -> None:
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.write(page.module())


class _Host(_Handler):
    def get(self) -> None:
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.write(page.text("host.js"))


class _Style(_Handler):
    def get(self) -> None:
        self.set_header("Content-Type", "text/css; charset=utf-8")
        self.write(page.text("explorer.css"))


class _Socket(WebSocketHandler):
    """A page's socket, with a conversation of its own."""

    conversation: Conversation | None = None

    def check_origin(self, origin: str) -> bool:
        return origin in {f"http://{host}" for host in hosts(self.settings["port"]())}

    def prepare(self) -> None:
        known = self.request.host in hosts(self.settings["port"]())
        # browsers send their origin with every socket; who has none is no browser, and may not come in either
        if not known or not self.request.headers.get("Origin"):
            raise HTTPError(403)
        if not _same(self.get_query_argument("token", ""), self.settings["token"]):
            raise HTTPError(403)

    async def open(self, *args: str, **kwargs: str) -> None:
        pages: set[_Socket] = self.settings["pages"]
        if len(pages) >= MOST_PAGES:
            return self.close(_TOO_MANY, f"{MOST_PAGES} pages are open: close one of them")
        pages.add(self)
        self.conversation = Conversation(self._send, self.settings["limits"], self.settings["spare"])
        await self._send(self.settings["hello"])

    async def on_message(self, message: str | bytes) -> None:
        try:
            request = read(message)
        except FrameError as error:
            return self.close(_REFUSED, str(error)[:120])
        if self.conversation is not None:
            with contextlib.suppress(asyncio.CancelledError):  # the server ends
                await self.conversation.take(request)
        return None

    def on_close(self) -> None:
        self.settings["pages"].discard(self)
        if self.conversation is not None:
            self.conversation.end()

    async def _send(self, answer: bytes) -> None:
        with contextlib.suppress(WebSocketClosedError):
            await self.write_message(answer.decode())


def application(token: str, opening: dict[str, Any], limits: Limits | None = None) -> Application:
    """The page, what it loads, and its socket.

    Parameters
    ----------
    token : str
        What an address must hold.
    opening : dict
        The settings that a page begins with where its address has none.
    limits : Limits, optional
    """
    port: list[int] = []
    return Application(
        [("/", _Page), ("/explorer.js", _Module), ("/host.js", _Host), ("/explorer.css", _Style), ("/socket", _Socket)],
        token=token,
        hello=encoded({"type": "hello", **_known(opening)}),
        limits=limits,
        spare=Spare(opening),
        pages=set(),
        bound=port,
        port=lambda: port[0],
        websocket_max_message_size=MOST_CHARACTERS * 4 + 1024,
        websocket_ping_interval=20,
    )


def _known(opening: dict[str, Any]) -> dict[str, Any]:
    return page.known("server", opening["integrators"], families=explorable(), presets=PRESETS, opening=opening)


def listen(app: Application, port: int) -> int:
    """Bind an application to a port of this machine, 0 for any; returns the port."""
    bound = socket.create_server((ADDRESS, port))
    bound.setblocking(False)
    app.settings["bound"][:] = [bound.getsockname()[1]]
    app.settings["server"] = HTTPServer(app, max_body_size=1 << 16)
    app.settings["server"].add_sockets([bound])
    return int(app.settings["bound"][0])


def serve(token: str, port: int, opening: dict[str, Any], ready: Callable[[str], None]) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    token : str
    port : int
        0 for any that is free.
    opening : dict
        The settings that a page begins with.
    ready : callable
        Told the address once the server listens.

    Raises
    ------
    OSError
        If the port is taken.
    """
    asyncio.run(_serve(token, port, opening, ready))


async def _serve(token: str, port: int, opening: dict[str, Any], ready: Callable[[str], None]) -> None:
    app = application(token, opening)
    bound = listen(app, port)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM"):
        with contextlib.suppress(NotImplementedError):  # Windows interrupts otherwise
            loop.add_signal_handler(getattr(signal, name), ended.set)
    spare: Spare = app.settings["spare"]
    loaded = loop.run_in_executor(None, spare.prepare)
    ready(f"http://{ADDRESS}:{bound}/?token={token}")
    await ended.wait()
    await loaded
    spare.end()
    for each in list(app.settings["pages"]):
        each.on_close()
