"""The verbs Start, Stop and Connect with Stream (twilio_voice §4)."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ivr.carrier.simulator import parameters
from ivr.carrier.simulator.calls import Stream
from ivr.carrier.simulator.document import Fault, Verb
from ivr.carrier.simulator.effects import Attach, Deliver, Detach, Effect, Target

if TYPE_CHECKING:
    from ivr.carrier.simulator.handset import Handset

HANDSHAKE_FAILED = 31920


def start(handset: "Handset", verb: Verb) -> Generator[Effect, Any, Target | None]:
    """Open each stream and go on at once: what becomes of it does not disturb the call."""
    for noun in verb.children:
        yield Attach(handset.call, _asked(handset, noun))
    return None


def stop(handset: "Handset", verb: Verb) -> Generator[Effect, Any, Target | None]:
    """Close the named streams; one that is not there is nothing."""
    for noun in verb.children:
        yield Detach(handset.call, noun.get("name"))
    return None


def connect(handset: "Handset", verb: Verb) -> Generator[Effect, Any, Target | None]:
    """A two-way stream: its handshake fails here, so the next verb or the action follows."""
    call = handset.call
    for noun in verb.children:
        stream = _asked(handset, noun)
        handset.problem(Fault(HANDSHAKE_FAILED, "media stream handshake failed"), stream.url)
        stream.stopped_at, stream.ended = call.now, "refused"
        if stream.status is not None:
            yield Deliver(call, "stream", stream.status, parameters.streamed(call, stream, "stream-error", "handshake failed"))
    return handset.action(verb, {}) if verb.get("action") else None


def _asked(handset: "Handset", noun: Verb) -> Stream:
    call = handset.call
    sid = handset.network.new_sid("MZ", call, len(call.streams))
    wanted = {child.get("name"): child.get("value") for child in noun.children}
    told = noun.get("statusCallback")
    status = Target(handset.absolute(told), noun.get("statusCallbackMethod", "POST")) if told else None
    stream = Stream(sid, noun.get("name") or sid, noun.get("url"), noun.get("track", "inbound_track"), wanted, call.now, status)
    call.streams.append(stream)
    return stream
