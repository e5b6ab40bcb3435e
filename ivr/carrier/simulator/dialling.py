"""The verb Dial: legs ring at the same time, the first to answer is joined, the others are let go (twilio_voice §3.2, §2.5)."""

from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ivr.carrier.simulator import conferences, parameters, phone_calls, queueing
from ivr.carrier.simulator.calls import Call
from ivr.carrier.simulator.document import Verb
from ivr.carrier.simulator.effects import Await, Deliver, Effect, HungUp, Interrupted, LegEnded, Target, Wait
from ivr.carrier.simulator.persona import Persona

if TYPE_CHECKING:
    from ivr.carrier.simulator.handset import Handset

EXTRA_RING_SECONDS = 5  # the carrier adds them to every Dial timeout
MAX_LEGS = 10


@dataclass(frozen=True)
class Leg:
    """One noun of a Dial, ringing."""

    noun: Verb
    call: Call
    persona: Persona


def dial(handset: "Handset", verb: Verb) -> Generator[Effect, Any, Target | None]:
    """Ring the nouns, join the first who answers until one side ends, hand over to the action if there is one."""
    nouns = verb.children or (Verb("Number", {}, verb.text),)
    if nouns[0].name == "Conference":
        told = yield from conferences.confer(handset, verb, nouns[0])
        return handset.action(verb, told) if told is not None and verb.get("action") else None
    if nouns[0].name == "Queue":
        extra = yield from queueing.take_from_queue(handset, verb, nouns[0])
        return handset.action(verb, extra) if verb.get("action") else None
    caller_id = verb.get("callerId") or handset.call.order.caller_id
    legs = [_leg(handset, noun, caller_id) for noun in nouns[:MAX_LEGS]]
    try:
        extra = yield from _connected(handset, verb, legs)
    except LegEnded:
        for leg in legs:
            yield from _end(handset, leg, "canceled")
        extra = {"DialCallStatus": "canceled", "DialCallSid": legs[0].call.sid, "DialBridged": "false"}
    except (Interrupted, HungUp):
        for leg in legs:
            yield from _end(handset, leg, "completed" if leg.call.answered_at else "canceled")
        raise
    return handset.action(verb, extra) if verb.get("action") else None


def _leg(handset: "Handset", noun: Verb, caller_id: str) -> Leg:
    identity = next((child.text for child in noun.children if child.name == "Identity"), noun.text)
    to = f"client:{identity}" if noun.name == "Client" else noun.text
    call, persona = handset.network.ring(handset.call, to, caller_id)
    return Leg(noun, call, persona)


def _connected(handset: "Handset", verb: Verb, legs: list[Leg]) -> Generator[Effect, Any, dict[str, str]]:
    timeout = float(verb.get("timeout", "30")) + EXTRA_RING_SECONDS
    for leg in legs:
        yield from _progress(handset, leg, "initiated")
        yield from _progress(handset, leg, "ringing")
        yield from phone_calls.ring_leg(leg.persona)
    until = handset.call.now + timeout
    answer = yield from _first_answer(handset, legs, until)
    if answer is None:
        return (yield from _nobody(handset, legs, until - handset.call.now))
    seconds, first = answer
    yield Wait(seconds)
    for number, leg in enumerate(legs):
        if number != first:
            yield from _end(handset, leg, "canceled")
    return (yield from _talk(handset, legs[first], float(verb.get("timeLimit", "14400"))))


def _first_answer(handset: "Handset", legs: list[Leg], until: float) -> Generator[Effect, Any, tuple[float, int] | None]:
    """In how many seconds which leg answers, None when nobody does; a browser phone's decision is awaited."""
    call, began = handset.call, handset.call.now
    while True:
        picks = [leg.persona.pick_up() for leg in legs]
        answers = [(began + pick.ring_seconds, number) for number, pick in enumerate(picks) if pick.outcome == "answered"]
        at, first = min(answers, default=(until + 1, 0))
        if call.now >= min(at, until) or not any(leg.persona.is_ringing for leg in legs):
            return (max(0.0, at - call.now), first) if at <= until else None
        yield Await(min(at, until) - call.now)


def _nobody(handset: "Handset", legs: list[Leg], timeout: float) -> Generator[Effect, Any, dict[str, str]]:
    outcomes = [leg.persona.pick_up().outcome for leg in legs]
    outcome = outcomes[0] if len(set(outcomes)) == 1 and outcomes[0] in ("busy", "failed") else "no-answer"
    yield Wait(2.0 if outcome != "no-answer" else timeout)
    for leg in legs:
        yield from _end(handset, leg, outcome)
    return {"DialCallStatus": outcome, "DialCallSid": legs[0].call.sid, "DialBridged": "false"}


def _talk(handset: "Handset", leg: Leg, limit: float) -> Generator[Effect, Any, dict[str, str]]:
    leg.call.answered_at = handset.call.now
    yield from phone_calls.connect(leg.persona)
    yield from _progress(handset, leg, "in-progress")
    bridged = yield from _accepts(handset, leg)
    if bridged:
        handset.network.bridge.join(handset.call, leg.call)
        with suppress(LegEnded):
            yield Wait(min(leg.persona.traits.talk_seconds, limit))
    yield from _end(handset, leg, "completed")
    return {
        "DialCallStatus": "completed" if bridged else "no-answer", "DialCallSid": leg.call.sid,
        "DialCallDuration": str(leg.call.seconds or 0), "DialBridged": "true" if bridged else "false",
    }  # fmt: skip


def _accepts(handset: "Handset", leg: Leg) -> Generator[Effect, Any, bool]:
    """Run the noun's whisper on the called side; hanging up there refuses the call."""
    if not leg.noun.get("url"):
        return True
    other = type(handset)(leg.call, leg.persona, handset.network, "whisper")
    leg.call.now = handset.call.now
    try:
        yield from other.run(Target(handset.absolute(leg.noun.get("url")), leg.noun.get("method", "POST")))
    except HungUp:
        return False
    return True


def _end(handset: "Handset", leg: Leg, status: str) -> Generator[Effect, Any, None]:
    if not leg.call.ended:
        handset.network.bridge.part(leg.call)
        leg.call.finish(status, handset.call.now)
        yield from phone_calls.end_leg(leg.persona, status)
        yield from _progress(handset, leg, status)


def _progress(handset: "Handset", leg: Leg, status: str) -> Generator[Effect, Any, None]:
    call, noun = leg.call, leg.noun
    call.now = handset.call.now
    call.status = call.status if status == "initiated" else status
    event = {"in-progress": "answered", "initiated": "initiated", "ringing": "ringing"}.get(status, "completed")
    if noun.get("statusCallback") and event in noun.get("statusCallbackEvent", "completed").split():
        target = Target(handset.absolute(noun.get("statusCallback")), noun.get("statusCallbackMethod", "POST"))
        yield Deliver(call, "status", target, parameters.progress(call, status, call.sequence))
        call.sequence += 1
