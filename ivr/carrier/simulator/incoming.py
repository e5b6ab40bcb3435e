"""Calls to our number: how the number is set up, and callers who press what they are told to."""

from dataclasses import dataclass

from ivr.carrier.simulator.calls import Call, Order
from ivr.carrier.simulator.persona import HangUp, Persona, Press, Reaction, Silence, Speak, Traits

MISSED = frozenset({"no-answer", "busy"})


@dataclass(frozen=True)
class Number:
    """What stands at the carrier beside our number: where it asks what callers shall hear, and where it tells the end of their calls."""

    voice_url: str
    status_url: str | None = None

    def order(self, caller: str, to: str) -> Order:
        """The call of somebody to this number, in the words of a call that we order."""
        return Order(to, caller, url=self.voice_url, status_url=self.status_url)


class NoNumber(Exception):
    """Somebody calls a number for which no address was set up."""


def returns_after(call: Call, traits: Traits) -> float | None:
    """Seconds after which the person calls back because of this call; None: does not."""
    is_missed = call.direction == "outbound-api" and call.status in MISSED and call.ringing_at is not None
    return traits.calls_back_after if is_missed else None


class Typist(Persona):
    """Presses the given keys, one at each wait (`_` is silence), then leaves."""

    def __init__(self, keys: str, number: str, seed: int) -> None:
        super().__init__(Traits(), number, seed, 1)
        self._keys = list(keys)

    def at_keys(self, heard: str) -> Reaction:
        """The next key."""
        self._understand(heard)
        if not self._keys:
            return HangUp()
        key = self._keys.pop(0)
        return Silence() if key == "_" else Press(key)

    def at_recording(self, heard: str, finish_keys: str) -> Reaction:
        """The next key, if it ends the recording; otherwise some words."""
        self._understand(heard)
        key = self._keys.pop(0) if self._keys else ""
        return Press(key) if key and key in finish_keys else Speak(3.0)
