"""A question answered aloud while a Gather waits for keys: the sound goes into the call's streams, who listens may redirect the call."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ivr.carrier.simulator.calls import Said
from ivr.carrier.simulator.effects import Effect, Measure, Redirected, Utter, Wait
from ivr.carrier.simulator.persona import Press, Reaction
from ivr.carrier.simulator.speaking import Say

if TYPE_CHECKING:
    from ivr.carrier.simulator.handset import Handset


@dataclass(frozen=True)
class Speech:
    """What will be said: `start` seconds from the start of the prompt, for `seconds`. `press` is a key pressed as the words end."""

    say: Say
    start: float
    seconds: float
    press: Press | None


def prepared(handset: "Handset", reaction: Reaction, heard: str, prompt_seconds: float) -> Generator[Effect, Any, Speech | None]:
    """How the callee says what it would press; None: nobody listens, it prefers keys, or it has no voice."""
    if not handset.network.media.listens(handset.call):
        return None
    say = handset.persona.aloud(reaction, heard)
    if say is None:
        return None
    seconds: float | None = yield Measure(say.utterance)
    if seconds is None:
        return None
    start = prompt_seconds + say.after if say.into is None else prompt_seconds * say.into
    press = Press(say.also_presses, after=start + seconds - prompt_seconds) if say.also_presses else None
    return Speech(say, start, seconds, press)


def spoken(handset: "Handset", speech: Speech, end: float, url: str) -> Generator[Effect, Any, None]:
    """Say it and wait until the Gather ends, `end` seconds from its start; a redirection is written down and obeyed."""
    call, say = handset.call, speech.say
    start, seconds = min(speech.start, end), max(0.0, min(speech.seconds, end - speech.start))
    said = Said(call.now, url, handset.persona.item, say.utterance.text, say.meant, say.manner, say.also_presses)
    utter = Utter(call, say.utterance, seconds, said, is_waiting=not say.also_presses)
    is_real = handset.network.media.is_real
    try:
        yield Wait(start if is_real else start + seconds)
        said.at = call.now
        call.said.append(said)
        yield utter
        yield Wait(max(0.0, end - start - (0.0 if is_real else seconds)))
    except Redirected as update:
        said.redirected_at = update.received_at
        raise
