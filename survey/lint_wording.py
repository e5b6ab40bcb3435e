"""Lint rules about the words themselves: what the opening must say, what nobody may ask, how long it takes."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from math import ceil

from survey import parser_problems, prompts, spoken_length
from survey.script import DOUBT, HEARD, HEARD_KEY, ChoiceStep, SayStep, Script, Step
from survey.script_issues import Issue, Path, Places, Severity, at

SAMPLE = prompts.Variables(
    bureau="示范市公安局", hotline="0571 8888 0000", callback_days=3, incident_on=date(2026, 9, 23), callback_time="明天上午"
)
OPENING_PARTS = (
    ("单位名称", "the bureau's name", r"{{\s*bureau\s*}}"),
    ("自动语音", "that it is an automated voice", "自动|智能|机器人|automated|automatic|robot"),
    ("来意", "the purpose", "评价|回访|听取|意见|满意|opinion|feedback|survey|rate"),
    ("时长", "the length", "分钟|秒|minute|second"),
    ("录音", "that it is recorded", "录音|recorded|recording"),
)
FORBIDDEN = re.compile(
    r"银行卡|卡号|账号|帐号|密码|验证码|身份证|转账|"
    r"\b(?:bank (?:card|account)|card number|account number|passwords?|pin code|verification codes?|identity (?:card|number)|"
    r"id (?:card|number)|social security)s?\b",
    re.IGNORECASE,
)
NEVER_ASKED = re.compile(
    r"(?:不会|绝不|从不|不)(?:会|再|向您|要求您|主动)*(?:询?问|索要|要求|需要|索取)|\b(?:never|not|n't)\s+(?:ever\s+)?(?:ask|request|need)"
)
KEY_FIRST = re.compile(r"按\s*[0-9]\s*(?:键)?\s*(?:表示|代表|为|是)|\bpress\s+[0-9]\s+(?:for|if|to\s+(?![0-9])\w+)", re.IGNORECASE)
MOST_CHOICES = 6
LONG_PROMPT_SECONDS, TOO_LONG_PROMPT_SECONDS, PATH_SECONDS, WAY_OUT_SECONDS = 12.0, 20.0, 150.0, 20.0
EMERGENCY = re.compile(r"{{\s*emergency\s*}}|110|911|999|112")
BY_LETTERS = ("（按字数估计）", " (estimated from its letters)")

Text = tuple[Path, str, str]


def check(script: Script, places: Places) -> Iterator[Issue]:
    """Rules CS14, CS16, CS17, CS18, CS20, CS25 and CS30, which look at one prompt at a time."""
    for path, step_id, text in texts(script):
        yield from _template(path, step_id, text, places)
        yield from _forbidden(path, step_id, text, places)
        yield from _key_first(path, step_id, text, places)
    yield from _opening(script, places)
    yield from _choices(script, places)
    yield from _danger(script, places)
    yield from _promise(script, places)
    yield from _doubt(script, places)


def _doubt(script: Script, places: Places) -> Iterator[Issue]:
    """CS30: whoever is asked back must be told what was heard, and by which key it is right."""
    text = script.notices.get(DOUBT)
    if text is not None and not (HEARD.search(text) and HEARD_KEY.search(text)):
        zh = "notices.doubt 必须说出 {{ heard }} 以及确认用的按键 {{ heard_key }}"
        en = "notices.doubt must say {{ heard }}, and the key {{ heard_key }} that confirms it"
        yield at(places, ("notices", DOUBT), "CS30", zh, en, f"notice.{DOUBT}")


def texts(script: Script) -> Iterator[Text]:
    """Every prompt: its place, the step it belongs to (or the notice), and its template."""
    asked: list[tuple[Path, Step]] = [(("steps", index), step) for index, step in enumerate(script.steps)]
    if script.callback is not None:
        asked.append((("callback",), script.callback))
    if script.operator is not None:
        asked.append((("operator",), script.operator.question))
    for path, step in asked:
        yield (*path, "text"), step.id, step.text
        for number, text in enumerate(getattr(step, "retry", ())):
            yield (*path, "retry", number), step.id, text
    for name in ("connecting", "nobody", "back") if script.operator is not None else ():
        yield ("operator", name), f"operator.{name}", getattr(script.operator, name)
    for name, text in script.notices.items():
        yield ("notices", name), f"notice.{name}", text


def incident_variables(text: str) -> frozenset[str]:
    """The variables of a template that tell something about the incident; none if it is no template at all."""
    return _variables(text) & prompts.INCIDENT_VARIABLES


def _variables(text: str) -> frozenset[str]:
    try:
        return prompts.variables_of(text)
    except prompts.PromptFaulty:
        return frozenset()


def _template(path: Path, step_id: str, text: str, places: Places) -> Iterator[Issue]:
    try:
        used = prompts.variables_of(text)
    except prompts.PromptFaulty as error:
        reason, original = parser_problems.chinese_for(str(error))
        zh, en = f"“{step_id}”的变量写法有误：{reason}{original}", f"the template of {step_id!r} is wrong: {error}"
        yield at(places, path, "CS17", zh, en, step_id)
        return
    allowed = prompts.VARIABLES | (prompts.HEARD_VARIABLES if step_id == f"notice.{DOUBT}" else frozenset())
    for name in sorted(used - allowed):
        known = sorted(allowed)
        zh, en = f"变量“{name}”不存在，可用：{'、'.join(known)}", f"there is no variable {name!r}; known: {', '.join(known)}"
        yield at(places, path, "CS17", zh, en, step_id)


def _forbidden(path: Path, step_id: str, text: str, places: Places) -> Iterator[Issue]:
    """A sentence may name what is never asked for, to say just that; anything else that names it asks for it (R27)."""
    for sentence in re.split(r"[。；！？!?;]|\.\s", text):
        for word in FORBIDDEN.finditer(sentence):
            if not NEVER_ASKED.search(sentence[: word.start()]):
                zh, en = f"“{step_id}”含有禁止询问的内容：{word[0]}", f"{step_id!r} asks for what must not be asked: {word[0]}"
                yield at(places, path, "CS16", zh, en, step_id)


def _key_first(path: Path, step_id: str, text: str, places: Places) -> Iterator[Issue]:
    if found := KEY_FIRST.search(text):
        zh, en = f"“{step_id}”请先说选项后说按键：{found[0]}", f"{step_id!r}: say the choice first and its key last: {found[0]}"
        yield at(places, path, "CS20", zh, en, step_id, Severity.WARNING)


def _opening(script: Script, places: Places) -> Iterator[Issue]:
    text = script.steps[0].text
    missing = [(zh, en) for zh, en, pattern in OPENING_PARTS if not re.search(pattern, text, re.IGNORECASE)]
    if missing:
        zh = f"开场白缺少：{'、'.join(part for part, _ in missing)}"
        en = f"the opening lacks: {', '.join(part for _, part in missing)}"
        yield at(places, ("steps", 0, "text"), "CS14", zh, en, script.steps[0].id)


def _choices(script: Script, places: Places) -> Iterator[Issue]:
    for index, step in enumerate(script.steps):
        if isinstance(step, ChoiceStep) and len(step.choices) > MOST_CHOICES:
            zh, en = f"“{step.id}”的选项超过6个", f"{step.id!r} offers more than six choices"
            yield at(places, ("steps", index), "CS20", zh, en, step.id, Severity.WARNING)


def _danger(script: Script, places: Places) -> Iterator[Issue]:
    if not script.danger_words:
        zh, en = "没有设置紧急词（danger_words）", "no words are set that mean danger (danger_words)"
        yield at(places, ("steps",), "CS25", zh, en, severity=Severity.WARNING)
    if not EMERGENCY.search(script.notices["danger"]):
        zh, en = "notices.danger 没有提示拨打110", "notices.danger does not give the emergency number"
        yield at(places, ("notices", "danger"), "CS25", zh, en, severity=Severity.WARNING)


def _promise(script: Script, places: Places) -> Iterator[Issue]:
    """The time of a call-back is said where it is promised, and nowhere else, because nowhere else it is known."""
    for path, step_id, text in texts(script):
        named = "callback_time" in _variables(text)
        if named and path != ("notices", "booked"):
            zh, en = (
                f"“{step_id}”不能使用 callback_time，只有 notices.booked 可以",
                f"{step_id!r} cannot use callback_time; only notices.booked can",
            )
            yield at(places, path, "CS30", zh, en, step_id)
        elif path == ("notices", "booked") and not named:
            zh, en = "notices.booked 没有复述约定时间 callback_time", "notices.booked does not say the time back (callback_time)"
            yield at(places, path, "CS30", zh, en)


def check_walk(script: Script, places: Places, bureau: str = "") -> Iterator[Issue]:
    """Rules CS18, CS19, CS26 and CS28, which need the spoken words; nothing is found while a template is wrong.

    With the name of the bureau the length of the opening is that of every call, and too long a one is a warning (R25).
    """
    given = replace(named(bureau) if bureau else SAMPLE, callback_time=prompts.sample_time(script.language))
    try:
        spoken = {prompt: prompts.speak(script, prompt, given) for prompt in script.prompts}
    except prompts.PromptFaulty:
        return
    lengths = {prompt: spoken_length.seconds(text, script.language) for prompt, text in spoken.items()}
    doubts = [seconds for prompt, seconds in lengths.items() if prompt.startswith(f"{DOUBT}.")]
    lengths[f"notice.{DOUBT}"] = max(doubts, default=0.0)
    yield from _lengths(script, lengths, places, Severity.WARNING if bureau else Severity.HINT)
    yield from _paths(script, lengths, places)
    yield from _way_out(script, spoken, places)


def named(bureau: str) -> prompts.Variables:
    """The variables of a sample call by the bureau of this name."""
    return replace(SAMPLE, bureau=bureau)


def opening_seconds(script: Script, bureau: str) -> float:
    """Estimated length of the first words of a call by the bureau of this name, in seconds. Raises PromptFaulty."""
    return spoken_length.seconds(prompts.speak(script, script.steps[0].id, named(bureau)), script.language)


def _lengths(script: Script, lengths: dict[str, float], places: Places, of_opening: Severity) -> Iterator[Issue]:
    for path, step_id, prompt in _prompt_places(script):
        took = lengths[prompt]
        if took > LONG_PROMPT_SECONDS:
            most = TOO_LONG_PROMPT_SECONDS if took > TOO_LONG_PROMPT_SECONDS else LONG_PROMPT_SECONDS
            zh = f"“{prompt}”播报约{ceil(took)}秒{BY_LETTERS[0]}，建议不超过{most:.0f}秒"
            en = f"{prompt!r} takes about {ceil(took)} s{BY_LETTERS[1]}; better not more than {most:.0f} s"
            yield at(places, path, "CS18", zh, en, step_id, of_opening if path[:2] == ("steps", 0) else Severity.HINT)


def _prompt_places(script: Script) -> Iterator[tuple[Path, str, str]]:
    for path, step_id, _ in texts(script):
        yield path, step_id, f"{step_id}.retry.{int(path[-1]) + 1}" if path[-2] == "retry" else step_id


def _paths(script: Script, lengths: dict[str, float], places: Places) -> Iterator[Issue]:
    short = spoken_length.path_seconds(script, lengths, dissatisfied=False, speech=False)
    if short > PATH_SECONDS:
        zh = f"五项评分无意见的完整通话约需{short:.0f}秒{BY_LETTERS[0]}，超过150秒"
        en = f"a whole call with five ratings and no comment takes about {short:.0f} s{BY_LETTERS[1]}, more than 150 s"
        yield at(places, ("steps",), "CS19", zh, en, severity=Severity.HINT)
    longest = spoken_length.path_seconds(script, lengths, dissatisfied=True, speech=True)
    if longest > script.limits.call_seconds:
        zh = f"最长通话约{longest:.0f}秒{BY_LETTERS[0]}，超过上限{script.limits.call_seconds}秒"
        en = f"the longest call takes about {longest:.0f} s{BY_LETTERS[1]}, more than the limit of {script.limits.call_seconds} s"
        yield at(places, ("limits", "call_seconds"), "CS28", zh, en, severity=Severity.HINT)


def _way_out(script: Script, spoken: dict[str, str], places: Places) -> Iterator[Issue]:
    """R25: both keys are named, each within the first 20 seconds."""
    said = ""
    for step in script.steps:
        said += spoken[step.id] + " "
        if not isinstance(step, SayStep):
            break
    for key, what in ((script.keys.not_now, "not_now"), (script.keys.never, "never")):
        found = re.search(rf"(?:按|press|key)\s*{re.escape(key)}(?![0-9])", said, re.IGNORECASE)
        if found is None or spoken_length.seconds(said[: found.end()], script.language) > WAY_OUT_SECONDS:
            zh = f"开场20秒内没有告知拒绝方式：按{key}（{what}）"
            en = f"the first 20 seconds do not tell the way out: key {key} ({what})"
            yield at(places, ("steps", 0), "CS26", zh, en, script.steps[0].id)
