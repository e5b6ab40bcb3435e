"""Holds what the carrier saw against what was stored: the carrier is the witness, never our own tables alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from survey.script import RATED_ITEMS

RATED = frozenset(RATED_ITEMS)
SCALE_KEYS = frozenset("123456")


@dataclass(frozen=True)
class StoredAnswer:
    """One stored answer as the export gives it: the carrier's call, the item, the raw key."""

    call_sid: str
    item: str
    raw: str


@dataclass(frozen=True)
class Verdict:
    """The outcome of the comparison. Each list holds (call sid, item, pressed, stored)."""

    equal: int
    different: list[tuple[str, str, str, str]] = field(default_factory=list)
    lost: list[tuple[str, str, str, str]] = field(default_factory=list)
    invented: list[tuple[str, str, str, str]] = field(default_factory=list)
    rung_twice: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether every pressed answer is stored as pressed, nothing is stored that was not, and nobody was rung twice at once."""
        return not (self.different or self.lost or self.invented or self.rung_twice)


def pressed_answers(journal: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """The last valid key each callee pressed for each rated item: (call sid, item) -> key."""
    pressed = {}
    for call in journal:
        for press in call["presses"]:
            if press["item"] in RATED and press["keys"] in SCALE_KEYS:
                pressed[call["sid"], press["item"]] = press["keys"]
    return pressed


def compare(journal: Iterable[Mapping[str, Any]], stored: Iterable[StoredAnswer]) -> Verdict:
    """Compare the carrier's journal with the stored answers to the rated items."""
    calls = list(journal)
    pressed = pressed_answers(calls)
    kept = {(answer.call_sid, answer.item): answer.raw for answer in stored if answer.item in RATED}
    both = pressed.keys() & kept.keys()
    return Verdict(
        equal=sum(pressed[key] == kept[key] for key in both),
        different=[(*key, pressed[key], kept[key]) for key in sorted(both) if pressed[key] != kept[key]],
        lost=[(*key, pressed[key], "") for key in sorted(pressed.keys() - kept.keys())],
        invented=[(*key, "", kept[key]) for key in sorted(kept.keys() - pressed.keys())],
        rung_twice=rung_at_once(calls),
    )


def rung_at_once(calls: Iterable[Mapping[str, Any]]) -> list[str]:
    """Call sids that began while another call to the same number had not ended: a person rung twice."""
    last_end: dict[str, str] = {}
    doubled = []
    for call in sorted(calls, key=lambda call: call["created_at"]):
        if call["created_at"] < last_end.get(call["to"], ""):
            doubled.append(call["sid"])
        last_end[call["to"]] = max(last_end.get(call["to"], ""), call["ended_at"] or "9")
    return doubled
