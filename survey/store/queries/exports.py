"""What the exports ask: rows of one campaign in a fixed order, streamed."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TypeVarTuple

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from survey.scoring import ITEMS
from survey.store.models import Answer, CallAttempt, Escalation, Incident, Respondent, ScriptVersion, Unit

BATCH = 1000
Columns = TypeVarTuple("Columns")


def _streamed(session: Session, query: Select[*Columns]) -> Iterator[Row[*Columns]]:
    """The rows, fetched in batches; the session refers to loaded objects weakly, so past ones are let go."""
    yield from session.execute(query.execution_options(yield_per=BATCH))


def answers(session: Session, campaign_id: int) -> Iterator[Row[Answer, CallAttempt, Incident, str, ScriptVersion]]:
    """Every answer of the campaign with its attempt, incident, unit's name and script version."""
    query = (
        select(Answer, CallAttempt, Incident, Unit.name, ScriptVersion)
        .join(CallAttempt, Answer.attempt_id == CallAttempt.id)
        .join(Respondent, Answer.respondent_id == Respondent.id)
        .join(Incident, Respondent.incident_id == Incident.id)
        .join(ScriptVersion, Answer.script_version_id == ScriptVersion.id)
        .outerjoin(Unit, Respondent.unit_id == Unit.id)
        .where(Respondent.campaign_id == campaign_id)
        .order_by(Respondent.position, Answer.id)
    )
    return _streamed(session, query)


def attempts(session: Session, campaign_id: int) -> Iterator[Row[CallAttempt, Respondent, Incident, str, ScriptVersion]]:
    """Every attempt of the campaign with its respondent, incident, unit's name and script version."""
    query = (
        select(CallAttempt, Respondent, Incident, Unit.name, ScriptVersion)
        .join(Respondent, CallAttempt.respondent_id == Respondent.id)
        .join(Incident, Respondent.incident_id == Incident.id)
        .join(ScriptVersion, CallAttempt.script_version_id == ScriptVersion.id)
        .outerjoin(Unit, Respondent.unit_id == Unit.id)
        .where(CallAttempt.campaign_id == campaign_id)
        .order_by(Respondent.position, CallAttempt.number)
    )
    return _streamed(session, query)


def cases(session: Session, campaign_id: int) -> Iterator[Row[Escalation, CallAttempt, Incident, str]]:
    """Every case of the human queue with the attempt that opened it, its incident and its unit's name."""
    query = (
        select(Escalation, CallAttempt, Incident, Unit.name)
        .join(CallAttempt, Escalation.attempt_id == CallAttempt.id)
        .join(Respondent, Escalation.respondent_id == Respondent.id)
        .join(Incident, Respondent.incident_id == Incident.id)
        .outerjoin(Unit, Respondent.unit_id == Unit.id)
        .where(Respondent.campaign_id == campaign_id)
        .order_by(Escalation.priority, Escalation.opened_at, Escalation.id)
    )
    return _streamed(session, query)


def codes_of_cases(session: Session, campaign_id: int) -> dict[int, dict[str, str]]:
    """The codes that persons in the human queue gave to the five items: respondent → item → code."""
    query = (
        select(Answer.respondent_id, Answer.item, Answer.code)
        .join(Escalation, Escalation.respondent_id == Answer.respondent_id)
        .join(Respondent, Answer.respondent_id == Respondent.id)
        .where(Respondent.campaign_id == campaign_id, Answer.item.in_(ITEMS))
    )
    given: dict[int, dict[str, str]] = defaultdict(dict)
    for respondent_id, item, code in session.execute(query):
        given[respondent_id][item] = code
    return given
