"""What somebody meant who was asked a question: one of its answers, a command, danger, or nothing that may be taken.

An utterance is cut into known pieces from end to end. Whatever is left over, questions an answer or gives a second one makes it nothing,
because a wrong answer is worse than asking again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from speech.lexicon import (
    Entry,
    Piece,
    Unit,
    Vocabulary,
    asserted,
    joined,
    listed,
    pieces,
    plain,
    spoken,
    table,
    units,
    vocabulary,
    yes_no_family,
)
from speech.numbers import BEST_LAST, score_code, spoken_keys, spoken_scores
from speech.transcript import Transcript
from speech.words.degrees import level
from speech.words.table import Words

LONGEST = 80
"""Units of an utterance that may still be an answer: characters, or words."""
LISTENED = 400
FEW = 18
"""Ways to say a command, and to say that one does not know, that are listened for."""
COMMANDS = ("back", "human", "not_now", "never", "repeat")
AFTERWARDS = (Entry("degree", "after"), Entry("degree", "at all"))
"""Degrees that stand behind the word they belong to."""
FINAL = "never"
"""The command that cannot be taken back: its key must be named as a key, a digit alone is not enough."""


@dataclass(frozen=True)
class Choice:
    """One possible answer of the question in force: its code, its key, and how the script says it."""

    code: str
    key: str
    phrases: tuple[str, ...]


@dataclass(frozen=True)
class Expectation:
    """What may be said now. `commands` maps keys to what they mean everywhere; `is_scale`: the choices are the scale of satisfaction."""

    language: str
    choices: tuple[Choice, ...]
    commands: Mapping[str, str]
    danger: tuple[str, ...] = ()
    is_scale: bool = False


@dataclass(frozen=True)
class Meaning:
    """What was meant: a code or None, the confidence of the least certain word that carries it, and these words or why there is none."""

    code: str | None
    confidence: float
    evidence: str


NOTHING = Meaning(None, 0.0, "")
UNKNOWN_WORDS = Meaning(None, 0.0, "unknown words")
TOO_LONG = Meaning(None, 0.0, "ambiguous: too long")


@dataclass(frozen=True)
class Signal:
    """A part of the utterance that means something by itself."""

    code: str
    carriers: tuple[Piece, ...]


@dataclass(frozen=True)
class Known:
    """What a question's wording makes of the tables: the phrases known, those that are the script's own, the kind of yes/no question."""

    vocabulary: Vocabulary
    own: Mapping[str, Entry]
    family: str | None

    @property
    def words(self) -> Words:
        return self.vocabulary.words


class Unclear(Exception):
    """The utterance holds something that makes it no answer; the message names it."""


def understand(heard: Transcript | str, expected: Expectation) -> Meaning:
    """What was meant at this question; a text is taken as heard with certainty.

    The code is None when nothing, something unknown, or more than one thing was said.
    """
    known = _known(expected.language, expected.choices, expected.is_scale)
    found = units(heard, known.words)
    if joined([unit.text for unit in found[: LONGEST + 1]], known.words) not in known.own:
        alarm = _danger(found, expected, known.words)
        if alarm:
            return alarm
    return _parse(found, expected, known) if len(found) <= LONGEST else TOO_LONG


def phrases(expected: Expectation) -> tuple[str, ...]:
    """What a recogniser should listen for at this question, the most important first; at most 400 phrases.

    Among them are questions and hedges that are no answers, so that they are not heard as the answers that they contain.
    """
    words = table(expected.language)
    heard = dict.fromkeys(phrase for phrase in _listened(expected, words) if phrase)
    return tuple(islice(heard, LISTENED))


def _listened(expected: Expectation, words: Words) -> Iterator[str]:
    for phrase in (*(phrase for choice in expected.choices for phrase in choice.phrases), *expected.danger):
        yield spoken(phrase, words)
    keys = "".join(choice.key for choice in expected.choices)
    if expected.is_scale:
        yield from listed(words.listen_scale, words)
        yield from spoken_scores(words, frames=2)
    family = _known(expected.language, expected.choices, expected.is_scale).family
    for phrases_of in (words.yes_no, words.families.get(family, {})) if family else ():
        for line in phrases_of.values():
            yield from listed(line, words)
    yield from spoken_keys(words, keys, frames=5)
    for choice in expected.choices:
        yield from listed(words.times.get(choice.code, ""), words)
    for name, line in words.common.items():
        if name == "unsure" or name.removeprefix("command ") in expected.commands.values():
            yield from islice(listed(line, words), FEW)
    yield from spoken_keys(words, "".join(expected.commands), frames=2)
    yield from listed(words.listen_fillers, words)


def _parse(found: Sequence[Unit], expected: Expectation, known: Known) -> Meaning:
    """The one thing that the utterance means."""
    cut = list(pieces(found, known.vocabulary))
    if any(not piece.entry.kind for piece in cut):
        return UNKNOWN_WORDS
    try:
        signals = list(_signals(cut, expected, known))
    except Unclear as reason:
        return Meaning(None, 0.0, f"ambiguous: {reason}")
    carriers = [piece for signal in signals for piece in signal.carriers]
    evidence = " / ".join(dict.fromkeys(joined((piece.text for piece in signal.carriers), known.words) for signal in signals))
    codes = {signal.code for signal in signals}
    if len(codes) > 1:
        return Meaning(None, 0.0, f"ambiguous: {evidence}")
    offered = {choice.code for choice in expected.choices} | (set(expected.commands.values()) & set(COMMANDS))
    if not codes:
        return NOTHING
    if not codes <= offered:
        return Meaning(None, 0.0, f"no such answer: {evidence}")
    return Meaning(codes.pop(), min(piece.confidence for piece in carriers), evidence)


def _signals(cut: Sequence[Piece], expected: Expectation, known: Known) -> Iterator[Signal]:
    """The meanings in an utterance, from left to right; raises Unclear when one of its pieces may belong to none."""
    modifiers: list[Piece] = []
    place = 0
    while place < len(cut):
        piece, place = cut[place], place + 1
        kind = piece.entry.kind
        if kind == "filler":
            if any(part.entry.kind == "negation" for part in modifiers):
                raise Unclear(joined((part.text for part in modifiers), known.words))  # "no, I think it is good" is not "not good"
        elif kind in ("degree", "negation"):
            modifiers.append(piece)
        elif kind == "opinion":
            after = [part for part in cut[place : place + 1] if part.entry in AFTERWARDS]
            place += len(after)
            yield _opinion([*modifiers, piece, *after], len(modifiers), known.words)
            modifiers = []
        elif modifiers or kind == "stop":
            raise Unclear(joined((part.text for part in (*modifiers, piece)), known.words))
        elif kind == "negator":
            signal, place = _negator(cut, place, known)
            yield signal
        else:
            yield Signal(_direct(cut, place - 1, expected), (piece,))
    if modifiers:
        raise Unclear(joined((piece.text for piece in modifiers), known.words))


def _opinion(parts: Sequence[Piece], before: int, words: Words) -> Signal:
    """A word of praise or blame, the `before`-th of the parts, with the degrees and negations around it."""
    values = tuple(piece.entry.value for piece in parts)
    text = joined((piece.text for piece in parts), words)
    found = level(values[before], values[:before], values[before + 1 :])
    if found is None or text in words.split(words.scale.get("bare", "")):
        raise Unclear(text)
    return Signal(BEST_LAST[found + 2], tuple(parts))


def _negator(cut: Sequence[Piece], place: int, known: Known) -> tuple[Signal, int]:
    """A "no" of a language where it also negates what follows, and the place after what belongs to it."""
    piece = cut[place - 1]
    if place == len(cut) or cut[place].entry.kind == "filler":
        return Signal("no", (piece,)), place
    after = cut[place]
    if after.entry.kind in ("no", "negator", "own no") and after.text.startswith(piece.text):
        return Signal("no", (piece,)), place
    negates = known.words.split(known.words.negates.get(known.family or "", ""))
    if after.entry.kind == "own yes" and piece.text in negates:
        return Signal("no", (piece, after)), place + 1
    raise Unclear(piece.text + after.text)


def _direct(cut: Sequence[Piece], place: int, expected: Expectation) -> str:
    """The code that a piece means by itself."""
    kind, value = cut[place].entry.kind, cut[place].entry.value
    if kind in ("yes", "no", "own yes", "own no"):
        return kind.removeprefix("own ")
    if kind == "unsure":
        return kind
    if kind in ("command", "choice"):
        return value
    codes = {choice.key: choice.code for choice in expected.choices}
    code = score_code(value, codes) if kind == "score" and expected.is_scale else None
    if kind in ("digit", "key"):
        code = _key(cut, place, {**expected.commands, **codes})
    if code is None:
        raise Unclear(cut[place].text)
    return code


def _key(cut: Sequence[Piece], place: int, codes: Mapping[str, str]) -> str | None:
    """What a key means; None for a digit of a longer number, and for a digit that would end all calls."""
    alone = cut[place].entry.kind == "digit"
    code = codes.get(cut[place].entry.value)
    number = alone and place > 0 and cut[place - 1].entry.kind in ("digit", "key")
    return None if number or (alone and code == FINAL) else code


def _danger(found: Sequence[Unit], expected: Expectation, words: Words) -> Meaning | None:
    """Words of danger anywhere in the utterance, unless they are denied."""
    texts = [unit.text for unit in found]
    for danger in expected.danger:
        phrase = plain(danger, words)
        place = asserted(phrase, texts, words)
        if place >= 0:
            return Meaning("danger", min(unit.confidence for unit in found[place : place + len(phrase)]), joined(phrase, words))
    return None


@lru_cache(maxsize=512)
def _known(language: str, choices: tuple[Choice, ...], is_scale: bool) -> Known:
    """The tables that serve the question, and above them the script's own wording."""
    words = table(language)
    family = None if is_scale else yes_no_family({choice.code: choice.phrases for choice in choices}, words)
    if is_scale:
        kinds = ["scale"]
    elif family:
        kinds = ["yes_no", family]
    else:
        kinds = sorted(choice.code for choice in choices if choice.code in words.times)
    base = Known(vocabulary(language, *kinds), {}, family)
    own = {text: entry for text, entry in _own_phrases(choices, words).items() if not _settled(text, entry, choices, base, is_scale)}
    return Known(base.vocabulary.under(own), own, family)


def _own_phrases(choices: Sequence[Choice], words: Words) -> dict[str, Entry]:
    """The script's wording of the choices as pieces; what is said for two of them is none."""
    own: dict[str, Entry] = {}
    for choice in choices:
        kind = f"own {choice.code}" if choice.code in ("yes", "no") else "choice"
        for phrase in choice.phrases:
            text, entry = joined(plain(phrase, words), words), Entry(kind, choice.code)
            if text:
                own[text] = entry if own.get(text, entry) == entry else Entry("stop")
    return own


def _settled(text: str, entry: Entry, choices: tuple[Choice, ...], base: Known, is_scale: bool) -> bool:
    """Whether the tables keep a phrase of the script: as a no that negates, or on the scale with its meaning or that of the other side."""
    if not is_scale:
        return entry.kind == "own no" and (base.vocabulary.entry(text) or Entry()).kind == "negator"
    found = _parse([Unit(part, 1.0) for part in plain(text, base.words)], Expectation("", choices, {}, is_scale=True), base).code
    return found is not None and (found == entry.value or _side(found) * _side(entry.value) < 0)


def _side(code: str) -> int:
    """Above 0 for praise, below for blame, else 0."""
    return BEST_LAST.index(code) - 2 if code in BEST_LAST else 0
