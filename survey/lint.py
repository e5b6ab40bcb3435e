"""Checks a script's text before it may be published: all findings at once, each with its place (rules CS01 to CS30).

Rules that keep a script from being played at all live in `script_structure`, those about spoken words in `lint_wording`;
here are the rules about what is asked, of whom, and with which bounds.
"""

from collections.abc import Iterator
from datetime import time
from itertools import pairwise

from survey import lint_wording, script_structure, script_yaml
from survey.script import RATED_ITEMS, ChoiceStep, ConfirmStep, HangupStep, RateStep, RecordStep, SayStep, Script, Step
from survey.script_issues import Issue, Path, Places, Severity, at, in_order

EARLIEST, LATEST = time(8), time(21)  # no setting goes beyond (R14)
MOST_RETRIES = 2


def check(text: str, bureau: str = "") -> list[Issue]:
    """Everything that is wrong with the text, sorted by place. Never raises.

    `bureau` is the name that will be spoken; without it a name of six characters is assumed where words are measured.
    """
    draft = script_yaml.read(text)
    found = list(draft.issues)
    if draft.script is not None:
        broken = list(script_structure.check(draft.script, draft.places))
        found += broken + list(_contents(draft.script, draft.places, bureau, whole=not broken))
    return in_order(found)


def _contents(script: Script, places: Places, bureau: str, whole: bool) -> Iterator[Issue]:
    """The rules that read values; those that follow the steps need a `whole` script, whose jumps all lead somewhere."""
    for rule in (_retries, _repeated_words, _scale, _items, _thresholds, _hours, _counterpart, _retired, lint_wording.check):
        yield from rule(script, places)
    if whole:
        yield from _unreachable(script, places)
        yield from _before_confirmed(script, places)
        yield from lint_wording.check_walk(script, places, bureau)


def _unreachable(script: Script, places: Places) -> Iterator[Issue]:
    reached = script_structure.reachable(script)
    for index, step in enumerate(script.steps):
        if index not in reached:
            yield at(places, ("steps", index), "CS06", f"步骤“{step.id}”永远走不到", f"step {step.id!r} can never be reached", step.id)


def _steps(script: Script) -> Iterator[tuple[Path, Step]]:
    """Every step with its place, the questions that no step puts included."""
    for index, step in enumerate(script.steps):
        yield ("steps", index), step
    if script.callback is not None:
        yield ("callback",), script.callback
    if script.operator is not None:
        yield ("operator",), script.operator.question


def _retries(script: Script, places: Places) -> Iterator[Issue]:
    for path, step in _steps(script):
        if isinstance(step, ChoiceStep) and not step.retry:
            zh, en = f"“{step.id}”没有设置无应答时的提示（retry）", f"{step.id!r} says nothing when there is no answer (retry)"
            yield at(places, path, "CS08", zh, en, step.id)
        if isinstance(step, ChoiceStep | RecordStep) and len(step.retry) > MOST_RETRIES:
            zh, en = "每题最多提示3次（retry 最多2条）", "a question is put three times at most (two retries)"
            yield at(places, (*path, "retry"), "CS10", zh, en, step.id)


def _repeated_words(script: Script, places: Places) -> Iterator[Issue]:
    for path, step in _steps(script):
        spoken = [_essence(step.text)] if isinstance(step, ChoiceStep | RecordStep) else []
        for number, text in enumerate(getattr(step, "retry", ())):
            if _essence(text) in spoken:
                zh = f"“{step.id}”的第{number + 2}次提示与前面的相同，应更直接"
                en = f"attempt {number + 2} of {step.id!r} repeats earlier words; make it more directive"
                yield at(places, (*path, "retry", number), "CS09", zh, en, step.id)
            spoken.append(_essence(text))


def _essence(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum() or character in "*#")


def _scale(script: Script, places: Places) -> Iterator[Issue]:
    keys = [choice.key for choice in script.scale]
    scores = [choice.score for choice in script.scale if choice.score is not None]
    if keys != [str(number) for number in range(1, len(keys) + 1)] or len({choice.code for choice in script.scale}) != len(keys):
        zh, en = "量表的按键应从1起连续，代码不得重复", "the keys of the scale must count from 1, and no code may come twice"
        yield at(places, ("scale",), "CS12", zh, en)
    if script.scale[0].score is None or len(scores) < 2 or any(a <= b for a, b in pairwise(scores)):
        yield at(places, ("scale",), "CS12", "量表应从最好到最差，且1为最好", "the scale must run from best to worst, with 1 as the best")
    for number, choice in enumerate(script.scale):
        if choice.dissatisfied != (choice.code in ("dissatisfied", "very_dissatisfied")):
            zh = f"“{choice.say}”的 dissatisfied 标记与代码“{choice.code}”不符"
            yield at(
                places, ("scale", number), "CS12", zh, f"the dissatisfied mark of {choice.say!r} does not fit its code {choice.code!r}"
            )


def _items(script: Script, places: Places) -> Iterator[Issue]:
    asked = [step.item for step in script.steps if isinstance(step, RateStep)]
    for index, step in enumerate(script.steps):
        if isinstance(step, RateStep) and step.item not in RATED_ITEMS:
            zh, en = f"“{step.id}”没有写明评分项 item", f"{step.id!r} does not say which item it rates"
            yield at(places, ("steps", index), "CS13", zh, en, step.id)
    for item in RATED_ITEMS:
        if item not in asked:
            yield at(places, ("steps",), "CS13", f"缺少评分项：{item}", f"rated item missing: {item}")
    known = [item for item in asked if item in RATED_ITEMS]
    if len(set(known)) == len(RATED_ITEMS) and tuple(dict.fromkeys(known)) != RATED_ITEMS:
        zh, en = f"五个评分项的顺序应为：{'、'.join(RATED_ITEMS)}", f"the five items must come in this order: {', '.join(RATED_ITEMS)}"
        yield at(places, ("steps",), "CS13", zh, en)


def _before_confirmed(script: Script, places: Places) -> Iterator[Issue]:
    """R26: whatever some walk reaches without a confirmed person must neither tell nor ask anything about the incident."""
    unconfirmed = script_structure.reachable(script, without=ConfirmStep)
    for index, step in enumerate(script.steps):
        if index in unconfirmed and not isinstance(step, SayStep | HangupStep | ConfirmStep):
            zh, en = f"“{step.id}”在确认本人之前就开始提问", f"{step.id!r} asks before the person is confirmed"
            yield at(places, ("steps", index), "CS15", zh, en, step.id)
    early = {script.steps[index].id for index in unconfirmed}
    for place, step_id, text in lint_wording.texts(script):
        told = sorted(lint_wording.incident_variables(text))
        if told and (step_id in early or place[0] in ("notices", "callback", "operator")):
            zh = f"“{step_id}”在确认本人之前说出了警情内容：{'、'.join(told)}"
            yield at(places, place, "CS15", zh, f"{step_id!r} tells {', '.join(told)} before the person is confirmed", step_id)


def _thresholds(script: Script, places: Places) -> Iterator[Issue]:
    if script.understanding.accept <= script.understanding.confirm:
        zh, en = "置信度阈值设置不合理：accept 应大于 confirm", "the confidence thresholds make no sense: accept must exceed confirm"
        yield at(places, ("understanding",), "CS23", zh, en)


def _hours(script: Script, places: Places) -> Iterator[Issue]:
    for day, ranges in script.hours.items():
        previous = time(0)
        if not ranges and day == "workdays":
            yield at(places, ("hours", day), "CS24", "工作日没有外呼时段", "there are no hours on working days")
        for number, written in enumerate(ranges):
            begin, end = _range(written)
            if not (begin and end and max(EARLIEST, previous) <= begin < end <= LATEST):
                zh = f"外呼时段{written}不在允许范围08:00-21:00内，或时段为空、重叠、次序颠倒"
                en = f"{written} is outside the permitted 08:00-21:00, empty, overlapping or out of order"
                yield at(places, ("hours", day, number), "CS24", zh, en)
            previous = end or previous


def _range(written: str) -> tuple[time | None, time | None]:
    begin, _, end = written.partition("-")
    return _time(begin), _time(end)


def _time(written: str) -> time | None:
    try:
        return time.fromisoformat(written)
    except ValueError:
        return None


def _counterpart(script: Script, places: Places) -> Iterator[Issue]:
    if script.language.startswith("zh") and script.counterpart is None:
        zh, en = "没有对应的英文脚本（counterpart）", "there is no English counterpart of this script (counterpart)"
        yield at(places, ("name",), "CS27", zh, en, severity=Severity.HINT)


def _retired(script: Script, places: Places) -> Iterator[Issue]:
    """What holds against earlier versions only publishing can tell (`script_history`)."""
    for index, step in enumerate(script.steps):
        if step.id in script.retired:
            zh, en = f"“{step.id}”已停用（retired），请换用新编号", f"{step.id!r} is retired; take a new id"
            yield at(places, ("steps", index, "id"), "CS29", zh, en, step.id)
