"""Coding of verbatims: what a remark is about, by tables of words that anybody can read (R62, R34, R35).

    text ─ normal form ─▶ words found ─▶ class (idea > need > effect > praise), hot spot, hazard, place, danger, abuse

The words that led to each finding are kept beside it. Nothing is guessed: a remark in which no word of a table stands is unclassified.
Where several classes are named, what asks something of us comes before what judges us, and a complaint before thanks.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from survey import coding_words

EFFECT, NEED, IDEA, PRAISE, UNCLASSIFIED = "effect", "need", "idea", "praise", "unclassified"
CLASSES = (EFFECT, NEED, IDEA, PRAISE, UNCLASSIFIED)
"""问效, 问需, 问计 and 表扬; and what no rule knows."""
PRECEDENCE = (IDEA, NEED, EFFECT, PRAISE)
ACTOR_WITHIN = 24
"""So many characters before a blow or an insult the officer must be named, else it may be anybody's."""

_UNKNOWN = re.compile(r"\[unk\]|<unk>", re.I)
_BETWEEN_HAN = re.compile(r"(?<=[\u3400-\u9fff0-9])\s+(?=[\u3400-\u9fff0-9])")
_BOUNDARY = "|"


@dataclass(frozen=True)
class Evidence:
    """One word that led to a finding. `kind`: a class, hot_spot, hazard, place, danger, or abuse."""

    kind: str
    word: str


@dataclass(frozen=True)
class Coding:
    """What a remark is about. `code` is one of CLASSES; `place` is "" where none is named."""

    code: str = UNCLASSIFIED
    hot_spot: bool = False
    hazard: bool = False
    danger: bool = False
    abuse: bool = False
    place: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class _Found:
    start: int
    end: int
    word: str


def readable(text: str) -> str:
    """The recogniser's words as people write them: without blanks between Chinese characters, unknown words as dots."""
    return _BETWEEN_HAN.sub("", " ".join(_UNKNOWN.sub("…", text).split()))


def code(text: str, language: str, danger_words: Iterable[str] = (), *, about_police: bool = False) -> Coding:
    """The coding of a remark in `language` (zh or en; another one's words are in no table, so only danger words count).

    `danger_words` are the script's; `about_police`: the question was what the police did wrong, so a blow that has no other author
    was theirs.
    """
    table, said = coding_words.TABLES.get(language, coding_words.NOTHING), _normal(text)
    said = table.harmless.sub(_BOUNDARY, said)
    evidence = list(_classes(said, table))
    named = {each.kind for each in evidence}
    for kind, words in (("hot_spot", table.hot_spot), ("hazard", table.hazard)):
        evidence += [Evidence(kind, found.word) for found in _find(said, words) if not _is_denied(said, found, table)]
    evidence += [Evidence("danger", found.word) for found in _dangers(said, table, danger_words)]
    evidence += [Evidence("abuse", found.word) for found in _abuses(said, table, about_police)]
    place = _place(said, table)
    evidence += [Evidence("place", place)] if place else []
    kinds = {each.kind for each in evidence}
    chosen = next((each for each in PRECEDENCE if each in named), UNCLASSIFIED)
    found = ("hot_spot" in kinds, "hazard" in kinds, "danger" in kinds, "abuse" in kinds)
    return Coding(chosen, *found, place, tuple(dict.fromkeys(evidence)))


def _normal(text: str) -> str:
    """Full-width forms, capitals, blanks and punctuation levelled; what was not understood and punctuation is a boundary."""
    plain = _UNKNOWN.sub(_BOUNDARY, unicodedata.normalize("NFKC", text).lower().replace("’", "'"))
    marked = "".join(each if each.isalnum() or each in " '-" else _BOUNDARY for each in plain)
    return _BETWEEN_HAN.sub("", " ".join(marked.split()))


def _find(text: str, words: Iterable[str]) -> list[_Found]:
    """Every place of every word, longer ones first: where “不满意” stands, “满意” does not."""
    taken: list[_Found] = []
    for word in sorted(set(words), key=lambda each: (-len(each), each)):
        for match in _pattern(word).finditer(text):
            if not any(match.start() < other.end and other.start < match.end() for other in taken):
                taken.append(_Found(match.start(), match.end(), word))
    return sorted(taken, key=lambda found: found.start)


def _pattern(word: str) -> re.Pattern[str]:
    edge = r"\b" if word.isascii() else ""
    return re.compile(edge + re.escape(word) + edge)


def _classes(text: str, table: coding_words.Table) -> Iterator[Evidence]:
    """The words of the four classes; praise that is denied is a judgement on the work, a complaint that is denied is nothing."""
    kinds = {word: kind for kind, words in table.classes.items() for word in words}
    for found in _find(text, kinds):
        kind, denial = kinds[found.word], _denial(text, found, table)
        if denial is None:
            yield Evidence(kind, found.word)
        elif kind == PRAISE:
            yield Evidence(EFFECT, denial + text[found.start : found.end])


def _dangers(text: str, table: coding_words.Table, danger_words: Iterable[str]) -> Iterator[_Found]:
    """Words that mean danger now: a false alarm is better than a miss, so only an act that is plainly denied does not count."""
    words = [normal for word in danger_words if (normal := _normal(word))]
    for found in _find(text, words):
        if found.word in table.cries or not _is_denied_act(text, found, table):
            yield found


def _abuses(text: str, table: coding_words.Table, about_police: bool) -> Iterator[_Found]:
    """Allegations against the police: what only officials do, and blows and insults whose author is an officer (R35)."""
    for found in _find(text, table.misconduct):
        if not _is_denied(text, found, table):
            yield found
    for found in _find(text, table.violence):
        if not _is_denied_act(text, found, table) and _is_by_officer(text, found, table, about_police):
            yield found


def _is_by_officer(text: str, found: _Found, table: coding_words.Table, about_police: bool) -> bool:
    before = text[max(0, found.start - ACTOR_WITHIN) : found.end]
    officer = max((match.end() for match in table.officer.finditer(before)), default=-1)
    other = max((match.end() for match in table.other_actor.finditer(before)), default=-1)
    return officer > other or (about_police and other < 0)


def _is_denied(text: str, found: _Found, table: coding_words.Table) -> bool:
    return _denial(text, found, table) is not None


def _is_denied_act(text: str, found: _Found, table: coding_words.Table) -> bool:
    """Whether somebody says that it was not done; “不要打我” and “don't hit me” beg for help instead."""
    return _is_denied(text, found, table) and table.plea.search(text[: found.start]) is None


def _denial(text: str, found: _Found, table: coding_words.Table) -> str | None:
    """The negation directly before a word, between which only fillers stand; None without one, and where it is itself denied."""
    match = table.denial.search(text[: found.start])
    if match is None or table.double_denial.search(text[: match.start()]):
        return None
    return match[0]


def _place(text: str, table: coding_words.Table) -> str:
    """The first place that is named, as it was said; "" where none is."""
    for pattern in table.places:
        match = pattern.search(text)
        if match is not None:
            return match[1].strip()
    return ""
