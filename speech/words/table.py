"""The shape of a language's table of words."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Phrases = Mapping[str, str]
"""Kind of word -> phrases: parted by blanks in a language without blanks, else by commas."""


@dataclass(frozen=True)
class Words:
    """All words of a language; `families` are the kinds of yes/no question and `marks` the words of a script that tell them apart."""

    blanks: bool
    digits: Mapping[str, str]
    key_frames: str
    score_frames: str
    key_words: Phrases
    common: Phrases
    scale: Phrases
    yes_no: Phrases
    families: Mapping[str, Phrases]
    marks: Phrases
    negates: Phrases
    negative_starts: str
    times: Phrases
    denials: str
    no_denials: str
    listen_scale: str
    listen_fillers: str
    ordinals: Mapping[str, str] = field(default_factory=dict)
    ordinal_frames: str = ""
    contractions: Mapping[str, str] = field(default_factory=dict)
    contracted: Mapping[str, str] = field(default_factory=dict)
    alternatives: Mapping[str, str] = field(default_factory=dict)

    def split(self, phrases: str) -> list[str]:
        """The phrases of a table's line."""
        return [phrase.strip() for phrase in phrases.split("," if self.blanks else None) if phrase.strip()]
