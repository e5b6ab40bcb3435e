"""What a second call comes to, for every way in which it may end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.console.words import CLOSE_REASONS
from survey.disposition import Disposition
from survey.orders import RECALLED
from survey.recall_results import is_dissatisfied_again, result_of
from survey.wrap_ups import VERDICTS

YES, NO = {"satisfied_now": "yes"}, {"satisfied_now": "no"}
ANSWERS = st.dictionaries(st.sampled_from(["put_right", "satisfied_now", "remark"]), st.sampled_from(["yes", "no", "none"]))
REASONS = st.sampled_from(sorted(CLOSE_REASONS))


@pytest.mark.parametrize(
    ("answers", "close_reason", "disposition", "result"),
    [
        ({"put_right": "yes", **YES}, "finished", Disposition.COMPLETE, "satisfied"),
        ({"put_right": "no", **YES}, "finished", Disposition.COMPLETE, "satisfied"),
        ({"put_right": "yes", **NO}, "finished", Disposition.COMPLETE, "dissatisfied"),
        (NO, "handed_over", Disposition.CIRCUMSTANCES, "dissatisfied"),
        ({"put_right": "no"}, "declined", Disposition.BREAK_OFF, "dissatisfied"),
        ({"put_right": "yes"}, "declined", Disposition.BREAK_OFF, "declined"),
        ({}, "declined", Disposition.REFUSAL_BEFORE, "declined"),
        ({}, "declined", Disposition.NOT_AVAILABLE, "declined"),
        ({}, "opted_out", Disposition.NOT_ATTEMPTED, "declined"),
        ({}, "finished", Disposition.REFUSAL, "declined"),
        ({}, "finished", Disposition.WRONG_PERSON, "unreachable"),
        ({}, "finished", Disposition.NO_SUCH_NUMBER, "unreachable"),
        ({}, "max_attempts", Disposition.NO_ANSWER, "unreachable"),
        ({}, "out_of_time", Disposition.NOT_AVAILABLE, "unreachable"),
        ({}, "excluded", Disposition.WRONG_PERSON, "unreachable"),
        ({}, "handed_over", Disposition.BREAK_OFF, None),
        ({}, "campaign_stopped", Disposition.NO_ANSWER, None),
    ],
)
def test_the_result_of_a_second_call(answers: dict[str, str], close_reason: str, disposition: Disposition, result: str | None) -> None:
    assert result_of(answers, close_reason, disposition) == result


@pytest.mark.parametrize(("verdict", "result"), [("no_contact", "declined"), ("call_back", None), ("", None)])
def test_who_told_an_operator_to_want_nothing_more_is_owed_no_call(verdict: str, result: str | None) -> None:
    assert result_of({}, "handed_over", Disposition.BREAK_OFF, verdict) == result
    assert result_of(NO, "handed_over", Disposition.BREAK_OFF, verdict) == "dissatisfied"


@given(ANSWERS, REASONS, st.sampled_from(Disposition), st.sampled_from(["", *VERDICTS]))
def test_nobody_is_satisfied_who_has_not_said_so(
    answers: dict[str, str], close_reason: str, disposition: Disposition, verdict: str
) -> None:
    result = result_of(answers, close_reason, disposition, verdict)

    assert result is None or result in RECALLED
    assert (result == "satisfied") == (answers.get("satisfied_now") == "yes")
    assert (result == "dissatisfied") == is_dissatisfied_again(answers)
