"""Utterances cut into known pieces: spelling made equal, tables indexed, the longest known phrase first."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from speech.numbers import digit_phrases
from speech.transcript import UNKNOWN, Transcript
from speech.words import en, zh
from speech.words.table import Phrases, Words
from speech.words.traditional import SIMPLIFIED

LANGUAGES = {"zh": zh.WORDS, "en": en.WORDS}
NO_WORDS = Words(
    blanks=True, digits={}, key_frames="", score_frames="", key_words={}, common={}, scale={}, yes_no={}, families={}, marks={}, negates={},
    negative_starts="", times={}, denials="", no_denials="", listen_scale="", listen_fillers="",
)  # fmt: skip
"""A language without a table: the script's own phrases and digits written as digits are all that is known."""
STRANGE = "\ue000"
"""Stands for an unknown word in an utterance made plain; no table holds it."""
APOSTROPHES = dict.fromkeys(map(ord, "'’‘ʼ`´"))
BLANK_CLASSES = ("P", "Z", "Cc", "Sk", "Sm")


@dataclass(frozen=True)
class Unit:
    """What phrases are made of: a word, or a character in a language without blanks."""

    text: str
    confidence: float


@dataclass(frozen=True)
class Entry:
    """What a phrase is: its kind, and its value within that kind. Both are empty for what no table holds."""

    kind: str = ""
    value: str = ""


@dataclass(frozen=True)
class Piece:
    """A phrase found in an utterance; `confidence` is that of its least certain word."""

    text: str
    entry: Entry
    confidence: float


def table(language: str) -> Words:
    """The words of a language such as `zh-CN`; those of no language when there is no table for it."""
    return LANGUAGES.get(language.replace("_", "-").split("-")[0].casefold(), NO_WORDS)


def units(heard: Transcript | str, words: Words) -> list[Unit]:
    """What was heard, made plain: one form of each character, no punctuation, no case, contractions written out."""
    if isinstance(heard, str):
        return [Unit(text, 1.0) for text in plain(heard, words)]
    return [Unit(text, _share(word.confidence)) for word in heard.words for text in plain(word.text, words)]


def plain(text: str, words: Words) -> list[str]:
    """The words or characters of a text as the tables spell them."""
    text = unicodedata.normalize("NFKC", text).casefold().replace(UNKNOWN, f" {STRANGE} ")
    if words.blanks:
        text = text.translate(APOSTROPHES)
    text = "".join(_letter(character) for character in text)
    if words.blanks:
        return [part for word in text.split() for part in words.contractions.get(word, word).split()]
    text = "".join(text.split()).translate(SIMPLIFIED)
    for other, usual in words.alternatives.items():
        text = text.replace(other, usual)
    return list(text)


def joined(texts: Iterable[str], words: Words) -> str:
    """Units as one phrase."""
    return (" " if words.blanks else "").join(texts)


def _letter(character: str) -> str:
    """The character, a blank for punctuation, nothing for what cannot be seen."""
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    return " " if category.startswith(BLANK_CLASSES) else character


def _share(confidence: float) -> float:
    """A confidence from 0.0 to 1.0; 0.0 for what is no number."""
    return min(max(confidence, 0.0), 1.0) if confidence == confidence else 0.0


@dataclass(frozen=True)
class Vocabulary:
    """The phrases known at a question, in layers: the first layer that holds a phrase says what it is."""

    words: Words
    layers: tuple[Mapping[str, Entry], ...]
    longest: int

    def entry(self, phrase: str) -> Entry | None:
        """What a phrase is, if it is known."""
        return next((layer[phrase] for layer in self.layers if phrase in layer), None)

    def under(self, own: Mapping[str, Entry]) -> "Vocabulary":
        """The same with a layer above the others."""
        length = max((len(plain(phrase, self.words)) for phrase in own), default=0)
        return Vocabulary(self.words, (own, *self.layers), max(self.longest, length))


@lru_cache(maxsize=64)
def vocabulary(language: str, *kinds: str) -> Vocabulary:
    """The phrases of a language's tables for a question; `kinds` are `scale`, or `yes_no` and a family, or codes of times."""
    words = table(language)
    entries: dict[str, Entry] = {}
    for phrase, kind, value in digit_phrases(words):
        entries[joined(plain(phrase, words), words)] = Entry(kind, value)
    for phrases in (words.common, *_wanted(words, kinds)):
        entries |= _index(phrases, words)
    return Vocabulary(words, (entries,), max((len(plain(phrase, words)) for phrase in entries), default=0))


def _wanted(words: Words, kinds: Sequence[str]) -> Iterator[Phrases]:
    """The tables beside the common one; a later one overrules."""
    for kind in kinds:
        if kind in words.times:
            yield {f"choice {kind}": words.times[kind]}
        elif kind == "scale":
            yield {name: phrases for name, phrases in words.scale.items() if name != "bare"}
        else:
            yield words.yes_no if kind == "yes_no" else words.families.get(kind, {})


def _index(phrases: Phrases, words: Words) -> dict[str, Entry]:
    """phrase -> what it is; the name of a line is the kind, a blank, the value."""
    found = {}
    for name, line in phrases.items():
        kind, _, value = name.partition(" ")
        for phrase in words.split(line):
            found[joined(plain(phrase, words), words)] = Entry(kind, value)
    return found


def pieces(found: Sequence[Unit], known: Vocabulary) -> Iterator[Piece]:
    """The utterance cut from left to right, the longest known phrase first; what is not known is a piece of its own."""
    texts = [unit.text for unit in found]
    start = 0
    while start < len(texts):
        length, entry = _longest(texts, start, known)
        part = found[start : start + length]
        yield Piece(joined((unit.text for unit in part), known.words), entry, min(unit.confidence for unit in part))
        start += length


def _longest(texts: Sequence[str], start: int, known: Vocabulary) -> tuple[int, Entry]:
    for length in range(min(known.longest, len(texts) - start), 0, -1):
        entry = known.entry(joined(texts[start : start + length], known.words))
        if entry:
            return length, entry
    return 1, Entry()


def places(phrase: Sequence[str], texts: Sequence[str], words: Words) -> Iterator[int]:
    """Where a phrase begins among the units, in their order; in a language without blanks each unit is one character."""
    blank = " " if words.blanks else ""
    text, wanted = f"{blank}{blank.join(texts)}{blank}", f"{blank}{blank.join(phrase)}{blank}"
    place, last, found = 0, 0, text.find(wanted) if phrase else -1
    while found >= 0:
        place += text.count(blank, last, found) if blank else found - last
        last = found
        yield place
        found = text.find(wanted, found + 1)


def asserted(phrase: Sequence[str], texts: Sequence[str], words: Words) -> int:
    """Where a phrase stands that the words before it do not deny; -1 when it stands nowhere."""
    for place in places(phrase, texts, words):
        before = joined(("", *texts[max(0, place - 10) : place]), words)
        if not _ends(before, words.denials, words) or _ends(before, words.no_denials, words):
            return place
    return -1


def _ends(text: str, line: str, words: Words) -> bool:
    return text.endswith(tuple(joined(("", phrase), words) for phrase in words.split(line)))


def yes_no_family(said: Mapping[str, Sequence[str]], words: Words) -> str | None:
    """The kind of a yes/no question by the wording of its codes, `general` without one; None if none, or its yes is worded as a no."""
    made = {code: [plain(phrase, words) for phrase in phrases] for code, phrases in said.items()}
    starts = [plain(start, words) for start in words.split(words.negative_starts)]
    if not {"yes", "no"} <= made.keys() or any(phrase[: len(start)] == start for phrase in made["yes"] for start in starts):
        return None
    answers = made["yes"] + made["no"]
    if not answers:
        return "general"
    for family, marks in words.marks.items():
        if any(_holds(phrase, plain(mark, words), words) for phrase in answers for mark in words.split(marks)):
            return family
    return "identity"


def _holds(texts: Sequence[str], phrase: Sequence[str], words: Words) -> bool:
    return next(places(phrase, texts, words), None) is not None


def spoken(phrase: str, words: Words) -> str:
    """A phrase for a recogniser: without punctuation and case, contractions as they stand."""
    text = unicodedata.normalize("NFKC", phrase).casefold()
    if not words.blanks:
        return joined(plain(phrase, words), words)
    text = text.replace("’", "'")
    return " ".join("".join(letter if letter == "'" else _letter(letter) for letter in text).split())


def listed(line: str, words: Words) -> Iterator[str]:
    """The phrases of a table's line, each also as people contract it; none in Latin letters where the language has others."""
    for phrase in words.split(line):
        if words.blanks or not phrase.isascii():
            yield phrase
        short = phrase
        for full, contracted in words.contracted.items():
            short = f" {short} ".replace(f" {full} ", f" {contracted} ").strip()
        if short != phrase:
            yield short
