"""The course of the questions: what is put next, in which words, and what it waits for."""

from dataclasses import replace

from survey import flow_ends as ends
from survey.actions import Action, Collect, Record, Say
from survey.flow_ends import Turn
from survey.flow_state import State, verdict, was_said
from survey.script import ConfirmStep, HangupStep, Question, RecordStep, SayStep, Script


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
