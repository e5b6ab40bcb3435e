"""A year whose holidays are not loaded: nobody is called in it, no answer is lost over it, and it is said."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from survey.alarms import AlarmKind
from survey.fieldwork.alarms import is_standing, raise_alarm
from survey.fieldwork.watch import watch
from survey.store.models import Answer, Escalation, Respondent
from survey.working_days import SpecialDay, install
from tests.survey.fieldwork.conftest import Ground

LAST_DAY = datetime(2026, 12, 31, 2, 0, tzinfo=UTC)
MISSING_YEAR = datetime(2027, 1, 4, 2, 0, tzinfo=UTC)


@pytest.fixture
def loaded() -> Iterator[None]:
    install([SpecialDay(date(2027, 1, 1), "off", "元旦")])
    yield
    install([])


def alarmed(ground: Ground) -> bool:
    with ground.sessions() as session:
        return is_standing(session, AlarmKind.CALENDAR_MISSING, "2027")


def test_in_a_year_without_a_calendar_nobody_is_called_and_an_alarm_says_so(ground: Ground) -> None:
    ground.launch(3)
    ground.clock.moment = MISSING_YEAR

    assert ground.claim() == []
    assert alarmed(ground)
    with ground.sessions() as session:
        due = set(session.scalars(select(Respondent.due_at)))
    assert due == {MISSING_YEAR + timedelta(minutes=10)}, "they wait, and do not stand in the way of others"


def test_once_the_calendar_is_loaded_they_are_called_and_the_alarm_is_over(ground: Ground, request: pytest.FixtureRequest) -> None:
    ground.launch(1)
    ground.clock.moment = MISSING_YEAR
    ground.claim()

    request.getfixturevalue("loaded")
    ground.clock.advance(minutes=10)
    with ground.work() as work:
        watch(work.session, ground.now)

    assert len(ground.claim()) == 1
    assert not alarmed(ground)


def test_a_dissatisfied_key_on_the_last_day_is_kept_and_its_case_has_a_date(ground: Ground) -> None:
    ground.clock.moment = LAST_DAY
    ground.launch(1)
    _, token = ground.dial_next()
    ground.talk(token, "15")

    with ground.sessions() as session:
        case = session.scalars(select(Escalation)).one()
        kept = {answer.item: answer.raw for answer in session.scalars(select(Answer))}
    assert kept["speed"] == "5"
    assert case.due_at is not None
    assert LAST_DAY < case.due_at < LAST_DAY + timedelta(days=7)
    assert alarmed(ground)


def test_a_call_of_the_last_days_is_settled_though_nobody_knows_the_days_of_the_next(ground: Ground) -> None:
    ground.clock.moment = LAST_DAY
    ground.launch(1)
    for _ in range(3):  # morning, afternoon, evening of the last day; what is left lies in the new year
        _, token = ground.dial_next()
        ground.end(token, "no_answer")
        ground.clock.advance(hours=4)

    with ground.sessions() as session:
        respondent = session.get_one(Respondent, 1)
        assert (respondent.state, respondent.disposition) == ("waiting", "no_answer")
    assert alarmed(ground)


def test_an_alarm_of_orders_or_reminders_about_a_missing_calendar_does_not_stop_the_sweep(ground: Ground) -> None:
    """It is about no year but about who needed one, and is cleared by them."""
    with ground.work() as work:
        for subject in ("orders", "reminders"):
            raise_alarm(work.session, AlarmKind.CALENDAR_MISSING, subject, MISSING_YEAR, year=2027)
        watch(work.session, MISSING_YEAR)

        assert all(is_standing(work.session, AlarmKind.CALENDAR_MISSING, subject) for subject in ("orders", "reminders"))
