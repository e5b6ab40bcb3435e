"""Where the pages of browser phones come in: WebSockets on a port of their own, for this machine and its own pages alone."""

import asyncio
import json
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Origin

from ivr.carrier.simulator.sockets import CLOSE_SECONDS, Loop

if TYPE_CHECKING:
    from ivr.carrier.simulator.phones import Phones

LOOPBACK = "127.0.0.1"
ADDRESS = re.compile(r"\+[1-9]\d{4,14}|client:[\w.@-]{1,64}")
LONGEST_MESSAGE = 2048
LONGEST_OUTBOX = 200  # messages for a tab that does not take them
OPEN_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.5  # whether the clock runs
REPLACED = 4000  # the code of a connection that a newer tab has ended


class Tab:
    """One page's connection."""

    def __init__(self, connection: ServerConnection, loop: Loop) -> None:
        self._connection, self._loop = connection, loop
        self._outbox: asyncio.Queue[str | bytes] = asyncio.Queue()

    def push(self, message: Mapping[str, Any] | bytes) -> None:
        """Send the page something, from any thread; sound is dropped when it does not keep up."""
        self._loop.do(self._put(message if isinstance(message, bytes) else json.dumps(message, ensure_ascii=False)))

    def push_newest(self, look: Callable[[], Mapping[str, Any]]) -> None:
        """Send the page what is seen when its turn comes, on the loop's one thread: an older look never comes after a newer one."""
        self._loop.do(self._put_newest(look))

    async def write(self) -> None:
        """Send what there is, until the connection ends."""
        with suppress(ConnectionClosed):
            while True:
                message = await self._outbox.get()
                await self._connection.send(message)
                if isinstance(message, str) and '"replaced"' in message:
                    await self._connection.close(REPLACED)

    async def _put_newest(self, look: Callable[[], Mapping[str, Any]]) -> None:
        await self._put(json.dumps(look(), ensure_ascii=False))

    async def _put(self, message: str | bytes) -> None:
        if self._outbox.qsize() < LONGEST_OUTBOX or isinstance(message, str):
            self._outbox.put_nowait(message)


class Door:
    """The server; it begins when its address is asked for."""

    def __init__(self, phones: "Phones", loop: Loop, base_url: Callable[[], str]) -> None:
        self._phones, self._loop, self._base_url = phones, loop, base_url
        self._server: Server | None = None
        self._lock = threading.Lock()

    def address(self) -> str:
        """Where pages connect."""
        with self._lock:
            if self._server is None:
                self._server = self._loop.do(self._open()).result(OPEN_SECONDS)
            return f"ws://{LOOPBACK}:{next(iter(self._server.sockets)).getsockname()[1]}/"

    def close(self) -> None:
        """End all connections and the server."""
        with self._lock:
            if self._server is not None:
                self._loop.do(self._shut(self._server)).result(CLOSE_SECONDS * 5)

    async def _open(self) -> Server:
        port = urlsplit(self._base_url()).port
        origins = [Origin(f"http://{name}:{port}") for name in (LOOPBACK, "localhost", "[::1]")]
        return await serve(
            self._talk, LOOPBACK, 0, origins=origins, process_request=self._gate, max_size=LONGEST_MESSAGE, compression=None,
            close_timeout=CLOSE_SECONDS,
        )  # fmt: skip

    async def _shut(self, server: Server) -> None:
        server.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), CLOSE_SECONDS * 2)

    def _gate(self, connection: ServerConnection, request: Request) -> Response | None:
        return None if ADDRESS.fullmatch(_number(request.path)) else connection.respond(HTTPStatus.BAD_REQUEST, "which number?\n")

    async def _talk(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        number, tab = _number(connection.request.path), Tab(connection, self._loop)
        self._phones.plug_in(number, tab)
        tasks = [asyncio.ensure_future(each) for each in (tab.write(), self._watch(tab))]
        try:
            with suppress(ConnectionClosed):
                async for message in connection:
                    if self._phones.is_newest(number, tab):
                        self._take(number, message)
        finally:
            for task in tasks:
                task.cancel()
            self._phones.pull_out(number, tab)

    def _take(self, number: str, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._phones.hear(number, message)
            return
        with suppress(ValueError):
            wish = json.loads(message)
            if isinstance(wish, dict):
                self._phones.do(number, wish)

    async def _watch(self, tab: Tab) -> None:
        """Tell the page when time begins to pass by itself, or no more does."""
        told = self._phones.is_real
        while True:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            if self._phones.is_real != told:
                told = self._phones.is_real
                tab.push({"event": "clock", "real": told})


def _number(path: str) -> str:
    return parse_qs(urlsplit(path).query).get("number", [""])[0]
