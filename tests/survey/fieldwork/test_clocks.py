"""Nobody is rung outside the hours of their own place, whatever the machines' clocks and time zones do (RS15, RS72)."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from survey.contact_rules import Rules, may_call
from survey.drawing import month_span
from survey.store.models import CallAttempt, Incident, Respondent
from survey.working_days import calendar, deadline
from tests.survey.fieldwork.conftest import Ground


@pytest.fixture(params=["America/New_York", "Asia/Kathmandu"], autouse=True)
def _machine_zone(request: pytest.FixtureRequest) -> Iterator[None]:
    """The machine believes to be somewhere else."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def shanghai(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)  # type: ignore[misc, arg-type]


def the_one(ground: Ground) -> Respondent:
    with ground.sessions() as session:
        return session.scalars(select(Respondent)).one()


def opened(ground: Ground, moment: datetime) -> bool:
    """Whether somebody who is due is claimed at this moment."""
    ground.clock.moment = moment
    with ground.work() as work:
        work.session.execute(update(Respondent).where(Respondent.state == "waiting").values(due_at=moment - timedelta(days=1)))
    return bool(ground.claim())


@pytest.mark.parametrize(
    ("moment", "rings"),
    [
        ((2026, 3, 10, 8, 59, 59), False),
        ((2026, 3, 10, 9, 0, 0), True),
        ((2026, 3, 10, 11, 59, 29), True),
        ((2026, 3, 10, 11, 59, 30), False),  # it would ring into the noon break
        ((2026, 3, 10, 19, 59, 29), True),
        ((2026, 3, 10, 20, 0, 0), False),
        ((2026, 3, 31, 23, 59, 59), False),
        ((2026, 3, 31, 19, 59, 29), True),
        ((2026, 10, 1, 10, 0, 0), False),  # National Day
        ((2026, 10, 10, 9, 30, 0), True),  # a Saturday on which one works
    ],
)
def test_the_windows_are_those_of_the_called_partys_place(ground: Ground, moment: tuple[int, ...], rings: bool) -> None:
    ground.launch(1)

    assert opened(ground, shanghai(*moment)) is rings


@pytest.mark.parametrize(("hour", "rings"), [(8, False), (10, True), (21, False)])
def test_the_29th_of_february_is_a_day_like_another(hour: int, rings: bool) -> None:
    assert may_call(Rules(calendar="weekdays"), calendar("weekdays"), shanghai(2028, 2, 29, hour, 30), "Asia/Shanghai") is rings


@pytest.mark.parametrize(("month", "last"), [("2028-02", (2028, 2, 29)), ("2027-02", (2027, 2, 28)), ("2027-12", (2027, 12, 31))])
def test_an_incident_of_the_last_millisecond_of_a_month_belongs_to_it(month: str, last: tuple[int, int, int]) -> None:
    first, following = month_span(month, "Asia/Shanghai")
    last_moment = shanghai(*last, 23, 59, 59, 999_000)

    assert first <= last_moment < following
    assert following - last_moment == timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("issued", "ends"),
    [
        ((2028, 2, 28, 23, 59, 59, 999_000), (2028, 3, 2)),  # a Monday; the 29th and the 1st are the two days
        ((2028, 2, 29, 0, 0, 0), (2028, 3, 3)),
        ((2027, 2, 26, 23, 59, 59, 999_000), (2027, 3, 3)),  # a Friday of a year without the 29th
        ((2027, 12, 31, 23, 59, 59, 999_000), (2028, 1, 5)),  # weekdays alone: New Year's holiday is another calendar's
    ],
)
def test_a_deadline_runs_from_the_local_day_to_the_end_of_a_local_day(issued: tuple[int, ...], ends: tuple[int, int, int]) -> None:
    assert deadline(calendar("weekdays"), shanghai(*issued), 2, "Asia/Shanghai").astimezone(UTC) == shanghai(*ends)


def test_each_person_has_the_hours_of_their_own_zone(ground: Ground) -> None:
    ground.launch(2)
    with ground.work() as work:
        first = work.session.scalars(select(Incident).order_by(Incident.id)).first()
        assert first is not None
        first.zone = "Asia/Urumqi"  # two hours behind Shanghai

    assert opened(ground, shanghai(2026, 3, 10, 9, 30))
    with ground.sessions() as session:
        rung = session.scalars(select(CallAttempt.respondent_id)).all()
        due = session.get_one(Respondent, 1).due_at
    assert rung == [2]
    assert due == datetime(2026, 3, 10, 9, 0, tzinfo=ZoneInfo("Asia/Urumqi")).astimezone(UTC)


def test_a_claim_of_before_the_clock_was_set_back_is_not_dialled(ground: Ground) -> None:
    ground.launch(1)
    attempt_id = ground.claim()[0]
    ground.clock.advance(hours=-1)

    assert ground.prepare(attempt_id) is None
    assert the_one(ground).state == "waiting"


def test_a_clock_set_back_by_an_hour_rings_nobody_sooner_than_the_spacing(ground: Ground) -> None:
    ground.launch(1)
    ground.clock.moment = shanghai(2026, 3, 10, 11, 0)
    attempt_id, token = ground.dial_next()
    ground.clock.advance(hours=-1)
    ground.end(token, "no_answer")

    assert ground.claim() == []
    due = ground.respondent_of(attempt_id).due_at
    assert due is not None
    assert due >= shanghai(2026, 3, 10, 14, 0)


@pytest.mark.parametrize("seconds", [90, -90])
def test_two_machines_whose_clocks_differ_dial_nobody_at_the_edge_of_a_window(ground: Ground, seconds: int) -> None:
    ground.launch(1)
    assert opened(ground, shanghai(2026, 3, 10, 11, 59, 20))
    with ground.sessions() as session:
        attempt_id = session.scalars(select(CallAttempt.id)).one()
    ground.clock.advance(seconds=seconds)

    assert ground.prepare(attempt_id) is None
    assert the_one(ground).tries == 0


def test_the_window_may_end_between_the_claim_and_the_request(ground: Ground) -> None:
    ground.launch(1)
    assert opened(ground, shanghai(2026, 3, 10, 11, 59, 28))
    ground.clock.advance(seconds=2)
    with ground.sessions() as session:
        attempt_id = session.scalars(select(CallAttempt.id)).one()

    assert ground.prepare(attempt_id) is None
    assert the_one(ground).due_at == shanghai(2026, 3, 10, 14, 0)
