"""Each dissatisfied case becomes one order with the next number, whoever issues and however often (R35, R47, R48)."""

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from survey import casework
from survey.casework.numbering import next_number
from survey.errors import NotAllowed, NotFound
from survey.order_clock import Terms, after_office_time
from survey.order_moves import SYSTEM, Actor
from survey.store.models import Alarm, AuditEntry, CallAttempt, Escalation, Order, OrderEvent, Respondent
from survey.working_days import Calendar, CalendarMissing
from tests.survey.casework.conftest import CENTRE, INSPECTOR, Bureau

WRITERS, EACH = 8, 6


def test_a_dissatisfied_case_becomes_one_order_however_often_the_sweep_runs(bureau: Bureau) -> None:
    bureau.cases(3)

    issued = bureau.sweep().issued
    assert bureau.sweep() == casework.Issued()

    orders = [bureau.order(order_id) for order_id in issued]
    assert [casework.number_text(order.year, order.serial) for order in orders] == ["2026-0001", "2026-0002", "2026-0003"]
    assert {(order.state, order.route, tuple(order.items)) for order in orders} == {("issued", "centre", ("speed", "attitude"))}
    assert orders[0].due_at == datetime(2026, 3, 17, 16, tzinfo=UTC), "24:00 in Shanghai of the fifth working day after 10 March"


def test_issuing_stands_in_the_timeline_and_in_the_trail(bureau: Bureau) -> None:
    [order_id] = bureau.issued()

    with bureau.ground.sessions() as session:
        event = session.scalars(select(OrderEvent)).one()
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "order.issue")).one()
    assert (event.number, event.actor, event.role, event.from_state, event.to_state) == (1, "system", "system", None, "issued")
    assert entry.subject == f"order:{order_id}"


def test_a_real_call_ends_and_the_order_is_out_within_the_working_hour(bureau: Bureau) -> None:
    bureau.ground.launch(1)
    _, token = bureau.ground.dial_next()
    bureau.ground.talk(token, "1" + "45454")
    assert bureau.sweep().issued == (), "the person is still speaking"
    bureau.ground.end(token)

    [order_id] = bureau.sweep().issued
    order = bureau.order(order_id)
    with bureau.ground.sessions() as session:
        ended_at = session.scalars(select(CallAttempt.ended_at)).one()
    assert ended_at is not None
    assert order.items == ["speed", "attitude", "outcome", "equipment", "appearance"]
    assert (order.consent, order.reasons) == ("unasked", ["dissatisfied"])
    assert order.issued_at <= after_office_time(bureau.terms, ended_at)


def test_two_who_issue_one_case_get_the_same_order(bureau: Bureau) -> None:
    [case_id] = bureau.cases()
    with bureau.ground.work() as work:
        case = work.session.get_one(Escalation, case_id)
        by_hand = casework.issue(work.session, bureau.ground.office, case, CENTRE, bureau.terms, bureau.now)
        again = casework.issue(work.session, bureau.ground.office, case, SYSTEM, bureau.terms, bureau.now)

    assert by_hand.id == again.id
    assert again.issued_by == "centre.li"


def test_with_review_nothing_is_issued_until_a_person_does(bureau: Bureau) -> None:
    [case_id] = bureau.cases()

    assert bureau.sweep(review=True).issued == ()
    with bureau.ground.sessions() as session:
        waiting = casework.cases_without_order(session)
    assert [(each.case_id, each.has_unit, each.ended_at) for each in waiting] == [(case_id, True, bureau.now)]


def test_a_case_waits_while_its_call_is_not_settled(bureau: Bureau) -> None:
    bureau.cases()
    with bureau.ground.work() as work:
        work.session.execute(update(CallAttempt).values(settled_at=None))

    assert bureau.sweep().issued == ()


@pytest.mark.parametrize("reasons", [("human_requested",), ("danger",)])
def test_a_case_without_dissatisfaction_is_no_order(bureau: Bureau, reasons: tuple[str, ...]) -> None:
    [case_id] = bureau.cases(reasons=reasons)

    assert bureau.sweep().issued == ()
    with bureau.ground.work() as work:
        case = work.session.get_one(Escalation, case_id)
        with pytest.raises(NotAllowed, match="not one of dissatisfaction"):
            casework.issue(work.session, bureau.ground.office, case, CENTRE, bureau.terms, bureau.now)


def test_a_case_of_no_unit_holds_up_nothing_and_is_listed(bureau: Bureau) -> None:
    bureau.cases(2)
    with bureau.ground.work() as work:
        first = work.session.scalars(select(Respondent).order_by(Respondent.id)).first()
        assert first is not None
        first.unit_id = None

    assert len(bureau.sweep().issued) == 1
    with bureau.ground.sessions() as session:
        assert [each.has_unit for each in casework.cases_without_order(session)] == [False]


@pytest.mark.parametrize(
    ("reasons", "due"),
    [
        (("dissatisfied",), datetime(2026, 3, 17, 16, tzinfo=UTC)),
        (("dissatisfied", "human_requested"), datetime(2026, 3, 17, 16, tzinfo=UTC)),
        (("dissatisfied", "abuse_alleged"), datetime(2026, 3, 11, 16, tzinfo=UTC)),
        (("dissatisfied", "danger"), datetime(2026, 3, 10, 16, tzinfo=UTC)),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else None,
)
def test_danger_and_abuse_have_a_nearer_deadline(bureau: Bureau, reasons: tuple[str, ...], due: datetime) -> None:
    [order_id] = bureau.issued(reasons=reasons)

    assert bureau.order(order_id).due_at == due


def test_an_allegation_of_abuse_goes_to_inspection_and_the_unit_does_not_know_it_exists(bureau: Bureau) -> None:
    [order_id] = bureau.issued(reasons=("dissatisfied", "abuse_alleged"), route="inspection")
    order, unit = bureau.order(order_id), bureau.unit(order_id)

    assert order.route == "inspection"
    for reader in (unit, CENTRE, Actor("a", "auditor"), Actor("c", "commander")):
        with pytest.raises(NotFound):
            bureau.view(order_id, reader)
    with pytest.raises(NotFound):
        bureau.do("sign", order_id, unit)
    assert bureau.view(order_id, INSPECTOR).actions[:1] == ("sign",)
    assert bureau.do("sign", order_id, INSPECTOR).state == "signed"


def test_abuse_that_is_found_later_is_taken_from_the_unit_at_once(bureau: Bureau) -> None:
    """A transcript may tell of it after the order has gone out."""
    [order_id] = bureau.issued()
    unit = bureau.unit(order_id)
    bureau.do("sign", order_id, unit)
    with bureau.ground.work() as work:
        work.session.execute(update(Escalation).values(route="inspection"))

    with pytest.raises(NotFound):
        bureau.do("take_in_hand", order_id, unit)
    assert bureau.sweep().rerouted == (order_id,)

    order = bureau.order(order_id)
    assert (order.route, order.state) == ("inspection", "issued")
    assert order.due_at == datetime(2026, 3, 11, 16, tzinfo=UTC)
    assert bureau.sweep() == casework.Issued()


def test_a_year_without_a_calendar_is_refused_and_somebody_is_told(bureau: Bureau) -> None:
    bureau.terms = Terms(own_calendar=Calendar("cn", years=frozenset({2025})))
    [case_id] = bureau.cases()

    assert bureau.sweep().issued == ()
    with bureau.ground.work() as work:
        alarm = work.session.scalars(select(Alarm)).one()
        assert (alarm.kind, alarm.details) == ("calendar_missing", {"year": 2026})
        case = work.session.get_one(Escalation, case_id)
        with pytest.raises(CalendarMissing):
            casework.issue(work.session, bureau.ground.office, case, CENTRE, bureau.terms, bureau.now)
    bureau.terms = Terms()
    assert len(bureau.sweep().issued) == 1


def test_at_the_end_of_the_year_only_what_can_be_dated_is_issued(bureau: Bureau) -> None:
    bureau.ground.clock.moment = datetime(2026, 12, 29, 2, tzinfo=UTC)
    bureau.cases(1, reasons=("dissatisfied", "danger"))

    [today] = bureau.sweep().issued
    assert bureau.order(today).due_at == datetime(2026, 12, 29, 16, tzinfo=UTC)
    bureau.cases(1)
    assert bureau.sweep().issued == ()
    with bureau.ground.sessions() as session:
        assert session.scalars(select(Alarm.details)).one() == {"year": 2027}


def test_the_number_starts_anew_with_the_local_year(bureau: Bureau) -> None:
    bureau.ground.clock.moment = datetime(2025, 12, 31, 15, 59, tzinfo=UTC)
    bureau.issued(2)
    bureau.ground.clock.advance(minutes=1)
    [order_id] = bureau.issued()

    order = bureau.order(order_id)
    assert (order.year, order.serial) == (2026, 1)


def test_eight_writers_at_once_leave_no_gap_and_no_double(bureau: Bureau) -> None:
    """Some of them fail after they have taken a number: it is given again."""
    cases = bureau.cases(WRITERS * EACH)
    start, problems = threading.Barrier(WRITERS), list[Exception]()

    def write(number: int) -> None:
        start.wait()
        for place, case_id in enumerate(cases[number::WRITERS]):
            try:
                if place % 3 == 1:
                    take_and_fail()
                with bureau.ground.work() as work:
                    case = work.session.get_one(Escalation, case_id)
                    casework.issue(work.session, bureau.ground.office, case, SYSTEM, bureau.terms, bureau.now)
            except Exception as problem:
                problems.append(problem)

    def take_and_fail() -> None:
        with suppress(ZeroDivisionError), bureau.ground.work() as work:
            assert next_number(work.session, "order", 2026) / 0

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    with bureau.ground.sessions() as session:
        assert sorted(session.scalars(select(Order.serial))) == list(range(1, WRITERS * EACH + 1))


def test_sweeps_and_people_who_issue_the_same_cases_at_once_get_the_same_orders(bureau: Bureau) -> None:
    cases = bureau.cases(8)
    start, problems, seen = threading.Barrier(WRITERS), list[Exception](), set[tuple[int, str]]()

    def issue_all(number: int) -> None:
        start.wait()
        try:
            if number % 4 == 0:
                bureau.sweep()
            for case_id in cases[number:] + cases[:number]:
                with bureau.ground.work() as work:
                    case = work.session.get_one(Escalation, case_id)
                    order = casework.issue(work.session, bureau.ground.office, case, CENTRE, bureau.terms, bureau.now)
                    seen.add((case_id, order.public_id))
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=issue_all, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert len(seen) == len(cases)
    with bureau.ground.sessions() as session:
        assert sorted(session.scalars(select(Order.serial))) == list(range(1, 9))


def test_eight_sweeps_at_once_issue_each_case_once(bureau: Bureau) -> None:
    bureau.cases(30)
    start, issued, problems = threading.Barrier(WRITERS), list[str](), list[Exception]()

    def run() -> None:
        start.wait()
        try:
            issued.extend(bureau.sweep().issued)
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=run) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bureau.ground.clock.advance(seconds=1)

    assert problems == []
    assert len(issued) == len(set(issued)) == 30
    with bureau.ground.sessions() as session:
        assert sorted(session.scalars(select(Order.serial))) == list(range(1, 31))
    assert bureau.now - timedelta(seconds=1) == bureau.order(issued[0]).issued_at
