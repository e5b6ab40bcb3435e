"""A call's life from the queue to its end: the ladder of statuses, ringing, machine detection, the conversation."""

from collections.abc import Generator
from typing import Any

from ivr.carrier.simulator import parameters, phone_calls
from ivr.carrier.simulator.calls import Call
from ivr.carrier.simulator.effects import Deliver, Effect, Ended, HungUp, Redirected, Story, Target, Wait
from ivr.carrier.simulator.handset import ApplicationFailed, Handset
from ivr.carrier.simulator.network import Network
from ivr.carrier.simulator.persona import Persona, PickUp
from ivr.carrier.simulator.phone import Person

Steps = Generator[Effect, Any, None]
DETECTION_SECONDS = 3.2
SETUP_SECONDS = 0.8


def live(call: Call, persona: Persona, network: Network) -> Story:
    """The story of an outgoing call; it ends with the final status told."""
    try:
        yield Wait(call.queue_milliseconds / 1000)
        yield from _ring(call, persona, network)
    except Ended:
        call.finish("completed" if call.answered_at else "canceled", call.now)
    except HungUp:
        call.finish("completed", call.now)
    if call.initiated_at is not None:  # cancelled while queued: nobody is told
        yield from tell(call, "completed", call.status)


def receive(call: Call, persona: Persona, network: Network) -> Story:
    """The story of a call to our number: the carrier answers it with our first document. Only its end is told."""
    call.initiated_at = call.ringing_at = call.answered_at = call.now
    call.status = "in-progress"
    network.limit(call)
    try:
        yield from _talk(call, persona, network, Target(call.order.url or "", extra={"CallStatus": "ringing"}))
        call.finish("completed", call.now)
    except (Ended, HungUp):
        call.finish("completed", call.now)
    yield from tell(call, "completed", call.status)


def tell(call: Call, event: str, status: str) -> Steps:
    """Send a status callback if that event was asked for; sequence numbers count what is sent."""
    order = call.order
    call.updated_at = call.now
    if order.status_url and event in order.status_events:
        sequence, call.sequence = call.sequence, call.sequence + 1
        yield Deliver(call, "status", Target(order.status_url, order.status_method), parameters.progress(call, status, sequence))


def _ring(call: Call, persona: Persona, network: Network) -> Steps:
    call.initiated_at = call.now
    yield from tell(call, "initiated", "initiated")
    yield Wait(SETUP_SECONDS)
    pick = persona.pick_up()
    if pick.outcome == "failed":
        call.finish("failed", call.now, pick.sip_code)
        return
    call.status, call.ringing_at = "ringing", call.now
    yield from tell(call, "ringing", "ringing")
    if isinstance(persona, Person):
        pick = yield from phone_calls.ring(call, persona, call.order.ring_seconds)
    else:
        yield Wait(min(pick.ring_seconds, call.order.ring_seconds))
    if pick.outcome != "answered" or pick.ring_seconds > call.order.ring_seconds:
        call.finish("busy" if pick.outcome == "busy" else "no-answer", call.now, pick.sip_code or 487)
        return
    yield from _converse(call, persona, network, pick)
    call.finish("completed", call.now)


def _converse(call: Call, persona: Persona, network: Network, pick: PickUp) -> Steps:
    call.status, call.answered_at = "in-progress", call.now
    network.limit(call)
    yield from phone_calls.connect(persona)
    yield from tell(call, "answered", "in-progress")
    first = Target(call.order.url or "", call.order.method, twiml=None if call.order.url else call.order.twiml)
    try:
        extra = yield from _detect(call, pick)
        first = Target(first.url, first.method, extra, first.twiml)
    except Redirected as update:
        first = update.target
    yield from _talk(call, persona, network, first)


def _talk(call: Call, persona: Persona, network: Network, first: Target) -> Steps:
    try:
        yield from Handset(call, persona, network).run(first)
    except ApplicationFailed:
        if isinstance(persona, Person):
            yield from phone_calls.apologise(call, persona)
        yield Wait(4.0)  # the carrier's own sentence about an application error


def _detect(call: Call, pick: PickUp) -> Generator[Effect, Any, dict[str, str]]:
    """Machine detection: in line it delays the first document, asynchronously it reports by itself."""
    order = call.order
    if not order.machine_detection:
        return {}
    by = _answered_by(pick.by, order.machine_detection)
    if order.machine_asynchronous:
        if order.machine_url:
            target = Target(order.machine_url, order.machine_method)
            yield Deliver(call, "machine", target, parameters.machine(call, by, DETECTION_SECONDS), DETECTION_SECONDS)
        return {}
    yield Wait(DETECTION_SECONDS)
    call.answered_by = by
    return {"AnsweredBy": by, "MachineDetectionDuration": str(round(DETECTION_SECONDS * 1000))}


def _answered_by(by: str, mode: str) -> str:
    if by != "machine":
        return by
    return "machine_start" if mode == "Enable" else "machine_end_beep"
