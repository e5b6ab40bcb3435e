"""The verbs Start, Stop and Connect with Stream: asked for, written down and announced. This exchange opens no media socket."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ivr.carrier.simulator.clock import moment
from ivr.carrier.simulator.document import Fault, Verb
from ivr.carrier.simulator.effects import Deliver, Effect, Target

if TYPE_CHECKING:
    from ivr.carrier.simulator.handset import Handset

HANDSHAKE_FAILED = 31920


def start(handset: "Handset", verb: Verb) -> Generator[Effect, Any, Target | None]:
    """Note each stream and go on at once."""
    for stream in verb.children:
        yield from _noted(handset, stream, "stream-started")
    return None


def stop(handset: "Handset", verb: Verb) -> Generator[Effect, Any, Target | None]:
    """Note the end of the named streams."""
    yield from ()
    for stream in verb.children:
        for running in handset.call.streams:
            if running["name"] == stream.get("name") and running["stopped_at"] is None:
                running["stopped_at"] = handset.call.now
    return None


def connect(handset: "Handset", verb: Verb) -> Generator[Effect, Any, Target | None]:
    """A two-way stream: its handshake fails here, so the next verb or the action follows."""
    for stream in verb.children:
        yield from _noted(handset, stream, "stream-error")
        handset.problem(Fault(HANDSHAKE_FAILED, "media stream handshake failed"), stream.get("url"))
        handset.call.streams[-1]["stopped_at"] = handset.call.now
    return handset.action(verb, {}) if verb.get("action") else None


def _noted(handset: "Handset", stream: Verb, event: str) -> Generator[Effect, Any, None]:
    call = handset.call
    sid = handset.network.new_sid("MZ", call, len(call.streams))
    name = stream.get("name") or sid
    parameters = {child.get("name"): child.get("value") for child in stream.children}
    call.streams.append(
        {"sid": sid, "name": name, "url": stream.get("url"), "track": stream.get("track", "inbound_track"), "parameters": parameters,
         "started_at": call.now, "stopped_at": None}
    )  # fmt: skip
    if stream.get("statusCallback"):
        target = Target(handset.absolute(stream.get("statusCallback")), stream.get("statusCallbackMethod", "POST"))
        params = {
            "AccountSid": call.account_sid, "CallSid": call.sid, "StreamSid": sid, "StreamName": name, "StreamEvent": event,
            "StreamError": "handshake failed" if event == "stream-error" else "", "Timestamp": moment(call.now).isoformat(),
        }  # fmt: skip
        yield Deliver(call, "stream", target, params)
