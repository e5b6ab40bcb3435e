"""Offices are reminded on time, within office hours, and of nothing twice, whatever was missed meanwhile (R54, O31)."""

import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from survey import casework
from survey.order_clock import Terms, is_office_open, last_day
from survey.sheet.weekly import blocks
from survey.store.models import Alarm, Escalation, Notice, Order
from survey.working_days import Calendar
from tests.conftest import ON_SQLITE_ALONE, StandingClock, without_rows
from tests.survey.casework.conftest import CENTRE, Bureau
from tests.survey.fieldwork.conftest import Ground

TUESDAY = datetime(2026, 3, 10, 2, tzinfo=UTC)


def tick(bureau: Bureau, at: str = "") -> list[str]:
    """What is said at a moment of the bureau's clock, by kind and day; the centre's list of all units as `centre`."""
    if at:
        bureau.ground.clock.moment = datetime.fromisoformat(f"{at}+08:00")
    with bureau.ground.work() as work:
        keys = casework.reminders(work.session, bureau.ground.office, bureau.terms, bureau.now)
    return [f"{'centre' if 'route:centre' in key else key.split(':')[0]} {key.rsplit(':', 1)[1]}" for key in keys]


def test_the_day_before_the_deadline_and_each_overdue_working_day(bureau: Bureau) -> None:
    bureau.signed()
    tick(bureau)

    said = {day: tick(bureau, f"2026-03-{day}T09:00") for day in range(11, 24)}

    assert {day: found for day, found in said.items() if found} == {
        16: ["eve 2026-03-17", "weekly 2026-03-16", "centre 2026-03-16"],
        18: ["overdue 2026-03-18"], 19: ["overdue 2026-03-19"], 20: ["overdue 2026-03-20"],
        23: ["overdue 2026-03-23", "weekly 2026-03-23", "centre 2026-03-23"],
    }  # fmt: skip


def test_nothing_is_said_outside_of_office_hours_and_all_of_it_once_they_begin(bureau: Bureau) -> None:
    bureau.signed()
    tick(bureau)

    assert [tick(bureau, f"2026-03-16T{clock}") for clock in ("00:00", "08:29", "18:00", "23:59")] == [[], [], [], []]
    assert tick(bureau, "2026-03-17T08:30") == ["eve 2026-03-17", "weekly 2026-03-16", "centre 2026-03-16"], "late, but before the deadline"
    assert tick(bureau, "2026-03-17T08:30") == []


def test_an_answered_order_is_not_reminded_of_and_a_returned_one_anew(bureau: Bureau) -> None:
    [order_id] = bureau.signed()
    tick(bureau)
    bureau.answered(order_id)
    assert tick(bureau, "2026-03-18T09:00") == ["weekly 2026-03-16", "centre 2026-03-16"], "it is still open: the centre is to call again"
    bureau.recall(order_id, "dissatisfied")

    assert tick(bureau, "2026-03-24T09:00") == ["eve 2026-03-25", "weekly 2026-03-23", "centre 2026-03-23"]


def test_an_extension_moves_the_reminder(bureau: Bureau) -> None:
    [order_id] = bureau.signed()
    tick(bureau)
    bureau.do("ask_extension", order_id, bureau.unit(order_id, head=True), 2, "需外地核实", bureau.terms)
    bureau.do("decide_extension", order_id, CENTRE, is_granted=True, reason="同意延期", terms=bureau.terms)

    assert tick(bureau, "2026-03-16T09:00") == ["weekly 2026-03-16", "centre 2026-03-16"]
    assert tick(bureau, "2026-03-18T09:00") == ["eve 2026-03-19"]


def test_who_has_not_signed_is_reminded_after_one_working_day_and_the_leader_told_after_two(bureau: Bureau) -> None:
    """Issued on a Friday: Monday is the first working day after it (C28)."""
    bureau.ground.clock.moment = datetime(2026, 3, 13, 2, tzinfo=UTC)
    bureau.issued()
    said = {day: tick(bureau, f"2026-03-{day}T09:00") for day in (13, 14, 16, 17, 18, 19)}

    assert {day: [one for one in found if one.endswith("03-13")] for day, found in said.items()} == {
        13: [], 14: [], 16: [], 17: ["unsigned 2026-03-13"], 18: ["leader 2026-03-13"], 19: [],
    }  # fmt: skip
    with bureau.ground.sessions() as session:
        unsigned, leader = session.scalars(select(Notice).where(Notice.kind.in_(("unsigned", "leader"))).order_by(Notice.id)).all()
    assert unsigned.text == (
        "交办单 2026-0001 于 2026-03-13 下发，满 1 个工作日仍未签收，请尽快签收 / "
        "order 2026-0001 was issued on 2026-03-13; after 1 working day nobody has signed for it"
    )
    assert "满 2 个工作日仍未签收，请督促签收" in leader.text
    assert unsigned.unit_id == leader.unit_id is not None


def test_who_signed_in_time_is_not_reminded_to_sign(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    assert tick(bureau, "2026-03-12T09:00") == ["unsigned 2026-03-10"]
    bureau.do("sign", order_id, bureau.unit(order_id))

    assert tick(bureau, "2026-03-13T09:00") == []


def test_the_weekly_list_counts_the_month_and_the_days(bureau: Bureau) -> None:
    first, second, _ = bureau.signed(3)
    bureau.answered(first)
    bureau.recall(first, "satisfied")
    bureau.answered(second)
    tick(bureau, "2026-03-23T09:00")

    with bureau.ground.sessions() as session:
        weekly, centre = session.scalars(select(Notice).where(Notice.kind == "weekly").order_by(Notice.id)).all()
    assert (centre.subject, centre.unit_id, centre.details) == ("route:centre", None, weekly.details)
    assert [(line["number"], line["days_left"]) for line in weekly.details["open"]] == [("2026-0003", -4)]
    assert {word: weekly.details[word] for word in ("issued", "answered", "overdue", "closed")} == {
        "issued": 3, "answered": 2, "overdue": 1, "closed": 1,
    }  # fmt: skip
    assert weekly.text.startswith(
        "未办结 1 件，其中逾期 1 件；本月交办 3、回复 2、逾期 1、办结 1 / 1 orders in hand, 1 overdue; this month"
    )


def test_the_weekly_list_says_what_is_late_on_the_saturday_after_and_how_extensions_stand(bureau: Bureau) -> None:
    _, extended = bureau.signed(2)
    bureau.do("ask_extension", extended, bureau.unit(extended, head=True), 2, "需外地核实", bureau.terms)
    bureau.ground.clock.moment = datetime(2026, 3, 10, 9, tzinfo=UTC)
    with bureau.ground.work() as work:
        for order in work.session.scalars(select(Order)):
            order.due_at = datetime(2026, 3, 13, 16, tzinfo=UTC)  # the end of Friday in Shanghai
    saturday = datetime(2026, 3, 14, 2, tzinfo=UTC)

    with bureau.ground.sessions() as session:
        found = casework.weekly_list(session, bureau.terms, "centre", "", saturday)
    assert [(line.days_left, line.is_late, line.extension) for line in found.lines] == [(0, True, ""), (0, True, "asked")]
    orders, _counts = blocks(found, bureau.ground.office.bureau, "zh")
    assert [(line.cells[5:], line.tone) for line in orders.lines] == [
        ((None, 0, 0, ""), "warning"), ((None, 0, 0, "待审批"), "warning"),
    ]  # fmt: skip
    assert orders.columns[-1].label == "延期"


def test_an_answer_that_was_sent_back_was_an_answer_of_the_month(bureau: Bureau) -> None:
    [order_id] = bureau.signed()
    bureau.answered(order_id)
    bureau.do("return_", order_id, CENTRE, "措施不具体", bureau.terms)

    with bureau.ground.sessions() as session:
        found = casework.weekly_list(session, bureau.terms, "centre", "", bureau.now)
    assert (found.total.answered, found.total.in_hand) == (1, 1)


@pytest.mark.parametrize("deed", ["supervise", "return_", "recall"])
def test_a_deadline_that_was_missed_is_counted_in_its_month_though_the_order_has_another_since(bureau: Bureau, deed: str) -> None:
    late, in_time = bureau.signed(2)
    bureau.answered(in_time)
    bureau.do("return_", in_time, CENTRE, "措施不具体", bureau.terms)
    bureau.answered(in_time)
    tick(bureau, "2026-03-18T09:00")
    if deed != "supervise":
        bureau.answered(late)
    assert overdue(bureau) == (1, [1])

    if deed == "recall":
        bureau.recall(late, "dissatisfied")
    else:
        bureau.do(deed, late, CENTRE, "一再拖延", bureau.terms)

    assert bureau.order(late).due_at > bureau.now
    assert overdue(bureau) == (1, [1])
    tick(bureau, "2026-03-23T09:00")
    with bureau.ground.sessions() as session:
        assert [notice.details["overdue"] for notice in session.scalars(select(Notice).where(Notice.kind == "weekly"))][-2:] == [1, 1]
    tick(bureau, "2026-04-01T09:00")
    assert overdue(bureau) == (0, [0]), "both of its deadlines were March's"


def test_who_is_given_an_overdue_order_has_missed_nothing(bureau: Bureau) -> None:
    [order_id] = bureau.signed()
    tick(bureau, "2026-03-18T09:00")
    other = bureau.another_unit()
    bureau.do("reassign", order_id, CENTRE, other, "辖区在城西")

    assert overdue(bureau) == (1, [0]), "the order was overdue this month, but not with the unit that has it now"
    assert overdue(bureau, other) == (0, [0])
    tick(bureau, "2026-03-26T09:00")
    assert overdue(bureau) == (1, [1])


def overdue(bureau: Bureau, of: int | str = "centre") -> tuple[int, list[int]]:
    """How many orders were overdue this month, in all and for each unit."""
    with bureau.ground.sessions() as session:
        found = casework.weekly_list(session, bureau.terms, of, "", bureau.now)
    return found.total.overdue, [one.overdue for one in found.counts]


def test_inspection_has_its_own_working_day_to_sign_for_what_it_took_over(bureau: Bureau) -> None:
    bureau.issued()
    bureau.ground.clock.moment = datetime.fromisoformat("2026-03-16T09:00+08:00")
    with bureau.ground.work() as work:
        work.session.execute(update(Escalation).values(route="inspection"))
    assert bureau.sweep().rerouted

    assert [one for one in tick(bureau, "2026-03-16T09:10") if one.startswith(("unsigned", "leader"))] == []
    assert [one for one in tick(bureau, "2026-03-18T09:00") if one.startswith(("unsigned", "leader"))] == ["unsigned 2026-03-16"]


def test_a_weekly_day_that_is_a_holiday_is_made_up_for_on_the_next_working_day(bureau: Bureau) -> None:
    bureau.terms = Terms(weekday=0, days=20)
    bureau.ground.clock.moment = datetime(2026, 4, 1, 2, tzinfo=UTC)
    bureau.signed()
    tick(bureau)

    assert tick(bureau, "2026-04-06T09:00") == [], "the Monday after the Tomb Sweeping Festival is off"
    assert tick(bureau, "2026-04-07T09:00") == ["weekly 2026-04-06", "centre 2026-04-06"]


def test_an_order_that_came_after_the_weekly_day_waits_for_the_next_list(bureau: Bureau) -> None:
    bureau.signed()

    assert [tick(bureau, f"2026-03-{day}T09:00") for day in (10, 11, 12, 13)] == [[], [], [], []]


def test_what_inspection_has_is_said_to_inspection_alone(bureau: Bureau) -> None:
    bureau.signed(reasons=("dissatisfied", "abuse_alleged"), route="inspection")
    tick(bureau)
    tick(bureau, "2026-03-16T09:00")

    with bureau.ground.sessions() as session:
        notices = session.scalars(select(Notice)).all()
    assert {notice.kind for notice in notices} == {"eve", "overdue", "weekly"}
    assert {notice.unit_id for notice in notices} == {None}
    assert "route:centre" not in {notice.subject for notice in notices}


def test_what_inspection_is_about_to_take_over_is_not_said_to_the_unit(bureau: Bureau) -> None:
    bureau.signed()
    with bureau.ground.work() as work:
        work.session.execute(update(Escalation).values(route="inspection"))
    tick(bureau, "2026-03-16T09:00")

    with bureau.ground.sessions() as session:
        assert set(session.scalars(select(Notice.unit_id))) == {None}


def told_of_deadlines(bureau: Bureau) -> list[tuple[str, int | None]]:
    """Who was told of a deadline, in the order of time."""
    with bureau.ground.sessions() as session:
        found = session.execute(select(Notice.kind, Notice.unit_id).where(Notice.kind.in_(("eve", "overdue"))).order_by(Notice.id))
        return [(kind, unit_id) for kind, unit_id in found]


def test_inspection_that_takes_an_order_over_is_told_of_the_deadline_that_the_unit_was_told_of(bureau: Bureau) -> None:
    [order_id] = bureau.signed()
    unit = bureau.order(order_id).unit_id
    tick(bureau, "2026-03-16T09:00")
    with bureau.ground.work() as work:
        work.session.execute(update(Escalation).values(route="inspection"))
    assert "eve 2026-03-17" in tick(bureau, "2026-03-16T09:05"), "also before the order itself has moved"
    assert bureau.sweep().rerouted == (order_id,)
    assert last_day(bureau.terms, bureau.order(order_id).due_at) == date(2026, 3, 17)

    assert tick(bureau, "2026-03-16T10:00") == []
    assert told_of_deadlines(bureau) == [("eve", unit), ("eve", None)]


def test_each_unit_that_has_an_order_is_told_of_the_same_deadline_once(bureau: Bureau) -> None:
    bureau.terms = Terms(days=1)
    bureau.ground.office = replace(bureau.ground.office, terms=bureau.terms)
    [order_id] = bureau.signed()
    first, second = bureau.order(order_id).unit_id, bureau.another_unit()
    for unit in (None, second, first, second):
        if unit is not None:
            bureau.do("reassign", order_id, CENTRE, unit, "辖区不符")
        tick(bureau)

    assert told_of_deadlines(bureau) == [("eve", first), ("eve", second)]
    with bureau.ground.sessions() as session:
        keys = session.scalars(select(Notice.key).where(Notice.kind == "eve").order_by(Notice.id)).all()
    assert keys == [f"eve:{order_id}:2026-03-11", f"eve:{order_id}:{second}:2026-03-11"], "a house of before knows the first one"


def test_a_notice_waits_until_it_has_been_sent(bureau: Bureau) -> None:
    bureau.signed()
    bureau.ground.clock.advance(days=5)
    tick(bureau)
    bureau.ground.clock.advance(days=1)
    with bureau.ground.work() as work:
        [key, *_] = casework.reminders(work.session, bureau.ground.office, bureau.terms, bureau.now)
        casework.note_sent(work.session, key, bureau.now)
        casework.note_sent(work.session, key, bureau.now + timedelta(hours=1))

    with bureau.ground.sessions() as session:
        notices = session.scalars(select(Notice).order_by(Notice.id)).all()
    assert [(notice.state, notice.sent_at) for notice in notices] == [("sent", bureau.now), *[("waiting", None)] * 2]


def test_without_a_calendar_nothing_is_said_and_somebody_is_told(bureau: Bureau) -> None:
    bureau.signed()
    bureau.terms = Terms(own_calendar=Calendar("cn", years=frozenset({2025})))

    assert tick(bureau) == []
    with bureau.ground.sessions() as session:
        assert session.scalars(select(Alarm.kind)).all() == ["calendar_missing"]


def test_an_urgent_order_of_the_last_days_of_a_year_silences_nobody_while_the_next_one_is_not_loaded(bureau: Bureau) -> None:
    """Two working days after 30 December lie in a year of which nothing is known, and need not: they have not gone by (C28)."""
    assert 2027 not in (bureau.terms.calendar.years or ())
    bureau.ground.clock.moment = datetime(2026, 12, 24, 2, tzinfo=UTC)
    bureau.signed()
    bureau.ground.clock.moment = datetime(2026, 12, 30, 0, tzinfo=UTC)
    assert bureau.issued(reasons=("abuse_alleged",), route="inspection")

    assert "eve 2026-12-31" in tick(bureau, "2026-12-30T09:00")
    assert "unsigned 2026-12-30" not in tick(bureau, "2026-12-31T09:00")
    with bureau.ground.sessions() as session:
        assert session.scalars(select(Alarm.kind)).all() == []


def test_eight_clocks_at_once_say_each_thing_once(bureau: Bureau) -> None:
    bureau.signed(5)
    bureau.ground.clock.moment = datetime(2026, 3, 16, 2, tzinfo=UTC)
    start, said, problems = threading.Barrier(8), list[str](), list[Exception]()

    def run() -> None:
        start.wait()
        try:
            with bureau.ground.work() as work:
                said.extend(casework.reminders(work.session, bureau.ground.office, bureau.terms, bureau.now))
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert len(said) == len(set(said)) == 7


@ON_SQLITE_ALONE
@given(
    up=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)), min_size=1, max_size=6),
    days=st.integers(1, 8), weekday=st.integers(0, 6), step=st.sampled_from([47, 240]),
)  # fmt: skip
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_said_twice_whenever_the_house_was_down(
    bureau: Bureau, up: list[tuple[int, int]], days: int, weekday: int, step: int
) -> None:
    """Up for some hours, down for some, for two weeks; what was missed may be late, never doubled."""
    without_rows(bureau.ground.engine)
    mine = Bureau(Ground(bureau.ground.engine, bureau.ground.office, StandingClock(TUESDAY)), Terms(days=days, weekday=weekday))
    mine.issued(2)
    said: Counter[str] = Counter()
    ticks = 0
    while mine.now < TUESDAY + timedelta(days=15):
        for down, hours in up:
            mine.ground.clock.advance(hours=down)
            for _ in range(hours * 60 // step):
                mine.ground.clock.advance(minutes=step)
                with mine.ground.work() as work:
                    keys = casework.reminders(work.session, mine.ground.office, mine.terms, mine.now)
                assert not keys or is_office_open(mine.terms, mine.now)
                said.update(keys)
                ticks += is_office_open(mine.terms, mine.now)
            mine.ground.clock.advance(minutes=step)
    with mine.ground.sessions() as session:
        kept = session.scalars(select(Notice)).all()

    assert set(said.values()) <= {1}
    assert {notice.key for notice in kept} == set(said)
    for notice in kept:
        day = date.fromisoformat(notice.key.rsplit(":", 1)[1])
        local = mine.terms.local(notice.due_at).date()
        assert {
            "unsigned": day < local,
            "leader": day < local,
            "eve": local <= day,
            "overdue": local == day,
            "weekly": day <= local < day + timedelta(days=7),
        }[notice.kind]
    assert bool(kept) or not ticks
