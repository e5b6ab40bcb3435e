"""Plays a stored call again: the same events on the same or on another script, and where the course is another one.

    stored call + script ──▶ course: after each event, what was decided and which question waits

What is compared are decisions: the question that waits, what is written down, the end. Words and waiting times may change freely.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from survey import flow
from survey.actions import Action, Collect, Hangup, Record, Say
from survey.events import Event, HungUp, LineFailed, MachineAnswered
from survey.flow_ends import Turn
from survey.flow_operator import with_answers
from survey.flow_state import State
from survey.script import CALLBACK_QUESTION, TALKING, Script

SPEAKING = (Say, Collect, Record, Hangup)


Written = tuple[str, str]
"""An answer as an operator wrote it down while sorting a talk out: item and code."""


@dataclass(frozen=True)
class StoredTurn:
    """A round trip as it was stored: the event, and the question that waited after it (empty: the call was over).

    `written` is what an operator, whose talk was over, wrote down before the next one.
    """

    event: Event
    node: str
    written: tuple[Written, ...] = ()


@dataclass(frozen=True)
class StoredCall:
    """A conversation as it was stored. `machine` is the verdict that ended it, `broken` that the line or we ended it.

    `written` is what an operator had written down (item to code) when the person or the line ended the talk with them,
    `written_after` what was written down after the last turn, while the talk was sorted out.

    `final` is where it stood at last: what it began with is read off it, because a call changes no answer of an earlier one
    and asks no question for which there is one.
    """

    turns: tuple[StoredTurn, ...]
    final: State
    machine: str = ""
    broken: bool = False
    written: Mapping[str, str] = field(default_factory=dict)
    written_after: tuple[Written, ...] = ()


@dataclass(frozen=True)
class Passed:
    """One event of a replay, everything that the script does upon it, and where the call stands then."""

    event: Event
    actions: tuple[Action, ...]
    state: State

    @property
    def decided(self) -> tuple[str, tuple[Action, ...]]:
        """The question that waits, and what is written down."""
        return "" if self.state.ended else self.state.node, tuple(each for each in self.actions if not isinstance(each, SPEAKING))


def beginning(script: Script, call: StoredCall) -> State:
    """The state in which the call would begin on this script, with what it did begin with.

    Whether an operator was free at each moment is not stored; whoever was offered one was called while one was.
    """
    final = call.final
    postponing = final.postponing or (bool(call.turns) and call.turns[0].node == CALLBACK_QUESTION)
    answers = {item: final.answers[item] for item in final.known}
    return flow.start(script, answers, may_postpone=final.may_postpone, postponing=postponing, operator_free=bool(final.offered))


def story(call: StoredCall) -> tuple[StoredTurn, ...]:
    """All events of the call in order: the turns, with a machine's verdict where it ended the call, and the end itself.

    A verdict and a hang-up are no turns; the first turn that found the call over tells when the verdict had come.
    """
    events = list(call.turns)
    over = next((place for place, turn in enumerate(call.turns) if not turn.node), None)
    if call.machine:
        events.insert(len(events) if over is None else over, StoredTurn(MachineAnswered(call.machine), ""))
    elif call.final.ended and over is None:
        events.append(StoredTurn(LineFailed() if call.broken else HungUp(), ""))
    return (*events[:-1], *(replace(last, written=last.written + call.written_after) for last in events[-1:]))


def replay(script: Script, call: StoredCall) -> tuple[Passed, ...]:
    """The course that the call takes on this script. Events after its end change nothing any more; what is written down does."""
    state, course = beginning(script, call), []
    for turn in story(call):
        weighed: tuple[Action, ...] = ()
        if state.node == TALKING and isinstance(turn.event, HungUp | LineFailed):
            state, weighed = with_answers(script, state, call.written)
        state, actions = flow.step(script, state, turn.event)
        state, weighed_after = _with_written(script, state, turn.written)
        course.append(Passed(turn.event, (*weighed, *actions, *weighed_after), state))
    return tuple(course)


def _with_written(script: Script, state: State, written: Iterable[Written]) -> Turn:
    """One by one, as each was counted when it was written down: a reason that was given and taken back leaves its trace."""
    weighed: list[Action] = []
    for item, code in written:
        state, actions = with_answers(script, state, {item: code})
        weighed += actions
    return state, tuple(weighed)


def contradiction(call: StoredCall, course: Sequence[Passed]) -> int | None:
    """The first event at which a replay on the call's own script is not what was stored; None: it is the same call.

    The number of events stands for a difference that shows only in the end: the answers, the escalations, the verdict.
    """
    turns = iter(call.turns)
    for number, passed in enumerate(course):
        stored = None if isinstance(passed.event, MachineAnswered | HungUp | LineFailed) else next(turns, None)
        if stored is not None and stored.node != passed.decided[0]:
            return number
    last = course[-1].state if course else call.final
    return None if _at_the_end(last) == _at_the_end(call.final) else len(course)


def _at_the_end(state: State) -> State:
    """What counts of a state in which a call has ended."""
    return replace(state, node="", operator_free=False)


def parting(first: Sequence[Passed], second: Sequence[Passed]) -> int | None:
    """The first event at which two courses of one call decide differently, None if they never do."""
    pairs = enumerate(zip(first, second, strict=True))
    return next((number for number, (one, other) in pairs if one.decided != other.decided), None)


@dataclass
class Ways:
    """What becomes of stored calls under another script.

    `parted` counts, by the question that waited, the calls that go another way there (empty: at the opening); `unlike` are
    calls that are not what was stored even on their own script, which say nothing about the other one.
    """

    same: int = 0
    unlike: int = 0
    parted: Counter[str] = field(default_factory=Counter)


def ways_under(calls: Iterable[StoredCall], pinned: Script, other: Script) -> Ways:
    """Replay calls that were made on the pinned script under another one."""
    ways = Ways()
    for call in calls:
        course = replay(pinned, call)
        where = parting(course, replay(other, call))
        if contradiction(call, course) is not None:
            ways.unlike += 1
        elif where is None:
            ways.same += 1
        else:
            ways.parted[course[where - 1].state.node if where else ""] += 1
    return ways
