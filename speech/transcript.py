"""What a recogniser has heard: words with their times and confidences."""

from dataclasses import dataclass
from functools import cached_property

UNKNOWN = "[unk]"
"""The word that a recogniser gives for speech that is none of the words it was told to expect."""


@dataclass(frozen=True)
class Word:
    """One word. `start` and `end` are seconds from the beginning of the sound; `confidence` is 0.0 to 1.0."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Transcript:
    """The words of one utterance, or of one recording, in their order."""

    words: tuple[Word, ...] = ()

    @cached_property
    def text(self) -> str:
        """The words with a blank between them, the unknown ones included."""
        return " ".join(word.text for word in self.words)

    @cached_property
    def confidence(self) -> float:
        """That of the least certain known word; 0.0 when no word is known, or an unknown one stands among them."""
        known = [word.confidence for word in self.words if word.text != UNKNOWN]
        return min(known) if known and len(known) == len(self.words) else 0.0
