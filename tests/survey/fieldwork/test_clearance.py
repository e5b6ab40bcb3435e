"""Whether one respondent may be dialled now: other people's calls to the same number, the opening that ran out, booked call-backs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from survey import fieldwork
from survey.events import Digits
from survey.store.models import CallAttempt, Campaign, Respondent
from survey.store.queries.fieldwork import dispositions
from tests.survey.fieldwork.conftest import Ground


def without_quarantine(ground: Ground) -> None:
    ground.office = replace(ground.office, quarantine_days=0)


def due_of(ground: Ground, respondent_id: int) -> datetime | None:
    with ground.sessions() as session:
        return session.get_one(Respondent, respondent_id).due_at


def book(ground: Ground, respondent_id: int, at: datetime) -> None:
    with ground.work() as work:
        mine = update(Respondent).where(Respondent.id == respondent_id)
        work.session.execute(mine.values(booked_for=at, due_at=at, booked_by="respondent"))


def test_the_second_of_two_with_one_number_waits_the_spacing_not_only_for_the_line(ground: Ground) -> None:
    ground.launch(2, same_number=True)
    attempt_id, token = ground.dial_next()
    rung = ground.now
    ground.talk(token, "2")  # another person's telephone
    ground.end(token)
    second = 3 - ground.attempt(attempt_id).respondent_id

    assert ground.claim() == []
    assert due_of(ground, second) == datetime(2026, 3, 10, 6, 0, tzinfo=UTC), "13:00 is the noon break"
    ground.clock.moment = rung + timedelta(hours=4)
    assert [ground.attempt(attempt).respondent_id for attempt in ground.claim()] == [second]


def test_two_campaigns_never_ring_one_number_together_and_the_second_waits_the_spacing(ground: Ground) -> None:
    without_quarantine(ground)
    ground.launch(1, same_number=True)
    ground.launch(1, same_number=True)
    first = ground.claim()
    assert len(first) == 1
    ground.place_call(first[0])
    token = ground.attempt(first[0]).token
    ground.clock.advance(seconds=2)
    assert ground.claim() == []
    ground.talk(token, "2")
    ground.end(token)

    assert ground.claim() == []
    ground.clock.advance(hours=4)
    assert ground.attempt(ground.claim()[0]).respondent_id == 2


def test_a_claim_of_the_second_campaign_cannot_go_out_beside_a_live_call(ground: Ground) -> None:
    ground.launch(1, same_number=True)
    attempt_id, _ = ground.dial_next()
    mine = ground.attempt(attempt_id)
    second = CallAttempt(
        campaign_id=1, respondent_id=1, number=9, token="second", phone_key=mine.phone_key, live_key=mine.phone_key,
        script_version_id=mine.script_version_id, claimed_at=ground.now,
    )  # fmt: skip
    with ground.sessions() as session:
        session.add(second)
        with pytest.raises(IntegrityError):
            session.commit()


def test_a_request_that_the_carrier_did_not_take_is_no_call_to_the_number(ground: Ground) -> None:
    without_quarantine(ground)
    ground.launch(2, same_number=True)
    attempt_id = ground.claim()[0]
    assert ground.prepare(attempt_id) is not None
    ground.reject(attempt_id, "busy", "20429")
    ground.clock.advance(seconds=2)

    assert len(ground.claim()) == 1, "the other one may be called at once"


def test_an_opening_that_ran_out_while_all_lines_were_taken_is_chosen_anew(ground: Ground) -> None:
    ground.launch(1)
    attempt_id, token = ground.dial_next()  # Tuesday morning
    ground.end(token, "no_answer")
    respondent_id = ground.attempt(attempt_id).respondent_id
    assert due_of(ground, respondent_id) == datetime(2026, 3, 10, 6, 0, tzinfo=UTC), "the afternoon"
    ground.clock.moment = datetime(2026, 3, 11, 2, 0, tzinfo=UTC)  # nobody came to it before Wednesday morning

    assert ground.claim() == []
    assert due_of(ground, respondent_id) == datetime(2026, 3, 11, 6, 0, tzinfo=UTC), "mornings have been tried"


def test_whoever_waited_longer_than_the_days_of_a_case_is_closed(ground: Ground) -> None:
    ground.launch(1)
    attempt_id, token = ground.dial_next()
    ground.end(token, "no_answer")
    ground.clock.moment += timedelta(days=8)

    assert ground.claim() == []
    assert ground.respondent_of(attempt_id).close_reason == "out_of_time"


def test_a_booked_call_back_goes_first_whatever_the_daypart_and_the_spacing(ground: Ground) -> None:
    ground.launch(3, lines=1)
    attempt_id, token = ground.dial_next()
    ground.end(token, "no_answer")
    respondent_id = ground.attempt(attempt_id).respondent_id
    book(ground, respondent_id, ground.now + timedelta(minutes=10))
    others = ground.claim()
    assert ground.attempt(others[0]).respondent_id != respondent_id
    ground.clock.advance(minutes=10)
    assert ground.prepare(others[0]) is None, "too old"

    assert [ground.attempt(attempt).respondent_id for attempt in ground.claim()] == [respondent_id]


def test_a_booking_outside_the_windows_waits_for_the_next_one(ground: Ground) -> None:
    ground.launch(1)
    book(ground, 1, ground.now + timedelta(hours=2, minutes=30))
    ground.clock.advance(hours=2, minutes=30)  # 12:30

    assert ground.claim() == []
    assert due_of(ground, 1) == datetime(2026, 3, 10, 6, 0, tzinfo=UTC)


def test_a_booking_does_not_outweigh_a_refusal(ground: Ground) -> None:
    ground.launch(1)
    with ground.work() as work:
        key = work.session.get_one(Respondent, 1).phone_key
        assert key is not None
        fieldwork.opt_out(work.session, ground.office, key, "by letter", ground.now)
        work.session.execute(update(Respondent).values(state="waiting", due_at=ground.now, booked_for=ground.now))

    assert ground.claim() == []
    assert due_of(ground, 1) is None


def test_a_booking_made_in_the_call_outweighs_the_rule_for_the_next_one(ground: Ground) -> None:
    ground.launch(1)
    attempt_id, token = ground.dial_next()
    wanted = ground.now + timedelta(minutes=45)
    book(ground, 1, wanted)
    ground.end(token, "no_answer")

    respondent = ground.respondent_of(attempt_id)
    assert (respondent.state, respondent.due_at, respondent.booked_for) == ("waiting", wanted, wanted)


def test_a_booking_is_forgotten_once_its_call_was_made_and_not_before(ground: Ground) -> None:
    ground.launch(1)
    book(ground, 1, ground.now)
    attempt_id = ground.claim()[0]
    assert ground.prepare(attempt_id) is not None
    ground.reject(attempt_id, "busy", "20429")
    assert ground.respondent_of(attempt_id).booked_for == ground.now
    ground.clock.advance(minutes=1)

    again, token = ground.dial_next()
    ground.end(token, "no_answer")
    assert ground.respondent_of(again).booked_for is None


def test_a_finished_interview_is_not_called_again_because_of_a_booking(ground: Ground) -> None:
    ground.launch(1)
    attempt_id, token = ground.dial_next()
    replies = ground.talk(token, "112121")
    assert replies
    book(ground, 1, ground.now + timedelta(hours=1))
    ground.end(token)

    respondent = ground.respondent_of(attempt_id)
    assert (respondent.state, respondent.close_reason) == ("closed", "finished")


def test_the_sum_of_the_verdicts_is_the_sample_at_every_moment(ground: Ground) -> None:
    campaign_id = ground.launch(6, lines=6, calls_per_second=6)
    ends = iter(["busy", "no_answer", "failed", "canceled", "completed", "completed"])
    sums = []
    for attempt_id in ground.claim():
        token = ground.attempt(attempt_id).token
        ground.place_call(attempt_id)
        sums.append(total(ground, campaign_id))
        if (end := next(ends)) == "completed":
            ground.talk(token, "1")
            ground.turn(token, 2, Digits("1"))
        ground.status(token, end, seconds=1)
        sums.append(total(ground, campaign_id))
    ground.clock.advance(seconds=31)
    for attempt_id in range(1, 7):
        ground.settle(ground.attempt(attempt_id).token)
        sums.append(total(ground, campaign_id))

    assert sums == [6] * 18


def total(ground: Ground, campaign_id: int) -> int:
    with ground.sessions() as session:
        assert session.scalars(select(Campaign.id)).one() == campaign_id
        return sum(count for _, count in dispositions(session, campaign_id))
