"""Where a call stands between two events, and what its answers so far amount to."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from survey.actions import Action, Escalate, Withdraw
from survey.disposition import Disposition
from survey.script import MEASURED, SURVEY, Choice, Script

ENOUGH = 3
"""So many items answered are a partial interview (R39)."""


LISTS = ("trail", "escalated", "known", "offered")
NEWER: Mapping[str, Any] = {"kind": SURVEY, "transfer": "", "offered": (), "then": 0, "operator_free": False}
"""Fields that the release before did not know, with their usual values."""


@dataclass(frozen=True)
class State:
    """Where a call stands. `node` is the question that waits for the person: empty before the first and after the last.

    `answers` maps item to code; `trail` holds the questions passed, for going back; `touched` says that a person
    pressed or said something; `unanswered` counts questions in a row without an answer. `known` are the items that were
    answered in earlier calls; `left` is the question that waits while the person
    chooses when to be called again, or is with an operator. `doubted` is
    what was heard and is asked back: code, words, confidence; `keys_only`, that the question now wants a key. `transfer` is why an
    operator is offered, waited for or talked with (empty: none is); `offered` are the reasons for which one was offered in this call;
    `then` is the step at which the script goes on after the offer. `operator_free` is told before each step: whether one could come.
    `kind` is the script's.
    """

    node: str = ""
    ended: bool = False
    confirmed: bool = False
    touched: bool = False
    answers: Mapping[str, str] = field(default_factory=dict)
    trail: tuple[str, ...] = ()
    tries: int = 0
    repeats: int = 0
    backs: int = 0
    unanswered: int = 0
    escalated: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    left: str = ""
    may_postpone: bool = True
    postponing: bool = False
    doubted: tuple[str, str, float] | None = None
    keys_only: bool = False
    transfer: str = ""
    offered: tuple[str, ...] = ()
    then: int = 0
    operator_free: bool = False
    kind: str = SURVEY

    def to_json(self) -> dict[str, Any]:
        """The state as a JSON object. What only newer releases know is left out where it is as usual: an older one can then read it too."""
        kept = {name: value for name, value in vars(self).items() if name not in NEWER or value != NEWER[name]}
        lists = {name: list(getattr(self, name)) for name in LISTS if name in kept}
        return {**kept, "answers": dict(self.answers), **lists}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "State":
        """The state from `to_json`'s object, also from one of before calls could be resumed."""
        lists = {name: tuple(data.get(name, ())) for name in LISTS}
        doubted = data.get("doubted")
        return cls(**{**data, **lists, "doubted": tuple(doubted) if doubted else None})


def verdict(state: State) -> Disposition:
    """The disposition of a walk that ends here in the ordinary way."""
    return interview(state) if state.confirmed else Disposition.NOT_CONFIRMED


def interview(state: State) -> Disposition:
    """R39: five items answered are complete, three or four partial, fewer a break-off; 说不清 is an answer.

    A second call wants both of its items: one alone is a break-off.
    """
    wanted = MEASURED[state.kind]
    answered = sum(item in state.answers for item in wanted) if state.confirmed else 0
    if answered == len(wanted):
        return Disposition.COMPLETE
    return Disposition.PARTIAL if answered >= ENOUGH else Disposition.BREAK_OFF


def interview_or(so_far: Disposition, otherwise: Disposition) -> Disposition:
    """The interview where enough was answered to make one, else the other outcome."""
    return otherwise if so_far is Disposition.BREAK_OFF else so_far


def with_answer(state: State, item: str, code: str) -> State:
    """The state with one more answer, or with a changed one."""
    return replace(state, answers={**state.answers, item: code}, unanswered=0, touched=True)


def escalate(state: State, *reasons: str) -> tuple[State, tuple[Action, ...]]:
    """The state and an action for each reason that was not given before in this call."""
    new = tuple(reason for reason in dict.fromkeys(reasons) if reason not in state.escalated)
    return replace(state, escalated=state.escalated + new), tuple(Escalate(reason) for reason in new)


def reconsider(script: Script, state: State) -> tuple[State, tuple[Action, ...]]:
    """The state after a changed answer: without the escalation of dissatisfaction once no answer calls for it any more.

    A later dissatisfied answer escalates anew. No other reason is taken back: what was alleged or asked for stays told.
    """
    if "dissatisfied" not in state.escalated or is_dissatisfied(script, state):
        return state, ()
    left = tuple(reason for reason in state.escalated if reason != "dissatisfied")
    return replace(state, escalated=left), (Withdraw("dissatisfied"),)


def with_choices(script: Script, state: State, choices: Mapping[str, Choice]) -> tuple[State, tuple[Action, ...]]:
    """The state after answers (item to choice), whoever took them down, and what they mean for the case: reasons given or taken back."""
    for item, choice in choices.items():
        state = with_answer(state, item, choice.code)
    state, withdrawn = reconsider(script, state)
    wanted = [reason for choice in choices.values() for reason in ("dissatisfied" if choice.dissatisfied else None, choice.escalate)]
    state, escalations = escalate(state, *filter(None, wanted))
    return state, (*withdrawn, *escalations)


def is_wrong_person(script: Script, state: State) -> bool:
    """Whether somebody else is on the line, as an operator has written down; at a key of the person the call ends at once (R26)."""
    return any(state.answers.get(step.item, "yes") != "yes" for step in script.confirmations)


def is_dissatisfied(script: Script, state: State) -> bool:
    """Whether some answer, as it stands, calls for an escalation of dissatisfaction."""
    return any(
        choice.dissatisfied or choice.escalate == "dissatisfied"
        for question in script.questions
        for choice in getattr(question, "choices", ())
        if choice.code == state.answers.get(question.item)
    )


def was_said(script: Script, state: State, index: int) -> bool:
    """Whether an earlier call has come past these words: something behind them was answered there."""
    known = state.known if state.confirmed else ()
    return bool(known) and any(getattr(step, "item", "") in known for step in script.steps[index + 1 :])
