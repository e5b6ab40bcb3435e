"""A call of somebody at a browser phone: ringing, hearing, pressing keys, being recorded. Generators of effects, as verbs are."""

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from ivr.carrier.simulator.calls import Call
from ivr.carrier.simulator.document import Verb
from ivr.carrier.simulator.effects import Await, Effect, Hush, Interrupted, Prompt, PutDown, Ring, Show
from ivr.carrier.simulator.persona import Persona, PickUp
from ivr.carrier.simulator.phone import Person

if TYPE_CHECKING:
    from ivr.carrier.simulator.gathering import Terms
    from ivr.carrier.simulator.handset import Handset

FAILED = "应用程序出错,再见。An application error has occurred. Goodbye."  # the carrier's own sentence


def ring(call: Call, person: Person, seconds: float) -> Generator[Effect, Any, PickUp]:
    """Ring until the person decides or the time is over."""
    deadline = call.now + seconds
    yield Ring(person)
    while person.is_ringing and call.now < deadline:
        yield Await(deadline - call.now)
    return person.pick_up()


def ring_leg(persona: Persona) -> Generator[Effect, Any, None]:
    """Begin to ring where a dialled leg is a browser phone."""
    if isinstance(persona, Person):
        yield Ring(persona)


def connect(persona: Persona) -> Generator[Effect, Any, None]:
    """Tell a browser phone that its call is answered."""
    if isinstance(persona, Person):
        persona.connect()
        yield Show(persona)


def end_leg(persona: Persona, status: str) -> Generator[Effect, Any, None]:
    """Tell the browser phone of a dialled leg how it ended."""
    if isinstance(persona, Person):
        persona.end(status)
        yield Show(persona)


def hear(handset: "Handset", person: Person, verb: Verb, is_cut: Callable[[], bool] = lambda: False) -> Generator[Effect, Any, None]:
    """Let the person hear one Say, Play or Pause until its end or until `is_cut`."""
    text, seconds, sound = yield from handset.sound(verb)
    handset.heard += text
    prompt = Prompt(person, verb.text if text else "", verb.get("language"), sound)
    for _ in range(handset.loops(verb)):
        yield from _play(handset.call, prompt, seconds / handset.loops(verb), is_cut)
        if is_cut():
            return


def apologise(call: Call, person: Person) -> Generator[Effect, Any, None]:
    """Say that the application failed."""
    yield from _play(call, Prompt(person, FAILED), 0.0, lambda: False)


def _play(call: Call, prompt: Prompt, seconds: float, is_cut: Callable[[], bool]) -> Generator[Effect, Any, None]:
    if is_cut():
        return
    try:
        lasting: float = (yield prompt) or seconds
        end = call.now + lasting
        while call.now < end and not is_cut():
            yield Await(end - call.now)
    except Interrupted:
        yield Hush(prompt.person)
        raise
    if call.now < end:
        yield Hush(prompt.person)


def type_keys(call: Call, person: Person, terms: "Terms") -> Generator[Effect, Any, tuple[str, str]]:
    """Collect keys against the timers of a Gather: the keys, and the one that finished it (or '')."""
    keys, deadline = "", call.now + terms.timeout
    while True:
        while person.keys and terms.takes_keys:
            key = person.keys.popleft()
            if key == terms.finish:
                return keys, key
            keys, deadline = keys + key, call.now + terms.timeout
            if len(keys) == terms.digits:
                return keys, ""
        if call.now >= deadline:
            return keys, ""
        yield Await(deadline - call.now)


def be_recorded(call: Call, person: Person, finish: str, silence: float, longest: float) -> Generator[Effect, Any, str]:
    """Record until a key of `finish`, silence, or the longest time: the key, `hangup`, or ''."""
    person.keys.clear()
    person.tape, person.is_recorded, person.spoke_at = bytearray(), True, call.now
    try:
        yield Show(person)
        ended_by = yield from _tape(call, person, finish, silence, call.now + longest)
    except PutDown:
        ended_by = "hangup"
    finally:
        person.is_recorded = False
    yield Show(person)
    return ended_by


def _tape(call: Call, person: Person, finish: str, silence: float, end: float) -> Generator[Effect, Any, str]:
    while True:
        while person.keys:
            key = person.keys.popleft()
            if key in finish:
                return key
        deadline = min(end, person.spoke_at + silence)
        if call.now >= deadline:
            return ""
        yield Await(deadline - call.now)
