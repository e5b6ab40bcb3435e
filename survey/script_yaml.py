"""callscript/1 as text: YAML 1.2 by ruamel, scalars as the author wrote them, a place for every complaint."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node

from survey import parser_problems, script_shape, script_structure
from survey.script import (
    CALLBACK_QUESTION,
    KINDS_OF_STEPS,
    OPERATOR_QUESTION,
    Choice,
    ChooseStep,
    HangupStep,
    KeyPlan,
    Limits,
    OperatorOffer,
    RateStep,
    SayStep,
    Script,
    Step,
    Understanding,
)
from survey.script_issues import Issue, Place, Places, ScriptFaulty, in_order
from survey.script_shape import MISSING, Reading

FULL_WIDTH_COLON = re.compile(r"\s*(?:- )?[a-z_]+：")
LONGEST_TEXT = 200_000  # characters


@dataclass(frozen=True)
class Draft:
    """A text that was read: the script if its shape is right, the place of every value, and what was found wrong."""

    script: Script | None
    places: Places
    issues: tuple[Issue, ...]


def canonical(text: str) -> str:
    """The text with LF line ends, Unicode NFC, no byte order mark, and one line end at its end."""
    text = unicodedata.normalize("NFC", text.removeprefix("\ufeff"))
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"


def digest(text: str) -> str:
    """SHA-256 of the canonical text in UTF-8, hexadecimal."""
    return hashlib.sha256(canonical(text).encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=64)
def parse(text: str) -> Script:
    """The script of a text; the same text is parsed once. Raises ScriptFaulty with all that keeps it from running.

    What is returned can be played to its end; whether it should be is for `lint.check` to say.
    """
    draft = read(text)
    if draft.script is None:
        raise ScriptFaulty(draft.issues)
    found = draft.issues + tuple(script_structure.check(draft.script, draft.places))
    if found:
        raise ScriptFaulty(in_order(found))
    return draft.script


def read(text: str) -> Draft:
    """The text as a Draft; never raises."""
    text = canonical(text)
    reading = Reading()
    node = _compose(text, reading)
    data = script_shape.read(node, reading) if node is not None else MISSING
    script = None if data is MISSING or reading.issues else _script(data, digest(text))
    return Draft(script, reading.places, tuple(in_order(reading.issues)))


def _compose(text: str, reading: Reading) -> Node | None:
    if len(text) > LONGEST_TEXT:
        reading.report("CS01", (1, 1), f"文本超过{LONGEST_TEXT}字", f"the text is longer than {LONGEST_TEXT} characters")
        return None
    try:
        node = YAML(pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        _unreadable(reading, _full_width_colon(text, place), error.problem or "")
    except (YAMLError, ValueError, RecursionError) as error:
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1
        _unreadable(reading, (line, position - text.rfind("\n", 0, position)), getattr(error, "reason", "") or type(error).__name__)
    else:
        if node is not None:
            return node  # type: ignore[no-any-return]
        reading.report("CS01", (1, 1), "文本是空的", "the text is empty")
    return None


def _full_width_colon(text: str, place: Place) -> Place:
    """The parser stumbles only after a full-width colon: the place of one in a line shortly before, else `place`."""
    lines = text.split("\n")
    for line in range(min(place[0], len(lines)), max(0, place[0] - 4), -1):
        if found := FULL_WIDTH_COLON.match(lines[line - 1]):
            return line, found.end()
    return place


def _unreadable(reading: Reading, place: Place, reason: str) -> None:
    known, original = parser_problems.chinese_for(reason)
    zh = f"第{place[0]}行第{place[1]}列：{known}。常见原因：用了全角冒号“：”或未给 * # 加引号{original}"
    reading.report("CS01", place, zh, f"{reason}. Often: a full-width colon (：), or * or # without quotes")


def _script(data: dict[str, Any], text_digest: str) -> Script:
    scale = tuple(_choice(choice) for choice in data["scale"])
    return Script(
        name=data["name"], language=data["language"], scale=scale, digest=text_digest, notices=data["notices"],
        steps=tuple(_step(step, scale) for step in data["steps"]),
        keys=KeyPlan(**data.get("keys", {})), limits=Limits(**data.get("limits", {})),
        understanding=Understanding(**data.get("understanding", {})), after_human=data.get("after_human", "end"),
        hours={day: tuple(ranges) for day, ranges in data.get("hours", {}).items()},
        danger_words=tuple(data.get("danger_words", ())), counterpart=data.get("counterpart"),
        retired=tuple(data.get("retired", ())), callback=_callback(data["callback"]) if "callback" in data else None,
        operator=_operator(data["operator"]) if "operator" in data else None,
    )  # fmt: skip


def _choice(data: dict[str, Any]) -> Choice:
    return Choice(**{**data, "words": tuple(data.get("words", ()))})


def _callback(data: dict[str, Any]) -> ChooseStep:
    """The question when to call again; what is offered there is the choice's code."""
    offers = tuple(Choice(offer["key"], offer["when"], offer["say"], words=tuple(offer.get("words", ()))) for offer in data["choices"])
    retry = tuple(data.get("retry", ()))
    return ChooseStep(CALLBACK_QUESTION, CALLBACK_QUESTION, data["text"], retry, offers, barge_in=data.get("barge_in", True))


def _operator(data: dict[str, Any]) -> OperatorOffer:
    """The offer of an operator; its question is answered with yes and no, by key 1 and 2 in this order."""
    choices = tuple(
        Choice(choice["key"], code, choice["say"], words=tuple(choice.get("words", ())))
        for code, choice in (("yes", data["accept"]), ("no", data["decline"]))
    )
    retry = tuple(data.get("retry", ()))
    question = ChooseStep(OPERATOR_QUESTION, OPERATOR_QUESTION, data["text"], retry, choices, barge_in=data.get("barge_in", True))
    words = {name: data[name] for name in ("connecting", "nobody", "back")}
    return OperatorOffer(question, tuple(data["reasons"]), **words, after=data.get("after", ""))


def _step(data: dict[str, Any], scale: tuple[Choice, ...]) -> Step:
    fields = {name: value for name, value in data.items() if name != "type"}
    kind = KINDS_OF_STEPS[data["type"]]
    if kind not in (SayStep, HangupStep):
        fields["item"] = data.get("item", data["id"])
        fields["retry"] = tuple(data.get("retry", ()))
    if kind is RateStep:
        fields["choices"] = scale
    elif "choices" in data:
        fields["choices"] = tuple(_choice(choice) for choice in data["choices"])
    step: Step = kind(**fields)
    return step
