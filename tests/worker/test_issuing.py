"""The sweep issues orders by the clock: soon, once, in portions, and never in the way of the calls (R35, R47)."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from config.no_carrier import NoCarrier
from survey.casework import issuing
from survey.errors import NotAllowed
from survey.order_clock import after_office_time
from survey.store.models import AuditEntry, CallAttempt, Escalation, Order
from tests.survey.casework.conftest import Bureau, bureau
from tests.survey.fieldwork.conftest import ground
from worker import issuing as sweeping
from worker.jobs import sweep
from worker.runtime import Runtime

__all__ = ["bureau", "ground"]


@pytest.fixture
def house(bureau: Bureau, tmp_path: Path) -> Callable[..., Runtime]:
    """The surroundings of a sweep, with the bureau's terms changed as told."""

    def made(**terms: object) -> Runtime:
        office = replace(bureau.ground.office, terms=replace(bureau.terms, **terms))  # type: ignore[arg-type]
        return Runtime(bureau.ground.work, office, bureau.ground.clock, NoCarrier(), tmp_path, "http://127.0.0.1:1")

    return made


def _orders(bureau: Bureau) -> int:
    with bureau.ground.sessions() as session:
        return session.scalar(select(func.count(Order.id))) or 0


def test_a_dissatisfied_case_has_its_order_at_the_next_sweep(bureau: Bureau, house: Callable[..., Runtime]) -> None:
    bureau.cases(3)
    ended = bureau.now

    bureau.ground.clock.advance(minutes=1)
    sweep(house())

    with bureau.ground.sessions() as session:
        assert {order.issued_by for order in session.scalars(select(Order))} == {"system"}
        assert all(order.issued_at <= after_office_time(bureau.terms, ended) for order in session.scalars(select(Order)))
    assert _orders(bureau) == 3


def test_however_often_it_sweeps_nothing_is_issued_twice_and_nothing_is_written_again(
    bureau: Bureau, house: Callable[..., Runtime]
) -> None:
    bureau.cases(2)
    sweep(house())
    with bureau.ground.sessions() as session:
        before = session.scalar(select(func.max(AuditEntry.n)))

    for _ in range(5):
        bureau.ground.clock.advance(seconds=1)
        sweep(house())

    with bureau.ground.sessions() as session:
        assert session.scalar(select(func.max(AuditEntry.n))) == before
    assert _orders(bureau) == 2


def test_many_cases_are_issued_in_portions(bureau: Bureau, house: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuing, "AT_ONCE", 4)
    bureau.cases(10)

    counts = []
    for _ in range(4):
        sweep(house())
        counts.append(_orders(bureau))

    assert counts == [4, 8, 10, 10]


def test_urgent_cases_come_first(bureau: Bureau, house: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuing, "AT_ONCE", 1)
    bureau.cases(2)
    [urgent] = bureau.cases(reasons=("dissatisfied", "danger"))
    with bureau.ground.work() as work:
        work.session.execute(update(Escalation).where(Escalation.id == urgent).values(priority=1))

    sweep(house())

    with bureau.ground.sessions() as session:
        assert session.scalars(select(Order.escalation_id)).all() == [urgent]


def test_with_review_the_sweep_leaves_issuing_to_people_and_still_takes_abuse_from_the_unit(
    bureau: Bureau, house: Callable[..., Runtime]
) -> None:
    [order_id] = bureau.issued()
    bureau.cases()
    with bureau.ground.work() as work:
        case = bureau.order(order_id).escalation_id
        values = {"route": "inspection", "reasons": ["dissatisfied", "abuse_alleged"]}
        work.session.execute(update(Escalation).where(Escalation.id == case).values(**values))

    sweep(house(review=True))

    assert _orders(bureau) == 1
    assert bureau.order(order_id).route == "inspection"


def test_a_call_whose_verdict_comes_later_is_issued_then(bureau: Bureau, house: Callable[..., Runtime]) -> None:
    bureau.cases()
    with bureau.ground.work() as work:
        work.session.execute(update(CallAttempt).values(settled_at=None))
    sweep(house())
    assert _orders(bureau) == 0

    with bureau.ground.work() as work:
        work.session.execute(update(CallAttempt).values(settled_at=bureau.now))
    sweep(house())

    assert _orders(bureau) == 1


def test_who_has_lost_the_lease_issues_nothing(bureau: Bureau, house: Callable[..., Runtime]) -> None:
    bureau.cases()

    sweep(house(), still_may=lambda work: False)

    assert _orders(bureau) == 0


def test_a_failure_in_issuing_undoes_no_claim_of_a_call_is_told_and_tried_again(
    bureau: Bureau, house: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bureau.cases()
    bureau.ground.launch(3)
    bureau.ground.clock.advance(minutes=1)

    def fail(*_given: object, **_named: object) -> None:
        raise NotAllowed("somebody was quicker")

    with monkeypatch.context() as broken:
        broken.setattr(sweeping.casework, "issue_due", fail)
        sweep(house())

    with bureau.ground.sessions() as session:
        assert session.scalar(select(func.count(CallAttempt.id)).where(CallAttempt.status == "claimed")) == 3
    assert [getattr(one, "action", "") for one in caplog.records if one.levelname == "ERROR"] == ["orders_failed"]
    assert _orders(bureau) == 0
    sweep(house())
    assert _orders(bureau) == 1


def test_a_refusal_among_the_second_calls_keeps_no_order_from_being_issued(
    bureau: Bureau, house: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bureau.cases()

    def fail(*_given: object, **_named: object) -> None:
        raise NotAllowed("somebody was quicker")

    monkeypatch.setattr(sweeping.casework, "recall_due", fail)
    sweep(house())

    assert [getattr(one, "action", "") for one in caplog.records if one.levelname == "ERROR"] == ["recalls_failed"]
    assert _orders(bureau) == 1


def test_the_deadline_that_no_calendar_gives_stands_in_no_others_way(bureau: Bureau, house: Callable[..., Runtime]) -> None:
    bureau.ground.clock.moment = bureau.now.replace(month=12, day=31)
    bureau.cases(2)
    [urgent] = bureau.cases(reasons=("dissatisfied", "danger"))

    sweep(house())

    with bureau.ground.sessions() as session:
        assert session.scalars(select(Order.escalation_id)).all() == [urgent]
