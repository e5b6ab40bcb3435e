"""The operator in the course of a call: offered, waited for, talked with, and the way back into the script (R33–R36, O15, O19).

    offer ─yes▶ waiting ─ready▶ talking ─handed back▶ the next question without an answer
      │no          │nobody         │ended▶ thanks
      ▼            ▼               ▼lost
    on as if none had been offered; who waited in vain is told that somebody will call

Who asked for a human, or is in danger, is not asked whether they want one. Each reason leads here once in a call.
"""

from collections.abc import Mapping
from dataclasses import replace

from survey import flow_course as course
from survey import flow_ends as ends
from survey.actions import Action, Escalate, Join, Say, Transfer
from survey.events import Event, OperatorReady, TransferEnded
from survey.flow_ends import Turn
from survey.flow_heard import choice_of
from survey.flow_state import State, escalate, is_wrong_person, with_choices
from survey.script import TALKING, WAITING, Choice, Script

DESK = frozenset({WAITING, TALKING})
"""The nodes at which no question waits for the person."""


def connect(state: State, reason: str, *before: Action) -> Turn:
    """Have the person wait for an operator. Whoever leaves meanwhile has a case in the human queue already (O12).

    The case is told each time: an operator may have settled it meanwhile, after an earlier talk in this call.
    """
    asks = "danger" if reason == "danger" else "human_requested"
    state, _ = escalate(course.for_operator(state, reason), asks)
    return replace(state, node=WAITING), (*before, Escalate(asks), Say("operator.connecting"), Transfer(reason))


def chosen(script: Script, state: State, choice: Choice) -> Turn:
    """The answer to the offer."""
    return connect(state, state.transfer) if choice.code == "yes" else declined(script, state)


def declined(script: Script, state: State, *before: Action) -> Turn:
    """No operator is wanted, or the offer was not answered."""
    if state.transfer == "not_understood":
        return ends.end(state, ends.outcome(script, state), "no_input_end", *before)
    return course.advance(script, replace(state, transfer=""), state.then, *before)


def at_desk(script: Script, state: State, event: Event) -> Turn:
    """What happens while the person waits for the operator, or talks with one."""
    match event:
        case OperatorReady() if state.node == WAITING:
            return replace(state, node=TALKING, tries=0), (Join(),)
        case TransferEnded(result, answers):
            return _over(script, *with_answers(script, state, answers), result)
    return _led_back(script, state)


def _over(script: Script, state: State, weighed: tuple[Action, ...], result: str) -> Turn:
    """The wait or the talk is over with this result."""
    if is_wrong_person(script, state):
        return ends.end(state, ends.outcome(script, state), "wrong_person", *weighed)
    if result == "handed_back":
        return _back_to_script(script, state, weighed)
    if result == "ended":
        return ends.end(state, ends.outcome(script, state), "thanks", *weighed)
    return _in_vain(script, state, *weighed)


def _led_back(script: Script, state: State) -> Turn:
    """A request that tells nothing new: the carrier has lost its way, and is led back a few times.

    Who waits is told so again, which also gives a door that was away some seconds to come back.
    """
    tries = state.tries + 1
    if tries >= script.limits.attempts_per_question:
        return _in_vain(script, state)
    again = (Say("operator.connecting"), Transfer(state.transfer)) if state.node == WAITING else (Join(),)
    return replace(state, tries=tries), again


def _in_vain(script: Script, state: State, *before: Action) -> Turn:
    """Nobody came, or the line to the operator broke: the person is told, and the script goes on or ends."""
    told, reason = (*before, Say("operator.nobody")), state.transfer
    after = _freed(state)
    if reason == "dissatisfied":
        return course.advance(script, after, state.then, *told)
    if reason == "human_requested" and script.after_human == "continue":
        if not state.left:
            return course.advance(script, after, _first_open(script, state) if state.confirmed else 0, *told)
        return course.ask(script, replace(after, node=state.left, left=""), script.question(state.left), state.left, *told)
    return ends.end(state, ends.outcome(script, state), "danger" if reason == "danger" else "thanks", *told)


def _back_to_script(script: Script, state: State, weighed: tuple[Action, ...]) -> Turn:
    """On with the first question that has no answer yet (O19); with none left only the last words remain."""
    place = _first_open(script, state)
    told = (*weighed, Say("operator.back")) if place <= _last(script) else weighed
    return course.advance(script, replace(_freed(state), left=""), place, *told)


def _first_open(script: Script, state: State) -> int:
    """The step of the first question that has no answer yet, or the one behind all questions."""
    waiting = (
        script.positions[question.id]
        for question in script.questions
        if question.item not in state.answers and script.holds(question.when, state.answers)
    )
    return min(waiting, default=_last(script) + 1)


def _last(script: Script) -> int:
    return max(script.positions[question.id] for question in script.questions)


def _freed(state: State) -> State:
    return replace(state, node="", transfer="", tries=0, repeats=0, unanswered=0)


def with_answers(script: Script, state: State, answers: Mapping[str, str]) -> Turn:
    """The state with what the operator wrote down, where the script knows it, and what that means for the case."""
    found = {question.item: choice_of(question, answers.get(question.item)) for question in script.questions}
    state, weighed = with_choices(script, state, {item: choice for item, choice in found.items() if choice})
    confirmed = state.confirmed or any(state.answers.get(step.item) == "yes" for step in script.confirmations)
    return replace(state, confirmed=confirmed and not is_wrong_person(script, state)), weighed
