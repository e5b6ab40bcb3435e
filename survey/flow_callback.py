"""The course of an operator's call to a person: a greeting, the talk, and a last sentence. No question of a script is put. Pure.

    greeted ─▶ talking ─ended▶ thanks
      │no operator any more    │lost
      ▼                        ▼
    an excuse and the promise of another call

The call is placed when the operator is on the line already; whoever picks up is brought there at once, so that nothing is told before
the operator has asked who it is (R26).
"""

from collections.abc import Mapping
from dataclasses import replace

from survey.actions import Action, Hangup, Join, Say
from survey.events import Event, HungUp, LineFailed, MachineAnswered, OperatorReady, TransferEnded
from survey.flow_operator import with_answers
from survey.flow_state import State
from survey.script import TALKING, WAITING, Script

GREETING, FAREWELL, SORRY = "callback.greeting", "callback.farewell", "callback.sorry"
"""Prompts of the house: a script knows nothing of such a call."""


def start(script: Script, answers: Mapping[str, str], reason: str) -> State:
    """The state before the person picks up; `answers` are those of all calls, `reason` is why somebody calls back."""
    confirmed = any(answers.get(step.item) == "yes" for step in script.confirmations)
    return State(node=WAITING, answers=dict(answers), known=tuple(answers), confirmed=confirmed, transfer=reason, kind=script.kind)


def step(script: Script, state: State, event: Event) -> tuple[State, tuple[Action, ...]]:
    """The next state and what is to be done; every walk ends with its second event or before."""
    if state.ended:
        return state, (Hangup(),)
    match event:
        case OperatorReady() if state.node == WAITING:
            return replace(state, node=TALKING), (Say(GREETING), Join())
        case HungUp() | LineFailed() | MachineAnswered():
            return _over(state), (Hangup(),)
        case TransferEnded(result, answers):
            state, weighed = with_answers(script, state, answers)
            return _over(state), (*weighed, Say(FAREWELL if result == "ended" else SORRY), Hangup())
    return _over(state), (Say(SORRY), Hangup())


def _over(state: State) -> State:
    return replace(state, node="", ended=True)
