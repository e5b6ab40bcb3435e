"""Several orders or tickets at once: what will happen to each is looked at first, and each is then done or refused by itself (O36)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from survey.casework.changes import found
from survey.casework.numbering import number_text
from survey.casework.tickets import ticket
from survey.errors import BadInput, SurveyError
from survey.order_moves import Actor
from survey.working_days import CalendarMissing

MOST = 50
"""As many rows as one page of a list has."""
PUBLIC_ID = re.compile("[0-9a-f]{32}")
Try = Callable[[str], object]


@dataclass(frozen=True)
class Prospect:
    """A ticked row: `label` and `unit` as far as the actor may know of it, and why it is refused; "" where it is done."""

    public_id: str
    label: str = "—"
    unit: str = ""
    refusal: str = ""


def chosen(ids: Sequence[str]) -> list[str]:
    """The rows once each, in the order given; what is no public id is none. Raises BadInput for none, and for more than a page has."""
    once = [one for one in dict.fromkeys(ids) if PUBLIC_ID.fullmatch(one)]
    if not once:
        raise BadInput("请先勾选 / tick some rows first", "id")
    if len(once) > MOST:
        raise BadInput(f"一次最多 {MOST} 件 / at most {MOST} rows at once", "id")
    return once


def each(rows: Sequence[Prospect], attempt: Try) -> list[Prospect]:
    """Try each of the rows that was not refused before; what comes back says why one was refused.

    `attempt` must refuse before it writes anything: what it has written for other rows stands.
    """
    return [row if row.refusal else _tried(row, attempt) for row in rows]


def _tried(row: Prospect, attempt: Try) -> Prospect:
    try:
        attempt(row.public_id)
    except CalendarMissing as missing:
        return _refused(row, f"缺少 {missing.year} 年节假日安排 / the holidays of {missing.year} are missing")
    except SurveyError as refusal:
        return _refused(row, str(refusal))
    return row


def _refused(row: Prospect, why: str) -> Prospect:
    return Prospect(row.public_id, row.label, row.unit, why)


def orders_named(session: Session, ids: Sequence[str], actor: Actor) -> list[Prospect]:
    """The orders of these ids; one that the actor may not know of is refused as if it were not there."""

    def named(order_id: str) -> Prospect:
        order = found(session, order_id, actor)
        return Prospect(order_id, number_text(order.year, order.serial), order.unit.name if order.unit else "")

    return [_named(order_id, named) for order_id in ids]


def tickets_named(session: Session, ids: Sequence[str], actor: Actor) -> list[Prospect]:
    """The tickets of these ids, by the number of their incident."""

    def named(ticket_id: str) -> Prospect:
        person = ticket(session, ticket_id, actor).respondent
        return Prospect(ticket_id, person.incident.number, person.unit.name if person.unit else "")

    return [_named(ticket_id, named) for ticket_id in ids]


def _named(public_id: str, named: Callable[[str], Prospect]) -> Prospect:
    try:
        return named(public_id)
    except SurveyError as refusal:
        return Prospect(public_id, refusal=str(refusal))
