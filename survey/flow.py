"""The interpreter of scripts: decides what happens next in a call, and does nothing itself.

    state + event ──▶ step ──▶ new state + actions (recording ones for the database, speaking ones for the line)

A visit to a question takes at most `attempts + repeats` events, and going back is bounded for the whole call; jumps lead
forward only. So every walk ends within `longest_walk(script)` events.
"""

from collections.abc import Mapping
from dataclasses import replace

from survey import flow_ends as ends
from survey import flow_operator as operator
from survey.actions import Action, DropRecording, Hangup, KeepRecording, SaveAnswer, Say
from survey.disposition import Disposition
from survey.events import Digits, Event, Heard, HungUp, LineFailed, MachineAnswered, Recorded
from survey.flow_course import advance, ask, attempts, go_on, may_offer, offer_operator, wait
from survey.flow_ends import Actions, Turn
from survey.flow_heard import Take, Weighed, choice_of, weigh
from survey.flow_state import State, escalate, interview, is_dissatisfied, verdict, with_answer, with_choices
from survey.script import (
    CALLBACK_QUESTION,
    DOUBT,
    OPERATOR_QUESTION,
    Choice,
    ConfirmStep,
    Question,
    RecordStep,
    Script,
)

__all__ = ["State", "attempts", "longest_walk", "start", "step"]

SHORTEST_SPEECH_SECONDS = 1.0  # a recording shorter than this holds only the key that ended it
UNANSWERED_IN_A_ROW = 2  # R29
VISITS_OF_TRANSFER = 4  # the offer, the wait, the talk, and the question before it again
NOTHING: Mapping[str, str] = {}


def start(
    script: Script, answers: Mapping[str, str] = NOTHING, *, may_postpone: bool = True, postponing: bool = False,
    operator_free: bool = False,
) -> State:  # fmt: skip
    """The state of a call of this script that was not answered yet.

    `answers` are those of earlier calls (item to code): they count, and only the rest is asked; whether it is the right
    person is asked in every call. `may_postpone` tells whether “not now” can still bring another call; `postponing`,
    that the person has said so before the call began: it begins with the question when. `operator_free`: an operator could come.
    """
    asked = {question.item for question in script.questions if not isinstance(question, ConfirmStep)}
    kept = {item: code for item, code in answers.items() if item in asked}
    state = State(answers=kept, known=tuple(kept), may_postpone=may_postpone, postponing=postponing, operator_free=operator_free)
    state = replace(state, kind=script.kind)
    return replace(state, escalated=("dissatisfied",)) if is_dissatisfied(script, state) else state


def step(script: Script, state: State, event: Event) -> Turn:
    """The next state and what to do, in order. Deterministic; after the end it only hangs up again.

    Every list of actions ends with Collect, Record or Hangup. The one exception: a machine verdict that comes after the
    person has pressed or said something is mistaken; it leaves the state as it is and asks for nothing.
    """
    if state.ended:
        return state, (Hangup(),)
    match event:
        case HungUp():
            return ends.leave(script, state)
        case LineFailed():
            return ends.broken(script, state)
        case MachineAnswered(kind):
            return ends.machine(script, state, kind)
    if state.node in operator.DESK:
        return operator.at_desk(script, state, event)
    if not state.node:
        return _not_now(script, state) if state.postponing else advance(script, state, 0)
    return _receive(script, state, script.question(state.node), event)


def longest_walk(script: Script) -> int:
    """The most events that a walk can take until its end, ignored machine verdicts aside.

    1 + (questions + 2 x backs) x (attempts + repeats): each way back adds a visit there and one on the way forth again.
    The question when to call again is visited once, and once more for each way back out of it. An operator may give the call
    back at the first question, once for each reason to transfer it.
    """
    backs = script.limits.backs_per_call
    visits = len(script.questions) + 2 * backs + (1 + backs if script.callback else 0)
    transfers = len(script.operator.reasons) if script.operator else 0
    visits = visits * (1 + transfers) + VISITS_OF_TRANSFER * transfers
    return 1 + visits * (script.limits.attempts_per_question + script.limits.repeats_per_question)


# ── what the person did ──────────────────────────────────────────────────────────────────────────────


def _receive(script: Script, state: State, question: Question, event: Event) -> Turn:
    if state.doubted is not None and not isinstance(question, RecordStep):
        return _resolved(script, replace(state, doubted=None), question, state.doubted, event)
    match event:
        case Digits(keys) if keys.strip():
            return _pressed(script, replace(state, touched=True), question, keys.strip())
        case Heard(code, confidence, text):
            return _heard(script, state, question, Heard(code, confidence, text))
        case Recorded():
            return _recorded(script, state, question, event)
    return _failed(script, state, question)


def _pressed(script: Script, state: State, question: Question, key: str) -> Turn:
    if isinstance(question, RecordStep):
        if key == question.none_key:
            return _nothing_to_say(script, state, question, key)
    else:
        for choice in question.choices:
            if choice.key == key:
                return _answered(script, state, question, choice, key, "keys", None)
    meaning = script.keys.meanings.get(key)
    return _command(script, state, question, meaning) if meaning else _failed(script, state, question)


def _heard(script: Script, state: State, question: Question, heard: Heard) -> Turn:
    weighed, shown = weigh(script, question, heard), replace(state, touched=True)
    match weighed:
        case Weighed(Take.DANGER):
            return _danger(script, shown)
        case Weighed(Take.ANSWER, Choice() as choice):
            return _answered(script, shown, question, choice, heard.text[:64], "speech", heard.confidence)
        case Weighed(Take.COMMAND):
            return _command(script, shown, question, heard.code or "")
        case Weighed(Take.ASK_BACK):
            return _doubt(script, state, question, weighed.prompt, heard)
    return _failed(script, replace(state, keys_only=True), question)


def _doubt(script: Script, state: State, question: Question, what: str, heard: Heard) -> Turn:
    """Ask back what was heard; it counts as an attempt, so the last one is not asked back."""
    tries = state.tries + 1
    if not script.may_doubt or tries >= attempts(script, question):
        return _failed(script, replace(state, keys_only=True), question)
    state = replace(state, tries=tries, touched=True, doubted=(heard.code or "", heard.text[:64], heard.confidence))
    return state, (Say(f"{DOUBT}.{what}"), wait(script, question, listens=True))


def _resolved(script: Script, state: State, question: Question, doubted: tuple[str, str, float], event: Event) -> Turn:
    """What was asked back is called right or wrong in words, or said again; every key means what it means at the question.

    Another rating than the one that was asked back is not taken: of two that differ, one was misheard.
    """
    state, (code, text, confidence) = replace(state, keys_only=True), doubted
    match event:
        case Heard(again, certainty) if (again == "yes" or again == code != "no") and certainty >= script.understanding.accept:
            choice = choice_of(question, code)
            if choice:
                return _answered(script, replace(state, touched=True), question, choice, text, "speech", confidence)
            return _command(script, replace(state, touched=True), question, code)
        case Heard(other) if other != "danger" and other not in ("repeat", "back"):
            return _failed(script, state, question)
    return _receive(script, state, question, event)


def _answered(script: Script, state: State, question: Question, choice: Choice, raw: str, mode: str, confidence: float | None) -> Turn:
    if question.id == CALLBACK_QUESTION:
        return ends.later(state, choice.code)
    if question.id == OPERATOR_QUESTION:
        return operator.chosen(script, state, choice)
    save = SaveAnswer(question.item, choice.code, choice.score, raw, mode, confidence)
    state, weighed = with_choices(script, state, {question.item: choice})
    if isinstance(question, ConfirmStep) and choice.code != "yes":
        return ends.end(state, Disposition.WRONG_PERSON, "wrong_person", save, *weighed)
    if isinstance(question, ConfirmStep):
        state = replace(state, confirmed=True, node="")
        weighed += _resumption(script, state)
    if choice.escalate == "danger":
        return _danger(script, state, save, *weighed)
    return go_on(script, state, question, save, *weighed)


def _resumption(script: Script, state: State) -> Actions:
    """Tell a person who has answered before that the survey goes on where it stopped."""
    return (Say("notice.resumed"),) if state.known and "resumed" in script.notices else ()


def _recorded(script: Script, state: State, question: Question, event: Recorded) -> Turn:
    if not isinstance(question, RecordStep):
        return _stray_recording(script, state, question, event)
    spoken = event.carrier_sid is not None and (event.seconds is None or event.seconds >= SHORTEST_SPEECH_SECONDS)
    meaning = script.keys.meanings.get(event.ended_by)
    if event.ended_by == question.none_key:
        # silence would have ended it sooner: whoever pressed this late has said something before
        spoken = spoken and (event.seconds or 0) > question.silence_seconds
        return _nothing_to_say(script, state, question, event.ended_by, *_recording(question, event, spoken))
    if meaning in ("repeat", "back"):
        return _command(script, state, question, meaning, *_recording(question, event, kept=False))
    kept = _recording(question, event, spoken)
    if spoken:
        kept = (*kept, SaveAnswer(question.item, "recorded", None, event.ended_by, "speech"))
        state = with_answer(state, question.item, "recorded")
    if event.ended_by == "hangup":
        return ends.leave(script, state, *kept)
    if meaning:
        return _command(script, replace(state, touched=True), question, meaning, *kept)
    if spoken:
        return go_on(script, state, question, *kept)
    if event.ended_by == script.keys.end_recording:
        return _nothing_to_say(script, state, question, event.ended_by, *kept)
    return _failed(script, state, question, *kept)


def _recording(question: Question, event: Recorded, kept: bool) -> Actions:
    if event.carrier_sid is None:
        return ()
    return (KeepRecording(question.item, event.carrier_sid, event.seconds),) if kept else (DropRecording(event.carrier_sid),)


def _stray_recording(script: Script, state: State, question: Question, event: Recorded) -> Turn:
    dropped = _recording(question, event, kept=False)
    return ends.leave(script, state, *dropped) if event.ended_by == "hangup" else _failed(script, state, question, *dropped)


def _nothing_to_say(script: Script, state: State, question: Question, key: str, *before: Action) -> Turn:
    state = with_answer(state, question.item, "none")
    return go_on(script, state, question, *before, SaveAnswer(question.item, "none", None, key, "keys"))


# ── keys that mean the same everywhere ───────────────────────────────────────────────────────────────


def _command(script: Script, state: State, question: Question, meaning: str, *before: Action) -> Turn:
    match meaning:
        case "human":
            return _human(script, state, question, *before)
        case "not_now":
            return _not_now(script, state, *before)
        case "never":
            return ends.never(state, *before)
        case "back" if question.id == CALLBACK_QUESTION:
            return _changed_mind(script, state, question, *before)
        case "back" if state.trail:
            return _back(script, state, question, *before)
    return _repeat(script, state, question, *before)


def _repeat(script: Script, state: State, question: Question, *before: Action) -> Turn:
    if state.repeats >= script.limits.repeats_per_question:
        return _failed(script, state, question, *before)
    return ask(script, replace(state, repeats=state.repeats + 1), question, question.id, *before)


def _back(script: Script, state: State, question: Question, *before: Action) -> Turn:
    if state.backs >= script.limits.backs_per_call:
        return _failed(script, state, question, *before)
    earlier = script.question(state.trail[-1])
    state = replace(state, node=earlier.id, trail=state.trail[:-1], tries=0, repeats=0, keys_only=False, backs=state.backs + 1)
    state = replace(state, transfer="")
    return ask(script, state, earlier, earlier.id, *before)


def _human(script: Script, state: State, question: Question, *before: Action) -> Turn:
    if question.id == OPERATOR_QUESTION:
        return operator.connect(state, state.transfer, *before)
    if may_offer(script, state, "human_requested"):
        return operator.connect(state, "human_requested", *before)
    if "human_requested" in state.escalated:
        return _repeat(script, state, question, *before)
    state, escalations = escalate(state, "human_requested")
    if script.after_human == "continue":
        return ask(script, state, question, question.id, *before, *escalations, Say("notice.human"))
    return ends.end(state, verdict(state), "human", *before, *escalations)


def _danger(script: Script, state: State, *before: Action) -> Turn:
    """R34: the survey stops; where an operator may be had, the person is brought to one after the advice."""
    if may_offer(script, state, "danger"):
        return operator.connect(state, "danger", *before, Say("notice.danger"))
    return ends.danger(state, *before)


def _not_now(script: Script, state: State, *before: Action) -> Turn:
    """Ask when to call again; a second “not now” leaves the choice to us. Nobody is promised a call that will not come."""
    if interview(state) is Disposition.COMPLETE or not state.may_postpone:
        return ends.enough(script, state, *before)
    if script.callback is None or state.node == CALLBACK_QUESTION:
        return ends.later(state, "", *before)
    state = replace(state, left=state.node, node=CALLBACK_QUESTION, tries=0, repeats=0, keys_only=False)
    return ask(script, state, script.callback, CALLBACK_QUESTION, *before)


def _changed_mind(script: Script, state: State, question: Question, *before: Action) -> Turn:
    """Back out of the question when: to the question that was left, or into the survey."""
    if state.backs >= script.limits.backs_per_call:
        return _failed(script, state, question, *before)
    state = replace(state, node=state.left, left="", tries=0, repeats=0, keys_only=False, backs=state.backs + 1, postponing=False)
    if not state.node:
        return advance(script, state, 0, *before)
    return ask(script, state, script.question(state.node), state.node, *before)


# ── moving on ────────────────────────────────────────────────────────────────────────────────────────


def _failed(script: Script, state: State, question: Question, *before: Action) -> Turn:
    """No input or no match: they share one counter (R29)."""
    tries = state.tries + 1
    if tries < attempts(script, question):
        return ask(script, replace(state, tries=tries), question, f"{question.id}.retry.{tries}", *before)
    if question.id == CALLBACK_QUESTION:
        return ends.later(state, "", *before)
    if question.id == OPERATOR_QUESTION:
        return operator.declined(script, state, *before)
    if isinstance(question, ConfirmStep):
        return ends.end(state, Disposition.NOT_CONFIRMED, "no_input_end", *before)
    state = replace(state, unanswered=state.unanswered + 1)
    if state.unanswered >= UNANSWERED_IN_A_ROW and may_offer(script, state, "not_understood"):
        return offer_operator(script, state, "not_understood", *before)
    if state.unanswered >= UNANSWERED_IN_A_ROW:
        return ends.end(state, verdict(state), "no_input_end", *before)
    return go_on(script, state, question, *before)
