"""A call script (CATI: instrument) as frozen values: what is asked, in which words, with which keys.

Made by `script_yaml.parse`, which promises: every jump leads forward to an existing step, the last step is an
unconditional hangup, every key means one thing in a question. `flow` relies on that.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

RATED_ITEMS = ("speed", "attitude", "outcome", "equipment", "appearance")
ANY_DISSATISFIED = "any_dissatisfied"
CALLBACK_QUESTION = "callback.when"  # no step can be called so: their ids have no dots
OPERATOR_QUESTION = "operator.offer"
WAITING, TALKING = "operator.wait", "operator.talk"
"""Where a call stands while the person waits for an operator, and while the two talk."""
TRANSFER_REASONS = ("dissatisfied", "human_requested", "not_understood", "danger")
"""Why a person may be offered an operator in the same call."""
DOUBT = "doubt"
"""The notice that asks back what was heard with too little confidence: it names the key of just that, any other key still counts."""

ASKED_BACK: Mapping[str, Mapping[str, str]] = {
    "human": {"zh": "要人工回电", "en": "you want a person to call you"},
    "not_now": {"zh": "现在不方便", "en": "now is a bad time"},
    "never": {"zh": "今后不再接到回访电话", "en": "you want no more such calls"},
}
"""What is asked back whenever it is heard, because it ends the survey; and how it is said back."""

HEARD, HEARD_KEY = re.compile(r"{{\s*heard\s*}}"), re.compile(r"{{\s*heard_key\s*}}")
"""Where that notice says what was heard, and its key."""


@dataclass(frozen=True)
class Choice:
    """One possible answer: the key, the code that is stored, how it is spoken, and what follows from it.

    `words` are other ways to say it, beside those that are understood anyway.
    """

    key: str
    code: str
    say: str
    score: float | None = None
    dissatisfied: bool = False
    escalate: str | None = None
    next: str | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class SayStep:
    """Words without a question."""

    id: str
    text: str
    when: str | None = None
    next: str | None = None


@dataclass(frozen=True)
class HangupStep:
    """The last words; the call ends here."""

    id: str
    text: str
    when: str | None = None


@dataclass(frozen=True)
class ChoiceStep:
    """A question answered by one key. `retry` holds the words of the second and third attempt."""

    id: str
    item: str
    text: str
    retry: tuple[str, ...]
    choices: tuple[Choice, ...]
    when: str | None = None
    next: str | None = None
    barge_in: bool = True


class ConfirmStep(ChoiceStep):
    """Is this the person who reported? Only the choice with code `yes` lets the survey go on."""


class RateStep(ChoiceStep):
    """One of the five items; its choices are the script's scale."""


class ChooseStep(ChoiceStep):
    """Any other question with keys, also the one that asks when to call again (`Script.callback`)."""


@dataclass(frozen=True)
class RecordStep:
    """The person's own words. `none_key` means that there is nothing to say."""

    id: str
    item: str
    text: str
    retry: tuple[str, ...] = ()
    max_seconds: int = 60
    silence_seconds: int = 5
    none_key: str | None = None
    when: str | None = None
    next: str | None = None


Question = ConfirmStep | RateStep | ChooseStep | RecordStep
Step = SayStep | HangupStep | Question
KINDS_OF_STEPS: Mapping[str, type] = {
    "say": SayStep, "confirm": ConfirmStep, "rate": RateStep, "choose": ChooseStep, "record": RecordStep, "hangup": HangupStep,
}  # fmt: skip
"""A step's `type` in the text -> its class."""


@dataclass(frozen=True)
class OperatorOffer:
    """Whether and how a person is offered an operator in the same call.

    `question` asks it (codes yes and no); `reasons` are those for which it is offered; who is dissatisfied is asked after the step
    `after`, or at once where that is empty. The words: `connecting` before the wait, `nobody` when none is free, `back` when the
    operator gives the call back to the script.
    """

    question: "ChooseStep"
    reasons: tuple[str, ...]
    connecting: str
    nobody: str
    back: str
    after: str = ""


@dataclass(frozen=True)
class KeyPlan:
    """The keys that mean the same everywhere (R36)."""

    back: str = "7"
    human: str = "8"
    not_now: str = "9"
    never: str = "0"
    repeat: str = "*"
    end_recording: str = "#"

    @cached_property
    def meanings(self) -> Mapping[str, str]:
        """Key -> back, human, not_now, never or repeat."""
        return {self.back: "back", self.human: "human", self.not_now: "not_now", self.never: "never", self.repeat: "repeat"}


@dataclass(frozen=True)
class Limits:
    """Bounds of one call. Seconds are real ones; `call_seconds` is for the whole call."""

    attempts_per_question: int = 3
    silence_seconds: int = 5
    call_seconds: int = 600
    repeats_per_question: int = 2
    backs_per_call: int = 3


@dataclass(frozen=True)
class Understanding:
    """Confidence from which speech is an answer (`accept`); from `confirm` on it is asked back; below, only keys are offered."""

    accept: float = 0.80
    confirm: float = 0.55


@dataclass(frozen=True)
class Script:
    """One script, whole. `digest` is the SHA-256 of its canonical text, in hexadecimal; `retired` are step ids of earlier versions.

    `callback` is asked after “not now”: each choice's code is one of `booking_times.TIMES`.
    """

    name: str
    language: str
    scale: tuple[Choice, ...]
    steps: tuple[Step, ...]
    notices: Mapping[str, str]
    digest: str = ""
    keys: KeyPlan = KeyPlan()
    limits: Limits = Limits()
    understanding: Understanding = Understanding()
    after_human: str = "end"
    hours: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    danger_words: tuple[str, ...] = ()
    counterpart: str | None = None
    retired: tuple[str, ...] = ()
    callback: ChooseStep | None = None
    operator: OperatorOffer | None = None

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Step id -> its index."""
        return {step.id: index for index, step in enumerate(self.steps)}

    @cached_property
    def prompts(self) -> Mapping[str, str]:
        """Prompt id -> template: `speed`, `speed.retry.1`, `notice.never`, `doubt.speed.satisfied`."""
        spoken = (*self.steps, *self._asked_aside)
        texts = {step.id: step.text for step in spoken}
        retries = {f"{step.id}.retry.{n}": text for step in spoken for n, text in enumerate(getattr(step, "retry", ()), 1)}
        if self.operator:
            texts |= {f"operator.{name}": getattr(self.operator, name) for name in ("connecting", "nobody", "back")}
        return texts | retries | {f"notice.{name}": text for name, text in self.notices.items() if name != DOUBT} | self._doubts

    @property
    def _asked_aside(self) -> tuple[ChooseStep, ...]:
        """The questions that no step puts: when to call again, and whether an operator is wanted."""
        return tuple(question for question in (self.callback, self.operator and self.operator.question) if question)

    @cached_property
    def _doubts(self) -> dict[str, str]:
        if not self.may_doubt:
            return {}
        said_back = {
            f"{question.id}.{choice.code}": (choice.say, choice.key)
            for question in (*self.questions, *self._asked_aside)
            for choice in getattr(question, "choices", ())
        }
        language = self.language.partition("-")[0]
        said_back |= {command: (words[language], getattr(self.keys, command)) for command, words in ASKED_BACK.items()}
        return {f"{DOUBT}.{what}": self._said_back(say, key) for what, (say, key) in said_back.items()}

    def _said_back(self, say: str, key: str) -> str:
        return key.join(HEARD_KEY.split(say.join(HEARD.split(self.notices[DOUBT]))))

    @property
    def may_doubt(self) -> bool:
        """Whether what was heard with too little confidence can be asked back: there are words for it."""
        return DOUBT in self.notices

    @cached_property
    def dissatisfied_codes(self) -> frozenset[str]:
        """Scale codes that count as dissatisfied (R33)."""
        return frozenset(choice.code for choice in self.scale if choice.dissatisfied)

    @property
    def questions(self) -> tuple[Question, ...]:
        """The steps that wait for the person, in order."""
        return tuple(step for step in self.steps if isinstance(step, ChoiceStep | RecordStep))

    @property
    def confirmations(self) -> tuple[ConfirmStep, ...]:
        """The questions whether it is the right person."""
        return tuple(step for step in self.steps if isinstance(step, ConfirmStep))

    def question(self, step_id: str) -> Question:
        """The question with this id. Raises KeyError when no step has it, TypeError when it does not ask."""
        if self.callback is not None and step_id == CALLBACK_QUESTION:
            return self.callback
        if self.operator is not None and step_id == OPERATOR_QUESTION:
            return self.operator.question
        step = self.steps[self.positions[step_id]]
        if isinstance(step, SayStep | HangupStep):
            raise TypeError(f"step {step_id!r} asks nothing")
        return step

    def after(self, step: Step, code: str | None = None) -> int:
        """Index of the step that follows `step`, once it was answered with `code` (None: unanswered)."""
        target = getattr(step, "next", None)
        for choice in getattr(step, "choices", ()):
            if choice.code == code and choice.next:
                target = choice.next
        return self.positions[target] if target else self.positions[step.id] + 1

    def holds(self, condition: str | None, answers: Mapping[str, str]) -> bool:
        """Whether a step's `when` is met: none, `any_dissatisfied`, or `<item> is <code>`."""
        if condition is None:
            return True
        if condition == ANY_DISSATISFIED:
            return any(answers.get(item) in self.dissatisfied_codes for item in RATED_ITEMS)
        item, _, code = condition.partition(" is ")
        return answers.get(item) == code
