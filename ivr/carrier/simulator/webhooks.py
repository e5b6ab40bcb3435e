"""The exchange's side of HTTP: signed requests, kept-alive connections, redirects, one repeat when connecting failed."""

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from time import monotonic
from urllib.parse import parse_qs, urldefrag, urlencode, urljoin

import urllib3

from ivr.carrier.simulator.signing import sign

AGENT = "TwilioProxy/1.1"
ACCEPT = "audio/*, application/xml, text/xml, text/html"
MAX_REDIRECTS = 10
CONNECT_FAILURES = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)


@dataclass(frozen=True)
class Reply:
    """What came back. `error` is the carrier's error number when nothing usable did; `url` is where it came from in the end."""

    status: int
    content_type: str
    body: bytes
    url: str
    error: int | None = None
    message: str = ""


@dataclass(frozen=True)
class Retries:
    """`#rc=..&rp=..` of a URL: how many repeats, and after what."""

    count: int = 1
    after: frozenset[str] = frozenset({"ct"})

    def cover(self, reply: Reply) -> bool:
        """Whether this outcome is to be repeated."""
        if reply.error in (11205, 11210):
            return bool(self.after & {"ct", "all"})
        kind = "rt" if reply.error == 11200 and reply.status == 0 else f"{reply.status // 100}xx"
        return reply.error is not None and bool(self.after & {kind, "all"})


class WebHooks:
    """Sends web-hooks signed with the account's token. Safe for use by many threads; no proxies of the environment."""

    def __init__(self, auth_token: str, connections: int, connect_seconds: float = 5.0, total_seconds: float = 15.0) -> None:
        self._token, self._total = auth_token, total_seconds
        self._timeout = urllib3.Timeout(connect=connect_seconds, read=total_seconds, total=total_seconds)
        self._pool = urllib3.PoolManager(num_pools=32, maxsize=connections, retries=False)

    def send(self, url: str, method: str, params: Mapping[str, str], idempotency: str, cookies: dict[str, str] | None = None) -> Reply:
        """Ask once, follow redirects (which lose the parameters), repeat as the URL's fragment allows; never raises for the network."""
        plain, fragment = urldefrag(url)
        retries = _retries(fragment)
        jar = {} if cookies is None else cookies
        end = monotonic() + self._total
        reply = self._follow(plain, method, params, idempotency, jar)
        for _ in range(retries.count):
            if not retries.cover(reply) or monotonic() > end:
                break
            reply = self._follow(plain, method, params, idempotency, jar)
        return reply

    def download(self, url: str) -> Reply:
        """Get a sound: no parameters, no signature."""
        return self._once(url, "GET", b"", {"User-Agent": AGENT}, {})[0]

    def _follow(self, url: str, method: str, params: Mapping[str, str], idempotency: str, jar: dict[str, str]) -> Reply:
        for _ in range(MAX_REDIRECTS + 1):
            reply, location = self._signed(url, method, params, idempotency, jar)
            if location is None:
                return reply
            url, method, params = urljoin(url, location), "GET", {}
        return Reply(0, "", b"", url, 11215, f"more than {MAX_REDIRECTS} redirects")

    def _signed(self, url: str, method: str, params: Mapping[str, str], idempotency: str, jar: dict[str, str]) -> tuple[Reply, str | None]:
        headers = {"User-Agent": AGENT, "Accept": ACCEPT, "I-Twilio-Idempotency-Token": idempotency}
        if jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        if method == "GET":
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}" if params else url
            return self._once(url, "GET", b"", headers | {"X-Twilio-Signature": sign(self._token, url, {})}, jar)
        headers |= {
            "X-Twilio-Signature": sign(self._token, url, params),
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        }
        return self._once(url, method, urlencode(params).encode(), headers, jar)

    def _once(self, url: str, method: str, body: bytes, headers: Mapping[str, str], jar: dict[str, str]) -> tuple[Reply, str | None]:
        try:
            answer = self._pool.request(method, url, body=body, headers=headers, timeout=self._timeout, redirect=False, retries=False)
        except CONNECT_FAILURES as problem:
            return Reply(0, "", b"", url, 11205, f"cannot connect: {type(problem).__name__}"), None
        except (urllib3.exceptions.HTTPError, ValueError) as problem:
            return Reply(0, "", b"", url, 11200, f"no reply: {type(problem).__name__}"), None
        _keep_cookies(jar, answer.headers.get_all("Set-Cookie") or [])
        if answer.status in (301, 302, 303, 307, 308) and answer.headers.get("Location"):
            return Reply(answer.status, "", b"", url), answer.headers["Location"]
        bad = None if 200 <= answer.status < 300 else 11200
        return Reply(
            answer.status, answer.headers.get("Content-Type", ""), answer.data, url, bad, f"HTTP {answer.status}" if bad else ""
        ), None


def _retries(fragment: str) -> Retries:
    if not fragment:
        return Retries()
    fields = parse_qs(fragment)
    count = fields.get("rc", ["1"])[0]
    after = fields.get("rp", ["ct"])[0]
    return Retries(min(int(count), 5) if count.isdigit() else 1, frozenset(after.split(",")))


def _keep_cookies(jar: dict[str, str], headers: list[str]) -> None:
    for header in headers:
        try:
            jar.update({name: morsel.value for name, morsel in SimpleCookie(header).items()})
        except CookieError:
            continue
