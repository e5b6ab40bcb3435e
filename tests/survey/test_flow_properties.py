"""What must hold in every walk, whatever the script and whatever the person does."""

import json
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey import flow, prompts, script_structure
from survey.actions import CallLater, Collect, Escalate, Hangup, Join, OptOut, Record, SaveAnswer, Say, SetDisposition, Transfer, Withdraw
from survey.disposition import Disposition
from survey.events import Answered, Digits, Event, HungUp, MachineAnswered, Recorded
from survey.lint_wording import SAMPLE
from survey.script import RATED_ITEMS, TALKING, WAITING, Script
from tests.survey.scripts import EVENTS, SHIPPED, STAYING, shipped, small_scripts

SCRIPTS = st.one_of(st.sampled_from([shipped(name) for name in SHIPPED]), small_scripts())
WALKS = st.lists(EVENTS, max_size=40)
Walk = list[tuple[flow.State, Event, flow.State, tuple[object, ...]]]


def walk(script: Script, events: list[Event]) -> Walk:
    """Each turn as (state before, event, state after, actions), until the call ends or nothing more happens."""
    turns: Walk = []
    state = flow.start(script, operator_free=True)
    for event in [Answered(), *events]:
        if state.ended:
            break
        after, actions = flow.step(script, state, event)
        turns.append((state, event, after, actions))
        state = after
    return turns


@given(small_scripts())
def test_the_generated_scripts_are_ones_the_parser_would_accept(script: Script) -> None:
    assert list(script_structure.check(script, {})) == []


@settings(max_examples=300)
@given(SCRIPTS, st.lists(STAYING, min_size=1, max_size=12))
def test_every_walk_ends_within_the_bound_even_if_nobody_ever_hangs_up(script: Script, events: list[Event]) -> None:
    state, _ = flow.step(script, flow.start(script, operator_free=True), Answered())
    taken = 1

    for event in cycle(events):
        if state.ended:
            break
        state, _ = flow.step(script, state, event)
        taken += 1
        assert taken <= flow.longest_walk(script)


@given(SCRIPTS, WALKS)
def test_the_state_survives_json_after_each_step_and_the_step_is_deterministic(script: Script, events: list[Event]) -> None:
    for before, event, after, actions in walk(script, events):
        restored = flow.State.from_json(json.loads(json.dumps(before.to_json())))
        assert restored == before
        assert flow.step(script, restored, event) == (after, actions)


@given(SCRIPTS, WALKS)
def test_a_walk_has_exactly_one_disposition_and_it_comes_with_the_end(script: Script, events: list[Event]) -> None:
    for _, _, after, actions in walk(script, events):
        verdicts = [action for action in actions if isinstance(action, SetDisposition)]
        assert len(verdicts) == (1 if after.ended else 0)


@given(SCRIPTS, WALKS, EVENTS)
def test_after_the_end_nothing_changes_any_more(script: Script, events: list[Event], late: Event) -> None:
    state = walk(script, events)[-1][2]
    if state.ended:
        assert flow.step(script, state, late) == (state, (Hangup(),))


@given(SCRIPTS, WALKS)
def test_every_turn_speaks_then_waits_once_or_hangs_up(script: Script, events: list[Event]) -> None:
    for _, _, after, actions in walk(script, events):
        waits = [index for index, action in enumerate(actions) if isinstance(action, Collect | Record | Transfer | Join | Hangup)]
        assert waits == [len(actions) - 1]
        assert isinstance(actions[-1], Hangup) == after.ended == (after.node == "")
        assert isinstance(actions[-1], Transfer) == (after.node == WAITING)
        assert isinstance(actions[-1], Join) == (after.node == TALKING)
        if not after.ended and after.node not in (WAITING, TALKING):
            assert isinstance(actions[-2], Say)
            assert script.question(after.node)


@given(SCRIPTS, WALKS)
def test_the_answers_saved_are_the_answers_in_the_state(script: Script, events: list[Event]) -> None:
    turns = walk(script, events)
    saved = {action.item: action.code for *_, actions in turns for action in actions if isinstance(action, SaveAnswer)}

    assert turns[-1][2].answers == saved
    assert set(saved) <= {question.item for question in script.questions}


@given(SCRIPTS, WALKS)
def test_the_interview_is_counted_by_the_five_items(script: Script, events: list[Event]) -> None:
    turns = walk(script, events)
    state = turns[-1][2]
    verdicts = [action.disposition for action in turns[-1][3] if isinstance(action, SetDisposition)]
    answered = sum(item in state.answers for item in RATED_ITEMS)

    if verdicts and not state.confirmed:
        assert not {Disposition.COMPLETE, Disposition.PARTIAL, Disposition.BREAK_OFF, Disposition.REFUSAL} & set(verdicts)
    elif verdicts and verdicts[0] is not Disposition.CIRCUMSTANCES:
        assert (verdicts[0] is Disposition.COMPLETE) == (answered == 5)
        assert (verdicts[0] is Disposition.PARTIAL) == (answered in (3, 4))


@given(SCRIPTS, WALKS)
def test_each_reason_escalates_once_unless_it_was_withdrawn(script: Script, events: list[Event]) -> None:
    told: list[str] = []
    for action in (action for *_, actions in walk(script, events) for action in actions):
        if isinstance(action, Escalate):
            assert action.reason not in told
            told.append(action.reason)
        elif isinstance(action, Withdraw):
            told.remove(action.reason)


REVISING = st.lists(st.builds(Digits, st.sampled_from("124577")), max_size=30)


@settings(max_examples=300)
@given(SCRIPTS, st.one_of(WALKS, REVISING))
def test_escalations_less_withdrawals_are_whether_a_dissatisfied_answer_stands_at_the_end(script: Script, events: list[Event]) -> None:
    turns = walk(script, events)
    told = [action for *_, actions in turns for action in actions]
    net = told.count(Escalate("dissatisfied")) - told.count(Withdraw("dissatisfied"))
    calling = {
        (step.item, choice.code)
        for step in script.steps
        for choice in getattr(step, "choices", ())
        if choice.dissatisfied or choice.escalate == "dissatisfied"
    }

    assert net == bool(calling & set(turns[-1][2].answers.items()))


@pytest.mark.parametrize("name", SHIPPED)
@settings(max_examples=300)
@given(data=st.data())
def test_no_incident_detail_is_spoken_before_the_right_person_has_confirmed(name: str, data: st.DataObject) -> None:
    script = shipped(name)
    day = prompts.spoken_date(SAMPLE.incident_on, script.language)  # type: ignore[arg-type]

    for _, _, after, actions in walk(script, data.draw(WALKS)):
        said = [prompts.speak(script, action.prompt, SAMPLE) for action in actions if isinstance(action, Say)]
        if not after.confirmed:
            assert not any(day in text for text in said)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_day_of_the_incident_is_told_right_after_the_person_has_confirmed(name: str) -> None:
    """Guards the property above: the day that it looks for is one that the script does speak."""
    script = shipped(name)
    state, _ = flow.step(script, flow.start(script), Answered())
    _, actions = flow.step(script, state, Digits("1"))

    said = " ".join(prompts.speak(script, action.prompt, SAMPLE) for action in actions if isinstance(action, Say))
    assert prompts.spoken_date(SAMPLE.incident_on, script.language) in said  # type: ignore[arg-type]


@given(SCRIPTS, WALKS)
def test_a_question_is_not_asked_again_once_answered_unless_the_person_goes_back(script: Script, events: list[Event]) -> None:
    for before, _, after, _ in walk(script, events):
        moved_on = len(after.trail) > len(before.trail) or (after.confirmed and not before.confirmed)
        if moved_on and after.node and after.node not in (WAITING, TALKING):
            assert script.question(after.node).item not in after.answers


@given(SCRIPTS, WALKS, st.sampled_from(["machine", "fax"]))
def test_a_machine_verdict_ends_the_call_unless_a_person_has_shown(script: Script, events: list[Event], kind: str) -> None:
    state = walk(script, events)[-1][2]
    after, actions = flow.step(script, state, MachineAnswered(kind))

    if state.ended:
        assert actions == (Hangup(),)
    elif state.touched:
        assert (after, actions) == (state, ())
    else:
        assert actions == (SetDisposition(Disposition.FAX if kind == "fax" else Disposition.MACHINE), Hangup())


@given(SCRIPTS, WALKS)
def test_another_call_is_promised_exactly_when_the_disposition_leaves_room_for_one(script: Script, events: list[Event]) -> None:
    for _, event, _, actions in walk(script, events):
        [*wishes] = [action.when for action in actions if isinstance(action, CallLater)]
        assert bool(wishes) == (SetDisposition(Disposition.NOT_AVAILABLE) in actions)
        if wishes and not isinstance(event, HungUp | Recorded):
            assert Say("notice.booked" if wishes[0] else "notice.not_now") in actions
        assert (OptOut() in actions) == (Say("notice.never") in actions)
