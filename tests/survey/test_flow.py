"""The dialogue rules, one by one, on the shipped Chinese script unless a rule needs another."""

from dataclasses import replace

import pytest

from survey import flow
from survey.actions import (
    Action,
    Collect,
    DropRecording,
    Escalate,
    Hangup,
    KeepRecording,
    OptOut,
    Record,
    SaveAnswer,
    Say,
    SetDisposition,
    Withdraw,
)
from survey.disposition import Disposition
from survey.events import Answered, Digits, Event, Heard, HungUp, MachineAnswered, NoInput, Recorded
from survey.script import RATED_ITEMS, Choice, ChooseStep, Script
from tests.survey.scripts import a_confirm, a_rate, a_script, press, shipped

CONFIRMED = "1"
FIVE_GOOD = "1" + "12136"
ONE_BAD = "1" + "12146"


def call(keys: str, script: Script | None = None) -> tuple[flow.State, tuple[Action, ...]]:
    """The state and the last actions after the person has pressed these keys in turn; `-` is silence."""
    script = script or shipped()
    state, actions = flow.step(script, flow.start(script), Answered())
    for key in keys:
        state, actions = flow.step(script, state, NoInput() if key == "-" else press(script.question(state.node), key))
    return state, actions


def then(keys: str, *events: Event, script: Script | None = None) -> tuple[flow.State, tuple[Action, ...]]:
    """The state and the last actions after these keys and then these events."""
    state, actions = call(keys, script)
    for event in events:
        state, actions = flow.step(script or shipped(), state, event)
    return state, actions


def said(actions: tuple[Action, ...]) -> list[str]:
    return [action.prompt for action in actions if isinstance(action, Say)]


def verdict(actions: tuple[Action, ...]) -> Disposition:
    [found] = [action.disposition for action in actions if isinstance(action, SetDisposition)]
    return found


def test_the_call_opens_with_who_calls_and_the_way_out_and_asks_for_the_person() -> None:
    _, actions = call("")

    assert actions == (Say("opening"), Say("way_out"), Say("right_person"), Collect("127890*", 5))


def test_a_confirmed_person_hears_the_promises_and_the_first_question() -> None:
    state, actions = call(CONFIRMED)

    assert actions[0] == SaveAnswer("right_person", "yes", None, "1", "keys")
    assert said(actions) == ["confidentiality", "no_fraud", "help", "incident", "speed"]
    assert actions[-1] == Collect("1234567890*", 5)
    assert state.confirmed
    assert state.node == "speed"


def test_the_wrong_person_is_dismissed_politely() -> None:
    _, actions = call("2")

    expected = SaveAnswer("right_person", "no", None, "2", "keys"), SetDisposition(Disposition.WRONG_PERSON)
    assert actions == (*expected, Say("notice.wrong_person"), Hangup())


def test_three_silences_before_confirmation_end_as_not_confirmed() -> None:
    assert [said(call("-" * n)[1])[-1] for n in range(3)] == ["right_person", "right_person.retry.1", "right_person.retry.2"]
    _, actions = call("---")

    assert actions == (SetDisposition(Disposition.NOT_CONFIRMED), Say("notice.no_input_end"), Hangup())


def test_five_ratings_no_interference_and_no_remark_are_complete() -> None:
    state, actions = call(FIVE_GOOD + "11")

    assert actions[-3:] == (SetDisposition(Disposition.COMPLETE), Say("close"), Hangup())
    assert [state.answers[item] for item in RATED_ITEMS] == ["very_satisfied", "satisfied", "very_satisfied", "neutral", "unsure"]
    assert state.ended
    assert state.node == ""


@pytest.mark.parametrize(
    ("key", "code", "score"),
    [("1", "very_satisfied", 100), ("2", "satisfied", 75), ("3", "neutral", 50), ("4", "dissatisfied", 25), ("5", "very_dissatisfied", 0),
     ("6", "unsure", None)],
)  # fmt: skip
def test_each_key_of_the_scale_is_stored_with_its_code_and_points(key: str, code: str, score: float | None) -> None:
    _, actions = call(CONFIRMED + key)

    assert actions[0] == SaveAnswer("speed", code, score, key, "keys")


def test_silence_and_wrong_keys_share_one_counter_and_the_call_goes_on_after_three() -> None:
    assert said(call(CONFIRMED + "-")[1]) == ["speed.retry.1"]
    assert said(call(CONFIRMED + "-#")[1]) == ["speed.retry.2"]
    state, actions = call(CONFIRMED + "-#-")

    assert said(actions) == ["attitude"]
    assert "speed" not in state.answers


def test_two_questions_in_a_row_without_answer_end_the_call_as_break_off() -> None:
    _, actions = call(CONFIRMED + "-" * 6)

    assert actions == (SetDisposition(Disposition.BREAK_OFF), Say("notice.no_input_end"), Hangup())


def test_an_answer_between_two_unanswered_questions_lets_the_call_go_on() -> None:
    state, _ = call(CONFIRMED + "---" + "1" + "---")

    assert state.node == "equipment"


def test_two_keys_at_once_are_no_answer() -> None:
    state, actions = then(CONFIRMED, Digits("12"))

    assert said(actions) == ["speed.retry.1"]
    assert state.answers == {"right_person": "yes"}


def test_star_repeats_without_costing_an_attempt_but_not_for_ever() -> None:
    state, actions = call(CONFIRMED + "**")
    assert said(actions) == ["speed"]
    assert state.tries == 0

    assert said(call(CONFIRMED + "***")[1]) == ["speed.retry.1"]


def test_each_question_may_be_repeated_anew() -> None:
    state, actions = call(CONFIRMED + "**1" + "**")

    assert said(actions) == ["attitude"]
    assert (state.tries, state.repeats) == (0, 2)


def test_seven_goes_back_and_the_answer_may_be_replaced() -> None:
    state, actions = call(CONFIRMED + "1" + "7")
    assert said(actions) == ["speed"]
    assert state.node == "speed"

    state, actions = call(CONFIRMED + "1" + "7" + "3")
    assert actions[0] == SaveAnswer("speed", "neutral", 50, "3", "keys")
    assert state.answers["speed"] == "neutral"
    assert state.node == "attitude"


def test_going_back_twice_skips_on_the_way_forth_what_was_answered() -> None:
    assert call(CONFIRMED + "11" + "77")[0].node == "speed"

    state, _ = call(CONFIRMED + "11" + "77" + "2")
    assert state.node == "outcome"
    assert state.answers["speed"] == "satisfied"


def test_going_back_from_the_first_rating_repeats_it_instead_of_asking_who_it_is() -> None:
    state, actions = call(CONFIRMED + "7")

    assert said(actions) == ["speed"]
    assert state.confirmed


def test_going_back_is_bounded_for_the_whole_call() -> None:
    state, actions = call(CONFIRMED + "17" * 3 + "17")

    assert said(actions) == ["attitude.retry.1"]
    assert state.backs == 3


@pytest.mark.parametrize(("keys", "expected"), [("", Disposition.NOT_CONFIRMED), (CONFIRMED + "1", Disposition.BREAK_OFF)])
def test_eight_asks_for_a_person_and_ends_with_the_promise_of_a_call(keys: str, expected: Disposition) -> None:
    _, actions = call(keys + "8")

    assert actions == (Escalate("human_requested"), SetDisposition(expected), Say("notice.human"), Hangup())


def test_eight_keeps_the_answers_given_and_counts_them() -> None:
    state, actions = call(CONFIRMED + "111" + "8")

    assert verdict(actions) is Disposition.PARTIAL
    assert len(state.answers) == 4


def test_a_script_may_go_on_after_eight() -> None:
    script = replace(shipped(), after_human="continue")
    state, actions = call(CONFIRMED + "8", script)

    assert actions == (Escalate("human_requested"), Say("notice.human"), Say("speed"), Collect("1234567890*", 5))
    assert not state.ended
    assert not [action for action in call(CONFIRMED + "88", script)[1] if isinstance(action, Escalate)]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [("", Disposition.REFUSAL_BEFORE), (CONFIRMED, Disposition.REFUSAL), (CONFIRMED + "123", Disposition.PARTIAL),
     (FIVE_GOOD, Disposition.COMPLETE)],
)  # fmt: skip
def test_zero_forbids_all_further_calls(keys: str, expected: Disposition) -> None:
    _, actions = call(keys + "0")

    assert actions == (OptOut(), SetDisposition(expected), Say("notice.never"), Hangup())


@pytest.mark.parametrize(
    ("keys", "expected"),
    [("", Disposition.REFUSAL_BEFORE), (CONFIRMED, Disposition.BREAK_OFF), (CONFIRMED + "12", Disposition.BREAK_OFF),
     (CONFIRMED + "123", Disposition.PARTIAL), (CONFIRMED + "1234", Disposition.PARTIAL), (FIVE_GOOD, Disposition.COMPLETE),
     (CONFIRMED + "66666", Disposition.COMPLETE)],
)  # fmt: skip
def test_hanging_up_anywhere_counts_what_was_answered(keys: str, expected: Disposition) -> None:
    _, actions = then(keys, HungUp())

    assert actions == (SetDisposition(expected), Hangup())


def test_hanging_up_before_the_first_word_is_a_refusal_before_confirmation() -> None:
    script = shipped()
    _, actions = flow.step(script, flow.start(script), HungUp())

    assert verdict(actions) is Disposition.REFUSAL_BEFORE


@pytest.mark.parametrize(("kind", "expected"), [("machine", Disposition.MACHINE), ("fax", Disposition.FAX)])
def test_nothing_is_said_to_a_machine(kind: str, expected: Disposition) -> None:
    script = shipped()
    _, actions = flow.step(script, flow.start(script), MachineAnswered(kind))

    assert actions == (SetDisposition(expected), Hangup())


def test_a_message_is_left_on_a_machine_only_where_the_script_has_one() -> None:
    script = replace(shipped(), notices={**shipped().notices, "machine": "please call us"})
    _, actions = flow.step(script, flow.start(script), MachineAnswered("machine"))

    assert actions == (SetDisposition(Disposition.MACHINE), Say("notice.machine"), Hangup())


def test_a_late_machine_verdict_is_ignored_once_a_person_has_pressed_a_key() -> None:
    state, _ = call(CONFIRMED)

    assert flow.step(shipped(), state, MachineAnswered("machine")) == (state, ())


def test_the_first_bad_rating_escalates_at_once_and_only_once() -> None:
    _, first = call(CONFIRMED + "4")
    _, second = call(CONFIRMED + "45")

    assert first[:2] == (SaveAnswer("speed", "dissatisfied", 25, "4", "keys"), Escalate("dissatisfied"))
    assert not [action for action in second if isinstance(action, Escalate)]


def test_a_dissatisfied_person_is_asked_for_the_reason_misconduct_and_consent() -> None:
    asked = [call(ONE_BAD + keys)[0].node for keys in ("", "1", "11", "112")]

    assert asked == ["reason", "discipline", "consent", "interference"]


def test_a_satisfied_person_is_not_asked_for_a_reason() -> None:
    assert call(FIVE_GOOD)[0].node == "interference"


def test_going_back_to_a_better_rating_takes_the_reason_and_the_escalation_back() -> None:
    _, changed = call(CONFIRMED + "4" + "7" + "1")
    state, _ = call(CONFIRMED + "4" + "7" + "1" + "1111")

    assert changed[:2] == (SaveAnswer("speed", "very_satisfied", 100, "1", "keys"), Withdraw("dissatisfied"))
    assert state.node == "interference"
    assert state.escalated == ()


def test_a_better_rating_takes_nothing_back_while_another_bad_one_stands() -> None:
    state, changed = call(CONFIRMED + "4" + "5" + "7" + "1")

    assert Withdraw("dissatisfied") not in changed
    assert state.escalated == ("dissatisfied",)


def test_a_bad_rating_after_a_withdrawal_escalates_anew() -> None:
    _, actions = call(CONFIRMED + "4" + "7" + "1" + "4")

    assert actions[:2] == (SaveAnswer("attitude", "dissatisfied", 25, "4", "keys"), Escalate("dissatisfied"))


def test_an_allegation_of_misconduct_is_not_taken_back_by_going_back() -> None:
    state, actions = call(ONE_BAD + "1" + "2" + "7" + "1")

    assert state.answers["discipline"] == "no"
    assert not [action for action in actions if isinstance(action, Withdraw)]
    assert "abuse_alleged" in state.escalated


def test_alleged_abuse_escalates_to_inspection_and_the_call_goes_on() -> None:
    _, actions = call(ONE_BAD + "1" + "2")

    assert Escalate("abuse_alleged") in actions
    assert said(actions) == ["inspection", "consent"]


@pytest.mark.parametrize(("key", "spoken"), [("1", "followup_contact"), ("2", "followup_noted")])
def test_what_is_promised_follows_the_consent(key: str, spoken: str) -> None:
    assert said(call(ONE_BAD + "11" + key)[1]) == [spoken, "interference"]


def test_a_choice_may_report_danger_which_stops_the_survey() -> None:
    danger = ChooseStep("safe", "safe", "are you safe", ("safe?",), (Choice("1", "yes", "yes"), Choice("2", "no", "no", escalate="danger")))
    _, actions = call("12", a_script(a_confirm(), danger, a_rate("speed")))

    verdict = SetDisposition(Disposition.CIRCUMSTANCES)
    assert actions == (SaveAnswer("safe", "no", None, "2", "keys"), Escalate("danger"), verdict, Say("notice.danger"), Hangup())


def test_a_choice_may_jump_forward() -> None:
    skip = ChooseStep("more", "more", "more?", ("?",), (Choice("1", "yes", "yes"), Choice("2", "no", "no", next="close")))

    assert said(call("12", a_script(a_confirm(), skip, a_rate("speed")))[1]) == ["close"]


# ── recordings ───────────────────────────────────────────────────────────────────────────────────────

TO_REMARK = FIVE_GOOD + "1"


def test_the_remark_ends_with_every_key_that_means_something() -> None:
    _, actions = call(TO_REMARK)

    assert actions[-2:] == (Say("remark"), Record("remark", 60, "#17890*", 5))


@pytest.mark.parametrize("ended_by", ["#", "silence"])
def test_a_remark_is_kept_and_answered(ended_by: str) -> None:
    _, actions = then(TO_REMARK, Recorded("RE1", 12, ended_by))

    assert actions[:2] == (KeepRecording("remark", "RE1", 12), SaveAnswer("remark", "recorded", None, ended_by, "speech"))
    assert verdict(actions) is Disposition.COMPLETE


def test_hanging_up_during_a_recording_keeps_it_and_says_nothing_more() -> None:
    _, actions = then(ONE_BAD, Recorded("RE1", 12, "hangup"))

    kept = KeepRecording("reason", "RE1", 12), SaveAnswer("reason", "recorded", None, "hangup", "speech")
    assert actions == (*kept, SetDisposition(Disposition.COMPLETE), Hangup())


def test_one_means_nothing_to_say_and_the_empty_recording_is_dropped() -> None:
    _, actions = then(TO_REMARK, Recorded("RE1", 2, "1"))

    assert actions[:2] == (DropRecording("RE1"), SaveAnswer("remark", "none", None, "1", "keys"))


def test_one_pressed_after_long_speech_still_keeps_what_was_said() -> None:
    _, actions = then(TO_REMARK, Recorded("RE1", 20, "1"))

    assert actions[:2] == (KeepRecording("remark", "RE1", 20), SaveAnswer("remark", "none", None, "1", "keys"))


def test_the_end_key_at_once_means_nothing_to_say() -> None:
    _, actions = then(TO_REMARK, Recorded("RE1", 0, "#"))

    assert actions[:2] == (DropRecording("RE1"), SaveAnswer("remark", "none", None, "#", "keys"))


def test_silence_at_the_reason_is_asked_again_once_then_left() -> None:
    state, actions = then(ONE_BAD, Recorded("RE1", 0, "silence"))
    assert actions[:2] == (DropRecording("RE1"), Say("reason.retry.1"))
    assert state.node == "reason"

    state, _ = then(ONE_BAD, Recorded("RE1", 0, "silence"), NoInput())
    assert state.node == "discipline"


def test_the_global_keys_work_in_a_recording_and_words_spoken_before_are_kept() -> None:
    _, actions = then(TO_REMARK, Recorded("RE1", 20, "8"))

    assert actions[:3] == (
        KeepRecording("remark", "RE1", 20),
        SaveAnswer("remark", "recorded", None, "8", "speech"),
        Escalate("human_requested"),
    )


def test_star_in_a_recording_drops_it_and_asks_again() -> None:
    state, actions = then(TO_REMARK, Recorded("RE1", 20, "*"))

    assert actions[:2] == (DropRecording("RE1"), Say("remark"))
    assert state.node == "remark"


def test_a_recording_of_unknown_length_is_kept() -> None:
    _, actions = then(TO_REMARK, Recorded("RE1", None, "#"))

    assert actions[0] == KeepRecording("remark", "RE1", None)


def test_a_recording_that_nobody_asked_for_is_dropped() -> None:
    state, actions = then(CONFIRMED, Recorded("RE1", 20, "#"))

    assert actions[:2] == (DropRecording("RE1"), Say("speed.retry.1"))
    assert state.node == "speed"


# ── speech ───────────────────────────────────────────────────────────────────────────────────────────


def test_speech_above_the_threshold_is_stored_like_a_key() -> None:
    _, actions = then(CONFIRMED, Heard("dissatisfied", 0.91, "不满意"))

    assert actions[:2] == (SaveAnswer("speed", "dissatisfied", 25, "不满意", "speech", 0.91), Escalate("dissatisfied"))


@pytest.mark.parametrize("heard", [Heard("satisfied", 0.54, "满意"), Heard(None, 0.99, "嗯"), Heard("yes", 0.99, "是")])
def test_doubtful_speech_is_never_guessed(heard: Heard) -> None:
    state, actions = then(CONFIRMED, heard)

    assert said(actions) == ["speed.retry.1"]
    assert actions[-1] == Collect("1234567890*", 5, listens=False), "the question now wants a key"
    assert "speed" not in state.answers


def test_spoken_danger_stops_the_survey_even_when_heard_with_doubt() -> None:
    _, actions = then(FIVE_GOOD, Heard("danger", 0.6, "救命"))

    assert actions == (Escalate("danger"), SetDisposition(Disposition.CIRCUMSTANCES), Say("notice.danger"), Hangup())


def test_the_global_commands_may_be_spoken() -> None:
    assert OptOut() in then(CONFIRMED, Heard("never", 0.95, "不要再打"), Heard("yes", 0.95, "是"))[1]


# ── the rest ─────────────────────────────────────────────────────────────────────────────────────────


def test_every_key_that_a_wait_names_means_something_there() -> None:
    script = shipped()
    state, actions = call(CONFIRMED + "1")
    wait = actions[-1]
    assert isinstance(wait, Collect)

    for key in wait.keys:
        assert flow.step(script, state, Digits(key))[0].tries == 0


def test_the_longest_walk_of_the_shipped_script_is_known() -> None:
    questions, backs, transfers = 11, 3, 4
    alone = replace(shipped(), operator=None)

    assert flow.longest_walk(alone) == 1 + (questions + 2 * backs + 1 + backs) * (3 + 2)
    assert flow.longest_walk(replace(alone, callback=None)) == 1 + (questions + 2 * backs) * (3 + 2)
    assert flow.longest_walk(shipped()) == 1 + ((questions + 2 * backs + 1 + backs) * (1 + transfers) + 4 * transfers) * (3 + 2)


DOUBTED = Heard("satisfied", 0.7, "满意")


def test_what_was_heard_with_too_little_confidence_is_asked_back() -> None:
    state, actions = then(CONFIRMED, DOUBTED)

    assert said(actions) == ["doubt.speed.satisfied"]
    assert actions[-1] == Collect("1234567890*", 5)
    assert state.node == "speed"
    assert "speed" not in state.answers


def test_what_is_right_is_stored_as_it_was_heard() -> None:
    state, actions = then(CONFIRMED, DOUBTED, Heard("yes", 0.9, "对"))

    assert actions[0] == SaveAnswer("speed", "satisfied", 75, "满意", "speech", 0.7)
    assert state.node == "attitude"
    assert state.doubted is None


def test_what_is_said_again_with_certainty_is_right() -> None:
    state, actions = then(CONFIRMED, DOUBTED, Heard("satisfied", 0.9, "满意"))

    assert actions[0] == SaveAnswer("speed", "satisfied", 75, "满意", "speech", 0.7)
    assert state.node == "attitude"


OTHERWISE = (Heard("dissatisfied", 0.95, "不满意"), Heard("satisfied", 0.7, "满意"), Heard("no", 0.9, "不对"), Heard("yes", 0.6, "对"))


@pytest.mark.parametrize("wrong", [*OTHERWISE, Heard(None, 0.9, ""), NoInput()])
def test_what_is_not_called_right_is_forgotten_and_a_key_is_asked_for(wrong: Event) -> None:
    state, actions = then(CONFIRMED, DOUBTED, wrong)

    assert said(actions) == ["speed.retry.2"]
    assert "speed" not in state.answers
    assert state.doubted is None
    last = actions[-1]
    assert isinstance(last, Collect)
    assert not last.listens


@pytest.mark.parametrize(("key", "code", "score"), [("2", "satisfied", 75), ("1", "very_satisfied", 100), ("4", "dissatisfied", 25)])
def test_each_key_while_something_is_asked_back_means_what_it_means_at_the_question(key: str, code: str, score: int) -> None:
    state, actions = then(CONFIRMED, DOUBTED, Digits(key))

    assert actions[0] == SaveAnswer("speed", code, score, key, "keys", None)
    assert state.node == "attitude"


def test_commands_and_danger_are_obeyed_while_something_is_asked_back() -> None:
    assert then(CONFIRMED, DOUBTED, Digits("8"))[0].escalated == ("human_requested",)
    assert verdict(then(CONFIRMED, DOUBTED, Heard("danger", 0.9, "救命"))[1]) is Disposition.CIRCUMSTANCES


def test_the_last_attempt_is_not_asked_back() -> None:
    _, actions = then(CONFIRMED + "--", DOUBTED)

    assert said(actions)[0] != "doubt.speed.satisfied"


def test_a_script_without_the_words_for_it_asks_for_a_key() -> None:
    script = shipped()
    mute = replace(script, notices={name: text for name, text in script.notices.items() if name != "doubt"})

    _, actions = then(CONFIRMED, DOUBTED, script=mute)

    assert said(actions) == ["speed.retry.1"]


def test_the_next_question_listens_again() -> None:
    _, actions = then(CONFIRMED, Heard(None, 0.9, ""), Digits("1"))

    last = actions[-1]
    assert isinstance(last, Collect)
    assert last.listens


@pytest.mark.parametrize("command", ["human", "not_now", "never"])
def test_what_ends_the_survey_is_asked_back_however_sure_it_was_heard(command: str) -> None:
    state, actions = then(CONFIRMED, Heard(command, 1.0, "…"))

    assert said(actions) == [f"doubt.{command}"]
    assert not state.ended
    for yes in (Heard("yes", 0.9, "是"), Digits(getattr(shipped().keys, command))):
        after, _ = flow.step(shipped(), state, yes)
        assert after.ended or after.node == "callback.when"
    assert flow.step(shipped(), state, Heard("no", 0.9, "不是"))[0].node == "speed"
    assert flow.step(shipped(), state, Digits("2"))[0].answers["speed"] == "satisfied"


def test_an_allegation_and_any_yes_are_asked_back_because_a_swallowed_not_would_turn_them_round() -> None:
    at_discipline = (ONE_BAD + "1", Heard("yes", 1.0, "涉及"))
    state, actions = then(*at_discipline)

    assert said(actions) == ["doubt.discipline.yes"]
    assert "abuse_alleged" not in state.escalated
    assert flow.step(shipped(), state, Heard("yes", 1.0, "是"))[0].escalated == ("dissatisfied", "abuse_alleged")
    assert flow.step(shipped(), state, Digits("1"))[0].answers["discipline"] == "no"
    assert then(ONE_BAD + "1", Heard("no", 0.9, "不涉及"))[0].answers["discipline"] == "no"


def test_hearing_it_again_and_going_back_need_not_be_asked_back() -> None:
    assert said(then(CONFIRMED, Heard("repeat", 0.9, "再说一遍"))[1]) == ["speed"]
    assert said(then(CONFIRMED + "1", Heard("back", 0.9, "上一题"))[1]) == ["speed"]
    assert said(then(CONFIRMED, Heard("repeat", 0.7, "再说一遍"))[1]) == ["speed.retry.1"]


def test_that_it_is_somebody_else_is_asked_back_because_it_ends_the_survey() -> None:
    state, actions = then("", Heard("no", 1.0, "不是我"))

    assert said(actions) == ["doubt.right_person.no"]
    assert flow.step(shipped(), state, Digits("2"))[0].ended
    assert flow.step(shipped(), state, Digits("1"))[0].confirmed
    assert flow.step(shipped(), state, Heard("no", 1.0, "不是"))[0].node == "right_person"
    assert flow.step(shipped(), state, Heard("yes", 1.0, "是"))[0].ended
