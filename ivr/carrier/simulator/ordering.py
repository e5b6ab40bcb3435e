"""Reading the request that creates or changes a call: the carrier's checks and their error codes (twilio_voice §1.2, §1.4)."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from werkzeug.datastructures import MultiDict

from ivr.carrier.simulator.calls import EVENTS, Order

E164 = re.compile(r"\+[1-9]\d{6,14}")
ADDRESS = re.compile(r"(?:sip|client):.+")
MAX_TWIML = 4000
MAGIC = {  # numbers that always fail, as with the carrier's test credentials
    "+15005550001": 21217,
    "+15005550002": 21214,
    "+15005550003": 21215,
    "+15005550004": 21216,
}


UNSIMULATED = ("ApplicationSid", "SendDigits", "Record", "SipAuthUsername", "Byoc", "CallToken")


class Refused(Exception):
    """The API refuses a request. `status` is HTTP's, `code` the carrier's."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def order_from(form: MultiDict[str, str], caller_ids: frozenset[str] | None) -> Order:
    """The order in a creation's form. Raises Refused with 400 and the carrier's code."""
    to, caller_id = form.get("To", ""), form.get("From", "")
    if beyond := [name for name in UNSIMULATED if form.get(name, "false") != "false"]:
        raise Refused(400, 20001, f"The simulated carrier does not know {', '.join(beyond)}")
    _check_numbers(to, caller_id, caller_ids)
    if not form.get("Url") and not form.get("Twiml"):
        raise Refused(400, 21205, "Url parameter is required.")
    return Order(
        to, caller_id, **_urls(form), ring_seconds=_whole(form, "Timeout", 60, 600), limit_seconds=_whole(form, "TimeLimit", 14400, 86400),
        status_events=_events(form), **_detection(form),
    )  # fmt: skip


def changed(order: Order, form: MultiDict[str, str]) -> Order:
    """The order with the callbacks and limits that an update replaces. Raises Refused."""
    given = {name: value for name, value in _urls(form).items() if value is not None and name not in ("url", "twiml", "method")}
    limit = _whole(form, "TimeLimit", order.limit_seconds, 86400)
    return replace(order, **given, limit_seconds=limit)


def checked_url(url: str) -> str:
    """The URL itself. Raises Refused when it is not absolute, or its host has an underscore."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "_" in parts.hostname:
        raise Refused(400, 21205, f"Url is not a valid URL: {url}")
    return url


def _check_numbers(to: str, caller_id: str, caller_ids: frozenset[str] | None) -> None:
    if not to:
        raise Refused(400, 21201, "No 'To' number is specified")
    if not caller_id:
        raise Refused(400, 21213, "No 'From' number is specified")
    if not E164.fullmatch(to) and not ADDRESS.fullmatch(to):
        raise Refused(400, 21211, f"The phone number you are attempting to call, {to}, is not valid.")
    if not E164.fullmatch(caller_id):
        raise Refused(400, 21212, f"The source phone number provided, {caller_id}, is not valid.")
    if caller_ids is not None and caller_id not in caller_ids:
        raise Refused(400, 21210, f"The source phone number provided, {caller_id}, is not yet verified for your account.")
    if to in MAGIC:
        raise Refused(400, MAGIC[to], f"The number {to} cannot be called.")


def _urls(form: MultiDict[str, str]) -> dict[str, Any]:
    if len(form.get("Twiml", "")) > MAX_TWIML:
        raise Refused(400, 21205, f"Twiml is longer than {MAX_TWIML} characters")
    found: dict[str, Any] = {"url": _url(form, "Url"), "twiml": form.get("Twiml") or None, "method": form.get("Method", "POST")}
    for field, name in (("fallback", "FallbackUrl"), ("status", "StatusCallback")):
        found[f"{field}_url"] = _url(form, name)
        method = "FallbackMethod" if field == "fallback" else "StatusCallbackMethod"
        if method in form:
            found[f"{field}_method"] = form[method]
    return found


def _url(form: MultiDict[str, str], name: str) -> str | None:
    return checked_url(form[name]) if form.get(name) else None


def _events(form: MultiDict[str, str]) -> frozenset[str]:
    events = form.getlist("StatusCallbackEvent") or ["completed"]
    if wrong := set(events) - set(EVENTS):
        raise Refused(400, 21626, f"Invalid StatusCallbackEvent: {', '.join(sorted(wrong))}")
    return frozenset(events)


def _detection(form: MultiDict[str, str]) -> dict[str, Any]:
    mode = form.get("MachineDetection", "")
    if mode not in ("", "Enable", "DetectMessageEnd"):
        raise Refused(400, 20001, f"Invalid MachineDetection: {mode}")
    asynchronous = form.get("AsyncAmd", "false")
    if asynchronous not in ("true", "false"):
        raise Refused(400, 20001, f"Invalid AsyncAmd: {asynchronous}")
    return {
        "machine_detection": mode, "machine_asynchronous": asynchronous == "true", "machine_url": _url(form, "AsyncAmdStatusCallback"),
        "machine_method": form.get("AsyncAmdStatusCallbackMethod", "POST"),
    }  # fmt: skip


def _whole(form: MultiDict[str, str], name: str, default: int, largest: int) -> int:
    text = form.get(name, "")
    if not text:
        return default
    if not text.isdigit() or not 1 <= int(text) <= largest:
        raise Refused(400, 20001, f"Invalid {name}: {text}")
    return int(text)
