"""The ledger of an incident: which of the four levels of callback took place, by whom, with what result (R2). Reads only."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from survey.scoring import ITEMS
from survey.script import FOLLOWUP_ITEMS, SURVEY
from survey.store.models import (
    Answer,
    CallAttempt,
    Campaign,
    Escalation,
    Order,
    OrderEvent,
    OrderReply,
    Recall,
    RegisterEntry,
    Respondent,
)
from survey.store.queries.register import signed_by
from survey.store.sealing import KeyRing

LEVELS = {
    "on_site": ("现场回访", "on site"),
    "telephone": ("电话回访", "by telephone"),
    "home_visit": ("上门回访", "home visit"),
    "re_callback": ("再次回访", "called again"),
}
INSPECTION = "inspection"


@dataclass(frozen=True)
class LedgerLine:
    """One callback: `level` a word of LEVELS, `result` the word that its table knows, `answers` item to code."""

    level: str
    at: datetime
    by: str
    result: str
    answers: dict[str, str] = field(default_factory=dict)


Placed = Iterator[tuple[int, LedgerLine]]
"""Lines with the id of the incident that each belongs to."""


def ledger(
    session: Session, keys: KeyRing, incident_id: int, zone: str, *, inspection: bool = False, unit_id: int | None = None
) -> list[LedgerLine]:
    """The callbacks of one incident, oldest first; see `ledgers`."""
    return ledgers(session, keys, [incident_id], zone, inspection=inspection, unit_id=unit_id)[incident_id]


def ledgers(
    session: Session, keys: KeyRing, incidents: Collection[int], zone: str, *, inspection: bool = False, unit_id: int | None = None
) -> dict[int, list[LedgerLine]]:
    """The callbacks of incidents, oldest first. What followed an allegation of abuse is shown to inspection alone (R35).

    A home visit stands at the end of its day, or at the reply where that came earlier; `zone` is the bureau's. A unit (`unit_id`)
    is told of calls and visits only where it has an order: whom else the survey called, it never learns (R12).
    """
    orders = _visible(session, incidents, inspection, unit_id)
    lines: dict[int, list[LedgerLine]] = {incident: [] for incident in incidents}
    called = incidents if unit_id is None else set(orders.values())
    for incident, line in (
        *_on_site(session, keys, incidents), *_telephone(session, called, inspection), *_visits(session, orders, zone),
        *_again(session, orders),
    ):  # fmt: skip
        lines[incident].append(line)
    return {incident: sorted(mine, key=lambda line: (line.at, tuple(LEVELS).index(line.level))) for incident, mine in lines.items()}


def _visible(session: Session, incidents: Collection[int], inspection: bool, unit_id: int | None) -> dict[int, int]:
    """The orders that the reader may know of, each with its incident."""
    mine = select(Order.id, Respondent.incident_id).join(Respondent, Order.respondent_id == Respondent.id)
    mine = mine.join(Escalation, Order.escalation_id == Escalation.id)
    hidden = or_(Order.route == INSPECTION, Escalation.route == INSPECTION)
    allowed = [] if inspection else [~hidden]
    allowed += [] if unit_id is None else [Order.unit_id == unit_id]
    found = session.execute(mine.where(Respondent.incident_id.in_(incidents), Order.state != "void", *allowed))
    return {row.id: row.incident_id for row in found}


def _on_site(session: Session, keys: KeyRing, incidents: Collection[int]) -> Placed:
    for entry in session.scalars(select(RegisterEntry).where(RegisterEntry.incident_id.in_(incidents))):
        yield entry.incident_id, LedgerLine("on_site", entry.at, signed_by(keys, entry), entry.state)


def _telephone(session: Session, incidents: Collection[int], inspection: bool) -> Placed:
    columns = (CallAttempt, Respondent.incident_id, Escalation.route)
    joined = select(*columns).join(Respondent, CallAttempt.respondent_id == Respondent.id)
    joined = joined.join(Campaign, CallAttempt.campaign_id == Campaign.id)
    joined = joined.outerjoin(Escalation, Escalation.respondent_id == Respondent.id)
    wanted = joined.where(Respondent.incident_id.in_(incidents), Campaign.kind == SURVEY, CallAttempt.disposition.is_not(None))
    attempts = session.execute(wanted).all()
    answers = _answers(session, [attempt.id for attempt, *_ in attempts])
    for attempt, incident, route in attempts:
        is_hidden = route == INSPECTION and not inspection
        at = attempt.answered_at or attempt.requested_at or attempt.claimed_at
        yield incident, LedgerLine("telephone", at, "system", attempt.disposition or "", {} if is_hidden else answers[attempt.id])


def _answers(session: Session, attempts: Collection[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = defaultdict(dict)
    wanted = select(Answer).where(Answer.attempt_id.in_(attempts), Answer.item.in_(ITEMS))
    for answer in session.scalars(wanted.order_by(Answer.id)):
        found[answer.attempt_id][answer.item] = answer.code
    return found


def _visits(session: Session, orders: dict[int, int], zone: str) -> Placed:
    for reply in session.scalars(select(OrderReply).where(OrderReply.order_id.in_(orders), OrderReply.visited_on.is_not(None))):
        assert reply.visited_on is not None
        at = min(_end_of(reply.visited_on, zone), reply.at)
        yield orders[reply.order_id], LedgerLine("home_visit", at, reply.by, reply.finding)


def _end_of(day: date, zone: str) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(zone))


def _again(session: Session, orders: dict[int, int]) -> Placed:
    for event in session.scalars(select(OrderEvent).where(OrderEvent.order_id.in_(orders), OrderEvent.what == "note_recall")):
        said = select(Recall.respondent_id).where(Recall.order_id == event.order_id, Recall.noted_at == event.at)
        given = select(Answer).where(Answer.respondent_id.in_(said), Answer.item.in_(FOLLOWUP_ITEMS))
        answers = {answer.item: answer.code for answer in session.scalars(given)}
        yield orders[event.order_id], LedgerLine("re_callback", event.at, event.actor, str(event.details["result"]), answers)
