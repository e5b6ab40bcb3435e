"""Lint rules for the script of the second call: what it must find out, and what must not slip out before the person is known (R26, R51)."""

import re
from collections.abc import Iterator

from survey import lint_wording, script_structure
from survey.script import FOLLOWUP, FOLLOWUP_ITEMS, ChooseStep, ConfirmStep, RateStep, Script
from survey.script_issues import Issue, Places, at

VERDICTS = {"yes", "no"}
RATED_BADLY = re.compile(r"不满|差评|低分|投诉|反映的问题|dissatisfied|unhappy|complain|(?:bad|low|poor) rating", re.IGNORECASE)
"""Words by which whoever picks up the telephone learns that somebody has rated the police badly."""


def check(script: Script, places: Places) -> Iterator[Issue]:
    """CS12 and CS13 as they hold in a follow-up script."""
    yield from _no_ratings(script, places)
    yield from _both_questions(script, places)
    yield from _no_second_case(script, places)


def check_walk(script: Script, places: Places) -> Iterator[Issue]:
    """CS15 in a follow-up script: that the person was dissatisfied is told to nobody else. Needs a script whose jumps lead somewhere."""
    if script.kind != FOLLOWUP:
        return
    early = {script.steps[index].id for index in script_structure.reachable(script, without=ConfirmStep)}
    for place, step_id, text in lint_wording.texts(script):
        found = RATED_BADLY.search(text) if step_id in early or place[0] in ("notices", "callback", "operator") else None
        if found:
            zh = f"“{step_id}”在确认本人之前透露了对方曾经不满意：{found[0]}"
            en = f"{step_id!r} tells before the person is confirmed that somebody was dissatisfied: {found[0]}"
            yield at(places, place, "CS15", zh, en, step_id)


def _no_ratings(script: Script, places: Places) -> Iterator[Issue]:
    if script.scale:
        yield at(places, ("scale",), "CS12", "回访复核话术不用量表", "a follow-up script has no scale")
    for index, step in enumerate(script.steps):
        if isinstance(step, RateStep):
            zh, en = f"“{step.id}”：回访复核不再评分", f"{step.id!r}: a follow-up script asks for no rating"
            yield at(places, ("steps", index), "CS13", zh, en, step.id)


def _both_questions(script: Script, places: Places) -> Iterator[Issue]:
    asked = {step.item: index for index, step in enumerate(script.steps) if isinstance(step, ChooseStep)}
    for item in FOLLOWUP_ITEMS:
        if item not in asked:
            yield at(places, ("steps",), "CS13", f"缺少复核项：{item}", f"item of the follow-up missing: {item}")
        elif {choice.code for choice in script.steps[asked[item]].choices} != VERDICTS:  # type: ignore[union-attr]
            step_id = script.steps[asked[item]].id
            zh, en = f"“{step_id}”的选项代码须为 yes 和 no", f"the choices of {step_id!r} must have the codes yes and no"
            yield at(places, ("steps", asked[item], "choices"), "CS13", zh, en, step_id)


def _no_second_case(script: Script, places: Places) -> Iterator[Issue]:
    """Whoever is still dissatisfied sends the order back; a case of their own would become a second order."""
    for index, step in enumerate(script.steps):
        for number, choice in enumerate(getattr(step, "choices", ())):
            if choice.escalate == "dissatisfied":
                zh = f"“{step.id}”不能再次转为不满意件，复核结果会退回原交办单"
                en = f"{step.id!r} cannot open a case of dissatisfaction again: the result sends the order back"
                yield at(places, ("steps", index, "choices", number), "CS13", zh, en, step.id)
