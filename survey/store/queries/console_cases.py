"""What the console's queue and audit pages ask of the database, and the paging of all long lists (O28, O29, O41)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import Session

from survey.store.models import Answer, AuditEntry, Campaign, Escalation, Incident, Order, Respondent, Unit
from survey.store.queries.recalls import about_inspection

PAGE = 50
INSPECTION = "inspection"


@dataclass(frozen=True)
class Paged:
    """One page of a longer list: page `number` of `pages`, `total` rows in all."""

    rows: Sequence[Any]
    number: int
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


@dataclass(frozen=True)
class Deadlines:
    """The moments that sort cases by date: what is due up to `now` is overdue, up to `tonight` is due today."""

    now: datetime
    tonight: datetime


@dataclass(frozen=True)
class CaseRow:
    """A case of the human queue as a row. `calendar` names its working days, `answers` maps item to code, `claimed_by` who has it."""

    public_id: str
    respondent_id: str
    incident_number: str
    unit: str | None
    priority: int
    reasons: tuple[str, ...]
    route: str
    consent: str
    state: str
    opened_at: datetime
    due_at: datetime | None
    calendar: str
    answers: dict[str, str]
    claimed_by: str | None = None


@dataclass(frozen=True)
class AuditRow:
    """One link of the audit chain; `details` is canonical JSON."""

    n: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: str


TABS = ("open", "mine", "unclaimed", "today", "overdue", "recall", "closed")
SORTS: dict[str, tuple[Any, ...]] = {
    "due": (Escalation.due_at.is_(None), Escalation.due_at, Escalation.priority, Escalation.opened_at, Escalation.id),
    "priority": (Escalation.priority, Escalation.due_at.is_(None), Escalation.due_at, Escalation.id),
    "opened": (Escalation.opened_at, Escalation.id),
}


def tab_counts(session: Session, when: Deadlines, inspection: bool, name: str, number: str = "") -> dict[str, int]:
    """How many cases each tab of the queue holds for the visitor of that name. `inspection`: may it see what is routed there (R35)?

    `number`: only those whose incident's number has this in it.
    """
    found = _of_number(number)
    return {tab: session.scalar(select(func.count(Escalation.id)).where(*_tab(tab, when, inspection, name), *found)) or 0 for tab in TABS}


def cases(
    session: Session, tab: str, sort: str, page: int, when: Deadlines, inspection: bool, name: str, number: str = ""
) -> Paged:  # fmt: skip
    """One page of a tab of the human queue. Raises KeyError for an unknown sort, ValueError for an unknown tab."""
    condition = [*_tab(tab, when, inspection, name), *_of_number(number)]
    total = session.scalar(select(func.count(Escalation.id)).where(*condition)) or 0
    shown = within(page, total)
    statement = _case_statement().where(*condition).order_by(*SORTS[sort]).offset((shown - 1) * PAGE).limit(PAGE)
    found = session.execute(statement).all()
    answers = _answers_by_respondent(session, [case.respondent_id for case, *_ in found])
    return Paged([_case_row(row, answers) for row in found], shown, total)


def case_of(session: Session, respondent_id: int) -> CaseRow | None:
    """The case of one respondent, without answers."""
    row = session.execute(_case_statement().where(Escalation.respondent_id == respondent_id)).one_or_none()
    return _case_row(row, {}) if row is not None else None


def audit_entries(session: Session, page: int) -> Paged:
    """One page of the audit trail, newest first."""
    total = session.scalar(select(func.count(AuditEntry.n))) or 0
    number = within(page, total)
    statement = select(AuditEntry).order_by(AuditEntry.n.desc()).offset((number - 1) * PAGE).limit(PAGE)
    rows = [AuditRow(one.n, one.at, one.actor, one.action, one.subject, one.details) for one in session.scalars(statement)]
    return Paged(rows, number, total)


def within(page: int, total: int) -> int:
    """The page asked for, or the nearest one that exists."""
    return min(max(page, 1), max(1, -(-total // PAGE)))


def visible_respondents(inspection: bool) -> list[ColumnElement[bool]]:
    """Whose case went to inspection is known to inspection alone (R35)."""
    if inspection:
        return []
    hidden = select(Escalation.id).where(Escalation.respondent_id == Respondent.id, Escalation.route == INSPECTION)
    return [~hidden.exists(), ~about_inspection()]


def bears(number: str) -> ColumnElement[bool]:
    """The condition that an incident's number has this in it, over Incident."""
    return Incident.number.icontains(number, autoescape=True)


def _of_number(number: str) -> list[ColumnElement[bool]]:
    theirs = select(Respondent.id).join(Incident, Respondent.incident_id == Incident.id).where(bears(number))
    return [Escalation.respondent_id.in_(theirs)] if number else []


def _tab(tab: str, when: Deadlines, inspection: bool, name: str) -> list[ColumnElement[bool]]:
    if tab not in TABS:
        raise ValueError(tab)
    routes = [] if inspection else [Escalation.route != INSPECTION]
    if tab == "closed":
        return [Escalation.state != "open", *routes]
    by_tab: dict[str, list[ColumnElement[bool]]] = {
        "open": [],
        "mine": [Escalation.claimed_by == name],
        "unclaimed": [Escalation.claimed_by.is_(None)],
        "today": [Escalation.due_at > when.now, Escalation.due_at <= when.tonight],
        "overdue": [Escalation.due_at <= when.now],
        "recall": [select(Order.id).where(Order.escalation_id == Escalation.id, Order.state.in_(("answered", "recalling"))).exists()],
    }
    return [Escalation.state == "open", *by_tab[tab], *routes]


def _case_statement() -> Select[*tuple[Any, ...]]:
    return (
        select(Escalation, Respondent.public_id, Incident.number, Unit.name, Campaign.rules)
        .join(Respondent, Escalation.respondent_id == Respondent.id)
        .join(Campaign, Respondent.campaign_id == Campaign.id)
        .join(Incident, Respondent.incident_id == Incident.id)
        .outerjoin(Unit, Respondent.unit_id == Unit.id)
    )


def _case_row(row: Row[*tuple[Any, ...]], answers: dict[int, dict[str, str]]) -> CaseRow:
    case, respondent, incident, unit, rules = row
    return CaseRow(
        case.public_id, respondent, incident, unit, case.priority, tuple(case.reasons), case.route, case.consent, case.state,
        case.opened_at, case.due_at, str(rules.get("calendar", "cn")), answers.get(case.respondent_id, {}), case.claimed_by,
    )  # fmt: skip


def _answers_by_respondent(session: Session, ids: list[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for respondent, item, code in session.execute(
        select(Answer.respondent_id, Answer.item, Answer.code).where(Answer.respondent_id.in_(ids))
    ):
        found.setdefault(respondent, {})[item] = code
    return found
