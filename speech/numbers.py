"""Spoken digits: which key they name, and which answer a score names."""

from collections.abc import Iterator, Mapping

from speech.words.table import Words

BEST_LAST = ("very_dissatisfied", "dissatisfied", "neutral", "satisfied", "very_satisfied")
"""The scale as points are given: five of five is best."""


def digit_phrases(words: Words) -> Iterator[tuple[str, str, str]]:
    """(phrase, kind, value) for each way to say a digit: `digit` alone, `key` named as a key, `score` named as points."""
    spoken = [*words.digits.items(), *((digit, digit) for digit in "0123456789")]
    for word, digit in spoken:
        yield word, "digit", digit
        yield from ((frame.format(word), "key", digit) for frame in words.split(words.key_frames))
        yield from ((frame.format(word), "score", digit) for frame in words.split(words.score_frames))
    for word, digit in words.ordinals.items():
        yield from ((frame.format(word), "key", digit) for frame in words.split(words.ordinal_frames))
    for key, phrases in words.key_words.items():
        yield from ((phrase, "key", key) for phrase in words.split(phrases))


def score_code(score: str, codes: Mapping[str, str]) -> str | None:
    """The answer that a score names; `codes` maps keys to the scale's codes.

    On a scale whose key 1 is best nobody can tell whether "four points" is four of five or key 4: it counts only where both say the same.
    """
    if not "1" <= score <= "5" or not set(BEST_LAST) <= set(codes.values()):
        return None
    as_points = BEST_LAST[int(score) - 1]
    return as_points if codes.get(score) == as_points else None


def spoken_keys(words: Words, keys: str, frames: int) -> Iterator[str]:
    """How each of `keys` is said: as a digit, and in the first `frames` frames of the table."""
    for word, digit in words.digits.items():
        if digit in keys:
            yield word
            yield from (frame.format(word) for frame in words.split(words.key_frames)[:frames])
    for key, phrases in words.key_words.items():
        if key in keys:
            yield words.split(phrases)[0]


def spoken_scores(words: Words, frames: int) -> Iterator[str]:
    """How the points 1 to 5 are said, in the first `frames` frames of the table."""
    for word, digit in words.digits.items():
        if "1" <= digit <= "5":
            yield from (frame.format(word) for frame in words.split(words.score_frames)[:frames])
