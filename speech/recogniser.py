"""What a recogniser can do, whichever engine is behind it."""

from collections.abc import Sequence
from typing import Protocol

from speech.audio import Pcm
from speech.transcript import Word


class CannotListen(Exception):
    """No recogniser can be made: the model cannot be used, or knows none of the phrases."""


class Recogniser(Protocol):
    """Hears one stream of sound, one utterance after the other."""

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
