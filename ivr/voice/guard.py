"""The lock of the voice door: nothing runs, and nothing is read from the database, before the carrier's signature holds.

The signature covers the URL as the carrier knows it, so it is checked on the public base URL and the raw path of the request:
Werkzeug's `request.url` is decoded and would break it (twilio_voice §5). Every route is locked unless it is named in OPEN.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Flask, Request, Response, g, request
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from ivr.voice.insistence import insist

log = logging.getLogger(__name__)

OPEN = frozenset({"voice.health", "voice.readiness", "voice.music"})
"""Health, readiness (which guards itself), and the music of the queue: the carrier signs no fetch of a sound (twilio_voice §5)."""
LONGEST_SIGNATURE = 64  # base64 of SHA-1 has 28 characters
LONGEST_FORM = 64 * 1024
MOST_PARAMETERS = 200
PATH_CHARACTERS = "/~!$&'()*+,;=:@-._"


@dataclass(frozen=True)
class Guard:
    """Who may knock: requests for `public_base_url` that `account_sid` signed with one of `tokens`.

    Two tokens stand side by side while the carrier's token is being changed.
    """

    public_base_url: str
    account_sid: str
    tokens: tuple[str, ...]

    @cached_property
    def _validators(self) -> tuple[RequestValidator, ...]:
        return tuple(RequestValidator(token) for token in self.tokens if token)

    def url_of(self, path: str) -> str:
        """The address of a path as the carrier knows it."""
        return self.public_base_url.rstrip("/") + path

    def signed_url(self, environ: Mapping[str, Any]) -> str:
        """The URL that the carrier was given and has signed, byte for byte."""
        base = self.public_base_url.rstrip("/")
        path = raw_path(environ)
        prefix = urlsplit(base).path
        if prefix and path.startswith(prefix + "/"):
            path = path.removeprefix(prefix)
        return base + path

    def is_signed(self, environ: Mapping[str, Any], form: MultiDict[str, str], signature: str) -> bool:
        """Whether the signature covers this URL and every parameter of the form; with or without the port.

        The carrier signs no fragment; a server that speaks its contract may have signed the address as it was given.
        """
        url = self.signed_url(environ)
        return any(validator.validate(address, form, signature) for validator in self._validators for address in (url, insist(url)))

    def is_signed_stream(self, url: str, signature: str) -> bool:
        """Whether the handshake of a media stream at `url` is the carrier's.

        Which scheme it signs, and whether with a slash at the end, differs (twilio_voice §5.6).
        """
        secure, plain = url.replace("wss://", "https://", 1), url.replace("ws://", "http://", 1)
        addresses = {base + end for base in (url, secure, plain) for end in ("", "/")}
        return any(validator.validate(address, {}, signature) for validator in self._validators for address in addresses)


def raw_path(environ: Mapping[str, Any]) -> str:
    """Path and query as they came over the wire; put together again where the server does not hand them on."""
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if raw:
        return str(raw) if raw.startswith("/") else _without_host(str(raw))
    path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1", "replace")
    query = environ.get("QUERY_STRING", "")
    return quote(path, safe=PATH_CHARACTERS) + (f"?{query}" if query else "")


def _without_host(uri: str) -> str:
    parts = urlsplit(uri)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def lock(app: Flask, guard: Guard, refused: Callable[[int], None]) -> None:
    """Put the guard before every route of the app, also before those that do not exist, and keep refusals silent.

    `refused` is told the status of every refusal.
    """
    app.config.update(MAX_CONTENT_LENGTH=LONGEST_FORM, MAX_FORM_MEMORY_SIZE=LONGEST_FORM, MAX_FORM_PARTS=MOST_PARAMETERS)

    @app.before_request
    def _check() -> Response | None:
        if request.endpoint in OPEN:
            return None
        status = refusal(guard, request)
        if status is None:
            return None
        log.warning("refused %s with %d", request.method, status, extra={"action": "voice.refused"})
        g.refused = True
        refused(status)
        return Response(status=status)

    @app.errorhandler(HTTPException)
    def _silently(error: HTTPException) -> Response:
        return Response(status=error.code or 400)


def refusal(guard: Guard, given: Request) -> int | None:
    """The status with which a request is to be refused, or None for a request that the carrier really sent."""
    signature = given.headers.get("X-Twilio-Signature", "")
    if not signature or len(signature) > LONGEST_SIGNATURE or not signature.isascii():
        return 403
    form = given.form
    if sum(len(values) for _, values in form.lists()) > MOST_PARAMETERS:
        return 413
    if not guard.is_signed(given.environ, form, signature):
        return 403
    return None if form.get("AccountSid") == guard.account_sid else 403
