"""Alarms that only the clock process can raise: each stands while its cause does, and not longer."""

import shutil
from collections import namedtuple
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from config.no_carrier import NoCarrier
from survey import working_days
from survey.alarms import AlarmKind
from survey.fieldwork.alarms import acknowledge, raise_alarm
from survey.store.models import Alarm, CallAttempt
from survey.working_days import SpecialDay
from tests.survey.fieldwork.conftest import Ground, ground
from worker import jobs
from worker.lookout import LONGEST_SILENCE, PERIOD_SECONDS, QUIET, Lookout
from worker.runtime import Runtime

__all__ = ["ground"]

Usage = namedtuple("Usage", "total used free")


class Ticks:
    """Real time, moved by hand."""

    at = 5000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def runtime(ground: Ground, tmp_path: Path) -> Runtime:
    return Runtime(ground.work, ground.office, ground.clock, NoCarrier(), tmp_path, "http://127.0.0.1:8801")


class Post:
    """A lookout with a clock that is moved by hand, and a backup that is said to be so old."""

    def __init__(self, ground: Ground, runtime: Runtime) -> None:
        self.ground, self.ticks = ground, Ticks()
        self.backup: datetime | None = ground.now
        self.lookout = Lookout(runtime, "here", lambda: self.backup, self.ticks)

    def look(self, **later: float) -> dict[str, str]:
        """Look after some time; the standing alarms with their subjects."""
        self.ground.clock.advance(**later)
        self.ticks.at += PERIOD_SECONDS
        assert self.lookout.look()
        with self.ground.sessions() as session:
            return {row.kind: row.subject for row in session.scalars(select(Alarm).where(Alarm.cleared_at.is_(None)))}


@pytest.fixture
def post(ground: Ground, runtime: Runtime) -> Post:
    return Post(ground, runtime)


def test_it_looks_every_ten_seconds_of_real_time(post: Post) -> None:
    assert post.lookout.look()
    assert not post.lookout.look()
    post.ticks.at += PERIOD_SECONDS - 1
    assert not post.lookout.look()
    post.ticks.at += 1
    assert post.lookout.look()


def test_where_all_is_well_there_is_no_alarm(post: Post) -> None:
    assert post.look() == {}


def test_calls_without_a_callback_raise_an_alarm_that_the_next_callback_ends(post: Post, ground: Ground) -> None:
    ground.launch(1)
    _, token = ground.dial_next()
    assert post.look(seconds=LONGEST_SILENCE.total_seconds() - 1) == {}

    assert post.look(seconds=2) == {"no_callbacks": "carrier"}
    assert post.look(minutes=30) == {"no_callbacks": "carrier"}

    ground.status(token, "ringing")
    assert post.look(seconds=10) == {}


def test_one_silent_call_among_others_that_report_is_no_alarm(post: Post, ground: Ground) -> None:
    ground.launch(2, calls_per_second=1.0)
    ground.dial_next()
    ground.clock.advance(minutes=3)
    _, second = ground.dial_next()
    ground.status(second, "ringing")

    assert post.look() == {}


def test_an_alarm_about_callbacks_stands_although_the_silent_call_was_given_up(post: Post, ground: Ground) -> None:
    ground.launch(1)
    attempt_id, _ = ground.dial_next()
    post.look(minutes=3)
    with ground.sessions.begin() as session:
        session.get_one(CallAttempt, attempt_id).status = "failed"

    assert post.look(minutes=20) == {"no_callbacks": "carrier"}


def test_a_disk_without_room_raises_an_alarm_and_nobody_is_claimed_until_there_is_room(
    post: Post, ground: Ground, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.launch(1)
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda folder: Usage(10**11, 10**11 - 10**9, 10**9))
        jobs.sweep(runtime)
        assert post.look() == {"disk_full": "disk:here"}
        assert ground.queue.asked == []

    jobs.sweep(runtime)
    assert post.look() == {}
    assert [job for job, *_ in ground.queue.asked] == ["dial"]


def test_an_old_backup_and_none_at_all_raise_an_alarm_and_a_fresh_one_ends_it(post: Post) -> None:
    assert post.look(hours=25) == {}
    assert post.look(hours=2) == {"backup_old": "backup"}
    post.backup = post.ground.now
    assert post.look() == {}
    post.backup = None
    assert post.look() == {"backup_old": "backup"}


def test_where_nobody_asks_for_backups_none_is_missed(ground: Ground, runtime: Runtime) -> None:
    Lookout(runtime, "here", None).look()

    with ground.sessions() as session:
        assert session.scalars(select(Alarm)).all() == []


def test_forged_requests_end_when_no_more_come(post: Post, ground: Ground) -> None:
    with ground.work() as work:
        raise_alarm(work.session, AlarmKind.FORGED_WEBHOOKS, "voice", ground.now)
    quiet = QUIET[AlarmKind.FORGED_WEBHOOKS]

    assert post.look(seconds=quiet.total_seconds() - 1) == {"forged_webhooks": "voice"}
    assert post.look(seconds=2) == {}


def test_a_foreign_job_stands_until_a_person_has_taken_it_in_hand(post: Post, ground: Ground) -> None:
    with ground.work() as work:
        raise_alarm(work.session, AlarmKind.FOREIGN_JOB, "queue", ground.now)
    assert post.look(hours=30) == {"foreign_job": "queue", "backup_old": "backup"}

    with ground.work() as work:
        [alarm] = work.session.scalars(select(Alarm).where(Alarm.kind == "foreign_job"))
        assert acknowledge(work.session, alarm.id, "chief", ground.now)

    assert "foreign_job" not in post.look()


def test_an_alarm_that_stands_is_not_counted_again_at_every_look(post: Post, ground: Ground) -> None:
    post.backup = None
    for _ in range(5):
        post.look(seconds=10)

    with ground.sessions() as session:
        [alarm] = session.scalars(select(Alarm))
        assert (alarm.count, alarm.seen_at) == (1, alarm.raised_at)
        assert ground.now - alarm.raised_at >= timedelta(seconds=40)


def test_from_november_on_the_next_years_calendar_is_asked_for_until_it_is_loaded(post: Post) -> None:
    """A42: its notice is out, and from late December on deadlines reach into that year."""
    post.ground.clock.moment = datetime(2026, 10, 31, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai
    post.backup = None
    assert "calendar_due" not in post.look()
    assert post.look(hours=1)["calendar_due"] == "calendar"
    post.ground.clock.moment = datetime(2027, 1, 4, 2, tzinfo=UTC)
    assert post.look(seconds=10)["calendar_due"] == "calendar", "the year has begun, and its calendar is still missing"

    working_days.install([SpecialDay(date(2027, 1, 1), "off")])
    try:
        assert "calendar_due" not in post.look()
    finally:
        working_days.install(())
