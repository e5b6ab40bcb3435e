"""Fetches recordings from the carrier, and from nowhere else.

The address is built from the identifier; what a web-hook says about addresses is never used (RS61). A redirect is followed
only within the configured host, so neither our credentials nor our requests can be led elsewhere.
"""

import time
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

import requests

from ivr.carrier.base import CarrierError, CarrierGone

LARGEST = 20 * 1024 * 1024  # twenty minutes of 8 kHz 16-bit sound
MOST_REDIRECTS = 3
LONGEST_SECONDS = 60.0  # for one file in all, however slowly it drips
CHUNK = 64 * 1024


@dataclass(frozen=True)
class MediaClient:
    """Where recordings lie and how to show that we may have them; `timeout` is (connect, read) in seconds."""

    api_url: str
    account_sid: str
    credentials: tuple[str, str]
    session: requests.Session
    timeout: tuple[float, float]

    def fetch(self, sid: str) -> bytes:
        """The WAV file of a recording. Raises CarrierGone for 404, CarrierError for anything that is not a WAV of sane size."""
        url = f"{self.api_url.rstrip('/')}/2010-04-01/Accounts/{quote(self.account_sid, safe='')}/Recordings/{quote(sid, safe='')}"
        for _ in range(MOST_REDIRECTS + 1):
            with self._get(url) as response:
                if not response.is_redirect:
                    return checked_sound(_body(response))
                url = self._within(urljoin(url, response.headers["Location"]))
        raise CarrierError("recording: too many redirects")

    def _get(self, url: str) -> requests.Response:
        headers = {"Accept": "audio/*", "Accept-Encoding": "identity"}
        return self.session.get(
            url, auth=self.credentials, headers=headers, timeout=self.timeout, allow_redirects=False, stream=True
        )  # fmt: skip

    def _within(self, url: str) -> str:
        if _origin(url) != _origin(self.api_url):
            raise CarrierError("recording: redirected to another host")
        return url


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, port


def _body(response: requests.Response) -> bytes:
    if response.status_code == 404:
        raise CarrierGone("recording: not there")
    if response.status_code != 200:
        raise CarrierError(f"recording: HTTP {response.status_code}")
    deadline = time.monotonic() + LONGEST_SECONDS
    body = bytearray()
    for chunk in response.iter_content(CHUNK):
        body += chunk
        if len(body) > LARGEST:
            raise CarrierError("recording: too large")
        if time.monotonic() > deadline:
            raise CarrierError("recording: too slow")
    return bytes(body)


def checked_sound(body: bytes) -> bytes:
    """The bytes, if they begin as a WAV file does. Raises CarrierError."""
    if body[:4] != b"RIFF" or body[8:12] != b"WAVE":
        raise CarrierError("recording: not a WAV file")
    return body
