"""Serving an exchange's API on a port of this machine, in this process: its state is in memory."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from ivr.carrier.simulator.app import create_app
from ivr.carrier.simulator.exchange import Exchange

LOOPBACK = "127.0.0.1"
POLL_SECONDS = 0.02  # how soon a server in a thread notices that it is to stop


class QuietHandler(WSGIRequestHandler):
    """Keeps numbers out of the log: nothing is written for a request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""


def bind(exchange: Exchange, host: str = LOOPBACK, port: int = 0) -> BaseWSGIServer:
    """A threaded server bound to a port (0: any free one); the exchange learns its address. Call `serve_forever` on it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server(host, port, create_app(exchange), threaded=True, request_handler=QuietHandler)
    exchange.base_url = f"http://{host}:{server.server_port}"
    return server


def serve(exchange: Exchange, host: str = LOOPBACK, port: int = 0) -> None:
    """Serve until the process is told to stop."""
    bind(exchange, host, port).serve_forever()


@contextmanager
def serving(exchange: Exchange, host: str = LOOPBACK, port: int = 0) -> Iterator[str]:
    """Serve in a thread for the length of a `with`; gives the base URL. The exchange is closed at the end."""
    server = bind(exchange, host, port)
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), name="carrier", daemon=True)
    thread.start()
    try:
        yield exchange.base_url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        exchange.close()
