"""Key 9 and what comes of it: the question when, and the call that goes on where an earlier one stopped."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey import flow, script_shape
from survey.actions import Action, CallLater, Collect, Escalate, Hangup, OptOut, SaveAnswer, Say, SetDisposition, Withdraw
from survey.booking_times import TIMES
from survey.disposition import Disposition
from survey.events import Answered, Digits, Event, HungUp, LineFailed, NoInput, Recorded
from survey.script import CALLBACK_QUESTION, RATED_ITEMS, Script
from tests.survey.scripts import SHIPPED, STAYING, shipped
from tests.survey.test_flow import CONFIRMED, FIVE_GOOD, call, said, then, verdict

MENU = (Say(CALLBACK_QUESTION), Collect("12347890*", 5))
LATER = Disposition.NOT_AVAILABLE


def walk(state: flow.State, *events: Event, script: Script | None = None) -> tuple[flow.State, tuple[Action, ...]]:
    actions: tuple[Action, ...] = ()
    for event in events:
        state, actions = flow.step(script or shipped(), state, event)
    return state, actions


def resumed(answers: dict[str, str], keys: str = "", script: Script | None = None) -> tuple[flow.State, tuple[Action, ...]]:
    """A call to somebody who gave these answers before, after the keys."""
    script = script or shipped()
    return walk(flow.start(script, answers), Answered(), *map(Digits, keys), script=script)


# ── when ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("keys", ["", CONFIRMED, CONFIRMED + "12", CONFIRMED + "1234", CONFIRMED + "1231"])
def test_nine_asks_when_wherever_the_survey_stands(keys: str) -> None:
    state, actions = call(keys + "9")

    assert actions == MENU
    assert state.left == call(keys)[0].node


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize(
    ("key", "when"), [("1", "later_today"), ("2", "tomorrow_morning"), ("3", "tomorrow_afternoon"), ("4", "tomorrow_evening")]
)
def test_a_chosen_time_is_booked_and_said_back(name: str, key: str, when: str) -> None:
    _, actions = call("9" + key, shipped(name))

    assert actions == (CallLater(when), SetDisposition(LATER), Say("notice.booked"), Hangup())


@pytest.mark.parametrize("keys", ["--", "-6", "6-", "9"])
def test_who_chooses_no_time_leaves_it_to_us(keys: str) -> None:
    _, actions = call("9" + keys)

    assert actions == (CallLater(), SetDisposition(LATER), Say("notice.not_now"), Hangup())


@pytest.mark.parametrize("event", [HungUp(), LineFailed(), Recorded(None, None, "hangup")])
def test_hanging_up_while_choosing_is_not_a_refusal(event: Event) -> None:
    _, actions = then("9", event)

    assert (actions[0], verdict(actions), said(actions)) == (CallLater(), LATER, [])


def test_no_choice_is_put_again_once_in_plainer_words() -> None:
    _, actions = call("9-")

    assert actions == (Say(f"{CALLBACK_QUESTION}.retry.1"), MENU[1])


def test_seven_goes_back_to_the_question_that_was_left() -> None:
    state, actions = call(CONFIRMED + "12" + "97")

    assert said(actions) == ["outcome"]
    assert (state.node, state.left, state.backs) == ("outcome", "", 1)
    assert verdict(call(CONFIRMED + "12" + "97" + "136" + "11")[1]) is Disposition.COMPLETE


def test_going_out_and_in_for_ever_is_bounded() -> None:
    keys = "97" * 3
    assert said(call(keys)[1]) == ["right_person"]
    assert said(call(keys + "97")[1]) == [f"{CALLBACK_QUESTION}.retry.1"]
    assert verdict(call(keys + "977")[1]) is LATER


def test_never_again_and_a_person_can_be_chosen_there_too() -> None:
    assert OptOut() in call("90")[1]
    assert Escalate("human_requested") in call("98")[1]
    assert said(call("9*")[1]) == [CALLBACK_QUESTION]


def test_nine_after_all_five_answers_thanks_and_ends() -> None:
    assert call(FIVE_GOOD + "9")[1] == (SetDisposition(Disposition.COMPLETE), Say("notice.thanks"), Hangup())


@pytest.mark.parametrize(
    ("keys", "outcome", "last"),
    [("", LATER, "notice.not_again"), ("1", LATER, "notice.not_again"), ("1123", Disposition.PARTIAL, "notice.thanks")],
)
def test_who_cannot_be_called_again_is_promised_nothing(keys: str, outcome: Disposition, last: str) -> None:
    state, actions = walk(flow.start(shipped(), may_postpone=False), Answered(), *map(Digits, keys), Digits("9"))

    assert actions == (SetDisposition(outcome), Say(last), Hangup())
    assert state.ended


def test_a_script_without_the_question_calls_later_as_ever() -> None:
    script = replace(shipped(), callback=None)

    assert call("9", script)[1] == (CallLater(), SetDisposition(LATER), Say("notice.not_now"), Hangup())


def test_who_asked_for_another_time_before_the_call_is_asked_when_at_once() -> None:
    state, actions = walk(flow.start(shipped(), postponing=True), Answered())

    assert actions == MENU
    assert said(walk(state, Digits("7"))[1]) == ["opening", "way_out", "right_person"]
    assert walk(state, Digits("3"))[1][0] == CallLater("tomorrow_afternoon")


@given(st.lists(STAYING, min_size=1, max_size=30))
def test_the_question_when_ends_within_the_bound(events: list[Event]) -> None:
    script, taken = shipped(), 0
    state, _ = walk(flow.start(script, postponing=True), Answered())
    while not state.ended:
        state, _ = flow.step(script, state, events[taken % len(events)])
        taken += 1
        assert taken < flow.longest_walk(script)


def test_the_times_that_a_script_may_offer_are_those_that_can_be_booked() -> None:
    assert tuple(script_shape.SCHEMA["$defs"]["offer"]["properties"]["when"]["enum"]) == TIMES


# ── going on where an earlier call stopped ───────────────────────────────────────────────────────────

TWO = {"right_person": "yes", "speed": "very_satisfied", "attitude": "satisfied"}


def test_a_resumed_call_opens_and_confirms_as_every_call() -> None:
    state, actions = resumed(TWO)

    assert said(actions) == ["opening", "way_out", "right_person"]
    assert not state.confirmed


def test_after_the_confirmation_it_says_so_and_asks_the_first_unanswered_question() -> None:
    state, actions = resumed(TWO, "1")

    assert actions[0] == SaveAnswer("right_person", "yes", None, "1", "keys")
    assert said(actions) == ["notice.resumed", "outcome"]
    assert state.node == "outcome"


def test_answers_of_both_calls_count_together() -> None:
    assert verdict(walk(resumed(TWO, "1136")[0], HungUp())[1]) is Disposition.COMPLETE
    assert verdict(walk(resumed(TWO, "11")[0], HungUp())[1]) is Disposition.PARTIAL
    assert verdict(walk(resumed(TWO, "1")[0], HungUp())[1]) is Disposition.BREAK_OFF
    assert verdict(walk(resumed(TWO)[0], HungUp())[1]) is Disposition.REFUSAL_BEFORE


def test_only_what_is_unanswered_is_asked_however_it_was_left_out() -> None:
    known = {"attitude": "satisfied", "equipment": "unsure"}
    state, asked = flow.start(shipped(), known), []
    for event in [Answered(), *map(Digits, "11111")]:
        state, _ = flow.step(shipped(), state, event)
        asked.append(state.node)

    assert asked == ["right_person", "speed", "outcome", "appearance", "interference", "remark"]


def test_a_dissatisfied_answer_of_the_earlier_call_still_brings_the_questions_that_follow_from_it() -> None:
    known = dict.fromkeys(RATED_ITEMS, "very_satisfied") | {"speed": "dissatisfied"}
    state, actions = resumed(known, "1")

    assert state.node == "reason"
    assert Escalate("dissatisfied") not in actions
    assert Withdraw("dissatisfied") not in actions


def test_an_answer_of_another_version_to_something_that_is_not_asked_any_more_is_left_alone() -> None:
    state, _ = resumed(TWO | {"weather": "sunny"}, "1")

    assert state.answers == {**TWO, "right_person": "yes"}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [("", Disposition.TECHNICAL), ("1", Disposition.TECHNICAL), ("1123", Disposition.TECHNICAL), (FIVE_GOOD, Disposition.COMPLETE)],
)
def test_a_broken_line_is_a_technical_end_unless_all_was_answered(keys: str, expected: Disposition) -> None:
    assert then(keys, LineFailed())[1] == (SetDisposition(expected), Hangup())
    assert then(keys, LineFailed(), NoInput())[1] == (Hangup(),)


@given(
    st.dictionaries(
        st.sampled_from([*RATED_ITEMS, "reason", "consent"]), st.sampled_from(["very_satisfied", "dissatisfied", "yes", "none"])
    ),
    st.lists(STAYING, max_size=30),
)
def test_what_was_answered_before_is_never_asked_unless_the_person_goes_back(known: dict[str, str], events: list[Event]) -> None:
    script = shipped()
    state = flow.start(script, known)
    for event in [Answered(), *events]:
        state, _ = flow.step(script, state, event)
        if state.node and state.node != CALLBACK_QUESTION:
            assert script.question(state.node).item not in known
        assert set(known) <= set(state.answers)
