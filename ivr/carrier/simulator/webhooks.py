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
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
MAX_REDIRECTS = 10
CONNECT_FAILURES = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)


@dataclass(frozen=True)
class Reply:
    """What came back. `error` is the carrier's error number when nothing usable did; `url` is where it came from in the end.

    `is_overdue`: nothing at all came, in the time that there was.
    """

    status: int
    content_type: str
    body: bytes
    url: str
    error: int | None = None
    message: str = ""
    is_overdue: bool = False


@dataclass(frozen=True)
class Overrides:
    """`#rc=..&rp=..&ct=..&rt=..&tt=..` of a URL: how many repeats, after what; seconds to connect, to read, in all."""

    count: int = 1
    after: frozenset[str] = frozenset({"ct"})
    connect: float = 5.0
    read: float = 15.0
    total: float = 15.0

    @property
    def timeout(self) -> urllib3.Timeout:
        """The limits as the HTTP library takes them."""
        return urllib3.Timeout(connect=self.connect, read=self.read, total=self.total)

    def cover(self, reply: Reply) -> bool:
        """Whether this outcome is to be repeated. A connection that broke after the request was sent is none of the policies'."""
        if reply.error in (11205, 11210):
            return bool(self.after & {"ct", "all"})
        kind = "rt" if reply.is_overdue else f"{reply.status // 100}xx"
        return reply.error is not None and (reply.is_overdue or reply.status >= 400) and bool(self.after & {kind, "all"})


@dataclass(frozen=True)
class Manner:
    """How one web-hook is sent: the call's cookies (kept up to date), the token of its repeats, the URL's overrides."""

    cookies: dict[str, str]
    idempotency: str = ""
    overrides: Overrides = Overrides()


class WebHooks:
    """Sends web-hooks signed with the account's token. Safe for use by many threads; no proxies of the environment."""

    def __init__(self, auth_token: str, connections: int) -> None:
        self._token = auth_token
        self._pool = urllib3.PoolManager(num_pools=32, maxsize=connections, retries=False)

    def send(self, url: str, method: str, params: Mapping[str, str], idempotency: str, cookies: dict[str, str] | None = None) -> Reply:
        """Ask once, follow redirects (which lose the parameters), repeat as the URL's fragment allows; never raises for the network."""
        plain, fragment = urldefrag(url)
        overrides = overrides_in(fragment)
        manner = Manner({} if cookies is None else cookies, idempotency, overrides)
        end = monotonic() + overrides.total
        reply = self._follow(plain, method, params, manner)
        for _ in range(overrides.count):
            if not overrides.cover(reply) or monotonic() > end:
                break
            reply = self._follow(plain, method, params, manner)
        return reply

    def download(self, url: str) -> Reply:
        """Get a sound: no parameters, no signature."""
        return self._once(url, "GET", b"", {"User-Agent": AGENT}, Manner({}))[0]

    def _follow(self, url: str, method: str, params: Mapping[str, str], manner: Manner) -> Reply:
        for _ in range(MAX_REDIRECTS + 1):
            reply, location = self._signed(url, method, params, manner)
            if location is None:
                return reply
            url, method, params = urljoin(url, location), "GET", {}
        return Reply(0, "", b"", url, 11215, f"more than {MAX_REDIRECTS} redirects")

    def _signed(self, url: str, method: str, params: Mapping[str, str], manner: Manner) -> tuple[Reply, str | None]:
        headers = {"User-Agent": AGENT, "Accept": ACCEPT, "I-Twilio-Idempotency-Token": manner.idempotency}
        if manner.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in manner.cookies.items())
        if method == "GET":
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}" if params else url
            return self._once(url, "GET", b"", headers | {"X-Twilio-Signature": sign(self._token, url, {})}, manner)
        headers |= {"X-Twilio-Signature": sign(self._token, url, params), "Content-Type": FORM}
        return self._once(url, method, urlencode(params).encode(), headers, manner)

    def _once(self, url: str, method: str, body: bytes, headers: Mapping[str, str], manner: Manner) -> tuple[Reply, str | None]:
        try:
            answer = self._pool.request(
                method, url, body=body, headers=headers, timeout=manner.overrides.timeout, redirect=False, retries=False
            )
        except CONNECT_FAILURES as problem:
            return Reply(0, "", b"", url, 11205, f"cannot connect: {type(problem).__name__}"), None
        except (urllib3.exceptions.HTTPError, ValueError) as problem:
            is_overdue = isinstance(problem, urllib3.exceptions.ReadTimeoutError)
            return Reply(0, "", b"", url, 11200, f"no reply: {type(problem).__name__}", is_overdue), None
        _keep_cookies(manner.cookies, answer.headers.get_all("Set-Cookie") or [])
        if answer.status in (301, 302, 303, 307, 308) and answer.headers.get("Location"):
            return Reply(answer.status, "", b"", url), answer.headers["Location"]
        kind = answer.headers.get("Content-Type", "")
        if 200 <= answer.status < 300:
            return Reply(answer.status, kind, answer.data, url), None
        return Reply(answer.status, kind, answer.data, url, 11200, f"HTTP {answer.status}"), None


def overrides_in(fragment: str) -> Overrides:
    """What a URL's fragment wishes; the carrier's own ways where it says nothing."""
    if not fragment:
        return Overrides()
    fields = {name: values[0] for name, values in parse_qs(fragment).items()}
    limits = {
        field: min(max(int(fields[name]), 100), 15000) / 1000
        for name, field in (("ct", "connect"), ("rt", "read"), ("tt", "total"))
        if fields.get(name, "").isdigit()
    }
    count = fields.get("rc", "")
    return Overrides(min(int(count), 5) if count.isdigit() else 1, frozenset(fields.get("rp", "ct").split(",")), **limits)


def _keep_cookies(jar: dict[str, str], headers: list[str]) -> None:
    for header in headers:
        try:
            jar.update({name: morsel.value for name, morsel in SimpleCookie(header).items()})
        except CookieError:
            continue
