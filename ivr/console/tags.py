"""A state as pages show it: a tag always has word and sign, never colour alone."""

from dataclasses import dataclass

from flask_babel.speaklater import LazyString

GOOD, BAD, BUSY, CARE, QUIET = "good", "bad", "busy", "care", "quiet"


@dataclass(frozen=True)
class Tag:
    """A state as shown: its word, a sign, and the tone that gives the colour."""

    word: str | LazyString
    sign: str
    tone: str


def tag(table: dict[str, Tag] | dict[int, Tag], key: str | int) -> Tag:
    """The tag for a stored word; a word that we do not know is shown as it is."""
    found: Tag | None = table.get(key)  # type: ignore[arg-type]
    return found or Tag(str(key), "?", QUIET)


def say(table: dict[str, LazyString], key: str) -> str:
    """The word for a stored word; one that we do not know is shown as it is."""
    return str(table.get(key, key))
