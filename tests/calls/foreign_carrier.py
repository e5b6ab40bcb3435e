"""Another carrier: the least server that speaks the contract, written apart from our simulator, with sids of another form.

It takes `POST .../Calls.json`, tells the statuses, fetches the document, presses a key at every Gather, leaves two
seconds of silence at every Record, and signs what it sends. Standard library only.
"""

import base64
import hashlib
import hmac
import io
import json
import threading
import uuid
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode
from urllib.request import Request, urlopen
from xml.etree import ElementTree

ACCOUNT, TOKEN = "3f0d5a3e-6c1d-4b0a-9c53-0c2f9f1d7a11", "a token that is not Twilio's"
MOST_TURNS = 60


@dataclass
class ForeignCarrier:
    """What it was asked, what it did. `first_key` is pressed at a call's first Gather."""

    first_key: str = "2"
    pressed: list[tuple[str, str]] = field(default_factory=list)  # (call sid, key)
    recordings: dict[str, bytes] = field(default_factory=dict)
    ordered: list[dict[str, str]] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def take(self, order: dict[str, str]) -> dict[str, Any]:
        """Accept a call and begin it."""
        self.ordered.append(order)
        sid = str(uuid.uuid4())
        thread = threading.Thread(target=self._converse, args=(sid, order), daemon=True)
        self.threads.append(thread)
        thread.start()
        return {"sid": sid, "status": "queued", "to": order["To"], "from": order["From"], "date_created": formatdate(usegmt=True)}

    def _converse(self, sid: str, order: dict[str, str]) -> None:
        facts = {"CallSid": sid, "AccountSid": ACCOUNT, "From": order["From"], "To": order["To"]}
        for status in ("ringing", "in-progress"):
            self._post(order["StatusCallback"], facts | {"CallStatus": status, "SequenceNumber": "0"})
        url, extra = order["Url"], {"CallStatus": "in-progress"}
        for _ in range(MOST_TURNS):
            following = self._play(sid, self._post(url, facts | extra))
            if following is None:
                break
            url, extra = following
        self._post(order["StatusCallback"], facts | {"CallStatus": "completed", "SequenceNumber": "0", "CallDuration": "61"})

    def _play(self, sid: str, document: bytes) -> tuple[str, dict[str, str]] | None:
        for verb in ElementTree.fromstring(document):
            if verb.tag == "Gather":
                key = "2" if any(sid == called for called, _ in self.pressed) else self.first_key
                self.pressed.append((sid, key))
                return verb.attrib["action"], {"Digits": key}
            if verb.tag == "Record":
                recording = str(uuid.uuid4())
                self.recordings[recording] = silence(2)
                return verb.attrib["action"], {"RecordingSid": recording, "RecordingDuration": "2", "Digits": "#"}
            if verb.tag == "Redirect":
                return str(verb.text), {}
            if verb.tag == "Hangup":
                return None
        return None

    def _post(self, url: str, form: dict[str, str]) -> bytes:
        signed = url + "".join(name + form[name] for name in sorted(form))
        signature = base64.b64encode(hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha1).digest()).decode()
        with urlopen(Request(url, urlencode(form).encode(), {"X-Twilio-Signature": signature}), timeout=60) as answer:
            body: bytes = answer.read()
        return body


def silence(seconds: int) -> bytes:
    """A WAV file without a sound in it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000 * seconds))
    return file.getvalue()


@contextmanager
def serving(carrier: ForeignCarrier) -> Iterator[str]:
    """Serve the carrier's API on a port of this machine; gives its base URL."""

    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._answer(201, json.dumps(carrier.take({name: values[0] for name, values in form.items()})).encode())

        def do_GET(self) -> None:
            sound = carrier.recordings.get(self._recording())
            self._answer(200 if sound else 404, sound or b"{}", "audio/x-wav" if sound else "application/json")

        def do_DELETE(self) -> None:
            self._answer(204 if carrier.recordings.pop(self._recording(), None) else 404, b"")

        def _recording(self) -> str:
            return self.path.partition("?")[0].rpartition("/")[2].partition(".")[0]

        def _answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: Any) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
