"""A small media server for the exchange to speak to: it keeps what it gets and may redirect, break off or refuse."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from websockets.datastructures import Headers
from websockets.exceptions import WebSocketException
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from speech.audio import mulaw_to_pcm
from tests.ivr.simulator.toy import TOKEN, RequestValidator

Reaction = Callable[["Ears", "Heard"], None]


@dataclass
class Heard:
    """One stream: its messages in order, and the connection it came by."""

    connection: ServerConnection
    signed: bool
    messages: list[dict] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    at: list[float] = field(default_factory=list)
    done: bool = False
    loud: list[bool] = field(default_factory=list)

    @property
    def start(self) -> dict:
        return next(message["start"] for message in self.messages if message["event"] == "start")

    @property
    def media(self) -> list[dict]:
        return [message["media"] for message in self.messages if message["event"] == "media"]

    def samples(self) -> list[int]:
        return mulaw_to_pcm(b"".join(base64.b64decode(media["payload"]) for media in self.media)).tolist()


@dataclass
class Ears:
    """The server. `react` is called after each message; `refuse` answers handshakes with 403."""

    url: str = ""
    streams: list[Heard] = field(default_factory=list)
    react: Reaction | None = None
    refuse: bool = False

    def gate(self, connection: ServerConnection, request: Request) -> Response | None:
        return Response(403, "Forbidden", Headers({"Content-Length": "0"}), b"") if self.refuse else None

    def hear(self, connection: ServerConnection) -> None:
        signature = connection.request.headers.get("X-Twilio-Signature", "")
        heard = Heard(connection, RequestValidator(TOKEN).validate(self.url, {}, signature))
        self.streams.append(heard)
        try:
            for message in connection:
                heard.messages.append(json.loads(message))
                heard.at.append(monotonic())
                if self.react is not None:
                    self.react(self, heard)
        except WebSocketException:
            return
        finally:
            heard.over.set()

    def named(self, name: str) -> Heard:
        """The stream that was opened with a parameter `step` of this value."""
        return next(heard for heard in self.streams if heard.start["customParameters"].get("step") == name)


@contextmanager
def listening(ears: Ears) -> Iterator[Ears]:
    """The server on a free port of this machine."""
    server = serve(ears.hear, "127.0.0.1", 0, process_request=ears.gate, compression=None, max_queue=None)
    ears.url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/media"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield ears
    finally:
        server.shutdown()
        thread.join()
