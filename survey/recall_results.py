"""What came of calling the person of an order again, by what they said and why nobody calls them any more (R51). Pure."""

from collections.abc import Mapping

from survey.disposition import Disposition

SATISFIED, DISSATISFIED, UNREACHABLE, DECLINED = "satisfied", "dissatisfied", "unreachable", "declined"
GIVEN_UP = {"declined": DECLINED, "opted_out": DECLINED}
LEFT_TO_A_PERSON = ("handed_over", "campaign_stopped")
"""Why a respondent may be closed although nobody knows yet what to make of it: somebody owes a call, or has stopped the campaign."""


def result_of(answers: Mapping[str, str], close_reason: str, disposition: Disposition) -> str | None:
    """A word of `orders.RECALLED`; None where a person must find out. Whom nobody reached is never taken as satisfied.

    What was said counts before how the calls ended; who said that it was not put right, and left, is not satisfied.
    """
    match answers.get("satisfied_now"), answers.get("put_right"):
        case "yes", _:
            return SATISFIED
        case ("no", _) | (None, "no"):
            return DISSATISFIED
    if close_reason in LEFT_TO_A_PERSON:
        return None
    if disposition.outcome_class == "R":
        return DECLINED
    return GIVEN_UP.get(close_reason, UNREACHABLE)
