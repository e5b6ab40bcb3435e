"""Where the ear is easily misled on a telephone, however sure the recogniser is: then a key is asked for (R30).

Measured with small models: the short 不 of 非常不满意 is swallowed, and the word before it comes out half as long again, with full
confidence; Mandarin digits of one syllable are taken for one another; and the “not” of “not satisfied” ends up in a “satisfied” of
more than a second.
"""

from dataclasses import replace

from speech.meaning import Expectation, Meaning
from speech.transcript import Transcript, Word

STRETCHED, STRETCHED_ALONE = 1.2, 1.5
"""A word that takes so many times as long for each of its syllables as the next may hide another one; a word of one is longer anyway."""

DOUBTFUL = 0.7
"""The most that is believed of a lone digit, or of an English word that takes LONG_SECONDS: it is asked back."""

LONG_SECONDS = 1.0

DIGITS = frozenset("零一二三四五六七八九十幺两")


def cautious(meaning: Meaning, heard: Transcript, expected: Expectation) -> Meaning:
    """The meaning with no more confidence than such sound deserves, or none where a negation may have been swallowed."""
    if meaning.code is None or meaning.code == "danger":
        return meaning
    if not expected.language.startswith("zh"):
        is_long = expected.is_scale and len(heard.words) == 1 and heard.words[0].end - heard.words[0].start >= LONG_SECONDS
        return replace(meaning, confidence=min(meaning.confidence, DOUBTFUL)) if is_long else meaning
    if expected.is_scale and any(_is_stretched(word, following) for word, following in zip(heard.words, heard.words[1:], strict=False)):
        return Meaning(None, 0.0, f"ambiguous: {meaning.evidence}, stretched")
    said = "".join(word.text for word in heard.words)
    if said in DIGITS:
        return replace(meaning, confidence=min(meaning.confidence, DOUBTFUL))
    return meaning


def _is_stretched(word: Word, following: Word) -> bool:
    return _pace(word) > (STRETCHED if len(word.text) > 1 else STRETCHED_ALONE) * _pace(following) > 0


def _pace(word: Word) -> float:
    """Seconds for each syllable, which in Chinese is each character."""
    return (word.end - word.start) / max(1, len(word.text))
