"""Names and numbers that must not come out, struck out of what people have typed, however they are written (O35). Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

STRUCK = "＊＊＊"
FEWEST_DIGITS = 8
"""So many last digits of a number tell whose it is; what of the number stands before them is struck out with them."""

UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
"""What a document cannot hold, or what turns its writing around."""

NUMERALS = dict(zip("〇○零一二三四五六七八九幺壹贰叁肆伍陆柒捌玖", "000123456789" + "1123456789", strict=True))
APART = r"[\W_]{0,3}"
"""What may stand between two digits of a number, or two letters of a longer name."""
IN_ONE_CLAUSE = r"(?:[^\w，。、；：！？,;:!?]|_){0,3}"
"""What may stand between the letters of a name of two, which else meet by chance across a comma."""

Clean = Callable[[str | None], str]


def cleaner(hidden: Iterable[str]) -> Clean:
    """Strikes the hidden names and numbers out of a text, and what a document cannot hold.

    They are found in full-width forms, in Chinese numerals, and with anything but words between their digits or letters.
    """
    patterns = [pattern for text in hidden if (pattern := _pattern(text.strip()))]
    struck = re.compile("|".join(patterns)) if patterns else None

    def clean(text: str | None) -> str:
        printable = UNPRINTABLE.sub("", (text or "").replace("\r\n", "\n").replace("\r", "\n")).replace("\a", "").strip()
        return _without(struck, printable) if struck else printable

    return clean


def _without(struck: re.Pattern[str], text: str) -> str:
    kept, end = [], 0
    for found in struck.finditer(_level(text)):
        kept += [text[end : found.start()], STRUCK]
        end = found.end()
    return "".join((*kept, text[end:]))


def _level(text: str) -> str:
    """The text as it is compared: as long as before, character by character."""
    return "".join(map(_level_character, text))


@lru_cache(4096)
def _level_character(character: str) -> str:
    """A digit for each way of writing one, a plain small letter for each letter."""
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    plain = unicodedata.normalize("NFKC", character).lower()
    return NUMERALS.get(character, plain if len(plain) == 1 else character)


def _pattern(hidden: str) -> str:
    level = _level(hidden)
    digits = "".join(_level_character(character) for character in hidden if character.isdigit())
    if len(digits) >= FEWEST_DIGITS:
        return _number(digits)
    letters = [re.escape(character) for character in level if character.isalnum()]
    if len(letters) < 2:
        return ""
    if digits:  # some figures, as of a house: they stand in many a text
        return r"\s*".join(letters)
    edge = r"[a-z]" if level.isascii() else r"(?!)"
    return f"(?<!{edge}){(APART if len(letters) > 2 else IN_ONE_CLAUSE).join(letters)}(?!{edge})"


def _number(digits: str) -> str:
    """The last digits, with so much of the number as stands before them, and a dialling prefix."""
    before = ""
    for digit in digits[:-FEWEST_DIGITS]:
        before = f"(?:{before}{digit}{APART})?"
    return rf"(?:\+|0{{1,2}})?{before}" + APART.join(digits[-FEWEST_DIGITS:])
