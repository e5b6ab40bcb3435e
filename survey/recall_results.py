"""What came of calling the person of an order again, by what they said and why nobody calls them any more (R51). Pure."""

from collections.abc import Mapping

from survey.disposition import Disposition

SATISFIED, DISSATISFIED, UNREACHABLE, DECLINED = "satisfied", "dissatisfied", "unreachable", "declined"
GIVEN_UP = {"declined": DECLINED, "opted_out": DECLINED}
NO_CONTACT = "no_contact"
"""An operator's verdict after a talk: the person wants nothing more."""
LEFT_TO_A_PERSON = ("handed_over", "campaign_stopped")
"""Why a respondent may be closed although nobody knows yet what to make of it: somebody owes a call, or has stopped the campaign."""


def is_dissatisfied_again(answers: Mapping[str, str]) -> bool:
    """Whether the order goes back for what was said; who said that it was not put right, and left, is not satisfied."""
    return answers.get("satisfied_now", answers.get("put_right")) == "no"


def result_of(answers: Mapping[str, str], close_reason: str, disposition: Disposition, verdict: str = "") -> str | None:
    """A word of `orders.RECALLED`; None where a person must find out. Whom nobody reached is never taken as satisfied.

    What was said counts before how the calls ended. `verdict` is what an operator who talked with the person made of it, empty
    without one: who told the operator to want nothing more is owed no further call.
    """
    if answers.get("satisfied_now") == "yes":
        return SATISFIED
    if is_dissatisfied_again(answers):
        return DISSATISFIED
    if close_reason in LEFT_TO_A_PERSON:
        return DECLINED if verdict == NO_CONTACT else None
    if disposition.outcome_class == "R":
        return DECLINED
    return GIVEN_UP.get(close_reason, UNREACHABLE)
