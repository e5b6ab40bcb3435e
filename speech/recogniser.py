"""What a recogniser can do, whichever engine is behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from speech.audio import Pcm
from speech.transcript import Word


class CannotListen(Exception):
    """No recogniser can be made: the model cannot be used, or knows none of the phrases."""


@dataclass(frozen=True)
class Trust:
    """How far a model's own confidence is believed: it is as sure of itself in noise as elsewhere.

    `most` is the factor on a clear line, `noisy` where the voice is less than `noisy_db` above the noise, `drowned` below `drowned_db`.
    With the shipped thresholds (accept from 0.80, ask back from 0.55) a noisy answer is asked back, a drowned one asked again.
    """

    most: float = 1.0
    noisy_db: float = 24.0
    noisy: float = 0.75
    drowned_db: float = 8.0
    drowned: float = 0.5

    def factor(self, over_noise: float) -> float:
        """By what to multiply the confidence of words whose voice is so many dB above the noise."""
        return min(self.most, self.drowned if over_noise < self.drowned_db else self.noisy if over_noise < self.noisy_db else 1.0)


class Recogniser(Protocol):
    """Hears one stream of sound, one utterance after the other."""

    @property
    def trust(self) -> Trust:
        """How far its confidence is believed."""
        ...

    @property
    def dropped(self) -> tuple[str, ...]:
        """The phrases that it does not listen for, because the model lacks a word of theirs."""
        ...

    def feed(self, pcm: Pcm) -> None:
        """Take the next piece of an utterance, 8,000 samples a second."""
        ...

    def finish(self) -> tuple[Word, ...]:
        """The words of the utterance, in seconds from its first sample; what comes next is another utterance."""
        ...


class Model(Protocol):
    """A language's model, loaded once in a process."""

    def recogniser(self, phrases: Sequence[str] | None) -> Recogniser:
        """One that hears these phrases and nothing else, or with None whatever is said. Raises CannotListen."""
        ...
