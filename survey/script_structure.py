"""What must hold before a script may be played at all, and how its steps follow each other."""

from collections.abc import Iterator
from dataclasses import fields

from survey.script import ANY_DISSATISFIED, RATED_ITEMS, ChoiceStep, ConfirmStep, HangupStep, RecordStep, Script, Step
from survey.script_issues import Issue, Path, Places, at


def check(script: Script, places: Places) -> Iterator[Issue]:
    """Whatever would keep a walk from running to its end: rules CS03, CS04, CS05, CS07, CS11 and CS30."""
    yield from _ids(script, places)
    yield from _jumps(script, places)
    yield from _conditions(script, places)
    yield from _end(script, places)
    yield from _plan(script, places)
    for index, step in enumerate(script.steps):
        yield from _keys(script, step, ("steps", index), places)
    yield from _callback(script, places)
    yield from _operator(script, places)


def targets(script: Script) -> Iterator[tuple[int, Path, str]]:
    """Every jump: index of its step, place of the field, id of its target."""
    for index, step in enumerate(script.steps):
        if target := getattr(step, "next", None):
            yield index, ("steps", index, "next"), target
        for number, choice in enumerate(getattr(step, "choices", ())):
            if choice.next:
                yield index, ("steps", index, "choices", number, "next"), choice.next


def successors(script: Script, index: int) -> set[int]:
    """Indexes of the steps that may follow step `index`, whether its condition holds or not."""
    step = script.steps[index]
    found = {index + 1} if step.when else set()
    if isinstance(step, HangupStep):
        return found
    if isinstance(step, ConfirmStep):
        return {script.after(step, "yes")}
    if isinstance(step, ChoiceStep):
        going_on = [choice.code for choice in step.choices if choice.escalate != "danger"]
        return found | {script.after(step)} | {script.after(step, code) for code in going_on}
    return found | {script.after(step)}


def reachable(script: Script, without: type | None = None) -> set[int]:
    """Indexes of the steps that some walk comes to; with `without`, of walks that stop at steps of that class."""
    found, waiting = set(), [0]
    while waiting:
        index = waiting.pop()
        if index in found or index >= len(script.steps):
            continue
        found.add(index)
        if without is None or not isinstance(script.steps[index], without):
            waiting.extend(successors(script, index))
    return found


def _ids(script: Script, places: Places) -> Iterator[Issue]:
    seen: dict[str, int] = {}
    for index, step in enumerate(script.steps):
        if step.id == "notice":
            yield at(places, ("steps", index, "id"), "CS03", "步骤编号不能是“notice”", "a step cannot be called 'notice'", step.id)
        if step.id in seen:
            lines = [places.get(("steps", number, "id"), (0, 0))[0] for number in (seen[step.id], index)]
            zh = f"步骤编号“{step.id}”重复（第{lines[0]}行和第{lines[1]}行）"
            en = f"step id {step.id!r} is used twice (line {lines[0]} and {lines[1]})"
            yield at(places, ("steps", index, "id"), "CS03", zh, en, step.id)
        seen.setdefault(step.id, index)
    yield from _items(script, places)


def _items(script: Script, places: Places) -> Iterator[Issue]:
    """Two questions for one item would make the second one silently skipped. The five have a rule of their own, CS13."""
    seen: dict[str, str] = {}
    for index, step in enumerate(script.steps):
        item = getattr(step, "item", None)
        if item in seen:
            zh, en = f"“{step.id}”与“{seen[item]}”使用同一项目“{item}”", f"{step.id!r} and {seen[item]!r} ask for the same item {item!r}"
            yield at(places, ("steps", index, "item"), "CS13" if item in RATED_ITEMS else "CS03", zh, en, step.id)
        elif item is not None:
            seen[item] = step.id


def _jumps(script: Script, places: Places) -> Iterator[Issue]:
    for index, path, target in targets(script):
        step = script.steps[index].id
        if target not in script.positions:
            yield at(
                places, path, "CS04", f"“{step}”跳转到不存在的步骤“{target}”", f"{step!r} jumps to {target!r}, which does not exist", step
            )
        elif script.positions[target] <= index:
            zh = f"“{step}”会跳回前面的步骤，可能循环；请改为向后跳转"
            yield at(places, path, "CS05", zh, f"{step!r} jumps backward to {target!r} and may loop; jump forward only", step)


def _conditions(script: Script, places: Places) -> Iterator[Issue]:
    known = {(step.item, choice.code) for step in script.steps if isinstance(step, ChoiceStep) for choice in step.choices}
    known |= {(step.item, code) for step in script.steps if isinstance(step, RecordStep) for code in ("recorded", "none")}
    for index, step in enumerate(script.steps):
        condition = step.when
        if condition and condition != ANY_DISSATISFIED and tuple(condition.split(" is ")) not in known:
            zh = f"“{step.id}”的条件“{condition}”提到不存在的项目或回答"
            en = f"the condition {condition!r} of {step.id!r} names an item or answer that does not exist"
            yield at(places, ("steps", index, "when"), "CS04", zh, en, step.id)


def _end(script: Script, places: Places) -> Iterator[Issue]:
    last = script.steps[-1]
    if not isinstance(last, HangupStep) or last.when:
        zh = f"从“{last.id}”开始没有结束语，通话会一直不挂断；最后一步应为无条件的 hangup"
        en = f"nothing ends the call after {last.id!r}; the last step must be a hangup without a condition"
        yield at(places, ("steps", len(script.steps) - 1), "CS07", zh, en, last.id)
    for index, step in enumerate(script.steps):
        if isinstance(step, ConfirmStep) and "yes" not in {choice.code for choice in step.choices}:
            zh, en = f"“{step.id}”没有代码为 yes 的选项，无法确认本人", f"{step.id!r} has no choice with the code yes: nobody can confirm"
            yield at(places, ("steps", index, "choices"), "CS07", zh, en, step.id)


def _plan(script: Script, places: Places) -> Iterator[Issue]:
    seen: dict[str, str] = {}
    for field in fields(script.keys):
        key = getattr(script.keys, field.name)
        if key in seen:
            yield _clash(places, ("keys", field.name), key, "keys", seen[key])
        seen.setdefault(key, field.name)


def _callback(script: Script, places: Places) -> Iterator[Issue]:
    """Whoever chooses a time hears it said back."""
    if script.callback is None:
        return
    yield from _keys(script, script.callback, ("callback",), places)
    if "booked" not in script.notices:
        zh, en = "设置了 callback，但缺少 notices.booked（复述约定时间）", "callback needs the words that confirm the time (notices.booked)"
        yield at(places, ("callback",), "CS30", zh, en)


def _operator(script: Script, places: Places) -> Iterator[Issue]:
    """The offer of an operator has keys of its own, and comes after a step that exists."""
    offer = script.operator
    if offer is None:
        return
    yield from _keys(script, offer.question, ("operator",), places)
    if offer.after and offer.after not in script.positions:
        zh, en = f"operator.after 提到不存在的步骤“{offer.after}”", f"operator.after names the step {offer.after!r}, which does not exist"
        yield at(places, ("operator", "after"), "CS04", zh, en)


def _keys(script: Script, step: Step, place: Path, places: Places) -> Iterator[Issue]:
    seen = {getattr(script.keys, field.name): field.name for field in fields(script.keys)}
    codes: set[str] = set()
    for number, choice in enumerate(getattr(step, "choices", ())):
        path: Path = (*place, "choices", number, "key")
        if choice.key in seen:
            yield _clash(places, path, choice.key, step.id, seen[choice.key])
        elif choice.code in codes:
            zh, en = f"“{step.id}”里代码“{choice.code}”重复", f"code {choice.code!r} is used twice in {step.id!r}"
            yield at(places, path, "CS11", zh, en, step.id)
        seen.setdefault(choice.key, choice.say)
        codes.add(choice.code)
    if isinstance(step, RecordStep) and step.none_key in seen:
        yield _clash(places, (*place, "none_key"), step.none_key or "", step.id, seen[step.none_key])


def _clash(places: Places, path: Path, key: str, step: str, other: str) -> Issue:
    return at(places, path, "CS11", f"按键“{key}”在“{step}”里与“{other}”冲突", f"key {key!r} in {step!r} clashes with {other!r}", step)
