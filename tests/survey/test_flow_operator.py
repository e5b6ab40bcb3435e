"""The operator in the course of a call: who is offered one, what the wait comes to, and the way back into the script (O12, O15, O19)."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey import flow
from survey.actions import Action, Collect, Escalate, Hangup, Join, Say, Transfer, Withdraw
from survey.disposition import Disposition
from survey.events import Answered, Digits, Event, Heard, HungUp, LineFailed, NoInput, OperatorReady, TransferEnded
from survey.flow_operator import with_answers
from survey.script import OPERATOR_QUESTION, TALKING, TRANSFER_REASONS, WAITING, Script
from tests.survey.scripts import FOLLOWUPS, SHIPPED, press, shipped
from tests.survey.test_flow import CONFIRMED, ONE_BAD, said, verdict

Reached = tuple[flow.State, tuple[Action, ...]]
ASKED = ONE_BAD  # the keys after which a dissatisfied person is asked
TAKEN = ASKED + "1"
NO_ANSWER = [NoInput()] * 6
READY, NOBODY, BACK, ENDED = OperatorReady(), TransferEnded("nobody"), TransferEnded("handed_back"), TransferEnded("ended")


def call(keys: str, *events: Event, script: Script | None = None, operator_free: bool = True) -> Reached:
    """The state and the last actions after these keys and then these events, while an operator is free."""
    script = script or shipped()
    state, actions = flow.step(script, flow.start(script, operator_free=operator_free), Answered())
    for key in keys:
        state, actions = flow.step(script, state, NoInput() if key == "-" else press(script.question(state.node), key))
    for event in events:
        state, actions = flow.step(script, state, event)
    return state, actions


def with_reasons(*reasons: str, **changes: object) -> Script:
    script = shipped()
    assert script.operator is not None
    return replace(script, operator=replace(script.operator, reasons=reasons, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_dissatisfied_person_is_offered_an_operator_after_the_five_ratings(name: str) -> None:
    state, actions = call(ASKED, script=shipped(name))

    assert state.node == OPERATOR_QUESTION
    assert actions[-2:] == (Say(OPERATOR_QUESTION), Collect("127890*", 5))


def test_a_script_may_offer_the_operator_at_once() -> None:
    state, actions = call(CONFIRMED + "4", script=with_reasons("dissatisfied", after=""))

    assert state.node == OPERATOR_QUESTION
    assert Escalate("dissatisfied") in actions


@pytest.mark.parametrize("keys", ["1" + "12136", "1" + "12146"[:4]])
def test_nobody_else_is_offered_one(keys: str) -> None:
    state, _ = call(keys)

    assert state.node != OPERATOR_QUESTION


def test_who_has_made_up_their_mind_and_is_satisfied_now_is_not_offered_one() -> None:
    state, _ = call(CONFIRMED + "4" + "7" + "1" + "2136")

    assert state.node == "interference"


@pytest.mark.parametrize("keys", [ASKED, CONFIRMED + "8", CONFIRMED + "-" * 6])
def test_while_nobody_is_free_everything_is_as_without_operators(keys: str) -> None:
    alone = replace(shipped(), operator=None)

    state, actions = call(keys, operator_free=False)
    without, same = call(keys, script=alone, operator_free=False)

    assert (state, actions) == (without, same)


@pytest.mark.parametrize("reason", TRANSFER_REASONS)
def test_a_script_says_for_whom_the_operator_is(reason: str) -> None:
    others = with_reasons(*(set(TRANSFER_REASONS) - {reason}))
    keys, events = {
        "dissatisfied": (ASKED, []), "human_requested": (CONFIRMED + "8", []), "not_understood": (CONFIRMED, NO_ANSWER),
        "danger": (CONFIRMED, [Heard("danger", 0.9)]),
    }[reason]  # fmt: skip

    assert call(keys, *events)[0].transfer == reason
    assert call(keys, *events, script=others)[0].transfer == ""


def test_who_waits_once_more_after_a_talk_is_told_to_the_queue_again_because_their_case_may_be_settled() -> None:
    _, actions = call(CONFIRMED + "8", READY, BACK, *NO_ANSWER, Digits("1"))

    assert actions == (Escalate("human_requested"), Say("operator.connecting"), Transfer("not_understood"))


def test_who_accepts_waits_and_has_a_case_in_the_queue_already() -> None:
    state, actions = call(TAKEN)

    assert state.node == WAITING
    assert actions == (Escalate("human_requested"), Say("operator.connecting"), Transfer("dissatisfied"))


def test_who_declines_goes_on_with_the_script() -> None:
    state, actions = call(ASKED + "2")

    assert (state.node, said(actions), state.transfer) == ("reason", ["reason"], "")


def test_who_does_not_answer_the_offer_goes_on_with_the_script() -> None:
    state, _ = call(ASKED, NoInput(), NoInput())

    assert (state.node, state.unanswered) == ("reason", 0)


def test_key_eight_needs_no_offer() -> None:
    state, actions = call(CONFIRMED + "8")

    assert state.node == WAITING
    assert actions == (Escalate("human_requested"), Say("operator.connecting"), Transfer("human_requested"))


def test_key_eight_at_the_offer_accepts_it() -> None:
    assert call(ASKED + "8")[0].node == WAITING


def test_the_key_back_at_the_offer_leads_to_the_last_question() -> None:
    state, _ = call(ASKED + "7")

    assert (state.node, state.transfer) == ("appearance", "")
    assert call(ASKED + "7" + "6")[0].node == "reason", "it is offered once"


def test_a_danger_word_leads_to_the_operator_after_the_advice() -> None:
    state, actions = call(CONFIRMED, Heard("danger", 0.9))

    assert state.node == WAITING
    assert actions == (Say("notice.danger"), Escalate("danger"), Say("operator.connecting"), Transfer("danger"))


def test_two_questions_without_an_answer_lead_to_the_offer_and_then_to_the_end() -> None:
    state, actions = call(CONFIRMED, *NO_ANSWER)
    assert said(actions) == [OPERATOR_QUESTION]

    state, actions = call(CONFIRMED, *NO_ANSWER, NoInput(), NoInput())
    assert (state.ended, said(actions), verdict(actions)) == (True, ["notice.no_input_end"], Disposition.BREAK_OFF)


def test_the_operator_is_joined_when_ready() -> None:
    state, actions = call(TAKEN, READY)

    assert (state.node, actions) == (TALKING, (Join(),))


def test_a_call_handed_back_goes_on_at_the_first_question_without_an_answer() -> None:
    state, actions = call(CONFIRMED + "1" + "8", READY, BACK)

    assert (state.node, said(actions)) == ("attitude", ["operator.back", "attitude"])


def test_what_the_operator_wrote_down_is_not_asked_again() -> None:
    answers = {"speed": "satisfied", "attitude": "neutral", "unheard_of": "yes", "outcome": "nonsense"}
    state, _ = call(CONFIRMED + "8", READY, TransferEnded("handed_back", answers))

    assert state.answers == {"right_person": "yes", "speed": "satisfied", "attitude": "neutral"}
    assert state.node == "outcome"


def test_an_operator_may_confirm_the_person() -> None:
    state, _ = call("8", READY, TransferEnded("handed_back", {"right_person": "yes"}))

    assert (state.confirmed, state.node) == (True, "speed")


def test_a_rating_that_the_operator_corrects_takes_the_dissatisfaction_back() -> None:
    state, actions = call(TAKEN, READY, TransferEnded("handed_back", {"outcome": "satisfied", "equipment": "satisfied"}))

    assert Withdraw("dissatisfied") in actions
    assert state.node == "interference"


def test_a_dissatisfied_rating_that_the_operator_wrote_down_gives_the_case_its_reason() -> None:
    answers = {"speed": "very_dissatisfied", "discipline": "yes"}
    for result in ("handed_back", "ended", "lost"):
        state, actions = call(CONFIRMED + "8", READY, TransferEnded(result, answers))

        assert actions[:2] == (Escalate("dissatisfied"), Escalate("abuse_alleged"))
        assert state.escalated == ("human_requested", "dissatisfied", "abuse_alleged")


def test_a_dissatisfaction_that_moves_to_another_rating_is_not_taken_back() -> None:
    answers = {"equipment": "satisfied", "speed": "dissatisfied"}
    _, actions = call(TAKEN, READY, TransferEnded("handed_back", answers))

    assert Withdraw("dissatisfied") not in actions


@pytest.mark.parametrize("result", ["handed_back", "ended", "lost"])
@pytest.mark.parametrize("keys", ["8", CONFIRMED + "1" + "8"])
def test_who_is_not_the_caller_as_the_operator_found_out_is_asked_nothing_more(keys: str, result: str) -> None:
    state, actions = call(keys, READY, TransferEnded(result, {"right_person": "no"}))

    assert (state.ended, said(actions), verdict(actions)) == (True, ["notice.wrong_person"], Disposition.WRONG_PERSON)


def test_a_wrong_person_in_danger_is_a_case_of_danger() -> None:
    state, actions = call("", Heard("danger", 0.9), READY, TransferEnded("handed_back", {"right_person": "no"}))

    assert (state.ended, verdict(actions)) == (True, Disposition.CIRCUMSTANCES)


@pytest.mark.parametrize("end", [HungUp(), LineFailed()])
def test_a_wrong_person_who_leaves_before_the_talk_is_over_stays_one(end: Event) -> None:
    script = shipped()
    state, _ = call("8", READY)
    state, _ = with_answers(script, state, {"right_person": "no"})

    assert verdict(flow.step(script, state, end)[1]) is Disposition.WRONG_PERSON


def test_with_nothing_left_to_ask_the_call_ends_with_the_last_words() -> None:
    left = {"reason": "none", "discipline": "no", "consent": "no", "interference": "no", "remark": "none"}
    script = shipped()
    state, actions = call(TAKEN, READY)
    state = replace(state, answers={**state.answers, **left})
    state, actions = flow.step(script, state, BACK)

    assert (state.ended, said(actions), verdict(actions)) == (True, ["close"], Disposition.COMPLETE)


def test_a_call_that_the_operator_ends_is_thanked_for() -> None:
    state, actions = call(TAKEN, READY, ENDED)

    assert (state.ended, said(actions), verdict(actions)) == (True, ["notice.thanks"], Disposition.COMPLETE)


@pytest.mark.parametrize("result", ["nobody", "failed", "lost"])
def test_who_waited_in_vain_is_told_and_goes_on(result: str) -> None:
    events = [READY, TransferEnded(result)] if result == "lost" else [TransferEnded(result)]
    state, actions = call(TAKEN, *events)

    assert (state.node, said(actions)) == ("reason", ["operator.nobody", "reason"])


def test_who_asked_for_a_human_in_vain_is_told_and_the_call_ends() -> None:
    state, actions = call(CONFIRMED + "8", NOBODY)

    assert (state.ended, said(actions), verdict(actions)) == (True, ["operator.nobody", "notice.thanks"], Disposition.BREAK_OFF)


def test_or_goes_on_where_the_script_says_so() -> None:
    state, actions = call(CONFIRMED + "1" + "8", NOBODY, script=replace(shipped(), after_human="continue"))

    assert (state.node, said(actions)) == ("attitude", ["operator.nobody", "attitude"])


@pytest.mark.parametrize(("keys", "waits"), [("-" * 6, "speed"), ("4", "attitude")])
def test_who_left_an_offer_and_waited_in_vain_goes_on_with_the_questions_and_hears_no_second_offer(keys: str, waits: str) -> None:
    script = replace(with_reasons("dissatisfied", "human_requested", "not_understood", after=""), after_human="continue")
    state, actions = call(CONFIRMED + keys + "9" + "8", NOBODY, script=script)

    assert (state.node, state.transfer, said(actions)) == (waits, "", ["operator.nobody", waits])


@settings(max_examples=300)
@given(st.lists(st.sampled_from([Digits("1"), Digits("4"), Digits("7"), Digits("8"), Digits("9"), NoInput(), NOBODY]), max_size=8))
def test_whoever_waits_for_an_operator_waits_for_a_reason(events: list[Event]) -> None:
    script = replace(with_reasons(*TRANSFER_REASONS, after=""), after_human="continue")
    state, _ = call(CONFIRMED + "4", script=script)
    for event in events:
        state, actions = flow.step(script, state, event)
        assert all(action.reason in TRANSFER_REASONS for action in actions if isinstance(action, Transfer))


def test_who_asks_for_a_human_before_the_first_question_and_waits_in_vain_hears_the_opening() -> None:
    script = replace(shipped(), after_human="continue")
    state = flow.start(script, postponing=True, operator_free=True)
    for event in (Answered(), Digits("8"), NOBODY):
        state, actions = flow.step(script, state, event)

    assert said(actions)[:2] == ["operator.nobody", "opening"]


def test_who_is_in_danger_and_waited_in_vain_hears_the_advice_again() -> None:
    state, actions = call(CONFIRMED, Heard("danger", 0.9), NOBODY)

    assert (state.ended, said(actions), verdict(actions)) == (True, ["operator.nobody", "notice.danger"], Disposition.CIRCUMSTANCES)


def test_each_reason_leads_to_an_operator_once() -> None:
    script = replace(shipped(), after_human="continue")
    state, _ = call(CONFIRMED + "8", READY, BACK, script=script)
    state, actions = flow.step(script, state, Digits("8"))

    assert state.node == "speed"
    assert not any(isinstance(action, Transfer) for action in actions)


@pytest.mark.parametrize("where", [[], [READY]])
def test_a_carrier_that_has_lost_its_way_is_led_back_a_few_times_and_then_the_person_is_freed(where: list[Event]) -> None:
    state, actions = call(TAKEN, *where)
    again = [call(TAKEN, *where, *[NoInput()] * times)[1] for times in (1, 2)]
    state, freed = call(TAKEN, *where, *[NoInput()] * 3)

    assert [each[-1] for each in again] == [actions[-1]] * 2
    assert (state.node, said(freed)) == ("reason", ["operator.nobody", "reason"])


@pytest.mark.parametrize("where", [[], [READY]])
def test_hanging_up_while_waiting_or_talking_ends_the_call_with_what_was_answered(where: list[Event]) -> None:
    state, actions = call(TAKEN, *where, HungUp())

    assert state.ended
    assert verdict(actions) is Disposition.COMPLETE
    assert actions[-1] == Hangup()


def test_hanging_up_before_the_confirmation_is_no_refusal_of_who_asked_for_a_human() -> None:
    assert verdict(call("8", HungUp())[1]) is Disposition.NOT_CONFIRMED


@pytest.mark.parametrize("keys", [CONFIRMED, ASKED])
@pytest.mark.parametrize("met", [[], [READY]])
@pytest.mark.parametrize("end", [HungUp(), LineFailed()])
def test_danger_stays_danger_whatever_ends_the_call(keys: str, met: list[Event], end: Event) -> None:
    assert verdict(call(keys, Heard("danger", 0.9), *met, end)[1]) is Disposition.CIRCUMSTANCES


def test_a_line_that_breaks_while_waiting_is_technical() -> None:
    assert verdict(call(CONFIRMED + "8", LineFailed())[1]) is Disposition.TECHNICAL


@pytest.mark.parametrize("name", FOLLOWUPS)
@pytest.mark.parametrize(("keys", "is_offered"), [("1" + "22", True), ("1" + "12", True), ("1" + "21", False), ("1" + "11", False)])
def test_in_a_second_call_who_is_dissatisfied_again_is_offered_one_and_no_second_case_is_made(
    name: str, keys: str, is_offered: bool
) -> None:
    state, _ = call(keys, script=shipped(name))

    assert (state.node == OPERATOR_QUESTION) == is_offered
    assert state.escalated == ()


def test_a_second_call_that_an_operator_gives_back_goes_on_with_what_is_left() -> None:
    state, actions = call("1" + "22" + "1", READY, BACK, script=shipped(FOLLOWUPS[0]))

    assert state.node == "reason"
    assert Say("operator.back") in actions
    assert state.escalated == ("human_requested",)
