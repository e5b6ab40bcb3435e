"""What becomes of words that were heard at a question: taken, obeyed, asked back, or not understood (R30)."""

from dataclasses import dataclass
from enum import Enum

from survey.events import Heard
from survey.script import ASKED_BACK, Choice, ConfirmStep, Question, RecordStep, Script


class Take(Enum):
    """What to do with it."""

    DANGER = "danger"
    ANSWER = "answer"
    COMMAND = "command"
    ASK_BACK = "ask back"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Weighed:
    """The verdict, the choice that is meant if it is one, and which prompt asks it back (behind `doubt.`)."""

    take: Take
    choice: Choice | None = None
    prompt: str = ""


def weigh(script: Script, question: Question, heard: Heard) -> Weighed:
    """Decide by the script's thresholds; what weighs too much for one word is asked back however sure it was heard."""
    limits, choice = script.understanding, choice_of(question, heard.code)
    sure, likely = heard.confidence >= limits.accept, heard.confidence >= limits.confirm
    if heard.code == "danger" and likely:
        return Weighed(Take.DANGER)
    if choice and sure and not _weighs_much(question, choice):
        return Weighed(Take.ANSWER, choice)
    if sure and heard.code in ("repeat", "back"):
        return Weighed(Take.COMMAND)
    if choice and likely:
        return Weighed(Take.ASK_BACK, choice, f"{question.id}.{choice.code}")
    if heard.code in ASKED_BACK and likely:
        return Weighed(Take.ASK_BACK, None, heard.code or "")
    return Weighed(Take.NOTHING)


def _weighs_much(question: Question, choice: Choice) -> bool:
    """Whether it ends the survey or alleges something, or is a yes that a swallowed “not” makes of a no (不涉及, 不同意, 没有)."""
    if isinstance(question, ConfirmStep):
        return choice.code != "yes"
    return choice.escalate is not None or choice.code == "yes"


def choice_of(question: Question, code: str | None) -> Choice | None:
    """The choice of the question with this code, None when it has none."""
    choices = () if isinstance(question, RecordStep) else question.choices
    return next((choice for choice in choices if choice.code == code), None)
