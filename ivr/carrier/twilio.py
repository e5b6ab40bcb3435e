"""Calls through Twilio, or any server that speaks its REST contract: the one module that uses twilio's client.

The library repeats nothing by itself; here it also waits for nobody for ever, takes no region from the environment, and
never sends our credentials to another host (twilio_voice §7, reliability §2.2).
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from twilio.base.exceptions import TwilioException

from ivr.carrier.base import Accepted, CallRequest, CarrierCall, CarrierError, CarrierGone, Placement, Rejected, Unknown
from ivr.carrier.media import MediaClient

STATUS_EVENTS = ["initiated", "ringing", "answered", "completed"]
MOST_CALLS_LISTED = 200
MOST_ROOMS_LISTED = 20  # of one name, newest first
SID = re.compile(r"[A-Za-z0-9-]{2,64}")
PERSONAL = re.compile(r"sips?:[^\s,;>]+|\+?\d[\d -]{5,}\d")

BY_CODE = {
    "21211": "bad_number",
    "21214": "bad_number",
    "21215": "bad_number",  # no permission for that country
    "21216": "bad_number",  # blocked
    "21217": "bad_number",
    "13224": "bad_number",
    "13225": "bad_number",
    "13227": "bad_number",
    "21210": "bad_caller_id",
    "21212": "bad_caller_id",
    "21213": "bad_caller_id",
    "20003": "credentials",
    "10001": "credentials",
    "20404": "credentials",  # no such account
    "20429": "busy",
    "22005": "busy",  # the carrier's own queue is full
}
BY_STATUS = {401: "credentials", 403: "credentials", 404: "credentials", 429: "busy"}
MAYBE_PROCESSED = frozenset({408, 409, 425})
NOT_IN_PROGRESS = 21220

BEFORE_SENDING = frozenset({"NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "SSLCertVerificationError"})
"""Failures of the transport after which the carrier cannot have read a byte of the request."""


class TwilioCarrier:
    """The carrier behind `api_url`. `api_key` and `api_secret` replace the token for REST where they are given.

    Connecting may take `connect_seconds`, each answer `timeout_seconds`.
    """

    def __init__(
        self, account_sid: str, auth_token: str, api_url: str, *, api_key: str = "", api_secret: str = "",
        connect_seconds: float = 3.0, timeout_seconds: float = 10.0,
    ) -> None:  # fmt: skip
        from twilio.http.http_client import TwilioHttpClient
        from twilio.rest import Client  # a tenth of a second: paid once per process, before workers fork

        quiet = logging.getLogger("huifang.carrier.library")
        quiet.disabled = True  # it would log the numbers that are called, and so would the next at DEBUG
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
        http: Any = TwilioHttpClient(logger=quiet)
        http.timeout = (connect_seconds, timeout_seconds)
        http.session.trust_env = not is_loopback(api_url)
        user, secret = (api_key, api_secret) if api_key else (account_sid, auth_token)
        self._client: Any = Client(user, secret, account_sid, http_client=http, environment={"TWILIO_REGION": ""})
        self._client.api.base_url = api_url.rstrip("/")
        self._media = MediaClient(api_url, account_sid, (user, secret), http.session, http.timeout)

    def place_call(self, request: CallRequest) -> Placement:
        """Ask for one call, once; every way it can end is one of accepted, rejected, unknown."""
        try:
            call = self._client.calls.create(**_parameters(request))
            if not isinstance(call.sid, str) or not SID.fullmatch(call.sid):
                return Unknown("accepted without a call sid")
            return Accepted(call.sid, _whole(call.queue_time) or 0)
        except TwilioException as error:
            return placement_of(error)
        except requests.RequestException as error:
            return _not_sent(error) if was_never_sent(error) else Unknown(type(error).__name__)
        except (ValueError, TypeError, AttributeError):
            return Unknown("unreadable answer")

    def hang_up(self, sid: str, *, ringing_only: bool = False) -> None:
        """End a call (or only one that is not yet answered); one that is over already counts as ended. Raises CarrierError."""
        try:
            with translated_errors():
                self._client.calls(_checked(sid)).update(status="canceled" if ringing_only else "completed")
        except CarrierError as error:
            if getattr(error.__cause__, "code", None) != NOT_IN_PROGRESS:
                raise

    def redirect(self, sid: str, url: str, limit_seconds: int | None = None) -> None:
        """Have a call that is talking go on with the document at `url`, at once, with another limit. Raises CarrierError."""
        limit = {} if limit_seconds is None else {"time_limit": limit_seconds}
        with translated_errors():
            self._client.calls(_checked(sid)).update(url=url, method="POST", **limit)

    def hold(self, room: str, call_sid: str, on: bool, url: str) -> None:
        """Let a call in the room hear the document at `url` instead of the others, or bring it back. Raises CarrierGone, CarrierError."""
        music = {"hold_url": url, "hold_method": "POST"} if on else {}
        with translated_errors():
            self._room(room).participants(_checked(call_sid)).update(hold=on, **music)

    def mute(self, room: str, call_sid: str, on: bool) -> None:
        """Let the others in the room not hear a call, or hear it again. Raises CarrierGone, CarrierError."""
        with translated_errors():
            self._room(room).participants(_checked(call_sid)).update(muted=on)

    def fetch_call(self, sid: str) -> CarrierCall:
        """The call as the carrier sees it now. Raises CarrierGone, CarrierError."""
        with translated_errors():
            return _call(self._client.calls(_checked(sid)).fetch())

    def find_calls(self, to: str, since: datetime) -> list[CarrierCall]:
        """Calls to a number created in the second of `since` or later, newest first; those without a time come last.

        The carrier's own filter by start time knows only days and only calls that have started, so the comparison is made here.
        """
        with translated_errors():
            calls = [_call(found) for found in self._client.calls.list(to=to, limit=MOST_CALLS_LISTED, page_size=MOST_CALLS_LISTED)]
        earliest = since.replace(microsecond=0)
        recent = [call for call in calls if call.created_at is None or call.created_at >= earliest]
        return sorted(recent, key=lambda call: call.created_at.timestamp() if call.created_at else 0.0, reverse=True)

    def fetch_recording(self, sid: str) -> bytes:
        """The WAV file of a finished recording. Raises CarrierGone when it does not exist (yet), CarrierError."""
        with translated_errors():
            return self._media.fetch(_checked(sid))

    def delete_recording(self, sid: str) -> None:
        """Delete the carrier's copy; one that is gone counts as deleted. Raises CarrierError."""
        try:
            with translated_errors():
                self._client.recordings(_checked(sid)).delete()
        except CarrierGone:
            return

    def _room(self, name: str) -> Any:
        """The conference of that name that is not over, also one that waits to begin. Raises CarrierGone."""
        for found in self._client.conferences.list(friendly_name=name, limit=MOST_ROOMS_LISTED, page_size=MOST_ROOMS_LISTED):
            if found.friendly_name == name and found.status != "completed":
                return self._client.conferences(_checked(str(found.sid)))
        raise CarrierGone("no such room")


def _parameters(request: CallRequest) -> dict[str, Any]:
    parameters = {
        "to": request.to, "from_": request.caller_id, "url": request.answer_url, "method": "POST",
        "fallback_url": request.fallback_url, "fallback_method": "POST", "status_callback": request.status_url,
        "status_callback_method": "POST", "status_callback_event": STATUS_EVENTS,
        "timeout": request.ring_seconds, "time_limit": request.limit_seconds,
    }  # fmt: skip
    if request.machine_url is None:
        return parameters
    return parameters | {
        "machine_detection": "Enable", "async_amd": "true", "async_amd_status_callback": request.machine_url,
        "async_amd_status_callback_method": "POST",
    }  # fmt: skip


def placement_of(error: TwilioException) -> Rejected | Unknown:
    """What an error answer to the request for a call means: by its code, else by its HTTP status (reliability §2.2).

    An answer of 500 and above, or a redirect, may hide a call that rings.
    """
    status, code = getattr(error, "status", None), str(getattr(error, "code", ""))
    if BY_CODE.get(code) == "busy":
        return Rejected("busy", code, _harmless(error))
    if not isinstance(status, int) or not 400 <= status < 500 or status in MAYBE_PROCESSED:
        return Unknown(f"HTTP {status}")
    return Rejected(BY_CODE.get(code) or BY_STATUS.get(status) or "review", code, _harmless(error))


def _not_sent(error: Exception) -> Rejected:
    return Rejected("unreachable", "unreachable", f"not reachable: {type(error).__name__}")


def was_never_sent(error: BaseException | None) -> bool:
    """Whether the connection failed before a byte of the request could leave."""
    while error is not None:
        if any(kind.__name__ in BEFORE_SENDING for kind in type(error).__mro__):
            return True
        inner = error.args[0] if error.args else None
        reason = getattr(error, "reason", None) or inner
        error = reason if isinstance(reason, BaseException) else None
    return False


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn whatever the library raises into CarrierGone (404) or CarrierError; messages hold no telephone number."""
    try:
        yield
    except TwilioException as error:
        kind = CarrierGone if getattr(error, "status", None) == 404 else CarrierError
        raise kind(_harmless(error)) from error
    except requests.RequestException as error:
        raise CarrierError(f"not reachable: {type(error).__name__}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise CarrierError("unreadable answer") from error


def _harmless(error: TwilioException) -> str:
    message = getattr(error, "msg", "") or getattr(error, "title", "") or str(error)
    return PERSONAL.sub("…", message)[:200]


def _call(found: Any) -> CarrierCall:
    return CarrierCall(
        sid=str(found.sid), to=str(found.to or ""), caller_id=str(found._from or ""), status=str(found.status or ""),
        created_at=found.date_created, seconds=_whole(found.duration), answered_by=found.answered_by or None,
    )  # fmt: skip


def _whole(text: object) -> int | None:
    return int(str(text)) if text is not None and str(text).isdecimal() else None


def _checked(sid: str) -> str:
    if not SID.fullmatch(sid):
        raise CarrierError("not a name that a carrier gives")
    return sid


def is_loopback(url: str) -> bool:
    """Whether the URL names this very machine, where no proxy of the environment may stand between."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
