"""Whether a request comes from this very machine and from nobody beyond it."""

import hmac
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

PROXIED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")
"""Beginnings of the headers by which a proxy on this machine, which comes from loopback too, tells that it speaks for somebody else."""

UNTOUCHED = "werkzeug.proxy_fix.orig"
"""Where the environment is kept as it was before a trusted proxy's word was put in its place."""


def is_nearby(environ: Mapping[str, Any]) -> bool:
    """Whether the request came over loopback and no proxy stands between."""
    if any(name.startswith(PROXIED) for name in environ):
        return False
    address = environ.get(UNTOUCHED, {}).get("REMOTE_ADDR") or environ.get("REMOTE_ADDR") or ""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def bears(environ: Mapping[str, Any], token: str) -> bool:
    """Whether the request carries `Authorization: Bearer <token>`; with no token set nobody does."""
    kind, _, given = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    return bool(token) and kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())
