"""Holds what the carrier saw against what was stored: the carrier is the witness, never our own tables alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ivr.voice.wording import EXCUSE, FAREWELL
from survey.script import RATED_ITEMS

RATED = frozenset(RATED_ITEMS)
SCALE_KEYS = frozenset("123456")
KEY_OF = {"very_satisfied": "1", "satisfied": "2", "neutral": "3", "dissatisfied": "4", "very_dissatisfied": "5", "unsure": "6"}
"""Which key of the scale a spoken rating stands for."""

EXCUSES = (*EXCUSE.values(), *FAREWELL.values())


@dataclass(frozen=True)
class StoredAnswer:
    """One stored answer as the export gives it: the carrier's call, the item, the raw key; by voice, the code of the answer."""

    call_sid: str
    item: str
    raw: str
    mode: str = "keys"
    code: str = ""

    @property
    def key(self) -> str:
        """The key that was pressed, or that the spoken answer stands for."""
        return self.raw if self.mode == "keys" else KEY_OF.get(self.code, self.code)


@dataclass(frozen=True)
class Verdict:
    """The outcome of the comparison. Each list holds (call sid, item, pressed, stored).

    `spoken` are answers by voice that are what the callee said, `misheard` those that are not. `unheard` are keys that did not come
    to us or that we could not note, so that the caller was told of a failure: stored or not; if something is stored, it is that key
    or the one before.
    """

    equal: int
    different: list[tuple[str, str, str, str]] = field(default_factory=list)
    lost: list[tuple[str, str, str, str]] = field(default_factory=list)
    invented: list[tuple[str, str, str, str]] = field(default_factory=list)
    unheard: list[tuple[str, str, str, str]] = field(default_factory=list)
    rung_twice: list[str] = field(default_factory=list)
    spoken: int = 0
    misheard: list[tuple[str, str, str, str]] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether every pressed answer is stored as pressed, nothing is stored that was not, and nobody was rung twice at once."""
        return not (self.different or self.lost or self.invented or self.rung_twice or self.misheard)


def pressed_answers(journal: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], tuple[str, ...]]:
    """What may be stored for each rated item: (call sid, item) -> keys.

    It is the last valid key that the callee pressed; where its web-hook failed, that key, the one before, or nothing (empty).
    """
    pressed: dict[tuple[str, str], tuple[str, ...]] = {}
    for call in journal:
        for press in call["presses"]:
            if press["item"] in RATED and press["keys"] in SCALE_KEYS:
                key = call["sid"], press["item"]
                earlier = pressed.get(key, ("",))
                pressed[key] = (press["keys"],) if arrived(call, press) else (press["keys"], *earlier)
    return pressed


def arrived(call: Mapping[str, Any], press: Mapping[str, Any]) -> bool:
    """Whether the carrier got a document for the key, and what followed was no excuse: who hears one knows that nothing was noted.

    The problems of a call name the address that failed.
    """
    excused = any(excuse in press.get("then", "") for excuse in EXCUSES)
    return not excused and not any(problem.endswith(f"[{press.get('url')}]") for problem in call.get("problems", ()))


def repeats_answered_otherwise(call: Mapping[str, Any]) -> list[str]:
    """Addresses at which a repeat got another document than its first copy.

    An excuse in place of either is none: while a process that holds the database is stopped, one of two copies may have to be told
    so and the other not. Nor is a late copy that asks, after a failure, where the call stands: by then it stands elsewhere.
    """
    pairs = [pair for pair in call.get("repeats_differing", ()) if not pair["url"].endswith("/fallback")]
    return [pair["url"] for pair in pairs if not any(excuse in pair["first"] + pair["again"] for excuse in EXCUSES)]


def spoken_answers(journal: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], set[str]]:
    """What the callee said to each rated item, as the keys that the words stand for: (call sid, item) -> keys."""
    said: dict[tuple[str, str], set[str]] = {}
    for call in journal:
        for words in call.get("said", ()):
            if words["item"] in RATED and words["meant"] in SCALE_KEYS:
                said.setdefault((call["sid"], words["item"]), set()).add(words["meant"])
    return said


def is_ours(call: Mapping[str, Any]) -> bool:
    """Whether we placed the call; the others came from people who called our number."""
    return str(call.get("direction", "outbound-api")) != "inbound"


def compare(journal: Iterable[Mapping[str, Any]], stored: Iterable[StoredAnswer]) -> Verdict:
    """Compare the carrier's journal with the stored answers to the rated items."""
    calls, rated = list(journal), [answer for answer in stored if answer.item in RATED]
    said, pressed = spoken_answers(calls), pressed_answers(calls)
    by_voice = {(answer.call_sid, answer.item): answer.key for answer in rated if answer.mode == "speech"}
    misheard = sorted(key for key, meant in by_voice.items() if meant not in said.get(key, ()))
    pressed = {key: keys for key, keys in pressed.items() if key not in by_voice}
    kept = {(answer.call_sid, answer.item): answer.raw for answer in rated if answer.mode != "speech"}
    both = pressed.keys() & kept.keys()
    missing = sorted(pressed.keys() - kept.keys())
    return Verdict(
        spoken=len(by_voice) - len(misheard),
        misheard=[(*key, "".join(sorted(said.get(key, ()))), by_voice[key]) for key in misheard],
        equal=sum(kept[key] in pressed[key] for key in both),
        different=[(*key, pressed[key][0], kept[key]) for key in sorted(both) if kept[key] not in pressed[key]],
        lost=[(*key, pressed[key][0], "") for key in missing if "" not in pressed[key]],
        invented=[(*key, "", kept[key]) for key in sorted(kept.keys() - pressed.keys())],
        unheard=[(*key, pressed[key][0], "") for key in missing if "" in pressed[key]],
        rung_twice=rung_at_once(calls),
    )


def rung_at_once(calls: Iterable[Mapping[str, Any]]) -> list[str]:
    """Call sids that began while another call to the same number had not ended: a person rung twice."""
    last_end: dict[str, str] = {}
    doubled = []
    for call in sorted(filter(is_ours, calls), key=lambda call: call["created_at"]):
        if call["created_at"] < last_end.get(call["to"], ""):
            doubled.append(call["sid"])
        last_end[call["to"]] = max(last_end.get(call["to"], ""), call["ended_at"] or "9")
    return doubled
