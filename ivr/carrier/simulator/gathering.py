"""The verb Gather: prompt, keys, timers, and every way in which it ends (twilio_voice §3.2)."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag

from ivr.carrier.simulator import answering, phone_calls
from ivr.carrier.simulator.document import Verb
from ivr.carrier.simulator.effects import Effect, HungUp, Target, Wait
from ivr.carrier.simulator.persona import HangUp, Press, Reaction
from ivr.carrier.simulator.phone import Person

if TYPE_CHECKING:
    from ivr.carrier.simulator.handset import Handset

DEFAULT_TIMEOUT = 5.0


@dataclass(frozen=True)
class Terms:
    """What a Gather asks for. `digits` is None when their number is open; `finish` is empty when no key finishes."""

    digits: int | None
    finish: str
    timeout: float
    barge_in: bool
    takes_keys: bool


@dataclass(frozen=True)
class Outcome:
    """How a Gather ended: keys collected, the key that finished it (or ''), seconds from its start."""

    keys: str
    finished_on: str
    seconds: float


def terms_of(verb: Verb) -> Terms:
    """The terms in a Gather's attributes, with the carrier's defaults."""
    timeout = verb.get("timeout", "auto")
    return Terms(
        int(verb.get("numDigits")) if verb.get("numDigits") else None,
        verb.get("finishOnKey", "#"),
        DEFAULT_TIMEOUT if timeout == "auto" else float(timeout),
        verb.get("bargeIn", "true") == "true",
        "dtmf" in verb.get("input", "dtmf"),
    )


def collect(terms: Terms, prompt_seconds: float, press: Press | None) -> Outcome:
    """Play keys against the timers: the time-out starts after the prompt and again at each key; a key stops the prompt."""
    deadline = prompt_seconds + terms.timeout
    if press is None or not terms.takes_keys:
        return Outcome("", "", deadline)
    at = press.after if press.barge and terms.barge_in else prompt_seconds + press.after
    keys = ""
    for key in press.keys:
        if at > deadline:
            break
        if key == terms.finish:
            return Outcome(keys, key, at)
        keys += key
        if terms.digits is not None and len(keys) == terms.digits:
            return Outcome(keys, "", at)
        deadline, at = at + terms.timeout, at + press.gap
    return Outcome(keys, "", deadline)


def gather(handset: "Handset", verb: Verb) -> Generator[Effect, Any, Target | None]:
    """Read the prompt, let the callee react, hand over to the action as the rules say."""
    if isinstance(handset.persona, Person):
        return (yield from _by_hand(handset, verb, handset.persona))
    text, seconds = "", 0.0
    for child in verb.children:
        words, length, _ = yield from handset.sound(child)
        text, seconds = text + words, seconds + length
    heard, handset.heard = handset.heard + text, ""
    handset.note_heard(heard)
    handset.call.hear(text, seconds)
    handset.call.waits += 1
    reaction = handset.persona.at_keys(heard)
    yield from leave_if_asked(handset, reaction, seconds)
    speech = yield from answering.prepared(handset, reaction, heard, seconds)
    press = speech.press if speech else reaction if isinstance(reaction, Press) else None
    outcome = collect(terms_of(verb), seconds, press)
    target = _target(handset, verb, outcome)
    url = urldefrag(target.url).url
    yield from answering.spoken(handset, speech, outcome.seconds, url) if speech else _passing(outcome.seconds)
    if outcome.keys or outcome.finished_on or speech is None:
        _write_down(handset, reaction, outcome, heard, url)
    return target if outcome.keys or verb.get("actionOnEmptyResult") == "true" else None


def _by_hand(handset: "Handset", verb: Verb, person: Person) -> Generator[Effect, Any, Target | None]:
    """Somebody at a browser phone presses keys when they like; those of before the prompt are lost."""
    terms, began = terms_of(verb), handset.call.now
    person.keys.clear()
    stops = terms.barge_in and terms.takes_keys
    for child in verb.children:
        yield from phone_calls.hear(handset, person, child, lambda: stops and bool(person.keys))
    heard, handset.heard = handset.heard, ""
    handset.note_heard(heard)
    handset.call.waits += 1
    person.understand(heard)
    keys, finished_on = yield from phone_calls.type_keys(handset.call, person, terms)
    outcome = Outcome(keys, finished_on, handset.call.now - began)
    target = _target(handset, verb, outcome)
    _write_down(handset, Press(keys), outcome, heard, urldefrag(target.url).url)
    return target if keys or verb.get("actionOnEmptyResult") == "true" else None


def _target(handset: "Handset", verb: Verb, outcome: Outcome) -> Target:
    return handset.action(verb, {"Digits": outcome.keys, "FinishedOnKey": outcome.finished_on, "msg": "Gather End"})


def _passing(seconds: float) -> Generator[Effect, Any, None]:
    yield Wait(seconds)


def leave_if_asked(handset: "Handset", reaction: Reaction, seconds: float) -> Generator[Effect, Any, None]:
    """Hang up here when the callee wants to, or when its patience ends within the next `seconds`."""
    if isinstance(reaction, HangUp):
        yield Wait(reaction.after)
        raise HungUp
    limit, answered = handset.persona.traits.hangs_up_after, handset.call.answered_at
    if limit is not None and answered is not None and handset.call.now + seconds >= answered + limit:
        yield Wait(max(0.0, answered + limit - handset.call.now))
        raise HungUp


def _write_down(handset: "Handset", reaction: Reaction, outcome: Outcome, heard: str, url: str) -> None:
    call = handset.call
    if not outcome.keys and not outcome.finished_on:
        call.silences += 1
        return
    call.presses.append(
        {
            "at": call.now, "url": url, "prompt": heard, "keys": outcome.keys, "finished_on": outcome.finished_on,
            "item": handset.persona.item, "intent": reaction.intent if isinstance(reaction, Press) else "",
        }
    )  # fmt: skip
