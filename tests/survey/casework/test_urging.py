"""An office is reminded of an order by hand: once a day, in office hours, by those who may, while the order is in its hands (O31, O36)."""

from datetime import datetime

import pytest
from sqlalchemy import select, update

from survey import casework
from survey.errors import NotAllowed, NotFound
from survey.order_moves import Actor
from survey.store.models import AuditEntry, Escalation, Notice
from tests.survey.casework.conftest import CENTRE, INSPECTOR, LEADER, Bureau


def urge(bureau: Bureau, order_id: str, by: Actor = CENTRE, at: str = "2026-03-11T09:00") -> None:
    bureau.ground.clock.moment = datetime.fromisoformat(f"{at}+08:00")
    with bureau.ground.work() as work:
        casework.urge(work.session, bureau.ground.office, order_id, by, bureau.terms, bureau.now)


def said(bureau: Bureau) -> list[tuple[int | None, str]]:
    with bureau.ground.sessions() as session:
        return [
            (one.unit_id, one.text.partition(" / ")[0])
            for one in session.scalars(select(Notice).where(Notice.kind == "urge").order_by(Notice.id))
        ]


def test_the_office_is_told_number_deadline_and_days_once_a_day_and_the_trail_who_did_it(bureau: Bureau) -> None:
    [order_id] = bureau.signed()
    urge(bureau, order_id)
    with pytest.raises(NotAllowed, match="今天已催办过"):
        urge(bureau, order_id, at="2026-03-11T17:59")
    urge(bureau, order_id, at="2026-03-18T08:30")

    unit = bureau.order(order_id).unit_id
    assert said(bureau) == [
        (unit, "催办：交办单 2026-0001，期限 2026-03-17，剩 4 个工作日"),
        (unit, "催办：交办单 2026-0001，期限 2026-03-17，已逾期 1 个工作日"),
    ]
    with bureau.ground.sessions() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "notice.urge")).all()
    assert [(one.actor, one.subject) for one in entries] == [("centre.li", f"order:{order_id}")] * 2


def test_the_office_that_is_given_the_order_can_be_reminded_the_day_another_was(bureau: Bureau) -> None:
    [order_id] = bureau.signed()
    wrong, right = bureau.order(order_id).unit_id, bureau.another_unit()
    urge(bureau, order_id)
    bureau.do("reassign", order_id, CENTRE, right, "辖区在城西")

    urge(bureau, order_id)
    with pytest.raises(NotAllowed, match="今天已催办过"):
        urge(bureau, order_id)
    assert [unit for unit, _ in said(bureau)] == [wrong, right]
    with bureau.ground.work() as work:
        work.session.execute(update(Escalation).values(route="inspection"))
    urge(bureau, order_id, INSPECTOR)
    assert [unit for unit, _ in said(bureau)] == [wrong, right, None]


@pytest.mark.parametrize("at", ["2026-03-11T08:29", "2026-03-11T18:00", "2026-03-14T10:00"])
def test_nobody_is_reminded_outside_of_office_hours(bureau: Bureau, at: str) -> None:
    [order_id] = bureau.signed()
    with pytest.raises(NotAllowed, match="只在工作日 08:30–18:00 催办"):
        urge(bureau, order_id, at=at)
    assert said(bureau) == []


def test_of_an_answered_order_nobody_is_reminded(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    bureau.answered(order_id)
    with pytest.raises(NotAllowed, match="无须催办"):
        urge(bureau, order_id)


def test_only_the_centre_reminds_units_and_only_inspection_its_own(bureau: Bureau) -> None:
    [order_id] = bureau.signed()
    [inspected] = bureau.signed(reasons=("dissatisfied", "abuse_alleged"), route="inspection")
    for by in (LEADER, bureau.unit(order_id), Actor("operator.qian", "operator"), INSPECTOR):
        with pytest.raises(NotAllowed, match="不能催办"):
            urge(bureau, order_id, by)
    with pytest.raises(NotFound):
        urge(bureau, inspected)
    urge(bureau, inspected, INSPECTOR)
    assert [unit for unit, _ in said(bureau)] == [None]
