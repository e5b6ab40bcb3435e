"""The words of a prompt, ready to be spoken: a small template language inside Jinja2's sandbox.

Authors may write `{{ name }}` and `{{ a if name == 1 else b }}`, nothing that loops, calls or reaches into objects; what a
name means, and how numbers and dates are spoken, is decided here.
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import SandboxedEnvironment

from survey.bureau import Bureau
from survey.errors import BadInput
from survey.script import Choice, Script

INCIDENT_VARIABLES = frozenset({"incident_date"})
"""What may be spoken only after the person has confirmed (R26)."""
BOOKING_VARIABLES = frozenset({"callback_time"})
"""What is known only once the person has chosen a time."""
SCALE_VARIABLES = frozenset({"scale_long", "scale_short"})
"""What a script without a scale cannot say."""
HEARD_VARIABLES = frozenset({"heard", "heard_key"})
"""What may stand in the notice `doubt` alone: the choice that was heard, and its key."""
VARIABLES = (
    frozenset({"bureau", "hotline", "callback_days", "emergency", "by_voice"}) | SCALE_VARIABLES | INCIDENT_VARIABLES | BOOKING_VARIABLES
)
LONGEST_TEMPLATE = 1000  # characters; the format allows 600
LONGEST_PROMPT = 1500  # characters; the carrier takes about 4,000
_PARTS = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.Const)
_MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]


class PromptFaulty(BadInput):
    """A prompt cannot be put into words."""


@dataclass(frozen=True)
class Variables:
    """What a prompt may name. `incident_on` is the incident's day in the called party's zone; None where it must not be told.

    `callback_time` are the words for a call-back that was just promised, empty before. `by_voice`: what is said is understood.
    """

    bureau: str
    hotline: str
    callback_days: int
    incident_on: date | None = None
    emergency: str = "110"
    callback_time: str = ""
    by_voice: bool = False


def variables(script: Script, bureau: Bureau, occurred_at: datetime | None, zone: str, *, by_voice: bool = False) -> Variables:
    """The variables of one call: the bureau's name in the script's language, the incident's day in the IANA zone `zone`."""
    day = occurred_at.astimezone(ZoneInfo(zone)).date() if occurred_at else None
    name = bureau.name if script.language.startswith("zh") else bureau.name_en
    return Variables(name, bureau.hotline, bureau.callback_days, day, bureau.emergency, by_voice=by_voice)


def sample_time(language: str) -> str:
    """A promised time as it is said, for places where no call is."""
    return "明天上午" if language.startswith("zh") else "tomorrow morning"


def speak(script: Script, prompt_id: str, given: Variables) -> str:
    """The words of prompt `prompt_id` (`speed`, `speed.retry.1`, `notice.never`). Raises PromptFaulty."""
    if prompt_id not in script.prompts:
        raise PromptFaulty(f"the script {script.name!r} has no prompt {prompt_id!r}")
    source = script.prompts[prompt_id]
    try:
        template = _template(source)
        text = template.render(_words(script, given)) if template else source
    except TemplateError as error:
        raise PromptFaulty(f"prompt {prompt_id!r}: {error}") from error
    if len(text) > LONGEST_PROMPT:
        raise PromptFaulty(f"prompt {prompt_id!r} is longer than {LONGEST_PROMPT} characters")
    return " ".join(text.split())


def variables_of(source: str) -> frozenset[str]:
    """The variable names that a template uses. Raises PromptFaulty when it is no template or uses more than it may."""
    try:
        tree = _tree(source)
    except TemplateError as error:
        raise PromptFaulty(str(error)) from error
    return frozenset(node.name for node in tree.find_all(nodes.Name))


def _words(script: Script, given: Variables) -> dict[str, object]:
    words: dict[str, object] = {
        "bureau": given.bureau,
        "hotline": digits(given.hotline),
        "callback_days": given.callback_days,
        "emergency": digits(given.emergency),
        "scale_long": scale_long(script),
        "scale_short": scale_short(script),
        "by_voice": int(given.by_voice),
    }
    if given.incident_on:
        words["incident_date"] = spoken_date(given.incident_on, script.language)
    if given.callback_time:
        words["callback_time"] = given.callback_time
    return words


def digits(number: str) -> str:
    """A telephone number digit by digit: without spaces a voice reads it as one large number."""
    return " ".join(number.replace(" ", "").replace("-", ""))


def spoken_date(day: date, language: str) -> str:
    """Day and month as they are said: 9月3日, 3 September."""
    return f"{day.month}月{day.day}日" if language.startswith("zh") else f"{day.day} {_MONTHS[day.month - 1]}"


def scale_long(script: Script) -> str:
    """The whole scale, meaning before key."""
    if script.language.startswith("zh"):
        return "，".join(f"{choice.say}{'按' if number else '请按'}{choice.key}" for number, choice in enumerate(script.scale))
    return "; ".join(
        f"{choice.say}, {choice.key}" if number else f"for {choice.say}, press {choice.key}" for number, choice in enumerate(script.scale)
    )


def scale_short(script: Script) -> str:
    """The scale's two ends and what is outside it."""
    rated = [choice for choice in script.scale if choice.score is not None]
    if not rated:
        return ""
    best, worst = rated[0], rated[-1]
    outside = [choice for choice in script.scale if choice.score is None]
    if script.language.startswith("zh"):
        ends = f"按{best.key}到{worst.key}，{best.key}是{best.say}，{worst.key}是{worst.say}"
        return "，".join([ends, *[f"{choice.say}请按{choice.key}" for choice in outside]])
    ends = f"press {best.key} to {worst.key}, where {best.key} is {best.say} and {worst.key} is {worst.say}"
    return "; ".join([ends, *[_outside(choice) for choice in outside]])


def _outside(choice: Choice) -> str:
    return f"for {choice.say}, press {choice.key}"


_ENVIRONMENT = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


@lru_cache(maxsize=2048)
def _template(source: str) -> Template | None:
    """The compiled template, or None where there is nothing to fill in."""
    tree = _tree(source)
    if "{" not in source:
        return None
    return _ENVIRONMENT.from_string(tree)


def _tree(source: str) -> nodes.Template:
    if len(source) > LONGEST_TEMPLATE:
        raise TemplateError(f"longer than {LONGEST_TEMPLATE} characters")
    tree = _ENVIRONMENT.parse(source)
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _PARTS):
            raise TemplateError(f"{type(node).__name__.lower()} is not allowed in a prompt")
    return tree
