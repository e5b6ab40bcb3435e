"""The live socket of a page as a test holds it: a real WebSocket to a console on a port of this machine, with a browser's cookie."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from werkzeug.serving import make_server

PATIENCE_SECONDS = 20.0


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The console on a port of this machine; gives `127.0.0.1:<port>`."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def cookie_of(client: FlaskClient) -> str:
    kept = client.get_cookie("huifang")
    return f"huifang={kept.value}" if kept else ""


def open_socket(place: str, cookie: str, *topics: str, origin: str | None = "") -> ClientConnection:
    """A socket that follows the topics; `origin` empty means that of the console itself, None none at all. Raises InvalidStatus."""
    query = "&".join(f"topic={topic}" for topic in topics)
    return connect(
        f"ws://{place}/live?{query}", origin=f"http://{place}" if origin == "" else origin, additional_headers={"Cookie": cookie},
        open_timeout=PATIENCE_SECONDS, close_timeout=1, proxy=None,
    )  # fmt: skip


def status_of(place: str, cookie: str, *topics: str, origin: str | None = "") -> int:
    """The status that answers the handshake: 101 where there is a socket, which is let go at once."""
    host, _, port = place.partition(":")
    connection = HTTPConnection(host, int(port), timeout=PATIENCE_SECONDS)
    own = {"Origin": f"http://{place}" if origin == "" else origin} if origin is not None else {}
    asked = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x" * 22 + "=="}
    try:
        connection.request("GET", f"/live?{'&'.join(f'topic={topic}' for topic in topics)}", headers={**own, **asked, "Cookie": cookie})
        return connection.getresponse().status
    finally:
        connection.close()


def next_topic(socket: ClientConnection) -> str:
    """The topic of the next frame that has one."""
    while True:
        frame: dict[str, Any] = json.loads(socket.recv(timeout=PATIENCE_SECONDS))
        if frame["topic"]:
            assert frame["v"] >= 1
            return str(frame["topic"])


def end_of(socket: ClientConnection) -> int | None:
    """With which code the server closes the socket."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and socket.protocol.close_rcvd is None:
        with suppress(TimeoutError, ConnectionClosed):
            socket.recv(timeout=0.1)
    return socket.protocol.close_rcvd and socket.protocol.close_rcvd.code
