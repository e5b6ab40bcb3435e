"""The interpreter of scripts: decides what happens next in a call, and does nothing itself.

    state + event ──▶ step ──▶ new state + actions (recording ones for the database, speaking ones for the line)

A visit to a question takes at most `attempts + repeats` events, and going back is bounded for the whole call; jumps lead
forward only. So every walk ends within `longest_walk(script)` events.
"""

from dataclasses import replace

from survey.actions import Action, CallLater, Collect, DropRecording, Hangup, KeepRecording, OptOut, Record, SaveAnswer, Say, SetDisposition
from survey.disposition import Disposition
from survey.events import Digits, Event, Heard, HungUp, MachineAnswered, Recorded
from survey.flow_state import State, escalate, interview, interview_or, reconsider, verdict, with_answer
from survey.script import Choice, ConfirmStep, HangupStep, Question, RecordStep, SayStep, Script

__all__ = ["State", "attempts", "longest_walk", "start", "step"]

SHORTEST_SPEECH_SECONDS = 1.0  # a recording shorter than this holds only the key that ended it
UNANSWERED_IN_A_ROW = 2  # R29
Actions = tuple[Action, ...]
Turn = tuple[State, Actions]


def start(script: Script) -> State:
    """The state of a call of this script that was not answered yet."""
    return State()


def step(script: Script, state: State, event: Event) -> Turn:
    """The next state and what to do, in order. Deterministic; after the end it only hangs up again.

    Every list of actions ends with Collect, Record or Hangup. The one exception: a machine verdict that comes after the
    person has pressed or said something is mistaken; it leaves the state as it is and asks for nothing.
    """
    if state.ended:
        return state, (Hangup(),)
    match event:
        case HungUp():
            return _leave(state)
        case MachineAnswered(kind):
            return _machine(script, state, kind)
    if not state.node:
        return _advance(script, state, 0)
    return _receive(script, state, script.question(state.node), event)


def longest_walk(script: Script) -> int:
    """The most events that a walk can take until its end, ignored machine verdicts aside.

    1 + (questions + 2 x backs) x (attempts + repeats): each way back adds a visit there and one on the way forth again.
    """
    visits = len(script.questions) + 2 * script.limits.backs_per_call
    return 1 + visits * (script.limits.attempts_per_question + script.limits.repeats_per_question)


def attempts(script: Script, question: Question) -> int:
    """How often this question is put before it stays unanswered: each attempt after the first needs words of its own."""
    return min(script.limits.attempts_per_question, 1 + len(question.retry))


# ── what the person did ──────────────────────────────────────────────────────────────────────────────


def _receive(script: Script, state: State, question: Question, event: Event) -> Turn:
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
    if heard.code == "danger" and heard.confidence >= script.understanding.confirm:
        return _danger(replace(state, touched=True))
    if heard.code is None or heard.confidence < script.understanding.accept:
        return _failed(script, state, question)
    state = replace(state, touched=True)
    for choice in () if isinstance(question, RecordStep) else question.choices:
        if choice.code == heard.code:
            return _answered(script, state, question, choice, heard.text[:64], "speech", heard.confidence)
    if heard.code in script.keys.meanings.values():
        return _command(script, state, question, heard.code)
    return _failed(script, state, question)


def _answered(script: Script, state: State, question: Question, choice: Choice, raw: str, mode: str, confidence: float | None) -> Turn:
    save = SaveAnswer(question.item, choice.code, choice.score, raw, mode, confidence)
    state, withdrawn = reconsider(script, with_answer(state, question.item, choice.code))
    if isinstance(question, ConfirmStep) and choice.code != "yes":
        return _end(state, Disposition.WRONG_PERSON, "wrong_person", save, *withdrawn)
    if isinstance(question, ConfirmStep):
        state = replace(state, confirmed=True, node="")
    if choice.escalate == "danger":
        return _danger(state, save, *withdrawn)
    wanted = ("dissatisfied" if choice.dissatisfied else None, choice.escalate)
    state, escalations = escalate(state, *[reason for reason in wanted if reason])
    return _go_on(script, state, question, save, *withdrawn, *escalations)


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
        return _leave(state, *kept)
    if meaning:
        return _command(script, replace(state, touched=True), question, meaning, *kept)
    if spoken:
        return _go_on(script, state, question, *kept)
    if event.ended_by == script.keys.end_recording:
        return _nothing_to_say(script, state, question, event.ended_by, *kept)
    return _failed(script, state, question, *kept)


def _recording(question: Question, event: Recorded, kept: bool) -> Actions:
    if event.carrier_sid is None:
        return ()
    return (KeepRecording(question.item, event.carrier_sid, event.seconds),) if kept else (DropRecording(event.carrier_sid),)


def _stray_recording(script: Script, state: State, question: Question, event: Recorded) -> Turn:
    dropped = _recording(question, event, kept=False)
    return _leave(state, *dropped) if event.ended_by == "hangup" else _failed(script, state, question, *dropped)


def _nothing_to_say(script: Script, state: State, question: Question, key: str, *before: Action) -> Turn:
    state = with_answer(state, question.item, "none")
    return _go_on(script, state, question, *before, SaveAnswer(question.item, "none", None, key, "keys"))


# ── keys that mean the same everywhere ───────────────────────────────────────────────────────────────


def _command(script: Script, state: State, question: Question, meaning: str, *before: Action) -> Turn:
    match meaning:
        case "human":
            return _human(script, state, question, *before)
        case "not_now":
            return _not_now(state, *before)
        case "never":
            return _never(state, *before)
        case "back" if state.trail:
            return _back(script, state, question, *before)
    return _repeat(script, state, question, *before)


def _repeat(script: Script, state: State, question: Question, *before: Action) -> Turn:
    if state.repeats >= script.limits.repeats_per_question:
        return _failed(script, state, question, *before)
    return _ask(script, replace(state, repeats=state.repeats + 1), question, question.id, *before)


def _back(script: Script, state: State, question: Question, *before: Action) -> Turn:
    if state.backs >= script.limits.backs_per_call:
        return _failed(script, state, question, *before)
    earlier = script.question(state.trail[-1])
    state = replace(state, node=earlier.id, trail=state.trail[:-1], tries=0, repeats=0, backs=state.backs + 1)
    return _ask(script, state, earlier, earlier.id, *before)


def _human(script: Script, state: State, question: Question, *before: Action) -> Turn:
    if "human_requested" in state.escalated:
        return _repeat(script, state, question, *before)
    state, escalations = escalate(state, "human_requested")
    if script.after_human == "continue":
        return _ask(script, state, question, question.id, *before, *escalations, Say("notice.human"))
    return _end(state, verdict(state), "human", *before, *escalations)


def _not_now(state: State, *before: Action) -> Turn:
    """Another call would ask everything anew, so it is promised only while too little was answered for an interview (R39)."""
    so_far = interview(state)
    if so_far is not Disposition.BREAK_OFF:
        return _end(state, so_far, "thanks", *before)
    return _end(state, Disposition.NOT_AVAILABLE, "not_now", *before, CallLater())


def _never(state: State, *before: Action) -> Turn:
    refusal = Disposition.REFUSAL if state.confirmed else Disposition.REFUSAL_BEFORE
    return _end(state, interview_or(interview(state), refusal), "never", *before, OptOut())


def _danger(state: State, *before: Action) -> Turn:
    """R34: whatever was answered, the survey stops and the case is closed as 2.35."""
    state, escalations = escalate(state, "danger")
    return _end(state, Disposition.CIRCUMSTANCES, "danger", *before, *escalations)


# ── moving on ────────────────────────────────────────────────────────────────────────────────────────


def _failed(script: Script, state: State, question: Question, *before: Action) -> Turn:
    """No input or no match: they share one counter (R29)."""
    tries = state.tries + 1
    if tries < attempts(script, question):
        return _ask(script, replace(state, tries=tries), question, f"{question.id}.retry.{tries}", *before)
    if isinstance(question, ConfirmStep):
        return _end(state, Disposition.NOT_CONFIRMED, "no_input_end", *before)
    state = replace(state, unanswered=state.unanswered + 1)
    if state.unanswered >= UNANSWERED_IN_A_ROW:
        return _end(state, verdict(state), "no_input_end", *before)
    return _go_on(script, state, question, *before)


def _go_on(script: Script, state: State, question: Question, *before: Action) -> Turn:
    trail = state.trail if isinstance(question, ConfirmStep) else (*state.trail, question.id)
    index = script.after(question, state.answers.get(question.item))
    return _advance(script, replace(state, trail=trail), index, *before)


def _advance(script: Script, state: State, index: int, *before: Action) -> Turn:
    """Speak from step `index` on until a question waits or the call ends. What is answered is not asked again (R31)."""
    said: list[Action] = list(before)
    while True:
        current = script.steps[index]
        answer = state.answers.get(getattr(current, "item", ""))
        if not script.holds(current.when, state.answers):
            index += 1
        elif isinstance(current, SayStep):
            said.append(Say(current.id))
            index = script.after(current)
        elif isinstance(current, HangupStep):
            return _end(state, verdict(state), None, *said, farewell=current.id)
        elif answer is not None:
            index = script.after(current, answer)
        else:
            return _ask(script, replace(state, node=current.id, tries=0, repeats=0), current, current.id, *said)


def _ask(script: Script, state: State, question: Question, prompt: str, *before: Action) -> Turn:
    return state, (*before, Say(prompt), _wait(script, question))


def _wait(script: Script, question: Question) -> Collect | Record:
    globally = "".join(script.keys.meanings)
    if isinstance(question, RecordStep):
        keys = script.keys.end_recording + (question.none_key or "") + globally
        return Record(question.item, question.max_seconds, _distinct(keys), question.silence_seconds)
    keys = "".join(choice.key for choice in question.choices) + globally
    return Collect(_distinct(keys), script.limits.silence_seconds, question.barge_in)


def _distinct(keys: str) -> str:
    return "".join(dict.fromkeys(keys))


# ── ends ─────────────────────────────────────────────────────────────────────────────────────────────


def _machine(script: Script, state: State, kind: str) -> Turn:
    if state.touched:
        return state, ()
    if kind == "fax":
        return _end(state, Disposition.FAX, None)
    return _end(state, Disposition.MACHINE, "machine" if "machine" in script.notices else None)


def _leave(state: State, *before: Action) -> Turn:
    """The person hung up."""
    return _end(state, verdict(state) if state.confirmed else Disposition.REFUSAL_BEFORE, None, *before)


def _end(state: State, outcome: Disposition, notice: str | None, *before: Action, farewell: str | None = None) -> Turn:
    prompt = f"notice.{notice}" if notice else farewell
    last: Actions = (Say(prompt), Hangup()) if prompt else (Hangup(),)
    return replace(state, ended=True, node=""), (*before, SetDisposition(outcome), *last)
