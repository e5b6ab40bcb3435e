"""The headers that every response carries, errors and files included (RS65)."""

import re

from flask import Flask, request
from werkzeug.wrappers import Response

CONTENT_POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
PLAIN_HOST = re.compile(r"[\w.-]+(?::\d+)?|\[[0-9a-fA-F:.]+\](?::\d+)?")
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
A_YEAR = 365 * 24 * 3600


def add_headers(app: Flask, *, https: bool) -> None:
    """Set the headers on every response of the app. `data:` images are Bootstrap's own tick marks and arrows."""

    @app.after_request
    def _add(response: Response) -> Response:
        response.headers.update(ALWAYS)
        response.headers["Content-Security-Policy"] = f"{CONTENT_POLICY}; connect-src {_reachable(https=https)}"
        response.headers["Cache-Control"] = _caching()
        if https:
            response.headers["Strict-Transport-Security"] = f"max-age={A_YEAR}; includeSubDomains"
        return response


def _reachable(*, https: bool) -> str:
    """Where scripts may go: home. The live socket is named, because `self` means no WebSocket to older browsers."""
    scheme = "wss" if https else "ws"
    return f"'self' {scheme}://{request.host}" if PLAIN_HOST.fullmatch(request.host) else "'self'"


def _caching() -> str:
    """Vendored files carry their version in the path and never change; pages hold personal data and are kept nowhere."""
    if request.endpoint != "static":
        return "no-store"
    is_vendored = (request.view_args or {}).get("filename", "").startswith("vendor/")
    return f"public, max-age={A_YEAR}, immutable" if is_vendored else "no-cache"
