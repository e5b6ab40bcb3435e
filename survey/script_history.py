"""What a new version of a script must leave as it was: an answer is known by its step and item for ever (rule CS29).

Otherwise the figures of two months would carry one name and mean two questions.
"""

from collections.abc import Iterator, Mapping, Sequence

from survey.script import Question, Script, Step
from survey.script_issues import Issue, Places, at


def check(earlier: Sequence[Script], script: Script, places: Places, answers: Mapping[str, int]) -> Iterator[Issue]:
    """Every published question that the script drops without naming it in `retired`, or uses for something else.

    `earlier` are all versions, oldest first; `answers` counts per item what was answered to them.
    """
    if any(version.kind != script.kind for version in earlier):
        zh, en = "同名话术的类别（kind）不能更改，请另取名称", "a script of this name was published with another kind; take another name"
        yield at(places, ("kind",) if ("kind",) in places else ("name",), "CS29", zh, en)
    kinds = {question.item: type(question) for version in earlier for question in version.questions}
    known = {question.id: question for version in earlier for question in version.questions}
    for old in known.values():
        yield from _kept(old, script, places, answers.get(old.item, 0))
    for index, step in enumerate(script.steps):
        item = getattr(step, "item", "")
        if step.id not in known and kinds.get(item, type(step)) is not type(step):
            yield _reused(item, step, index, places, answers.get(item, 0))


def _kept(old: Question, script: Script, places: Places, count: int) -> Iterator[Issue]:
    index = script.positions.get(old.id)
    if index is None:
        if old.id not in script.retired:
            place = ("retired",) if ("retired",) in places else ("steps",)
            zh = f"“{old.id}”{_told(count)}，不能改名或删除；请停用（写入 retired）并新建"
            en = f"{old.id!r} was published{_count(count)} and cannot be renamed or dropped; retire it (retired) and make a new step"
            yield at(places, place, "CS29", zh, en, old.id)
    elif type(script.steps[index]) is not type(old) or getattr(script.steps[index], "item", "") != old.item:
        yield _reused(old.id, script.steps[index], index, places, count)


def _reused(name: str, step: Step, index: int, places: Places, count: int) -> Issue:
    zh = f"“{name}”{_told(count)}，不能改作他用；请停用（写入 retired）并用新编号新建"
    en = f"{name!r} was published{_count(count)} and cannot be used for something else; retire it (retired) and take a new name"
    return at(places, ("steps", index, "id"), "CS29", zh, en, step.id)


def _told(count: int) -> str:
    return f"已有{count}条回答" if count else "已经发布过"


def _count(count: int) -> str:
    return f", has {count} answer{'s' if count > 1 else ''}" if count else ""
