"""A mail server on this machine: real SMTP over a socket, with whatever fault a test asks for."""

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

USER, PASSWORD = "huifang", "not the real one"
LONGEST_SECONDS = 30.0


@dataclass
class Post:
    """What the server does and has got. `answers` are other replies than the usual, by command; `tls` is "", starttls or tls.

    At a command in `hangs` it says nothing more; at one in `drops` it does what it was told, then cuts the line without a word.
    """

    port: int = 0
    tls: str = ""
    context: ssl.SSLContext | None = None
    wants_login: bool = False
    answers: dict[str, bytes] = field(default_factory=dict)
    hangs: set[str] = field(default_factory=set)
    drops: set[str] = field(default_factory=set)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class _Cut(Exception):
    """The line is to be cut."""


class _Session(socketserver.StreamRequestHandler):
    post: Post

    def handle(self) -> None:
        self.request.settimeout(LONGEST_SECONDS)
        self.encrypted, self.known, self.sender, self.recipients = False, False, "", list[str]()
        with suppress(_Cut, OSError):
            if self.post.tls == "tls":
                self._encrypt()
            self._reply("GREETING", b"220 mail.test ready")
            while line := self.rfile.readline():
                self._obey(line.decode("ascii").strip())

    def _obey(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        word = word.upper()
        self.post.said.append(word)
        handler = getattr(self, f"_{word.lower()}", None)
        if handler is None:
            self._reply(word, b"502 unknown")
        else:
            handler(rest)

    def _ehlo(self, rest: str) -> None:
        offers = [b"mail.test", b"SIZE 1000000"]
        offers += [b"STARTTLS"] if self.post.tls == "starttls" and not self.encrypted else []
        offers += [b"AUTH PLAIN LOGIN"] if self.post.wants_login else []
        lines = [b"250" + (b" " if offer is offers[-1] else b"-") + offer for offer in offers]
        self._reply("EHLO", b"\r\n".join(lines))

    def _starttls(self, rest: str) -> None:
        self._reply("STARTTLS", b"220 go ahead")
        self._encrypt()

    def _auth(self, rest: str) -> None:
        given = base64.b64decode(rest.partition(" ")[2]).decode()
        self.known = given == f"\0{USER}\0{PASSWORD}"
        self._reply("AUTH", b"235 welcome" if self.known else b"535 wrong")

    def _mail(self, rest: str) -> None:
        self.sender = rest.partition("<")[2].partition(">")[0]
        self._reply("MAIL", b"250 ok" if self.known or not self.post.wants_login else b"530 log in first")

    def _rcpt(self, rest: str) -> None:
        self.recipients.append(rest.partition("<")[2].partition(">")[0])
        self._reply("RCPT", b"250 ok")

    def _data(self, rest: str) -> None:
        self._reply("DATA", b"354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        if "MESSAGE" not in self.post.answers:
            self._accept(b"".join(lines))
        self._reply("MESSAGE", b"250 queued")

    def _accept(self, raw: bytes) -> None:
        self.post.raw.append(raw)
        self.post.envelopes.append((self.sender, self.recipients))
        self.post.mails.append(message_from_bytes(raw, policy=policy.default))  # type: ignore[arg-type]

    def _noop(self, rest: str) -> None:
        self._reply("NOOP", b"250 ok")

    def _rset(self, rest: str) -> None:
        self._reply("RSET", b"250 ok")

    def _quit(self, rest: str) -> None:
        self._reply("QUIT", b"221 bye")
        raise _Cut

    def _encrypt(self) -> None:
        assert self.post.context is not None
        self.request = self.post.context.wrap_socket(self.request, server_side=True)
        self.rfile, self.encrypted = self.request.makefile("rb"), True

    def _reply(self, word: str, usual: bytes) -> None:
        if word in self.post.hangs:
            self.post.over.wait(LONGEST_SECONDS)
            raise _Cut
        if word in self.post.drops:
            raise _Cut
        self.request.sendall(self.post.answers.get(word, usual) + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True


@contextmanager
def running(post: Post) -> Iterator[Post]:
    """The server, for the length of the block; its port stands in the post."""
    handler = type("Session", (_Session,), {"post": post})
    with _Server(("127.0.0.1", 0), handler) as server:
        post.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield post
        finally:
            post.over.set()
            server.shutdown()
            thread.join()
