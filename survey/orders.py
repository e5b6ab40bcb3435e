"""The life of an order 《接处警电话回访交办单》: each step of it, and what the order becomes (R35, R47–R53; O31). Pure.

    sign(standing, actor, at)  ->  Change(action, actor, at, before, after, reason, details)

issued → signed → in_hand → answered → recalling → closed; from answered or recalling back to the unit as returned, after so many
returns as supervised. An order issued by mistake becomes void. What is not allowed raises NotAllowed with the sentence why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from survey.errors import BadInput, NotAllowed
from survey.order_clock import Terms, due, extended
from survey.order_moves import OUTCOMES, PARTIES, SYSTEM, Actor, Change, Standing, may_extend, moved
from survey.order_replies import Reply, checked

RECALLED = ("satisfied", "dissatisfied", "unreachable", "declined")
"""What may come of calling the person again (R51)."""
GROUNDS = {"untrue": ("评价不实", "the rating is untrue"), "not_own": ("非本单位处置", "it was not this unit")}
BY_HAND = [word for word in OUTCOMES if word not in ("satisfied", "appeal_upheld")]


def issue(route: str, unit_id: int | None, consent: str, terms: Terms, days: int, actor: Actor, at: datetime) -> Change:
    """A new order, due at the end of the `days`-th working day (R47, R48). Raises NotAllowed, CalendarMissing."""
    if actor.role not in PARTIES["issuer"][route]:
        raise NotAllowed("您的角色不能下发交办单 / your role may not issue an order")
    if route == "centre" and unit_id is None:
        raise NotAllowed("该警情未指定办理单位，不能下发 / the incident has no unit: there is nobody to give an order to")
    standing = Standing("issued", route, unit_id, consent, at, due(terms, at, days))
    return Change("issue", actor, at, None, standing, details={"days": days})


def sign(standing: Standing, actor: Actor, at: datetime) -> Change:
    """The unit has received it."""
    return moved(standing, "sign", actor, at, state="signed")


def take_in_hand(standing: Standing, actor: Actor, at: datetime) -> Change:
    """The unit works on it, for the first time or again."""
    return moved(standing, "take_in_hand", actor, at, state="in_hand")


def answer(standing: Standing, actor: Actor, at: datetime, reply: Reply, terms: Terms) -> tuple[Change, Reply]:
    """The unit's reply, checked; its clock stops (R50, O31). Raises BadInput naming the field."""
    number = standing.replies + 1
    change = moved(standing, "answer", actor, at, state="answered", answered_at=at, replies=number)
    accepted = checked(reply, standing.consent, terms.local(standing.issued_at).date(), terms.local(at).date())
    said = {"round": number, "finding": accepted.finding, "cause": accepted.cause, "late": at >= standing.due_at}
    return replace(change, details=said), accepted


def ask_extension(standing: Standing, actor: Actor, at: datetime, days: int, reason: str, terms: Terms) -> Change:
    """The unit's head asks once, before the deadline, for `days` more working days (R52). Raises BadInput."""
    change = moved(standing, "ask_extension", actor, at, reason, extension="asked")
    if not may_extend(standing):
        raise NotAllowed("每张交办单只能申请一次延期 / an order can be extended once")
    if standing.route == "centre" and not actor.is_head:
        raise NotAllowed("延期须由单位负责人申请 / only the head of the unit may ask for an extension")
    if at >= standing.due_at:
        raise NotAllowed("已过期限，不能再申请延期 / the deadline is over: no extension is possible")
    extended(terms, standing.due_at, days)
    return replace(change, details={"days": days})


def decide_extension(
    standing: Standing, actor: Actor, at: datetime, *, is_granted: bool, days: int, asked_by: str, reason: str, terms: Terms
) -> Change:
    """The centre grants the `days` asked for, counted from the standing deadline, or refuses them (R52)."""
    if standing.extension != "asked":
        raise NotAllowed("没有待审批的延期申请 / no extension waits for a decision")
    due_at = extended(terms, standing.due_at, days) if is_granted else standing.due_at
    word = "granted" if is_granted else "refused"
    change = moved(standing, "decide_extension", actor, at, reason, extension=word, due_at=due_at)
    _check_other(actor, asked_by)
    return replace(change, details={"decision": word, "days": days})


def appeal(standing: Standing, actor: Actor, at: datetime, ground: str) -> Change:
    """The unit says once that the rating is untrue or was not about it; its clock runs on (R53). Raises BadInput."""
    change = moved(standing, "appeal", actor, at, appeal="asked")
    if ground not in GROUNDS:
        zh, en = "、".join(zh for zh, _ in GROUNDS.values()), ", ".join(en for _, en in GROUNDS.values())
        raise BadInput(f"请选择申诉理由：{zh} / choose the ground of the appeal: {en}", "ground")
    if standing.route != "centre":
        raise NotAllowed("督察件不适用申诉 / there is no appeal against an order to inspection")
    if standing.appeal:
        raise NotAllowed("每张交办单只能申诉一次 / an order can be appealed against once")
    return replace(change, details={"ground": ground})


def is_about_all(ground: str, appealed: Iterable[str], items: Iterable[str]) -> bool:
    """Whether the unit has nothing left to answer once its appeal is upheld: not its own, or untrue in all the order's items."""
    return ground == "not_own" or set(items) <= set(appealed)


def decide_appeal(
    standing: Standing, actor: Actor, at: datetime, *, is_upheld: bool, about_all: bool, asked_by: str, reason: str
) -> Change:
    """Somebody outside the unit decides; an upheld appeal `about_all` of the order closes it, where it is open (R53)."""
    if standing.appeal != "asked":
        raise NotAllowed("没有待裁定的申诉 / no appeal waits for a decision")
    word = "upheld" if is_upheld else "rejected"
    ends = is_upheld and about_all and standing.state != "closed"
    closing: dict[str, Any] = {"state": "closed", "outcome": "appeal_upheld", "closed_at": at} if ends else {}
    change = moved(standing, "decide_appeal", actor, at, reason, appeal=word, **closing)
    _check_other(actor, asked_by)
    if actor.unit_id is not None and actor.unit_id == standing.unit_id:
        raise NotAllowed("申诉须由本单位以外的人员裁定 / an appeal is decided by somebody outside the unit")
    return replace(change, details={"decision": word})


def reassign(standing: Standing, actor: Actor, at: datetime, unit_id: int, reason: str, terms: Terms) -> Change:
    """It is another unit's: that one gets it, with deadline, returns and extension of its own (R47). Raises BadInput for the same unit."""
    anew: dict[str, Any] = {"state": "issued", "returns": 0, "supervised": False, "extension": "", **_anew(standing, at, terms)}
    change = moved(standing, "reassign", actor, at, reason, unit_id=unit_id, **anew)
    if standing.route != "centre":
        raise NotAllowed("督察件不改派 / an order to inspection goes to no other unit")
    if standing.appeal == "asked":
        raise NotAllowed("请先裁定申诉 / decide on the appeal first")
    if unit_id == standing.unit_id:
        raise BadInput("本单已由该单位办理，请另选单位 / this unit has the order: choose another one", "unit")
    return replace(change, details=_missed(standing, at))


def return_(standing: Standing, actor: Actor, at: datetime, reason: str, terms: Terms) -> Change:
    """The centre sends an insufficient reply back; the clock starts anew (R51, O31)."""
    again = _to_rework(standing, at, terms)
    change = moved(standing, "return", actor, at, reason, **again)
    if again["state"] != "returned":
        raise NotAllowed(f"已退回 {terms.returns} 次，应转督办 / it was returned {terms.returns} times: put it under supervision")
    return replace(change, details=_missed(standing, at))


def supervise(standing: Standing, actor: Actor, at: datetime, reason: str, terms: Terms) -> Change:
    """Leadership follows an order that was returned often enough or is overdue, with a new deadline (R51)."""
    change = moved(standing, "supervise", actor, at, reason, **_supervised(standing, at, terms))
    if standing.returns < terms.returns and not is_overdue(standing, at):
        raise NotAllowed("尚未逾期，退回次数也未用完，不需督办 / neither overdue nor returned often enough to be supervised")
    return replace(change, details=_missed(standing, at))


def begin_recall(standing: Standing, actor: Actor, at: datetime) -> Change:
    """The person is to be called again (R51)."""
    return moved(standing, "begin_recall", actor, at, state="recalling")


def note_recall(standing: Standing, actor: Actor, at: datetime, result: str, terms: Terms) -> Change:
    """What came of calling again: closed, returned, or after the last return supervised (R51). Raises BadInput.

    Whom nobody reached counts as unverified, never as satisfied.
    """
    if result not in RECALLED:
        raise BadInput(f"请选择再次回访结果 / choose what came of calling again: one of {', '.join(RECALLED)}", "result")
    closing = {"satisfied": "satisfied", "unreachable": "unverified", "declined": "no_recall_wanted"}
    if result in closing:
        next_: dict[str, Any] = {"state": "closed", "outcome": closing[result], "closed_at": at}
        missed: dict[str, Any] = {}
    else:
        next_, missed = _to_rework(standing, at, terms), _missed(standing, at)
    return replace(moved(standing, "note_recall", actor, at, **next_), details={"result": result, **missed})


def close(standing: Standing, actor: Actor, at: datetime, outcome: str, reason: str) -> Change:
    """Close it by hand: `explained` after supervision, else as one that could not be verified. Raises BadInput for another outcome."""
    change = moved(standing, "close", actor, at, reason, state="closed", outcome=outcome, closed_at=at)
    if outcome not in BY_HAND:
        zh, en = "只有再次回访满意才能按“满意”办结", f"by hand an order is closed as one of {', '.join(BY_HAND)}"
        raise BadInput(f"{zh} / {en}", "outcome")
    if outcome == "explained" and not standing.supervised:
        raise NotAllowed("未经督办的交办单不能按“已解释说明”办结 / only an order that was supervised is closed as explained")
    if outcome != "explained" and standing.state == "supervised":
        raise NotAllowed("督办中的交办单只能按“已解释说明”办结 / under supervision an order is closed as explained only")
    return change


def void(standing: Standing, actor: Actor, at: datetime, reason: str) -> Change:
    """It was issued by mistake; its number stays taken."""
    return moved(standing, "void", actor, at, reason, state="void", closed_at=at)


def reroute(standing: Standing, at: datetime, terms: Terms, days: int) -> Change:
    """An allegation of abuse has come to light: inspection takes it from the unit, with a deadline of its own (R35)."""
    if standing.route == "inspection":
        raise NotAllowed("已由督察部门办理 / inspection has it already")
    new: dict[str, Any] = {
        "state": "issued", "route": "inspection", "due_at": due(terms, at, days), "answered_at": None, "extension": "",
    }  # fmt: skip
    return moved(standing, "reroute", SYSTEM, at, **new)


def retime(standing: Standing, at: datetime, due_at: datetime, reason: str) -> Change:
    """The calendar of working days has changed: the deadline is later by the days that are worked no more (R48). None is shortened."""
    if due_at <= standing.due_at:
        raise NotAllowed("期限只顺延、不提前 / a deadline that was given is never shortened")
    change = moved(standing, "retime", SYSTEM, at, reason, due_at=due_at)
    return replace(change, details={"due_before": standing.due_at.isoformat()})


def attach(standing: Standing, actor: Actor, at: datetime, kind: str) -> Change:
    """A file was added."""
    return replace(moved(standing, "attach", actor, at), details={"kind": kind})


def is_overdue(standing: Standing, now: datetime) -> bool:
    """Whether the unit's clock ran out, or had when it stopped."""
    return (standing.answered_at or standing.closed_at or now) >= standing.due_at


def _check_other(actor: Actor, asked_by: str) -> None:
    if actor.name == asked_by:
        raise NotAllowed("不能审批自己的申请 / nobody decides on a request of their own")


def _to_rework(standing: Standing, at: datetime, terms: Terms) -> dict[str, Any]:
    if standing.supervised or standing.returns >= terms.returns:
        return _supervised(standing, at, terms)
    return {"state": "returned", "returns": standing.returns + 1, **_anew(standing, at, terms)}


def _supervised(standing: Standing, at: datetime, terms: Terms) -> dict[str, Any]:
    return {"state": "supervised", "supervised": True, **_anew(standing, at, terms)}


def _missed(standing: Standing, at: datetime) -> dict[str, Any]:
    """For a step that sets the clock anew: the deadline that was missed before and by which unit (None: inspection), else nothing."""
    if not is_overdue(standing, at):
        return {}
    return {"due_missed": standing.due_at.isoformat(), "missed_by": standing.unit_id if standing.route == "centre" else None}


def _anew(standing: Standing, at: datetime, terms: Terms) -> dict[str, Any]:
    """The clock from `at` on; no deadline that was given is shortened."""
    return {"due_at": max(standing.due_at, due(terms, at, terms.days)), "answered_at": None}
