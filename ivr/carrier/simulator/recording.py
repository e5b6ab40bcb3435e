"""The verb Record: beep, speech, every way in which it ends, and the callback when the file is there (twilio_voice §3.2, §1.8)."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ivr.carrier.simulator import parameters, phone_calls
from ivr.carrier.simulator.calls import Recording
from ivr.carrier.simulator.document import Verb
from ivr.carrier.simulator.effects import Deliver, Effect, HungUp, Target, Wait
from ivr.carrier.simulator.gathering import leave_if_asked
from ivr.carrier.simulator.persona import HangUp, Press, Reaction, Silence, Speak
from ivr.carrier.simulator.phone import Person

if TYPE_CHECKING:
    from ivr.carrier.simulator.handset import Handset

BEEP_SECONDS = 0.5
FILE_READY_SECONDS = 3.0
ANY_KEY = "1234567890*#"


@dataclass(frozen=True)
class Take:
    """How a recording ended. `digits` is what the action hears: a key, `hangup`, or '' (silence or the longest time)."""

    spoken: float
    seconds: float
    digits: str


def take_of(verb: Verb, reaction: Reaction) -> Take:
    """Play the callee against the verb's terms."""
    longest = float(verb.get("maxLength", "3600"))
    silence = float(verb.get("timeout", "5")) or longest
    finish = verb.get("finishOnKey", ANY_KEY)
    trimmed = verb.get("trim", "trim-silence") == "trim-silence"
    if isinstance(reaction, Press):
        return Take(0.0, reaction.after, reaction.keys[:1]) if reaction.keys[:1] in finish else _cut(0.0, silence, longest, trimmed)
    if isinstance(reaction, HangUp):
        return Take(0.0, reaction.after, "hangup")
    if not isinstance(reaction, Speak):
        return Take(0.0, min(silence, longest), "")
    if reaction.seconds >= longest:
        return Take(longest, longest, "")
    if reaction.then == "hangup" or (reaction.then != "silence" and reaction.then in finish):
        return Take(reaction.seconds, reaction.seconds, reaction.then)
    return _cut(reaction.seconds, silence, longest, trimmed)


def _cut(spoken: float, silence: float, longest: float, trimmed: bool) -> Take:
    return Take(spoken if trimmed else min(spoken + silence, longest), min(spoken + silence, longest), "")


def record(handset: "Handset", verb: Verb) -> Generator[Effect, Any, Target | None]:
    """Beep, record, ask the action; after it the recording's own callback. A callee who hung up still has the action asked."""
    heard, handset.heard = handset.heard, ""
    handset.note_heard(heard)
    call = handset.call
    call.waits += 1
    if isinstance(handset.persona, Person):
        recording, take = yield from _by_a_person(handset, verb, handset.persona, heard)
    else:
        recording, take = yield from _by_a_callee(handset, verb, heard)
    yield from _announced(handset, verb, recording)
    extra = {"RecordingUrl": recording.url, "RecordingSid": recording.sid, "RecordingDuration": str(recording.seconds)}
    target = handset.action(verb, extra | ({"Digits": take.digits} if take.digits else {}))
    if take.digits == "hangup":
        call.finish("completed", call.now)
        yield from handset.read(target)
        raise HungUp
    return target


def _by_a_callee(handset: "Handset", verb: Verb, heard: str) -> Generator[Effect, Any, tuple[Recording, Take]]:
    reaction = handset.persona.at_recording(heard, verb.get("finishOnKey", ANY_KEY))
    yield from leave_if_asked(handset, reaction, 0.0) if not isinstance(reaction, HangUp) else ()
    if verb.get("playBeep", "true") == "true":
        yield Wait(BEEP_SECONDS)
    started, take = handset.call.now, take_of(verb, reaction)
    yield Wait(take.seconds)
    return _kept(handset, started, take, reaction), take


def _by_a_person(handset: "Handset", verb: Verb, person: Person, heard: str) -> Generator[Effect, Any, tuple[Recording, Take]]:
    """What somebody at a browser phone says, if there is a microphone; the page beeps."""
    person.understand(heard)
    longest, started = float(verb.get("maxLength", "3600")), handset.call.now
    silence = float(verb.get("timeout", "5")) or longest
    digits = yield from phone_calls.be_recorded(handset.call, person, verb.get("finishOnKey", ANY_KEY), silence, longest)
    seconds, spoke = handset.call.now - started, person.spoke_at > started
    recording = _kept(handset, started, Take(seconds if spoke else 0.0, seconds, digits), Silence())
    recording.sound = bytes(person.tape)
    return recording, Take(seconds if spoke else 0.0, seconds, digits)


def _kept(handset: "Handset", started: float, take: Take, reaction: Reaction) -> Recording:
    call = handset.call
    sid = handset.network.new_sid("RE", call, len(call.recordings))
    seconds = max(1, round(take.spoken or take.seconds))
    url = handset.network.recording_url(sid)
    recording = Recording(sid, call.sid, url, handset.persona.item, started, seconds, take.spoken, call.now + FILE_READY_SECONDS)
    if isinstance(reaction, Speak):
        recording.text, recording.voice = reaction.text, reaction.voice
    call.recordings.append(recording)
    handset.network.keep_recording(recording)
    return recording


def _announced(handset: "Handset", verb: Verb, recording: Recording) -> Generator[Effect, Any, None]:
    url = verb.get("recordingStatusCallback")
    if not url:
        return
    target = Target(handset.absolute(url), verb.get("recordingStatusCallbackMethod", "POST"))
    events = verb.get("recordingStatusCallbackEvent", "completed").split()
    if "in-progress" in events:
        yield Deliver(handset.call, "recording", target, parameters.recorded(handset.call, recording, "in-progress"))
    if "completed" in events:
        yield Deliver(handset.call, "recording", target, parameters.recorded(handset.call, recording), FILE_READY_SECONDS)
