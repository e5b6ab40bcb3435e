"""Plays a script without a telephone, and keeps what happened as a case that can be played again.

A case is YAML: the script's file, the events that came in, and the actions that went out, one short line each. The state
goes through JSON between any two events, as it does between two web-hooks.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from survey import flow
from survey.actions import (
    Action,
    CallLater,
    Collect,
    DropRecording,
    Escalate,
    Hangup,
    Join,
    KeepRecording,
    OptOut,
    Record,
    SaveAnswer,
    Say,
    SetDisposition,
    Transfer,
    Withdraw,
)
from survey.errors import BadInput
from survey.events import (
    TRANSFER_RESULTS,
    Answered,
    Digits,
    Event,
    Heard,
    HungUp,
    LineFailed,
    MachineAnswered,
    NoInput,
    OperatorReady,
    Recorded,
    TransferEnded,
)
from survey.script import Script


@dataclass(frozen=True)
class Turn:
    """One event, what followed from it, and the state after it."""

    event: Event
    actions: tuple[Action, ...]
    state: flow.State


def begin(script: Script, *, operator_free: bool = False) -> Turn:
    """The first turn: the call is answered. `operator_free`: an operator could come to the line."""
    return take(script, flow.start(script, operator_free=operator_free), Answered())


def take(script: Script, state: flow.State, event: Event) -> Turn:
    """One turn from a state that was stored as JSON and read back."""
    stored = flow.State.from_json(json.loads(json.dumps(state.to_json())))
    after, actions = flow.step(script, stored, event)
    return Turn(event, actions, after)


def play(script: Script, events: Iterable[Event], answers: Mapping[str, str] = flow.NOTHING, *, operator_free: bool = False) -> list[Turn]:
    """The turns of a call in which these events happen; what comes after the end of the call is left out.

    `answers` are those of an earlier call that was interrupted; `operator_free` tells whether an operator could come to the line.
    """
    turns: list[Turn] = []
    state = flow.start(script, answers, operator_free=operator_free)
    for event in events:
        if state.ended:
            break
        turns.append(take(script, state, event))
        state = turns[-1].state
    return turns


def disposition(turns: Sequence[Turn]) -> str:
    """The word of the disposition that the turns arrived at, or an empty text while the call goes on."""
    found = [action.disposition.word for turn in turns for action in turn.actions if isinstance(action, SetDisposition)]
    return found[-1] if found else ""


def write_event(event: Event) -> str:
    """An event as one line: `digits 1`, `silence`, `recorded # 12 RE1`, `heard satisfied 0.9`, `hangup`."""
    match event:
        case Digits(keys):
            return f"digits {keys}".rstrip()
        case Heard(code, confidence):
            return f"heard {code or '-'} {confidence:g}"
        case Recorded(sid, seconds, ended_by):
            return f"recorded {ended_by} {'-' if seconds is None else format(seconds, 'g')} {sid or '-'}"
        case MachineAnswered(kind):
            return kind
        case HungUp():
            return "hangup"
        case LineFailed():
            return "broken"
        case OperatorReady():
            return "operator"
        case TransferEnded(result, answers):
            return " ".join(("operator", result, *(f"{item}={code}" for item, code in answers.items())))
    return "answered" if isinstance(event, Answered) else "silence"


def read_event(line: str) -> Event:
    """The event of a line by `write_event`. Raises BadInput."""
    match line.split():
        case ["answered"]:
            return Answered()
        case ["silence"]:
            return NoInput()
        case ["hangup"]:
            return HungUp()
        case ["broken"]:
            return LineFailed()
        case ["operator"]:
            return OperatorReady()
        case ["operator", result, *answers] if result in TRANSFER_RESULTS and all("=" in answer for answer in answers):
            return TransferEnded(result, dict(answer.split("=", 1) for answer in answers))
        case ["machine" | "fax" as kind]:
            return MachineAnswered(kind)
        case ["digits", *keys]:
            return Digits("".join(keys))
        case ["heard", code, confidence]:
            return Heard(None if code == "-" else code, float(confidence))
        case ["recorded", ended_by, seconds, sid]:
            return Recorded(None if sid == "-" else sid, None if seconds == "-" else float(seconds), ended_by)
    raise BadInput(f"no such event: {line!r}")


def write_action(action: Action) -> str:
    """An action as one line: `say speed`, `collect 127890* 5s`, `save speed satisfied 75 by keys 2`, `hang up`."""
    match action:
        case Say(prompt):
            return f"say {prompt}"
        case Collect(keys, timeout, barge_in):
            return f"collect {keys} {timeout}s" + ("" if barge_in else " after the prompt")
        case Record(item, longest, keys, silence):
            return f"record {item} up to {longest}s, until {keys} or {silence}s of silence"
        case SaveAnswer(item, code, score, raw, mode):
            return f"save {item} {code} {'-' if score is None else format(score, 'g')} by {mode} {raw}"
        case KeepRecording(item, sid, seconds):
            return f"keep {item} {sid} {'-' if seconds is None else format(seconds, 'g')}s"
        case DropRecording(sid):
            return f"drop {sid}"
        case Escalate(reason):
            return f"escalate {reason}"
        case Withdraw(reason):
            return f"withdraw {reason}"
        case SetDisposition(verdict):
            return f"disposition {verdict.word}"
        case OptOut():
            return "opt out"
        case CallLater(when):
            return f"call later {when}".rstrip()
        case Transfer(reason):
            return f"transfer {reason}"
        case Join():
            return "join the operator"
        case Hangup():
            return "hang up"


def write_case(
    script_file: str, story: str, turns: Sequence[Turn], answers: Mapping[str, str] = flow.NOTHING, *, operator_free: bool = False
) -> str:
    """The turns as a case: YAML that `read_case` and people can read."""
    lines = [f"script: {_quoted(script_file)}", f"story: {_quoted(story)}"]
    if operator_free:
        lines.append("operator_free: true")
    if answers:
        lines += ["answered_before:", *(f"  {item}: {_quoted(code)}" for item, code in answers.items())]
    lines.append("turns:")
    for turn in turns:
        lines.append(f"  - event: {_quoted(write_event(turn.event))}")
        lines.append("    actions:")
        lines += [f"      - {_quoted(write_action(action))}" for action in turn.actions]
    lines.append(f"disposition: {_quoted(disposition(turns))}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # JSON's strings are YAML's too


@dataclass(frozen=True)
class Case:
    """A stored rehearsal: events in, lines of actions out, the disposition at the end."""

    script_file: str
    story: str
    events: tuple[Event, ...]
    actions: tuple[tuple[str, ...], ...]
    disposition: str
    answers: Mapping[str, str] = field(default_factory=dict)
    operator_free: bool = False


def read_case(path: Path) -> Case:
    """The case in a file by `write_case`. Raises BadInput for an unknown event."""
    data: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    events = tuple(read_event(turn["event"]) for turn in data["turns"])
    actions = tuple(tuple(turn["actions"]) for turn in data["turns"])
    before, is_free = data.get("answered_before", {}), data.get("operator_free", False)
    return Case(data["script"], data["story"], events, actions, data["disposition"], before, is_free)
