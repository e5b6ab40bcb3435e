"""Silent calls are counted, stop dialling, and give the number three days of rest (R18)."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from survey import fieldwork
from survey.alarms import AlarmKind
from survey.events import Answered
from survey.fieldwork import silence
from survey.fieldwork.alarms import is_standing
from survey.fieldwork.holds import scope_of
from survey.store.models import CallAttempt, Campaign, Hold, Respondent
from tests.survey.fieldwork.conftest import Ground, render


def answered(ground: Ground, *, voice_after: float | None = 0.5, answered_by: str | None = None) -> int:
    """A call that is answered and ends; our voice comes after so many seconds, or never."""
    attempt_id, token = ground.dial_next()
    ground.status(token, "in_progress")
    if voice_after is not None:
        ground.clock.advance(seconds=voice_after)
        ground.talk(token, "")
    if answered_by:
        with ground.work() as work:
            fieldwork.apply_machine(work, ground.office, token, ground.attempt(attempt_id).carrier_sid or "", answered_by, ground.now)
    ground.end(token)
    return attempt_id


def holds(ground: Ground) -> list[tuple[str, str]]:
    with ground.sessions() as session:
        return [(hold.reason, hold.detail) for hold in fieldwork.holds.standing_holds(session)]


@pytest.mark.parametrize(
    ("facts", "abandoned"),
    [
        ({"voice_after": 0.0}, False),
        ({"voice_after": 2.0}, False),
        ({"voice_after": 2.1}, True),
        ({"voice_after": None}, True),
        ({"voice_after": None, "answered_by": "machine"}, False),
        ({"voice_after": 3.0, "answered_by": "fax"}, False),
        ({"voice_after": 3.0, "answered_by": "unknown"}, True),
    ],
)
def test_a_person_who_hears_nothing_for_two_seconds_has_been_called_in_vain(
    ground: Ground, facts: dict[str, object], abandoned: bool
) -> None:
    ground.launch(1)

    attempt_id = answered(ground, **facts)  # type: ignore[arg-type]

    assert ground.attempt(attempt_id).abandoned is abandoned


@pytest.mark.parametrize("end", ["no_answer", "busy", "failed"])
def test_a_call_that_nobody_answered_is_not_silent(ground: Ground, end: str) -> None:
    ground.launch(1)
    attempt_id, token = ground.dial_next()
    ground.end(token, end)

    assert not ground.attempt(attempt_id).abandoned


def test_a_call_that_the_carrier_completed_without_asking_us_anything_was_silent(ground: Ground) -> None:
    ground.launch(1)
    attempt_id, token = ground.dial_next()
    ground.end(token, "completed")

    attempt = ground.attempt(attempt_id)
    assert attempt.abandoned
    assert attempt.ended_at is not None
    assert attempt.answered_at == attempt.ended_at - timedelta(seconds=60)


def test_three_silent_calls_above_three_percent_stop_the_campaign_and_raise_an_alarm(ground: Ground) -> None:
    campaign_id = ground.launch(8, lines=1)
    for _ in range(2):
        answered(ground, voice_after=None)
    assert holds(ground) == [], "two are too few to judge by"
    answered(ground, voice_after=None)

    assert holds(ground) == [("abandoned", "3/3")]
    ground.clock.advance(hours=1)
    assert ground.claim() == []
    with ground.sessions() as session:
        scope = scope_of(session.get_one(Campaign, campaign_id))
        assert is_standing(session, AlarmKind.ABANDONED_CALLS, scope)


def with_good_calls(ground: Ground, campaign_id: int, count: int) -> None:
    """So many settled calls in which the person heard us at once."""
    with ground.work() as work:
        some = work.session.scalars(select(Respondent).where(Respondent.campaign_id == campaign_id)).first()
        assert some is not None
        assert some.phone_key is not None
        at = ground.now - timedelta(hours=5)
        for number in range(count):
            work.session.add(CallAttempt(
                campaign_id=campaign_id, respondent_id=some.id, number=100 + number, token=f"good{number}", phone_key=some.phone_key,
                status="completed", disposition="not_confirmed", script_version_id=some.campaign.script_version_id, claimed_at=at,
                requested_at=at, answered_at=at, voice_at=at, ended_at=at, settled_at=at,
            ))  # fmt: skip


@pytest.mark.parametrize(("good", "held"), [(97, False), (96, True)])
def test_three_percent_exactly_is_still_allowed(ground: Ground, good: int, held: bool) -> None:
    campaign_id = ground.launch(4, lines=1)
    with_good_calls(ground, campaign_id, good)
    for _ in range(3):
        answered(ground, voice_after=None)

    assert bool(holds(ground)) is held


def test_what_a_person_has_lifted_the_hold_for_is_not_counted_again(ground: Ground) -> None:
    ground.launch(8, lines=1)
    for _ in range(3):
        answered(ground, voice_after=None)
    with ground.work() as work:
        hold = work.session.scalars(select(Hold)).one()
        fieldwork.holds.lift(work.session, ground.office, hold.id, "李队", "语音门已修复", ground.now)
        assert not is_standing(work.session, AlarmKind.ABANDONED_CALLS, hold.scope)
    ground.clock.advance(seconds=1)

    answered(ground, voice_after=None)
    assert holds(ground) == []
    answered(ground, voice_after=None)
    answered(ground, voice_after=None)
    assert holds(ground) == [("abandoned", "3/3")]


def test_silence_of_a_day_ago_is_forgotten(ground: Ground) -> None:
    ground.launch(8, lines=1)
    for _ in range(2):
        answered(ground, voice_after=None)
    ground.clock.advance(hours=24)
    answered(ground, voice_after=None)

    assert holds(ground) == []


def test_a_number_that_heard_silence_rests_for_three_days_and_is_called_at_the_first_opening_after(ground: Ground) -> None:
    ground.launch(1)
    attempt_id = answered(ground, voice_after=None)
    picked_up = ground.attempt(attempt_id).answered_at
    assert picked_up is not None

    assert ground.respondent_of(attempt_id).due_at == picked_up + timedelta(hours=72)
    ground.clock.moment = picked_up + timedelta(hours=71, minutes=59)
    assert ground.claim() == []


def test_the_rest_holds_in_every_campaign_whatever_is_booked(ground: Ground) -> None:
    ground.launch(1, same_number=True)
    attempt_id = answered(ground, voice_after=None)
    picked_up = ground.attempt(attempt_id).answered_at
    assert picked_up is not None
    ground.office = fieldwork.Office(ground.office.keys, ground.office.audit_key, ground.office.bureau, ground.office.numbers, 0)
    campaign_id = ground.launch(1, same_number=True)
    ground.clock.moment = picked_up + timedelta(hours=24)
    with ground.work() as work:
        booked = update(Respondent).where(Respondent.campaign_id == campaign_id)
        work.session.execute(booked.values(booked_for=ground.now, due_at=ground.now, booked_by="respondent"))

    assert ground.claim() == []
    with ground.sessions() as session:
        due = session.scalars(select(Respondent.due_at).where(Respondent.campaign_id == campaign_id)).one()
    assert due == picked_up + timedelta(hours=72)


def test_a_turn_that_waits_long_for_the_database_is_a_silent_call_too(ground: Ground) -> None:
    """The request is in time; what the person hears comes when the attempt's row is free."""
    ground.launch(1)
    attempt_id, token = ground.dial_next()
    with ground.work() as work:
        later = ground.now + timedelta(seconds=3)
        sid = ground.attempt(attempt_id).carrier_sid or ""
        fieldwork.take_turn(work, ground.office, token, 0, Answered(), sid, ground.now, render, clock=lambda: later)
    ground.end(token)

    assert ground.attempt(attempt_id).abandoned


def test_a_machine_that_presses_keys_was_a_person_and_counts_among_those_who_answered(ground: Ground) -> None:
    campaign_id = ground.launch(1)
    attempt_id, token = ground.dial_next()
    ground.status(token, "in_progress")
    ground.talk(token, "11")
    with ground.work() as work:
        assert not fieldwork.apply_machine(work, ground.office, token, ground.attempt(attempt_id).carrier_sid or "", "machine", ground.now)
    ground.end(token)

    assert ground.attempt(attempt_id).answered_by is None
    with ground.sessions() as session:
        campaign = session.get_one(Campaign, campaign_id)
        assert silence.heard(session, campaign, ground.now - timedelta(hours=1)).answered == 1
