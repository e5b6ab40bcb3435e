"""What people do with a ticket of the human queue: claim, assign, note, merge a second one of the same incident, close (O9, O28, O32).

Each raises NotFound where the actor may not know of the ticket, NotAllowed, BadInput; each leaves a line in the ticket's history and
in the audit trail. Deadlines and the way into the queue: `survey.fieldwork.escalations`; what follows from one: orders.
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from survey.casework.changes import route_of
from survey.casework.numbering import number_text
from survey.errors import BadInput, NotAllowed, NotFound
from survey.fieldwork.office import Office
from survey.fieldwork.ticket_notes import note_step
from survey.order_moves import OPEN, Actor
from survey.store.models import Escalation, Order, User
from survey.store.queries.orders import INSPECTION, ORDERED
from survey.store.queries.recalls import asked_about, waiting_for

WORKERS = ("administrator", "operator", "centre")
"""Who works on tickets; those of inspection are its own alone."""
RELEASERS = ("administrator", "centre", "inspection")
"""Who may take a ticket from somebody who has claimed it."""
LONGEST_NOTE = 1000
CALLS = ("call_back", "not_reached", "call_resolved", "call_order", "call_call_back", "call_no_contact", "call_unsorted")
STEPS = ("claim", "assign", "release", "note", "merge", "close", *CALLS)
"""What stands in a ticket's history: also that a call back was begun or reached nobody, and how a talk with an operator was sorted out."""


class Taken(NotAllowed):
    """Somebody else has the ticket: `by` since `at`."""

    def __init__(self, by: str, at: datetime | None) -> None:
        super().__init__(f"已由 {by} 领取 / {by} has claimed it")
        self.by, self.at = by, at


def may_know(route: str, actor: Actor) -> bool:
    """Whether the actor may know of a ticket: of one of inspection only inspection itself (R35)."""
    return actor.role == INSPECTION or (actor.role in WORKERS and route != INSPECTION)


def ticket(session: Session, ticket_id: str, actor: Actor) -> Escalation:
    """The ticket as it is now."""
    wanted = select(Escalation).where(Escalation.public_id == ticket_id).execution_options(populate_existing=True)
    case = session.scalars(wanted).one_or_none()
    if case is None or not may_know(case.route, actor):
        raise NotFound("没有这件 / there is no such ticket")
    return case


def claim(session: Session, office: Office, ticket_id: str, actor: Actor, now: datetime) -> Escalation:
    """Take the ticket, unless another was first: one conditional update decides (O9). Raises Taken."""
    case = ticket(session, ticket_id, actor)
    check_open(case)
    free = (Escalation.id == case.id, Escalation.claimed_by.is_(None), Escalation.state == "open")
    taken = update(Escalation).where(*free).values(claimed_by=actor.name, claimed_at=now)
    won = session.execute(taken.execution_options(synchronize_session=False)).rowcount  # type: ignore[attr-defined]
    case = ticket(session, ticket_id, actor)
    if won:
        _write(session, office, case, actor, "claim", "", now)
        return case
    check_open(case)
    if case.claimed_by != actor.name:
        raise Taken(case.claimed_by or "", case.claimed_at)
    return case


def release(session: Session, office: Office, ticket_id: str, actor: Actor, now: datetime) -> Escalation:
    """Give it back to the queue: who has it, or the centre, where that one is away."""
    case = _locked(session, ticket_id, actor)
    check_open(case)
    if case.claimed_by is None:
        raise NotAllowed("无人领取此件 / nobody has claimed it")
    if case.claimed_by != actor.name and actor.role not in RELEASERS:
        raise Taken(case.claimed_by, case.claimed_at)
    holder, case.claimed_by, case.claimed_at = case.claimed_by, None, None
    _write(session, office, case, actor, "release", "" if holder == actor.name else holder, now)
    return case


def may_assign(session: Session, ticket_id: str, actor: Actor, to: Actor) -> Escalation:
    """The ticket, if this actor may give it to `to`, also from somebody who has it (O32).

    Raises NotFound where the actor may not know of it, NotAllowed for a wrong role, for a closed one, for somebody who may not know
    of it or does not work on tickets, and for one who has it already.
    """
    case = ticket(session, ticket_id, actor)
    check_open(case)
    if actor.role not in RELEASERS:
        raise NotAllowed("您的角色不能指派 / your role does not allow you to assign tickets")
    if not may_know(case.route, to):
        raise NotAllowed("所选人员无权办理此件 / the one chosen may not work on this ticket")
    if case.claimed_by == to.name:
        raise NotAllowed("此件已由所选人员办理 / the one chosen has it already")
    return case


def assign(session: Session, office: Office, ticket_id: str, actor: Actor, to: Actor, now: datetime) -> Escalation:
    """Give the ticket to `to`, whoever had it. Raises as `may_assign` does."""
    may_assign(session, ticket_id, actor, to)
    case = _locked(session, ticket_id, actor)
    check_open(case)
    case.claimed_by, case.claimed_at = to.name, now
    _write(session, office, case, actor, "assign", to.name, now, to=to.name)
    return case


def assignees(session: Session, actor: Actor) -> list[tuple[Actor, str]]:
    """Whom the actor may give tickets to, with their display names: who works on them, and for inspection its own people."""
    roles = (INSPECTION,) if actor.role == INSPECTION else WORKERS
    wanted = select(User).where(User.role.in_(roles), User.disabled_at.is_(None)).order_by(User.display_name, User.name)
    return [(Actor(user.name, user.role), user.display_name) for user in session.scalars(wanted)]


def note(session: Session, office: Office, ticket_id: str, actor: Actor, text: str, now: datetime) -> Escalation:
    """Write down what was done; sealed, because it may hold names. Raises BadInput without words."""
    case = ticket(session, ticket_id, actor)
    _write(session, office, case, actor, "note", _said(text), now)
    return case


def close_ticket(session: Session, office: Office, ticket_id: str, actor: Actor, text: str, now: datetime) -> Escalation:
    """It is settled, with what came of it; one of dissatisfaction is settled by its order alone.

    Raises Taken, BadInput, NotAllowed while an order waits for a word of this one.
    """
    case = _locked(session, ticket_id, actor)
    check_open(case)
    _check_holder(case, actor)
    if waits_for_order(session, case):
        raise NotAllowed("不满意件随其交办单办结 / a ticket of dissatisfaction is closed with its order")
    order = order_to_note(session, case, actor)
    if order is not None:
        number = number_text(order.year, order.serial)
        zh = f"请先在交办单 {number} 上登记再次回访结果，再了结此件"
        raise NotAllowed(f"{zh} / first note on order {number} what came of calling again, then close this ticket")
    case.state = "closed"
    _write(session, office, case, actor, "close", _said(text), now)
    return case


def waits_for_order(session: Session, case: Escalation) -> bool:
    """Whether an order has to be closed, or issued, before the ticket is.

    An allegation made in a second call is part of the order that was asked about, once inspection has that (R35).
    """
    order = session.scalars(select(Order).where(Order.escalation_id == case.id)).one_or_none()
    if order is None and set(case.reasons) & set(ORDERED):
        about = asked_about(session, case.respondent_id)
        return about is None or about.route != INSPECTION or about.state in OPEN
    return order is not None and order.state in OPEN


def order_to_note(session: Session, case: Escalation, actor: Actor) -> Order | None:
    """The order on which has to be noted first what came of this second call, because it waits for nothing else (R51).

    Who may not know of the order is not kept by it: inspection notes what came of its own, and nobody else hears of that (R35).
    """
    order = waiting_for(session, case.respondent_id)
    return order if order is not None and may_know(route_of(order), actor) else None


def merge(session: Session, office: Office, ticket_id: str, into: str, actor: Actor, now: datetime) -> Escalation:
    """Put a second ticket of one incident into the first, which takes over reasons, route and the nearer deadline; gives the first."""
    locked = {one: _locked(session, one, actor) for one in sorted({ticket_id, into})}  # in one order, whoever merges which into which
    second, first = locked[ticket_id], locked[into]
    for case in (second, first):
        check_open(case)
        _check_holder(case, actor)
    if second.id == first.id or second.respondent.incident_id != first.respondent.incident_id:
        raise NotAllowed("只有同一警情的两件可以合并 / only two tickets of one incident can be merged")
    if is_of_second_call(session, second):
        raise NotAllowed("此件是再次回访中提出的，须在本件回拨 / it was made in a second call: call back from this ticket")
    if session.scalar(select(Order.id).where(Order.escalation_id == second.id)) is not None:
        raise NotAllowed("此件已有交办单，请把另一件并入此件 / this one has an order: merge the other one into it")
    _take_over(first, second)
    second.state, second.merged_into_id = "merged", first.id
    _write(session, office, second, actor, "merge", "", now)
    _write(session, office, first, actor, "merge", "", now)
    return first


def is_of_second_call(session: Session, case: Escalation) -> bool:
    """Whether only a call back from this very ticket, by the script of the second call, may decide over an order of a unit (R51)."""
    about = asked_about(session, case.respondent_id)
    return about is not None and about.state in OPEN and about.route != INSPECTION


def _take_over(first: Escalation, second: Escalation) -> None:
    first.reasons = [*first.reasons, *(reason for reason in second.reasons if reason not in first.reasons)]
    first.priority = min(first.priority, second.priority)
    first.due_at = min((due for due in (first.due_at, second.due_at) if due is not None), default=None)
    first.route = INSPECTION if INSPECTION in (first.route, second.route) else first.route
    consents = {first.consent, second.consent}
    first.consent = next(word for word in ("no", "yes", "unasked") if word in consents)  # who refused once is not contacted


def _locked(session: Session, ticket_id: str, actor: Actor) -> Escalation:
    case = ticket(session, ticket_id, actor)
    locked = select(Escalation).where(Escalation.id == case.id).with_for_update().execution_options(populate_existing=True)
    return session.scalars(locked).one()


def check_open(case: Escalation) -> None:
    """Raises NotAllowed where the ticket is closed."""
    if case.state != "open":
        raise NotAllowed("此件已了结 / the ticket is closed")


def _check_holder(case: Escalation, actor: Actor) -> None:
    if case.claimed_by not in (None, actor.name):
        raise Taken(case.claimed_by, case.claimed_at)


def _said(text: str) -> str:
    said = text.strip()
    if not 2 <= len(said) <= LONGEST_NOTE:
        raise BadInput(f"请写明情况（2–{LONGEST_NOTE} 字） / say what happened, 2 to {LONGEST_NOTE} characters", "text")
    return said


def _write(
    session: Session, office: Office, case: Escalation, actor: Actor, what: str, text: str, now: datetime, **details: str
) -> None:  # fmt: skip
    note_step(session, office, case, actor.name, what, text, now, **details)
