"""Dial's Conference: one call's time in a room, from the waiting document to the end (twilio_voice §2.5, §3.2)."""

import math
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from ivr.carrier.simulator import phone_calls
from ivr.carrier.simulator.calls import MUSIC, TALK, Heard
from ivr.carrier.simulator.conferences_room import HUNG_UP, UPDATED, Doing, LabelTaken, Listener, Participant, Room, RoomFull
from ivr.carrier.simulator.document import Fault, Verb, sounds
from ivr.carrier.simulator.effects import Await, Effect, HungUp, Interrupted, Redirected, Target, Unplayable
from ivr.carrier.simulator.phone import Person

if TYPE_CHECKING:
    from ivr.carrier.simulator.handset import Handset

Steps = Generator[Effect, Any, None]
LABEL_TAKEN = 16025
PLAYED = frozenset({"Say", "Play", "Pause"})


def confer(handset: "Handset", verb: Verb, noun: Verb) -> Generator[Effect, Any, dict[str, str] | None]:
    """Be in the named room until leaving or being put out; what Dial's action hears, None when the label was taken."""
    network, call, most = handset.network, handset.call, int(noun.get("maxParticipants", "250"))
    try:
        change = network.rooms.join(noun.text, _participant(handset, noun), _listener(handset, noun), most)
    except LabelTaken as problem:
        handset.problem(Fault(LABEL_TAKEN, f"participantLabel {problem} is in use in this conference"), handset.document_url)
        return None
    except RoomFull:
        return {"DialCallStatus": "failed", "DialBridged": "false"}
    network.room_changed(change)
    try:
        yield from _stay(handset, change.room, call.now + float(verb.get("timeLimit", "14400")))
    except (Interrupted, HungUp) as left:
        _leave(handset, change.room, UPDATED if isinstance(left, Redirected) else HUNG_UP)
        raise
    except Unplayable:
        pass  # nothing to wait with: the carrier lets the call go on without the room
    _leave(handset, change.room, UPDATED)
    return {"DialCallStatus": "answered", "DialBridged": "true"}


def _leave(handset: "Handset", room: Room, reason: str) -> None:
    handset.network.room_changed(handset.network.rooms.leave(room, handset.call, reason, handset.call.now))


def _participant(handset: "Handset", noun: Verb) -> Participant:
    music = Target(handset.absolute(noun.get("waitUrl")), noun.get("waitMethod", "POST")) if noun.get("waitUrl") else None
    return Participant(
        handset.call, handset.call.now, noun.get("participantLabel"), noun.get("muted") == "true", False,
        noun.get("startConferenceOnEnter", "true") == "true", noun.get("endConferenceOnExit") == "true", music,
        updated_at=handset.call.now,
    )  # fmt: skip


def _listener(handset: "Handset", noun: Verb) -> Listener | None:
    if not noun.get("statusCallback"):
        return None
    target = Target(handset.absolute(noun.get("statusCallback")), noun.get("statusCallbackMethod", "POST"))
    return Listener(handset.call, target, frozenset(noun.get("statusCallbackEvent").split()))


def _stay(handset: "Handset", room: Room, until: float) -> Steps:
    """Wait, talk, be held, as the room has it; who has talked or waited long enough hangs up."""
    call, traits, talked = handset.call, handset.persona.traits, 0.0
    quits = math.inf if traits.hangs_up_after is None else (call.answered_at or call.now) + traits.hangs_up_after
    while call.now < until and (doing := room.doing(call)) is not None:
        began = call.now
        enough = min(quits, began + (traits.talk_seconds - talked if doing.name == "talking" else traits.patience_seconds))
        try:
            yield from _do(handset, room, doing, min(enough, until))
        finally:
            if doing.name == "talking":
                call.heard.append(Heard(began, call.now - began, TALK))
                talked += call.now - began
        if enough <= call.now < until:
            raise HungUp


def _do(handset: "Handset", room: Room, doing: Doing, until: float) -> Steps:
    """Be about one thing until the room has another, or until the moment given."""
    call = handset.call

    def is_cut() -> bool:
        return call.now >= until or room.doing(call) != doing

    if doing.hears is not None:
        try:
            yield from _hear(handset, doing.hears, is_cut)
        except Unplayable:
            if doing.name == "waiting":
                raise
    if doing.name == "announced" and doing.hears is not None:
        handset.network.room_changed(handset.network.rooms.announced(room, call, doing.hears, call.now))
    while not is_cut():
        yield Await(until - call.now)


def _hear(handset: "Handset", first: Target, is_cut: Callable[[], bool]) -> Steps:
    """Play a document once, and those that it leads to. Raises Unplayable."""
    inner = type(handset)(handset.call, handset.persona, handset.network, "room")
    target: Target | None = first
    while target is not None and not is_cut():
        began = handset.call.now
        verbs = yield from inner.read(target)
        target = yield from _play(inner, verbs, is_cut)
        if target is not None and handset.call.now == began:
            yield Await(1.0)  # a document that only leads to itself


def _play(inner: "Handset", verbs: tuple[Verb, ...], is_cut: Callable[[], bool]) -> Generator[Effect, Any, Target | None]:
    for verb in verbs:
        if is_cut():
            return None
        if verb.name == "Redirect":
            return Target(inner.absolute(verb.text), verb.get("method", "POST"))
        if verb.name not in PLAYED:
            continue  # the end of a file that was sent instead of a document
        if isinstance(inner.persona, Person):
            yield from phone_calls.hear(inner, inner.persona, verb, is_cut)
        else:
            text, seconds, _ = yield from inner.sound(verb)
            if sounds(verb):
                inner.call.hear(text or MUSIC, seconds)
            end = inner.call.now + seconds
            while inner.call.now < end and not is_cut():
                yield Await(end - inner.call.now)
    return None
