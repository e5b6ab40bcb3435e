"""The way to and from the simulated exchange without a network: its API as a carrier, its web-hooks as WSGI requests."""

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urldefrag, urlencode, urlsplit

from ivr.carrier.base import Accepted, CallRequest, CarrierCall, CarrierError, CarrierGone, Placement, Rejected, Unknown
from ivr.carrier.simulator import callees
from ivr.carrier.simulator.calls import EVENTS, Call, Order
from ivr.carrier.simulator.clock import moment
from ivr.carrier.simulator.exchange import Exchange
from ivr.carrier.simulator.signing import sign
from ivr.carrier.simulator.sound import wav
from ivr.carrier.simulator.webhooks import Reply, overrides_in
from tests.simulation.hub import Died, Hub

App = Callable[[dict[str, Any], Any], Iterable[bytes]]
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
READ_TIMEOUT = 10.0


@dataclass(frozen=True)
class Weather:
    """What the way to the carrier does, as shares of one request each; the list lags by so many seconds."""

    too_many: float = 0.0
    unreachable: float = 0.0
    error_before: float = 0.0
    hang_before: float = 0.0
    error_after: float = 0.0
    hang_after: float = 0.0
    callback_first: float = 0.0
    second_leg: float = 0.0
    other_failures: float = 0.0
    list_lag_seconds: float = 0.0

    def draw(self, chance: float) -> str:
        """The fate of one request for a call."""
        for name in FATES:
            chance -= getattr(self, name)
            if chance < 0:
                return name
        return "none"


FATES = ("too_many", "unreachable", "error_before", "hang_before", "error_after", "hang_after", "callback_first", "second_leg")


@dataclass
class Line:
    """`ivr.carrier.base.Carrier` over an exchange of the same process. `doubled`: pairs of calls that the carrier made of one request."""

    exchange: Exchange
    hub: Hub
    weather: Weather = field(default_factory=Weather)
    doubled: list[tuple[str, str]] = field(default_factory=list)
    fates: dict[str, int] = field(default_factory=dict)

    def place_call(self, request: CallRequest) -> Placement:
        """Ask for one call; what is answered, and whether it was placed, is fate's."""
        self.hub.at("post")
        fate = self.weather.draw(self.hub.chance.random())
        self.fates[fate] = self.fates.get(fate, 0) + 1
        if fate == "too_many":
            return Rejected("busy", "20429", "Too Many Requests")
        if fate == "unreachable":
            return Rejected("unreachable", "unreachable", "not reachable")
        if fate in ("error_before", "hang_before"):
            self.hub.sleep(READ_TIMEOUT if fate == "hang_before" else 0.0)
            return Unknown("HTTP 500" if fate == "error_before" else "ReadTimeout")
        refused = self._refused(request.to)
        if refused is not None:
            return refused
        call = self.exchange.place(_order(request))
        if fate == "second_leg":
            self.doubled.append((call.sid, self.exchange.place(_order(request)).sid))
        if fate == "callback_first":
            self.exchange.hurry(call)
        self.hub.note(f"the carrier takes {call.sid} ({fate})")
        self.hub.at("posted")
        if fate == "hang_after":
            self.hub.sleep(READ_TIMEOUT)
        return Unknown(fate) if fate in ("error_after", "hang_after") else Accepted(call.sid, call.queue_milliseconds)

    def _refused(self, number: str) -> Placement | None:
        kind = callees.kind_of(number)
        if kind.traits.pick_up == "rejected":
            return Rejected("bad_number", "21216", "Account not allowed to call")
        if kind.name == "carrier_error" and self.exchange.first_failure_of(number):
            return Unknown("HTTP 503")
        return None

    def hang_up(self, sid: str, *, ringing_only: bool = False) -> None:
        """End a call at the exchange."""
        self._ask()
        call = self._call(sid)
        if not call.ended and not (ringing_only and call.answered_at is not None):
            self.exchange.end(call)
        self.hub.at("carried")

    def redirect(self, sid: str, url: str, limit_seconds: int | None = None) -> None:
        """Nobody is listened to here."""
        raise CarrierError("nobody is listened to")

    def hold(self, room: str, call_sid: str, on: bool, url: str) -> None:
        """Nobody is taken over here."""
        raise CarrierGone("no such room")

    def mute(self, room: str, call_sid: str, on: bool) -> None:
        """Nobody is taken over here."""
        raise CarrierGone("no such room")

    def fetch_call(self, sid: str) -> CarrierCall:
        """The call as the exchange knows it."""
        self._ask()
        return _seen(self._call(sid))

    def find_calls(self, to: str, since: datetime) -> list[CarrierCall]:
        """The exchange's list, as old as its lag."""
        self._ask()
        horizon = self.exchange.clock.now() - self.weather.list_lag_seconds
        earliest = since.replace(microsecond=0).timestamp()
        found = [_seen(call) for call in self.exchange.calls_to(to) if call.created_at <= horizon and int(call.created_at) >= earliest]
        self.hub.at("carried")
        return found[::-1]

    def fetch_recording(self, sid: str) -> bytes:
        """A finished recording."""
        self._ask()
        recording = self.exchange.recordings.get(sid)
        if recording is None or recording.deleted or self.exchange.clock.now() < recording.available_at:
            raise CarrierGone("recording: not there")
        return wav(1.0, 1.0, recording.sid)

    def delete_recording(self, sid: str) -> None:
        """Delete the exchange's copy."""
        self._ask()
        if sid in self.exchange.recordings:
            self.exchange.recordings[sid].deleted = True
        self.hub.at("carried")

    def _ask(self) -> None:
        self.hub.at("carrier")
        if self.hub.chance.random() < self.weather.other_failures:
            raise CarrierError("HTTP 503")

    def _call(self, sid: str) -> Call:
        if sid not in self.exchange.calls:
            raise CarrierGone("call: not there")
        return self.exchange.calls[sid]


def _order(request: CallRequest) -> Order:
    return Order(
        request.to, request.caller_id, url=request.answer_url, fallback_url=request.fallback_url, status_url=request.status_url,
        status_events=frozenset(EVENTS), ring_seconds=request.ring_seconds, limit_seconds=request.limit_seconds,
        machine_detection="Enable" if request.machine_url else "", machine_asynchronous=True, machine_url=request.machine_url,
    )  # fmt: skip


def _seen(call: Call) -> CarrierCall:
    created = moment(call.created_at).replace(microsecond=0)
    return CarrierCall(call.sid, call.order.to, call.order.caller_id, call.status, created, call.seconds, call.answered_by)


@dataclass
class Door:
    """Sends the exchange's web-hooks, signed, into the voice app; a dead app answers nothing until it is opened anew.

    `acknowledged` holds (call sid, url) of each turn that got our own reply; `refusals` what no honest request may get;
    `rang` each call whose ringing we were told of, and took the report.
    """

    hub: Hub
    base_url: str
    token: str
    app: Callable[[], App]
    died: Callable[[], None]
    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    refusals: list[str] = field(default_factory=list)
    rang: set[str] = field(default_factory=set)
    broken: int = 0

    def send(self, url: str, method: str, params: Mapping[str, str], idempotency: str, cookies: dict[str, str] | None = None) -> Reply:
        """Ask once, and again where the address wishes it; without a wish, once more when no connection could be made."""
        plain, fragment = urldefrag(url)
        overrides, reply = overrides_in(fragment), self.ask(plain, params)
        for _ in range(overrides.count):
            if not overrides.cover(reply):
                break
            reply = self.ask(plain, params)
        return reply

    def download(self, url: str) -> Reply:
        """No sounds are played here."""
        return Reply(404, "", b"", url, 11200, "HTTP 404")

    def ask(self, url: str, params: Mapping[str, str]) -> Reply:
        """One signed POST. A door that dies in the middle gives no reply; one that was dead before, no connection."""
        hub, before = self.hub, self.broken
        if hub.chance.random() < hub.fates.death:
            hub.note("no connection to the door")
            return Reply(0, "", b"", url, 11205, "cannot connect")
        hub.within_door += 1
        try:
            status, kind, body = request(self.app(), self.base_url, url, params, sign(self.token, url, params))
        except Died:
            self.died()
            return Reply(0, "", b"", url, 11200, "no reply")
        finally:
            hub.within_door -= 1
        hub.note(f"{url.removeprefix(self.base_url)} {params.get('CallStatus', '')} {params.get('Digits', '')} -> {status}")
        if status >= 400 and self.broken == before:
            self.refusals.append(f"{params.get('CallSid')}: {url} was answered {status}")
        if status < 300 and params.get("CallStatus") == "ringing":
            self.rang.add(params.get("CallSid", ""))
        if status == 200 and self.broken == before:
            self.acknowledged.add((params.get("CallSid", ""), url))
        problem = None if status < 300 else 11200
        return Reply(status, kind, body, url, problem, "" if problem is None else f"HTTP {status}")


def request(app: App, base_url: str, url: str, form: Mapping[str, str], signature: str) -> tuple[int, str, bytes]:
    """One POST into a WSGI app: status, content type, body."""
    body, answer = urlencode(form).encode(), {}
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    environ = {
        "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": unquote(parts.path), "QUERY_STRING": parts.query, "RAW_URI": path,
        "SERVER_NAME": urlsplit(base_url).hostname, "SERVER_PORT": "443", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "https",
        "wsgi.version": (1, 0), "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), "wsgi.multithread": False,
        "wsgi.multiprocess": True, "wsgi.run_once": False, "CONTENT_TYPE": FORM, "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_TWILIO_SIGNATURE": signature, "HTTP_HOST": urlsplit(base_url).netloc, "REMOTE_ADDR": "127.0.0.1",
    }  # fmt: skip

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        answer.update({name.lower(): value for name, value in headers}, status=status)

    replied = b"".join(app(environ, start_response))
    return int(answer["status"][:3]), answer.get("content-type", ""), replied
