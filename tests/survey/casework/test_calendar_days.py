"""The calendar as administrators change it: what holds, what becomes of running orders, what is refused (R48, A42)."""

import json
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from survey.calendar_days import Loaded, load_table, set_day
from survey.calendar_table import CalendarTable
from survey.casework.retiming import Retimed
from survey.errors import BadInput
from survey.incidents.records import Rejection
from survey.order_clock import Terms, due, retimed
from survey.store import calendar_overlay
from survey.store.models import AuditEntry, CalendarDay, Escalation, OrderEvent, Unit
from survey.working_days import FEASTS, Calendar, CalendarMissing, SpecialDay, add_working_days, calendar, is_working_day
from tests.survey.casework.conftest import CENTRE, Bureau

THURSDAY = date(2026, 3, 12)
FEASTS_OF_2027 = tuple(SpecialDay(date(2027, *feast), "off", "节日") for feast in FEASTS)


@pytest.fixture(autouse=True)
def _as_shipped() -> Iterator[None]:
    """Whatever a test enters is forgotten after it."""
    yield
    calendar_overlay.forget()


def change(bureau: Bureau, day: date, kind: str, reason: str = "国办通知调整", name: str = "") -> tuple[Retimed, ...]:
    with bureau.ground.work() as work:
        return set_day(work.session, bureau.ground.office, day, kind, name, reason, "admin", bureau.now)


def load(bureau: Bureau, *days: SpecialDay, rejections: Sequence[Rejection] = ()) -> Loaded:
    with bureau.ground.work() as work:
        table = CalendarTable(tuple(days), tuple(rejections))
        return load_table(work.session, bureau.ground.office, table, "2027.csv", "admin", bureau.now)


def now_in_force(bureau: Bureau) -> Calendar:
    """What every process holds once it looks again."""
    with bureau.ground.sessions() as session:
        calendar_overlay.keep_current(session, at_once=True)
    return calendar("cn")


def last_day_of(bureau: Bureau, order_id: str) -> date:
    return bureau.terms.local(bureau.order(order_id).due_at).date()


def test_a_year_that_is_loaded_can_be_counted_in(bureau: Bureau) -> None:
    assert 2027 not in (calendar("cn").years or ())

    loaded = load(bureau, *FEASTS_OF_2027, SpecialDay(date(2027, 1, 3), "work", "元旦"))

    assert (loaded.years, loaded.days, loaded.kept, loaded.moved) == ((2027,), 6, (), ())
    assert add_working_days(now_in_force(bureau), date(2026, 12, 31), 2) == date(2027, 1, 4)


def test_a_table_that_is_not_whole_or_has_a_faulty_line_loads_nothing(bureau: Bureau) -> None:
    with pytest.raises(BadInput, match="2027-05-01"):
        load(bureau, SpecialDay(date(2027, 1, 1), "off"))
    with pytest.raises(BadInput, match="1 faulty"):
        load(bureau, *FEASTS_OF_2027, rejections=[Rejection(2, "date", "x", "看不懂", "no date", "改", "mend")])

    assert 2027 not in (now_in_force(bureau).years or ())


def test_a_table_stands_for_its_year_in_place_of_what_was_shipped_or_loaded_before(bureau: Bureau) -> None:
    whole = tuple(SpecialDay(date(2026, *feast), "off", "节日") for feast in FEASTS)
    load(bureau, *whole, SpecialDay(date(2026, 7, 3), "off", "试行"))
    load(bureau, *whole)

    held = now_in_force(bureau)

    assert is_working_day(held, date(2026, 7, 3))
    assert is_working_day(held, date(2026, 10, 5)), "shipped as off, and the table does not say so"
    assert {day for day in held.off if day.year == 2026} == {special.day for special in whole}
    assert is_working_day(held, date(2025, 10, 11)), "another year stays as it was"


NEW_YEAR_OF_2027 = (SpecialDay(date(2026, 12, 26), "work", "元旦"), SpecialDay(date(2026, 12, 31), "off", "元旦"))


def test_a_new_year_that_begins_in_december_is_laid_over_the_year_before_which_stays_as_it_was(bureau: Bureau) -> None:
    shipped = now_in_force(bureau)

    for _ in range(2):  # a table may be loaded again
        loaded = load(bureau, *NEW_YEAR_OF_2027, *FEASTS_OF_2027)

    held = now_in_force(bureau)
    assert (loaded.years, loaded.days, loaded.kept) == ((2027,), 7, ())
    assert is_working_day(held, date(2026, 12, 26))
    assert add_working_days(held, date(2026, 12, 30), 1) == date(2027, 1, 4)
    assert {day for day in held.off if day.year == 2026} == {day for day in shipped.off if day.year == 2026} | {date(2026, 12, 31)}
    assert {day for day in held.work if day.year == 2026} == {day for day in shipped.work if day.year == 2026} | {date(2026, 12, 26)}


def test_what_was_set_by_hand_or_loaded_in_the_year_before_outlives_a_new_year_that_begins_there(bureau: Bureau) -> None:
    load(bureau, *(SpecialDay(date(2026, *feast), "off") for feast in FEASTS), SpecialDay(date(2026, 7, 3), "off"))
    change(bureau, date(2026, 12, 31), "work")
    change(bureau, date(2026, 12, 30), "off")

    assert load(bureau, *NEW_YEAR_OF_2027, *FEASTS_OF_2027).kept == (date(2026, 12, 31),)

    held = now_in_force(bureau)
    assert [is_working_day(held, date(2026, *day)) for day in ((7, 3), (12, 26), (12, 30), (12, 31))] == [False, True, False, True]


@pytest.mark.parametrize(
    ("stray", "year"), [(date(2026, 11, 30), 2026), (date(2028, 12, 30), 2028)], ids=["other days too", "a year without its next one"]
)
def test_a_piece_of_a_year_that_is_no_new_year_is_still_refused(bureau: Bureau, stray: date, year: int) -> None:
    with pytest.raises(BadInput, match=f"the table of {year} is not whole"):
        load(bureau, *NEW_YEAR_OF_2027, *FEASTS_OF_2027, SpecialDay(stray, "off"))


def test_a_new_year_that_begins_in_a_year_that_is_not_loaded_is_refused(bureau: Bureau) -> None:
    with pytest.raises(BadInput, match="the table of 2027 is not whole"):
        load(bureau, SpecialDay(date(2027, 12, 31), "off"), *(SpecialDay(date(2028, *feast), "off") for feast in FEASTS))


def test_a_day_set_by_hand_outlives_a_table_and_can_be_set_back(bureau: Bureau) -> None:
    change(bureau, date(2026, 7, 3), "off", name="本地纪念日")
    loaded = load(bureau, *(SpecialDay(date(2026, *feast), "off") for feast in FEASTS))

    assert loaded.kept == (date(2026, 7, 3),)
    assert not is_working_day(now_in_force(bureau), date(2026, 7, 3))
    change(bureau, date(2026, 7, 3), "rule")
    assert is_working_day(now_in_force(bureau), date(2026, 7, 3))


def test_a_day_is_set_with_who_when_and_why_and_the_trail_keeps_it(bureau: Bureau) -> None:
    change(bureau, THURSDAY, "off", "防汛停工", "防汛")

    with bureau.ground.sessions() as session:
        row = session.scalars(select(CalendarDay)).one()
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "calendar.change")).one()
    assert (row.day, row.kind, row.name, row.source, row.reason, row.by, row.at) == (
        THURSDAY, "off", "防汛", "", "防汛停工", "admin", bureau.now,
    )  # fmt: skip
    assert (entry.actor, entry.subject, json.loads(entry.details)["reason"]) == ("admin", "calendar:2026-03-12", "防汛停工")


def test_what_says_nothing_or_lies_in_a_year_that_is_not_loaded_is_refused(bureau: Bureau) -> None:
    for day, kind, reason, field in (
        (THURSDAY, "off", " ", "reason"),
        (THURSDAY, "maybe", "原因", "kind"),
        (date(2027, 3, 4), "off", "原因", "day"),
    ):
        with pytest.raises(BadInput) as refused:
            change(bureau, day, kind, reason)
        assert refused.value.field == field
    assert THURSDAY not in now_in_force(bureau).off


def test_a_running_order_is_due_later_by_each_day_that_is_worked_no_more(bureau: Bureau) -> None:
    [order_id] = bureau.issued()  # on Tuesday 10 March, due at the end of Tuesday 17 March
    assert last_day_of(bureau, order_id) == date(2026, 3, 18)

    [moved] = change(bureau, THURSDAY, "off")

    assert (moved.number, moved.is_hidden) == ("2026-0001", False)
    assert last_day_of(bureau, order_id) == date(2026, 3, 19)
    with bureau.ground.sessions() as session:
        event = session.scalars(select(OrderEvent).where(OrderEvent.what == "retime")).one()
    assert (event.actor, event.reason, event.from_state, event.to_state) == ("system", "国办通知调整", "issued", "issued")


def test_a_deadline_that_was_given_is_never_shortened(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    before = bureau.order(order_id)

    assert change(bureau, date(2026, 3, 14), "work") == ()

    assert (bureau.order(order_id).due_at, bureau.order(order_id).version) == (before.due_at, before.version)


def test_of_orders_whose_clock_stands_none_is_moved(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    bureau.answered(order_id)
    before = bureau.order(order_id).due_at

    assert change(bureau, THURSDAY, "off") == ()
    assert bureau.order(order_id).due_at == before


def test_an_extension_and_a_return_are_moved_as_they_were_counted(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    bureau.answered(order_id)
    bureau.ground.clock.advance(days=2)
    bureau.recall(order_id, "dissatisfied")  # returned on Thursday 12 March: due at the end of Thursday 19 March

    assert change(bureau, date(2026, 3, 11), "off") == (), "the day before it was returned counts no more"
    [moved] = change(bureau, date(2026, 3, 16), "off")
    assert bureau.terms.local(moved.due_at).date() == date(2026, 3, 21)


def test_a_change_that_would_push_a_deadline_into_a_year_without_calendar_is_refused(bureau: Bureau) -> None:
    bureau.ground.clock.moment = datetime(2026, 12, 24, 2, tzinfo=UTC)  # a Thursday: due at the end of Thursday 31 December
    [order_id] = bureau.issued()

    with pytest.raises(CalendarMissing, match="2027"):
        change(bureau, date(2026, 12, 28), "off")

    assert last_day_of(bureau, order_id) == date(2027, 1, 1)
    assert date(2026, 12, 28) not in now_in_force(bureau).off


def test_another_process_takes_a_change_up_when_its_next_unit_of_work_looks(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    now_in_force(bureau)
    change(bureau, THURSDAY, "off")
    assert THURSDAY not in calendar("cn").off, "looked at every few seconds only"

    monkeypatch.setattr(calendar_overlay, "PERIOD_SECONDS", 0.0)
    now_in_force(bureau)
    change(bureau, THURSDAY, "rule")
    with bureau.ground.work():
        assert THURSDAY not in calendar("cn").off


DEEDS = {"issue": 27, "reroute": 21, "return_": 27, "supervise": 27, "reassign": 27, "note_recall": 27, "decide_extension": 26}
"""When what is given on Wednesday 18 March is over, Thursday the 19th being off; an extension is counted from the 17th on."""


@pytest.mark.parametrize(("deed", "day"), DEEDS.items())
def test_a_deadline_is_counted_by_the_calendar_as_it_is_also_before_the_process_looks_again(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, deed: str, day: int
) -> None:
    monkeypatch.setattr(calendar_overlay, "PERIOD_SECONDS", 3600.0)
    order_id = prepared(bureau, deed)
    now_in_force(bureau)
    change(bureau, date(2026, 3, 19), "off", "当日停工")
    assert date(2026, 3, 19) not in calendar("cn").off, "looked at every few seconds only"

    order_id = due_anew(bureau, deed, order_id)

    assert last_day_of(bureau, order_id) == date(2026, 3, day)


def prepared(bureau: Bureau, deed: str) -> str:
    """An order of Tuesday 10 March with which this can be done, eight days later; none where one is to be issued."""
    [order_id] = bureau.signed() if deed != "issue" else [""]
    if deed in ("return_", "note_recall"):
        bureau.answered(order_id)
    if deed == "decide_extension":
        bureau.do("ask_extension", order_id, bureau.unit(order_id, head=True), 5, "需外地核实", bureau.terms)
    else:
        bureau.ground.clock.advance(days=8)
    if deed == "issue":
        bureau.cases()
    return order_id


def due_anew(bureau: Bureau, deed: str, order_id: str) -> str:
    """A deadline is given; the order that has it."""
    match deed:
        case "issue":
            [order_id] = bureau.sweep().issued
        case "reroute":
            with bureau.ground.work() as work:
                work.session.execute(update(Escalation).values(route="inspection"))
            assert bureau.sweep().rerouted == (order_id,)
        case "note_recall":
            bureau.recall(order_id, "dissatisfied")
        case "reassign":
            with bureau.ground.work() as work:
                work.session.add(Unit(id=77, code="other", name="城西派出所"))
            bureau.do("reassign", order_id, CENTRE, 77, "辖区在城西")
        case "decide_extension":
            bureau.do(deed, order_id, CENTRE, is_granted=True, reason="同意延期", terms=bureau.terms)
        case _:
            bureau.do(deed, order_id, CENTRE, "措施不具体", bureau.terms)
    return order_id


DAYS = st.dates(date(2026, 3, 10), date(2026, 5, 10))


def test_two_who_change_an_empty_calendar_at_once_make_two_revisions(bureau: Bureau) -> None:
    start, days = threading.Barrier(2), (date(2026, 11, 26), date(2026, 11, 27))

    def change(day: date) -> None:
        start.wait()
        with bureau.ground.work() as work:
            set_day(work.session, bureau.ground.office, day, "off", "防汛", "全市停工", "admin", bureau.now)

    threads = [threading.Thread(target=change, args=(day,)) for day in days]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with bureau.ground.sessions() as session:
        assert sorted(session.scalars(select(CalendarDay.revision))) == [1, 2]


@given(st.integers(1, 20), st.sets(DAYS, max_size=8), st.sets(DAYS, max_size=8))
def test_a_deadline_counted_again_holds_as_many_working_days_as_before(count: int, off_before: set[date], off_after: set[date]) -> None:
    before, after = (Calendar("cn", off=dict.fromkeys(off, "")) for off in (off_before, off_after))
    since = datetime(2026, 3, 10, 2, tzinfo=UTC)
    terms = Terms(own_calendar=after)

    given_at = due(Terms(own_calendar=before), since, count)

    assert retimed(terms, before, since, given_at) == due(terms, since, count)
