"""The headers that every response carries, errors and files included (RS65)."""

from flask import Flask, request
from werkzeug.wrappers import Response

CONTENT_POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
ALWAYS = {
    "Content-Security-Policy": CONTENT_POLICY,
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
        response.headers["Cache-Control"] = _caching()
        if https:
            response.headers["Strict-Transport-Security"] = f"max-age={A_YEAR}; includeSubDomains"
        return response


def _caching() -> str:
    """Vendored files carry their version in the path and never change; pages hold personal data and are kept nowhere."""
    if request.endpoint != "static":
        return "no-store"
    is_vendored = (request.view_args or {}).get("filename", "").startswith("vendor/")
    return f"public, max-age={A_YEAR}, immutable" if is_vendored else "no-cache"
