"""An order as one reader sees it: without consent neither name nor number of the person can come out of it (R33, R35, O35)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.casework.accountability import may_account
from survey.casework.changes import ABUSE, found, standing_of
from survey.casework.numbering import number_text
from survey.casework.withholding import cleaner_of
from survey.disclosure import UNREADABLE, open_field
from survey.errors import CannotUnseal, NotAllowed
from survey.fieldwork.office import Office
from survey.order_clock import Terms
from survey.order_moves import HANDED_ON, OPEN, Actor, said
from survey.order_offers import Requests, offers, outcomes
from survey.orders import is_overdue
from survey.store.models import (
    AccountabilityRecord,
    Answer,
    Order,
    OrderAppeal,
    OrderAttachment,
    OrderEvent,
    OrderExtension,
    OrderReply,
)
from survey.store.sealing import place
from survey.struck_out import Clean, cleaner

DISCLOSED_TO = ("unit", "centre", "inspection")
"""Who may ask for name and number of a person who agreed to be contacted."""


@dataclass(frozen=True)
class ReplyView:
    """A unit's reply of one round, opened; `?` where a text cannot be read. `past_unit`: whose it was, where another has the order now."""

    round: int
    finding: str
    cause: str
    visited_on: date | None
    people: str | None
    place: str | None
    measure: str | None
    explanation: str | None
    improvement: str | None
    by: str
    at: datetime
    past_unit: str = ""


@dataclass(frozen=True)
class ExtensionView:
    """The extension that was asked for; `decision` is empty while none was made."""

    days: int
    reason: str
    asked_by: str
    asked_at: datetime
    due_before: datetime
    decision: str
    decision_reason: str
    decided_by: str | None


@dataclass(frozen=True)
class AppealView:
    """The appeal; `decision` is empty while none was made."""

    ground: str
    items: tuple[str, ...]
    argument: str | None
    by: str
    at: datetime
    decision: str
    decision_reason: str
    decided_by: str | None


@dataclass(frozen=True)
class AccountabilityView:
    """Somebody is held to account; `decision` is None while there is none."""

    public_id: str
    fault: str
    decision: str | None
    decided_on: date | None


@dataclass(frozen=True)
class AttachmentView:
    """A file of the order."""

    public_id: str
    name: str | None
    kind: str
    size_bytes: int
    by: str
    at: datetime


@dataclass(frozen=True)
class EventView:
    """One step of the timeline; `details` hold no personal data."""

    number: int
    at: datetime
    actor: str
    role: str
    what: str
    to_state: str
    reason: str
    details: dict[str, Any]


@dataclass(frozen=True)
class OrderView:
    """Everything of an order that its reader may see. The person's name and number are no part of it: see `disclose_contact`.

    `actions` are the words of MOVES that the reader may take now, `outcomes` those under which it may be closed, `version` is what
    they must hand back with it. `scores` map item to code. `may_disclose`: the reader may ask for name and number; `may_account`: may
    hold somebody to account.
    """

    public_id: str
    number: str
    version: int
    state: str
    route: str
    unit: str | None
    incident_number: str
    category: str
    occurred_at: datetime
    arrived_at: datetime | None
    settled_at: datetime
    called_at: datetime | None
    script_version: int
    items: tuple[str, ...]
    reasons: tuple[str, ...]
    scores: dict[str, str]
    consent: str
    may_be_contacted: bool
    priority: int
    issued_at: datetime
    issued_by: str
    due_at: datetime
    is_overdue: bool
    returns: int
    supervised: bool
    closed_at: datetime | None
    outcome: str
    archive_number: str | None
    replies: tuple[ReplyView, ...]
    extension: ExtensionView | None
    appeal: AppealView | None
    accountability: tuple[AccountabilityView, ...]
    attachments: tuple[AttachmentView, ...]
    events: tuple[EventView, ...]
    actions: tuple[str, ...]
    outcomes: tuple[str, ...]
    may_disclose: bool
    may_account: bool
    case_id: str


@dataclass(frozen=True, repr=False)
class Contact:
    """The person of an order, who agreed to be contacted; None where nothing is stored."""

    name: str | None
    number: str | None


def order_view(
    session: Session, office: Office, order_id: str, reader: Actor, terms: Terms, now: datetime, *, named: bool = False
) -> OrderView:
    """The order as the reader sees it now; `named`: with the person's name and number where somebody typed them.

    Raises NotFound where the reader may not know of it.
    """
    order = found(session, order_id, reader)
    standing, case, respondent = standing_of(order), order.escalation, order.respondent
    incident, attempt = respondent.incident, case.attempt
    clean = cleaner(()) if named else cleaner_of(office, incident)
    extension = _extension(session, order.id, clean) if order.extension else None  # one of another unit before is history
    appeal = _appeal(session, office, order.id, clean)
    events = _events(session, order.id, clean)
    replies = _replies(session, office, order.id, clean, past_units(events, order.unit.name if order.unit else ""))
    asked = Requests(extension.asked_by if extension else "", appeal.by if appeal else "")
    return OrderView(
        public_id=order.public_id, number=number_text(order.year, order.serial), version=order.version, state=order.state,
        route=standing.route, unit=order.unit.name if order.unit else None, incident_number=incident.number, category=incident.category,
        occurred_at=incident.occurred_at, arrived_at=incident.arrived_at, settled_at=incident.closed_at, called_at=attempt.answered_at,
        script_version=attempt.script_version_id, items=tuple(order.items), reasons=_reasons(order, standing.route),
        scores=_scores(session, respondent.id), consent=standing.consent, may_be_contacted=_is_contact_allowed(order),
        priority=order.priority, issued_at=order.issued_at, issued_by=order.issued_by, due_at=order.due_at,
        is_overdue=is_overdue(standing, now),
        returns=order.returns, supervised=order.supervised, closed_at=order.closed_at, outcome=order.outcome,
        archive_number=order.archive_number, replies=replies, extension=extension, appeal=appeal,
        accountability=_accountability(session, office, order.id, clean),
        attachments=_attachments(session, office, order.id, clean), events=events,
        actions=offers(standing, reader, now, terms, asked), outcomes=outcomes(standing, reader, now),
        may_disclose=_is_contact_allowed(order) and order.state in OPEN and reader.role in DISCLOSED_TO,
        may_account=may_account(standing.route, reader, [(each.finding, each.cause) for each in replies]), case_id=case.public_id,
    )  # fmt: skip


def disclose_contact(session: Session, office: Office, order_id: str, actor: Actor, reason: str, now: datetime) -> Contact:
    """Name and number of a person who agreed to be contacted, for who handles the order or the centre; written to the trail (R63).

    Show them after the commit. Raises NotFound, NotAllowed without consent, once the order has ended, or for another role, BadInput
    without a reason.
    """
    order = found(session, order_id, actor)
    if not _is_contact_allowed(order):
        raise NotAllowed("当事人不同意联系，不提供姓名和号码 / the person did not agree to be contacted: neither name nor number is given")
    if order.state not in OPEN:
        raise NotAllowed("交办单已结束，不再提供姓名和号码 / the order has ended: neither name nor number is given any more")
    if actor.role not in DISCLOSED_TO:
        raise NotAllowed("您的角色不能查看当事人信息 / your role may not see who the person is")
    why, incident = said(reason), order.respondent.incident
    office.record(session, now, actor.name, "order.contact", f"order:{order.public_id}", reason=why)
    return Contact(
        open_field(office.keys, incident.reporter_sealed, "reporter", incident.public_id),
        open_field(office.keys, incident.phone_sealed, "phone", incident.public_id),
    )


def _reasons(order: Order, route: str) -> tuple[str, ...]:
    """Why it was issued, and where inspection has taken it since, the allegation that came to light (R35)."""
    found_later = [reason for reason in order.escalation.reasons if reason == ABUSE] if route == "inspection" else []
    return tuple(dict.fromkeys((*order.reasons, *found_later)))


def _is_contact_allowed(order: Order) -> bool:
    return standing_of(order).consent == "yes"


def _scores(session: Session, respondent_id: int) -> dict[str, str]:
    given = select(Answer).where(Answer.respondent_id == respondent_id).order_by(Answer.id)
    return {answer.item: answer.code for answer in session.scalars(given)}


def past_units(events: Sequence[EventView], unit: str) -> dict[int, str]:
    """Whose the replies were that were given before the order went to another unit or to inspection, by round; `unit` has it now."""
    found, past = dict[int, str](), ""
    for event in reversed(events):
        if event.what in HANDED_ON:
            past = event.details.get("from", unit) or "—"
        elif event.what == "answer" and past:
            found[event.details["round"]] = past
    return found


def _replies(session: Session, office: Office, order_id: int, clean: Clean, past: Mapping[int, str]) -> tuple[ReplyView, ...]:
    replies = session.scalars(select(OrderReply).where(OrderReply.order_id == order_id).order_by(OrderReply.round))
    return tuple(_reply(office, reply, clean, clean(past.get(reply.round, ""))) for reply in replies)


def _reply(office: Office, reply: OrderReply, clean: Clean, past_unit: str) -> ReplyView:
    return ReplyView(
        reply.round, reply.finding, reply.cause, reply.visited_on, people=_opened(office, reply, "people", clean),
        place=_opened(office, reply, "place", clean), measure=_opened(office, reply, "measure", clean),
        explanation=_opened(office, reply, "explanation", clean), improvement=_opened(office, reply, "improvement", clean),
        by=reply.by, at=reply.at, past_unit=past_unit,
    )  # fmt: skip


def _extension(session: Session, order_id: int, clean: Clean) -> ExtensionView | None:
    asked = session.scalars(select(OrderExtension).where(OrderExtension.order_id == order_id)).one_or_none()
    return None if asked is None else ExtensionView(
        asked.days, clean(asked.reason), asked.asked_by, asked.asked_at, asked.due_before, asked.decision,
        clean(asked.decision_reason), asked.decided_by,
    )  # fmt: skip


def _appeal(session: Session, office: Office, order_id: int, clean: Clean) -> AppealView | None:
    made = session.scalars(select(OrderAppeal).where(OrderAppeal.order_id == order_id)).one_or_none()
    return None if made is None else AppealView(
        made.ground, tuple(made.items), _opened(office, made, "argument", clean), made.by, made.at, made.decision,
        clean(made.decision_reason), made.decided_by,
    )  # fmt: skip


def _accountability(session: Session, office: Office, order_id: int, clean: Clean) -> tuple[AccountabilityView, ...]:
    mine = select(AccountabilityRecord).where(AccountabilityRecord.order_id == order_id).order_by(AccountabilityRecord.id)
    return tuple(
        AccountabilityView(each.public_id, each.fault, _opened(office, each, "decision", clean), each.decided_on)
        for each in session.scalars(mine)
    )


def _attachments(session: Session, office: Office, order_id: int, clean: Clean) -> tuple[AttachmentView, ...]:
    mine: Sequence[OrderAttachment] = session.scalars(
        select(OrderAttachment).where(OrderAttachment.order_id == order_id).order_by(OrderAttachment.id)
    ).all()
    return tuple(
        AttachmentView(each.public_id, _opened(office, each, "name", clean), each.kind, each.size_bytes, each.by, each.at) for each in mine
    )


def _events(session: Session, order_id: int, clean: Clean) -> tuple[EventView, ...]:
    events = session.scalars(select(OrderEvent).where(OrderEvent.order_id == order_id).order_by(OrderEvent.number))
    return tuple(
        EventView(each.number, each.at, each.actor, each.role, each.what, each.to_state, clean(each.reason), each.details)
        for each in events
    )


def _opened(office: Office, row: OrderReply | OrderAppeal | AccountabilityRecord | OrderAttachment, name: str, clean: Clean) -> str | None:
    try:
        text = office.keys.open(getattr(row, f"{name}_sealed"), place(row.__tablename__, f"{name}_sealed", row.public_id))
    except CannotUnseal:
        return UNREADABLE
    return None if text is None else clean(text)
