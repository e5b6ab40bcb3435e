"""The ledger of an incident: which of the four levels of callback took place, by whom, with what result (R2). Reads only."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from survey.script import SURVEY
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

LEVELS = {
    "on_site": ("现场回访", "on site"),
    "telephone": ("电话回访", "by telephone"),
    "home_visit": ("上门回访", "home visit"),
    "re_callback": ("再次回访", "called again"),
}


@dataclass(frozen=True)
class LedgerLine:
    """One callback: `level` a word of LEVELS, `result` the word that its table knows, `answers` item to code."""

    level: str
    at: datetime
    by: str
    result: str
    answers: dict[str, str] = field(default_factory=dict)


def ledger(session: Session, incident_id: int, zone: str, *, inspection: bool = False) -> list[LedgerLine]:
    """The incident's callbacks, oldest first. What followed an allegation of abuse is shown to inspection alone (R35).

    A home visit stands at the end of its day, or at the reply where that came earlier; `zone` is the bureau's.
    """
    orders = _visible(session, incident_id, inspection)
    lines = [*_on_site(session, incident_id), *_telephone(session, incident_id), *_visits(session, orders, zone), *_again(session, orders)]
    return sorted(lines, key=lambda line: (line.at, tuple(LEVELS).index(line.level)))


def _visible(session: Session, incident_id: int, inspection: bool) -> list[int]:
    mine = select(Order.id).join(Respondent, Order.respondent_id == Respondent.id).join(Escalation, Order.escalation_id == Escalation.id)
    hidden = or_(Order.route == "inspection", Escalation.route == "inspection")
    routes = () if inspection else (~hidden,)
    return list(session.scalars(mine.where(Respondent.incident_id == incident_id, Order.state != "void", *routes)))


def _on_site(session: Session, incident_id: int) -> Iterator[LedgerLine]:
    for entry in session.scalars(select(RegisterEntry).where(RegisterEntry.incident_id == incident_id)):
        yield LedgerLine("on_site", entry.at, entry.by, entry.state)


def _telephone(session: Session, incident_id: int) -> Iterator[LedgerLine]:
    joined = select(CallAttempt).join(Respondent, CallAttempt.respondent_id == Respondent.id).join(Campaign, CallAttempt.campaign)
    of_surveys = joined.where(Respondent.incident_id == incident_id, Campaign.kind == SURVEY)
    attempts = session.scalars(of_surveys.where(CallAttempt.disposition.is_not(None))).all()
    answers = _answers(session, [attempt.id for attempt in attempts])
    for attempt in attempts:
        yield LedgerLine(
            "telephone", attempt.answered_at or attempt.requested_at or attempt.claimed_at, "system", attempt.disposition or "",
            answers[attempt.id],
        )  # fmt: skip


def _answers(session: Session, attempts: Iterable[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for answer in session.scalars(select(Answer).where(Answer.attempt_id.in_(attempts)).order_by(Answer.id)):
        found[answer.attempt_id][answer.item] = answer.code
    return found


def _visits(session: Session, orders: list[int], zone: str) -> Iterator[LedgerLine]:
    for reply in session.scalars(select(OrderReply).where(OrderReply.order_id.in_(orders), OrderReply.visited_on.is_not(None))):
        assert reply.visited_on is not None
        yield LedgerLine("home_visit", min(_end_of(reply.visited_on, zone), reply.at), reply.by, reply.finding)


def _end_of(day: date, zone: str) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(zone))


def _again(session: Session, orders: list[int]) -> Iterator[LedgerLine]:
    for event in session.scalars(select(OrderEvent).where(OrderEvent.order_id.in_(orders), OrderEvent.what == "note_recall")):
        said = select(Recall.respondent_id).where(Recall.order_id == event.order_id, Recall.noted_at == event.at)
        answers = {answer.item: answer.code for answer in session.scalars(select(Answer).where(Answer.respondent_id.in_(said)))}
        yield LedgerLine("re_callback", event.at, event.actor, str(event.details["result"]), answers)
