"""How an operator sorts a call out, and what cannot stand together (O25, O27)."""

from collections.abc import Mapping
from dataclasses import dataclass

from survey.errors import BadInput
from survey.recall_results import is_dissatisfied_again

VERDICTS = ("resolved", "order", "call_back", "no_contact")
"""What becomes of the case: settled in the talk, an order to the unit, another call by a person, nothing more is wanted."""
BOUND = frozenset({"dissatisfied", "abuse_alleged", "danger"})
"""Reasons for which a case goes on whatever is said in the talk (R34, R35, R47)."""
ASKED_FOR = frozenset({"human_requested", "danger"})
"""Reasons for which a person of ours calls also those who want no contact by the unit."""
OWED = frozenset({"danger"})
"""What a call back settles: the call was owed."""

LONGEST_REMARK = 2000


@dataclass(frozen=True)
class WrapUp:
    """How an operator sorts a call out: one of VERDICTS, whether the unit may contact the person (yes, no, unasked), and a note."""

    verdict: str
    consent: str
    remark: str = ""


def check(given: WrapUp, reasons: list[str], *, is_second: bool = False, bound: frozenset[str] = BOUND) -> None:
    """Whether a way to sort a call out is possible for a case with these reasons (O27). Raises BadInput with the field and why not."""
    if given.verdict not in VERDICTS:
        raise BadInput("请选择处理结果 / choose what becomes of the case", "verdict")
    if given.consent not in ("yes", "no", "unasked"):
        raise BadInput("请选择是否同意联系 / choose whether contact is allowed", "consent")
    if len(given.remark) > LONGEST_REMARK:
        raise BadInput(f"备注不超过 {LONGEST_REMARK} 字 / at most {LONGEST_REMARK} characters", "remark")
    if given.verdict in ("resolved", "no_contact") and bound & set(reasons):
        zh = "有不满意评分、反映违纪或涉及危险的，须交办或回电，不能在通话中办结"
        en = "a dissatisfied rating, alleged misconduct or danger goes on to an order or a call back: it cannot be settled in the talk"
        raise BadInput(f"{zh} / {en}", "verdict")
    if given.verdict == "order" and not is_second and not {"dissatisfied", "abuse_alleged"} & set(reasons):
        raise BadInput("没有不满意的评分，不能交办 / without a dissatisfied rating there is nothing for an order", "verdict")
    if given.verdict == "call_back" and given.consent == "no" and not ASKED_FOR & set(reasons):
        zh, en = "群众不同意联系，也没有要过人工，不能选择回电", "who wants no contact and asked for nobody cannot be called back"
        raise BadInput(f"{zh} / {en}", "verdict")
    if given.verdict == "resolved" and not given.remark.strip():
        raise BadInput("在通话中办结的，请写明如何解决 / write down how it was settled", "remark")


def check_second(given: WrapUp, answers: Mapping[str, str]) -> None:
    """Whether a way to sort a second call out agrees with its answers, which decide over the order (R51). Raises BadInput as `check`."""
    is_again = is_dissatisfied_again(answers)
    if given.verdict == "order" and not is_again:
        zh, en = "没有“仍不满意”的回答，不能退回", "no answer says that the person is still dissatisfied: nothing can go back to the unit"
        raise BadInput(f"{zh}；请先录入“现在是否满意” / {en}; write down first whether the person is satisfied now", "verdict")
    if given.verdict in ("resolved", "no_contact") and is_again:
        zh, en = "群众仍不满意，交办单须退回责任单位", "the person is still dissatisfied: the order goes back to the unit"
        raise BadInput(f"{zh}；若已改变，请先改录“现在是否满意” / {en}; if that has changed, write the answer down first", "verdict")
    if given.verdict == "resolved" and answers.get("satisfied_now") != "yes":
        raise BadInput("请先录入“现在是否满意” / write down first whether the person is satisfied now", "verdict")
