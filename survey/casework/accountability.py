"""Who is held to account when a fault was verified (R55)."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.casework.changes import found, route_of
from survey.errors import BadInput, NotAllowed, NotFound
from survey.fieldwork.office import Office
from survey.order_moves import Actor, said
from survey.order_replies import FAULTS, verifies_fault
from survey.store.models import AccountabilityRecord, Order, OrderReply
from survey.store.models.base import public_id
from survey.store.queries.recalls import lock_order
from survey.store.sealing import place

DESKS = {"centre": ("centre", "inspection"), "inspection": ("inspection",)}
"""Who holds to account, by the order's route."""


def open_accountability(session: Session, office: Office, order_id: str, actor: Actor, fault: str, now: datetime) -> AccountabilityRecord:
    """Open a record for a fault that a reply to the order has verified.

    Raises BadInput for an unknown fault, NotAllowed where nothing was verified or the role may not, NotFound.
    """
    order = lock_order(session, found(session, order_id, actor).id)  # one record for each fault, also of two who press at once
    _check_desk(order, actor)
    if fault not in FAULTS:
        zh, en = "、".join(zh for zh, _ in FAULTS.values()), ", ".join(en for _, en in FAULTS.values())
        raise BadInput(f"请选择查实的过错：{zh} / choose the verified fault, one of: {en}", "fault")
    replies = session.scalars(select(OrderReply).where(OrderReply.order_id == order.id))
    if not may_account(route_of(order), actor, [(reply.finding, reply.cause) for reply in replies]):
        raise NotAllowed("尚无回复认定民警存在过错，不能追责 / no reply has found the officer at fault: nobody can be held to account")
    known = select(AccountabilityRecord.id).where(AccountabilityRecord.order_id == order.id, AccountabilityRecord.fault == fault)
    if session.scalars(known).first() is not None:
        raise NotAllowed("该过错已启动责任追究 / somebody is held to account for this fault already")
    record = AccountabilityRecord(public_id=public_id(), order_id=order.id, fault=fault, opened_by=actor.name, opened_at=now)
    session.add(record)
    session.flush()
    office.record(session, now, actor.name, "accountability.open", f"order:{order.public_id}", record=record.public_id, fault=fault)
    return record


def decide_accountability(
    session: Session, office: Office, order_id: str, record_id: str, actor: Actor, decision: str, decided_on: date, now: datetime
) -> AccountabilityRecord:
    """Write down once what was decided on a record of the order, and on which day. Raises NotFound, NotAllowed, BadInput."""
    order = found(session, order_id, actor)
    _check_desk(order, actor)
    mine = (AccountabilityRecord.public_id == record_id, AccountabilityRecord.order_id == order.id)
    record = session.scalars(select(AccountabilityRecord).where(*mine).with_for_update()).one_or_none()
    if record is None:
        raise NotFound("没有这条追责记录 / there is no such record")
    if record.decided_on is not None:
        raise NotAllowed("追责决定已登记 / the decision was written down before")
    if decided_on > now.astimezone(office.bureau.tzinfo).date():
        raise BadInput("决定日期不能晚于今天 / the decision cannot lie in the future", "decided_on")
    record.decision_sealed = office.keys.seal(said(decision), place("accountability_records", "decision_sealed", record.public_id))
    record.decided_on, record.decided_by = decided_on, actor.name
    session.flush()
    office.record(session, now, actor.name, "accountability.decide", f"order:{order.public_id}", record=record.public_id)
    return record


def may_account(route: str, actor: Actor, replies: Iterable[tuple[str, str]]) -> bool:
    """Whether the actor may hold somebody to account, by finding and cause of the replies so far."""
    return actor.role in DESKS[route] and any(verifies_fault(finding, cause) for finding, cause in replies)


def _check_desk(order: Order, actor: Actor) -> None:
    if actor.role not in DESKS[route_of(order)]:
        raise NotAllowed("您的角色不能登记追责 / your role may not hold anybody to account")
