"""The course of the questions: what is put next, in which words, and what it waits for."""

from dataclasses import replace

from survey import flow_ends as ends
from survey.actions import Action, Collect, Record, Say
from survey.flow_ends import Turn
from survey.flow_state import State, is_dissatisfied, verdict, was_said
from survey.recall_results import is_dissatisfied_again
from survey.script import (
    CALLBACK_QUESTION,
    FOLLOWUP,
    OPERATOR_QUESTION,
    ConfirmStep,
    HangupStep,
    Question,
    RecordStep,
    SayStep,
    Script,
)


def attempts(script: Script, question: Question) -> int:
    """How often this question is put before it stays unanswered: each attempt after the first needs words of its own."""
    return min(script.limits.attempts_per_question, 1 + len(question.retry))


def go_on(script: Script, state: State, question: Question, *before: Action) -> Turn:
    """On to what follows this question, answered or not."""
    trail = state.trail if isinstance(question, ConfirmStep) else (*state.trail, question.id)
    index = script.after(question, state.answers.get(question.item))
    return advance(script, replace(state, trail=trail), index, *before)


def advance(script: Script, state: State, index: int, *before: Action) -> Turn:
    """Speak from step `index` on until a question waits or the call ends. What is answered is not asked again (R31)."""
    said: list[Action] = list(before)
    while True:
        if _is_operator_due(script, state, index):
            return offer_operator(script, state, "dissatisfied", *said, then=index)
        current = script.steps[index]
        answer = state.answers.get(getattr(current, "item", ""))
        if not script.holds(current.when, state.answers):
            index += 1
        elif isinstance(current, SayStep):
            if not was_said(script, state, index):
                said.append(Say(current.id))
            index = script.after(current)
        elif isinstance(current, HangupStep):
            return ends.end(state, verdict(state), None, *said, farewell=current.id)
        elif answer is not None:
            index = script.after(current, answer)
        else:
            return ask(script, replace(state, node=current.id, tries=0, repeats=0, keys_only=False), current, current.id, *said)


def may_offer(script: Script, state: State, reason: str) -> bool:
    """Whether one is free, the script offers one for this reason, and has not done so in this call."""
    return state.operator_free and script.operator is not None and reason in script.operator.reasons and reason not in state.offered


def offer_operator(script: Script, state: State, reason: str, *before: Action, then: int = 0) -> Turn:
    """Ask whether an operator is wanted; whoever wants none goes on at step `then`. The script must have an offer."""
    state = replace(for_operator(state, reason), node=OPERATOR_QUESTION, then=then)
    return ask(script, state, script.question(OPERATOR_QUESTION), OPERATOR_QUESTION, *before)


def for_operator(state: State, reason: str) -> State:
    """The state in which an operator is offered for this reason, or waited for: the question that waits is put aside.

    An offer that was left is none to come back to: it was for the reason before.
    """
    left = state.left if state.node in (CALLBACK_QUESTION, OPERATOR_QUESTION) else state.node
    left = "" if left == OPERATOR_QUESTION else left
    offered = state.offered if reason in state.offered else (*state.offered, reason)
    return replace(state, transfer=reason, offered=offered, left=left, tries=0, repeats=0, unanswered=0, keys_only=False, doubted=None)


def _is_operator_due(script: Script, state: State, index: int) -> bool:
    """Whether a dissatisfied person is to be offered an operator before step `index`."""
    if script.operator is None or not may_offer(script, state, "dissatisfied") or not _is_unhappy(script, state):
        return False
    return state.confirmed and (not script.operator.after or index > script.positions[script.operator.after])


def _is_unhappy(script: Script, state: State) -> bool:
    """By a rating, or by the answers of a second call, which open no case of their own: its result sends the order back (R51)."""
    return is_dissatisfied(script, state) or (script.kind == FOLLOWUP and is_dissatisfied_again(state.answers))


def ask(script: Script, state: State, question: Question, prompt: str, *before: Action) -> Turn:
    """Put the question, in the words of this prompt."""
    return state, (*before, Say(prompt), wait(script, question, listens=not state.keys_only))


def wait(script: Script, question: Question, *, listens: bool) -> Collect | Record:
    """What the question waits for: its own keys and those that hold everywhere."""
    globally = "".join(script.keys.meanings)
    if isinstance(question, RecordStep):
        keys = script.keys.end_recording + (question.none_key or "") + globally
        return Record(question.item, question.max_seconds, _distinct(keys), question.silence_seconds)
    keys = "".join(choice.key for choice in question.choices) + globally
    return Collect(_distinct(keys), script.limits.silence_seconds, question.barge_in, listens)


def _distinct(keys: str) -> str:
    return "".join(dict.fromkeys(keys))
