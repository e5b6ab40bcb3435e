"""A receiver of web-hooks on this machine: real HTTP, with whatever fault a test asks for."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LONGEST_SECONDS = 30.0


@dataclass
class Receiver:
    """What the receiver answers and has got: (path, headers, body)."""

    port: int = 0
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    drops: bool = False
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def running(receiver: Receiver, context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """The receiver, for the length of the block, by https where a context is given; its port stands in the receiver."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append((self.path, dict(self.headers.items()), body))
            if receiver.hangs:
                receiver.over.wait(LONGEST_SECONDS)
            if receiver.hangs or receiver.drops:
                self.close_connection = True
                return
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *words: object) -> None:
            """Say nothing on the terminal."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *of: object) -> None:
            """A client that does not trust us is no fault of ours."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield receiver
        finally:
            receiver.over.set()
            server.shutdown()
            thread.join()
