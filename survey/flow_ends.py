"""The ways in which a call ends, each with its one disposition and its last words."""

from dataclasses import replace

from survey.actions import Action, CallLater, Hangup, OptOut, Say, SetDisposition
from survey.disposition import Disposition
from survey.flow_state import State, escalate, interview, interview_or, is_wrong_person, verdict
from survey.script import CALLBACK_QUESTION, Script

Actions = tuple[Action, ...]
Turn = tuple[State, Actions]


def end(state: State, outcome: Disposition, notice: str | None, *before: Action, farewell: str | None = None) -> Turn:
    """End with this outcome; the last words are the notice, or the prompt `farewell`, or none."""
    prompt = f"notice.{notice}" if notice else farewell
    last: Actions = (Say(prompt), Hangup()) if prompt else (Hangup(),)
    return replace(state, ended=True, node=""), (*before, SetDisposition(outcome), *last)


def leave(script: Script, state: State, *before: Action) -> Turn:
    """The person hung up: a refusal before they confirmed, afterwards what their answers amount to.

    Whoever leaves while choosing a time has said “not now”: we choose.
    """
    if state.node == CALLBACK_QUESTION or (state.postponing and not state.node):
        return end(state, Disposition.NOT_AVAILABLE, None, *before, CallLater())
    if state.transfer:
        return end(state, outcome(script, state), None, *before)
    return end(state, verdict(state) if state.confirmed else Disposition.REFUSAL_BEFORE, None, *before)


def broken(script: Script, state: State) -> Turn:
    """The line or our own system failed: no word of the person ended the call, so it may go on in another one (3.16).

    Who is in danger is asked nothing more whatever ended the call, and somebody else neither.
    """
    if state.node == CALLBACK_QUESTION or (state.postponing and not state.node):
        return leave(script, state)
    if state.transfer == "danger" or is_wrong_person(script, state):
        return end(state, outcome(script, state), None)
    complete = interview(state) is Disposition.COMPLETE
    return end(state, Disposition.COMPLETE if complete else Disposition.TECHNICAL, None)


def later(state: State, when: str, *before: Action) -> Turn:
    """Another call: at the time that the person chose, or (empty) at one that we choose."""
    return end(state, Disposition.NOT_AVAILABLE, "booked" if when else "not_now", *before, CallLater(when))


def enough(script: Script, state: State, *before: Action) -> Turn:
    """“Not now” from somebody who will not be called again: all was answered, or it was put off too often."""
    so_far = interview(state)
    if so_far is not Disposition.BREAK_OFF:
        return end(state, so_far, "thanks", *before)
    return end(state, Disposition.NOT_AVAILABLE, "not_again" if "not_again" in script.notices else "not_now", *before)


def never(state: State, *before: Action) -> Turn:
    """Key 0: no more calls to this number."""
    refusal = Disposition.REFUSAL if state.confirmed else Disposition.REFUSAL_BEFORE
    return end(state, interview_or(interview(state), refusal), "never", *before, OptOut())


def danger(state: State, *before: Action) -> Turn:
    """R34: whatever was answered, the survey stops and the case is closed as 2.35."""
    state, escalations = escalate(state, "danger")
    return end(state, Disposition.CIRCUMSTANCES, "danger", *before, *escalations)


def outcome(script: Script, state: State) -> Disposition:
    """The disposition of a call that ends with an operator offered, waited for or talked with."""
    if state.transfer == "danger":
        return Disposition.CIRCUMSTANCES
    return Disposition.WRONG_PERSON if is_wrong_person(script, state) else verdict(state)


def machine(script: Script, state: State, kind: str) -> Turn:
    """A machine answered; a verdict that comes after a person has shown is mistaken and changes nothing."""
    if state.touched:
        return state, ()
    if kind == "fax":
        return end(state, Disposition.FAX, None)
    return end(state, Disposition.MACHINE, "machine" if "machine" in script.notices else None)
