"""What the month's sheet asks of the tables: counts per unit, added up by the database. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from survey.disposition import Disposition
from survey.scoring import ITEMS, SCALE, Asked, CodeCount, ScoreSums
from survey.script import SURVEY
from survey.store.models import Answer, AuditHead, Campaign, Draw, Escalation, Respondent, ScriptVersion, Unit

INTERVIEWS = tuple(each.word for each in Disposition if each.outcome_class in ("I", "P"))
DISSATISFIED = SCALE[3:]
INTERFERENCE = "interference"


@dataclass(frozen=True)
class Progress:
    """Respondents of one unit with one disposition, and how many of them are closed."""

    unit_id: int | None
    disposition: Disposition
    count: int
    closed: int


@dataclass(frozen=True)
class Interviewed:
    """One unit's interviews: sums over the persons who scored, and how many gave a 4 or 5."""

    sums: ScoreSums
    dissatisfied: int


def campaigns_of_month(session: Session, month: str) -> list[Campaign]:
    """The month's surveys on draws that stand, oldest first; second calls are no part of the sheet."""
    standing = select(Campaign).join(Draw).where(Campaign.month == month, Campaign.kind == SURVEY, Draw.voided_at.is_(None))
    return list(session.scalars(standing.order_by(Campaign.id)))


def units(session: Session) -> list[Unit]:
    """All units."""
    return list(session.scalars(select(Unit).order_by(Unit.id)))


def progress(session: Session, campaigns: Sequence[int]) -> list[Progress]:
    """Respondents by unit and disposition."""
    closed = func.sum(case((Respondent.state == "closed", 1), else_=0))
    keys = (Respondent.unit_id, Respondent.disposition)
    rows = session.execute(select(*keys, func.count(), closed).where(Respondent.campaign_id.in_(campaigns)).group_by(*keys))
    return [Progress(unit, Disposition.from_word(word), count, int(done)) for unit, word, count, done in rows]


def _answers_of_interviews(*columns: Any, campaigns: Sequence[int], items: Sequence[str] = ITEMS) -> Select[Any]:
    joined = select(*columns).join(Respondent, Answer.respondent_id == Respondent.id)
    return joined.where(Respondent.campaign_id.in_(campaigns), Respondent.disposition.in_(INTERVIEWS), Answer.item.in_(items))


def answers(session: Session, campaigns: Sequence[int]) -> list[tuple[int | None, CodeCount]]:
    """How often each code was given to each of the five items, by unit; interviews only."""
    keys = (Respondent.unit_id, Answer.item, Answer.code, Answer.score)
    query = _answers_of_interviews(*keys, func.count(), campaigns=campaigns).group_by(*keys).order_by(*keys)
    return [(unit, CodeCount(item, code, score, count)) for unit, item, code, score, count in session.execute(query)]


def interviewed(session: Session, campaigns: Sequence[int]) -> dict[int | None, Interviewed]:
    """Sums over persons, by unit; interviews only. Persons without a score count as dissatisfied only."""
    unhappy = func.max(case((Answer.code.in_(DISSATISFIED), 1), else_=0)).label("unhappy")
    s, c = func.coalesce(func.sum(Answer.score), 0.0).label("s"), func.count(Answer.score).label("c")
    person = _answers_of_interviews(Respondent.unit_id, s, c, unhappy, campaigns=campaigns)
    p = person.group_by(Respondent.id, Respondent.unit_id).subquery().c
    scored = func.sum(case((p.c > 0, 1), else_=0))
    products = (func.sum(p.s), func.sum(p.c), func.sum(p.s * p.s), func.sum(p.s * p.c), func.sum(p.c * p.c))
    rows = session.execute(select(p.unit_id, func.sum(p.unhappy), scored, *products).group_by(p.unit_id))
    return {
        unit: Interviewed(ScoreSums(int(persons), *(float(total) for total in totals)), int(bad)) for unit, bad, persons, *totals in rows
    }


def asked(session: Session, campaigns: Sequence[int]) -> dict[int | None, Asked]:
    """Whether a good rating was asked for, by unit; interviews only (R37)."""
    columns = (Respondent.unit_id, func.count(), func.sum(case((Answer.code == "yes", 1), else_=0)))
    given = _answers_of_interviews(*columns, campaigns=campaigns, items=(INTERFERENCE,)).where(Answer.code.in_(("yes", "no")))
    return {unit: Asked(count, int(yes)) for unit, count, yes in session.execute(given.group_by(Respondent.unit_id))}


def escalated(session: Session, campaigns: Sequence[int]) -> dict[int | None, int]:
    """Cases in the human queue, by unit; those that the person took back do not count."""
    joined = select(Respondent.unit_id, func.count()).join(Escalation, Escalation.respondent_id == Respondent.id)
    standing = joined.where(Respondent.campaign_id.in_(campaigns), Escalation.state != "withdrawn")
    return {unit: int(count) for unit, count in session.execute(standing.group_by(Respondent.unit_id))}


def unscored_answers(session: Session, campaigns: Sequence[int]) -> int:
    """Answers to the five items by persons whose call broke off: kept, not scored."""
    joined = select(func.count()).select_from(Answer).join(Respondent, Answer.respondent_id == Respondent.id)
    mine = joined.where(Respondent.campaign_id.in_(campaigns), Respondent.disposition.not_in(INTERVIEWS), Answer.item.in_(ITEMS))
    return session.scalar(mine) or 0


def script_versions(session: Session, campaigns: Sequence[int]) -> list[ScriptVersion]:
    """The script versions that the answers were given to, and those of the campaigns themselves."""
    given = select(Answer.script_version_id).join(Respondent, Answer.respondent_id == Respondent.id)
    pinned = select(Campaign.script_version_id).where(Campaign.id.in_(campaigns))
    used = given.where(Respondent.campaign_id.in_(campaigns)).union(pinned)
    mine = select(ScriptVersion).where(ScriptVersion.id.in_(used)).order_by(ScriptVersion.name, ScriptVersion.number)
    return list(session.scalars(mine))


def audit_head(session: Session) -> tuple[int, str]:
    """Number and digest of the audit trail's last link; 0 and "" before the first."""
    head = session.get(AuditHead, 1)
    return (head.n, head.digest) if head else (0, "")
