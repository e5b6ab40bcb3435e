"""Plain phrases cut into the words of a model: a grammar may hold no other words, and a wrong one kills the process that decodes."""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

LONGEST_WORD = 12
"""Characters of the longest word that is looked for where a language writes no blanks."""

UNSPACED = frozenset({"zh"})
"""Languages that write no blanks between words."""

Knows = Callable[[str], bool]


@dataclass(frozen=True)
class Cut:
    """Phrases as sequences of a model's words, and those that could not be cut because a word is unknown."""

    phrases: tuple[tuple[str, ...], ...]
    dropped: tuple[str, ...]


def cut(phrases: Iterable[str], language: str, knows: Knows) -> Cut:
    """Cut every phrase by the model's own words; each result stands there once, in the order given."""
    found: dict[tuple[str, ...], None] = {}
    dropped = []
    for phrase in phrases:
        words = segment(phrase, language, knows)
        if words:
            found[words] = None
        else:
            dropped.append(phrase)
    return Cut(tuple(found), tuple(dropped))


def segment(phrase: str, language: str, knows: Knows) -> tuple[str, ...]:
    """The words of a phrase, as few as possible and long ones first; empty when the model does not know them."""
    plain = _plain(phrase)
    if language not in UNSPACED:
        words = tuple(plain.split())
        return words if all(knows(word) for word in words) else ()
    return _fewest("".join(plain.split()), knows)


def _plain(phrase: str) -> str:
    """Lower case, half width, and blanks for everything that is no letter, digit or apostrophe."""
    lower = unicodedata.normalize("NFKC", phrase).lower().replace("’", "'")
    return "".join(sign if sign.isalnum() or sign == "'" else " " for sign in lower)


def _fewest(text: str, knows: Knows) -> tuple[str, ...]:
    best: list[tuple[str, ...] | None] = [None] * len(text) + [()]
    for start in range(len(text) - 1, -1, -1):
        for end in range(min(start + LONGEST_WORD, len(text)), start, -1):
            rest = best[end]
            shortest = best[start]
            if rest is not None and (shortest is None or len(rest) + 1 < len(shortest)) and knows(text[start:end]):
                best[start] = (text[start:end], *rest)
    return best[0] or ()
