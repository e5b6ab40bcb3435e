"""Call-backs at a promised time, and the call that goes on where an earlier one stopped."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from survey import fieldwork
from survey.errors import BadInput, NotAllowed
from survey.events import Answered, Digits
from survey.fieldwork import bookings
from survey.fieldwork.attempts import note_broken
from survey.store.models import Alarm, Answer, CallAttempt, CarrierEvent, DispositionChange, Respondent
from tests.survey.fieldwork.conftest import Ground


def call_again(ground: Ground, after: timedelta = timedelta(days=1)) -> tuple[int, str]:
    """The next call to the only respondent, when it is due."""
    with ground.sessions() as session:
        due = session.scalars(select(CallAttempt)).all()[-1].respondent.due_at
    assert due is not None
    ground.clock.advance(seconds=max(0.0, (due - ground.now).total_seconds()) + 1)
    return ground.dial_next()


def codes(ground: Ground) -> dict[str, str]:
    with ground.sessions() as session:
        return {answer.item: answer.code for answer in session.scalars(select(Answer))}


def test_a_chosen_time_is_booked_and_the_next_call_rings_then(ground: Ground) -> None:
    ground.launch(1)
    attempt_id, token = ground.dial_next()
    assert ground.talk(token, "92")[-1] == "notice.booked hangup > 3"
    ground.end(token)
    respondent = ground.respondent_of(attempt_id)

    assert (respondent.booked_by, respondent.due_at) == ("respondent", respondent.booked_for)
    assert respondent.booked_for is not None
    assert respondent.booked_for > ground.now
    assert ground.attempt(attempt_id).disposition == "not_available"


def test_a_put_off_call_without_a_time_leaves_it_to_the_rules(ground: Ground) -> None:
    ground.launch(1)
    attempt_id, token = ground.dial_next()
    ground.talk(token, "99")
    ground.end(token)

    assert ground.respondent_of(attempt_id).booked_for is None
    assert ground.respondent_of(attempt_id).state == "waiting"


def test_who_has_put_off_before_is_not_asked_when_again(ground: Ground) -> None:
    ground.launch(1)
    _, token = ground.dial_next()
    ground.talk(token, "92")
    ground.end(token)
    attempt_id, again = call_again(ground)

    assert ground.talk(again, "9")[-1] == "notice.not_again hangup > 2"
    ground.end(again)
    assert (ground.respondent_of(attempt_id).state, ground.respondent_of(attempt_id).close_reason) == ("closed", "declined")


def test_an_interview_put_off_in_the_middle_goes_on_there_and_counts_as_one(ground: Ground) -> None:
    ground.launch(1)
    first, token = ground.dial_next()
    ground.talk(token, "11219" + "2")
    ground.end(token)
    assert ground.respondent_of(first).disposition == "partial"
    assert ground.respondent_of(first).state == "waiting"

    second, again = call_again(ground)
    replies = ground.talk(again, "1" + "36" + "1" + "1")
    ground.end(again)

    assert replies[1] == "notice.resumed equipment collect > 2"
    assert ground.respondent_of(second).disposition == "complete"
    assert {"speed", "attitude", "outcome", "equipment", "appearance"} <= set(codes(ground))


@pytest.mark.parametrize("failed", [True, False])
def test_a_call_that_breaks_is_made_again_but_one_that_the_person_ends_is_not(ground: Ground, failed: bool) -> None:
    ground.launch(1)
    attempt_id, token = ground.dial_next()
    ground.talk(token, "112")
    ground.end(token, "failed" if failed else "completed")

    assert ground.attempt(attempt_id).disposition == ("technical" if failed else "break_off")
    assert ground.respondent_of(attempt_id).state == ("waiting" if failed else "closed")


def test_a_call_that_our_own_apology_ended_is_made_again(ground: Ground) -> None:
    ground.launch(1)
    attempt_id, token = ground.dial_next()
    ground.talk(token, "112")
    for _ in range(2):
        with ground.work() as work:
            note_broken(work.session, token, ground.now)
    ground.end(token)

    assert ground.attempt(attempt_id).disposition == "technical"
    assert call_again(ground)[0] != attempt_id


def test_the_first_words_are_timed_and_a_second_leg_that_asks_for_them_alarms_once(ground: Ground) -> None:
    ground.launch(1)
    attempt_id, token = ground.dial_next()
    assert ground.attempt(attempt_id).voice_at is None
    ground.turn(token, 0, Answered())
    began = ground.attempt(attempt_id).voice_at
    assert began == ground.now
    ground.clock.advance(seconds=3)
    ground.turn(token, 1, Digits("1"))
    assert ground.attempt(attempt_id).voice_at == began
    for _ in range(2):
        assert ground.turn(token, 0, Answered(), "CAother") == "hangup > 0"

    with ground.sessions() as session:
        legs = session.scalars(select(CarrierEvent).where(CarrierEvent.kind == "second_leg")).all()
        alarms = session.scalars(select(Alarm)).all()
    assert [leg.key for leg in legs] == ["CAother"]
    assert [(alarm.kind, alarm.subject, alarm.count) for alarm in alarms] == [("double_ring", f"attempt:{attempt_id}", 1)]


def test_an_operator_books_inside_the_windows_only(ground: Ground) -> None:
    ground.launch(1)
    attempt_id, token = ground.dial_next()
    ground.talk(token, "9")
    ground.end(token)
    respondent = ground.respondent_of(attempt_id)
    assert respondent.due_at is not None
    good = respondent.due_at + timedelta(minutes=5)
    for wrong in (good.replace(hour=19), ground.now - timedelta(seconds=1)):  # 03:00 over there
        with ground.work() as work, pytest.raises(BadInput):
            bookings.book(work.session, ground.office, work.session.merge(respondent), wrong, "警员", ground.now)
    with ground.work() as work:
        bookings.book(work.session, ground.office, work.session.merge(respondent), good, "警员", ground.now)

    booked = ground.respondent_of(attempt_id)
    assert (booked.booked_for, booked.booked_by, booked.due_at) == (good, "警员", good)


def test_nobody_is_booked_who_is_on_the_line_or_has_refused(ground: Ground) -> None:
    ground.launch(1)
    attempt_id, _ = ground.dial_next()
    respondent = ground.respondent_of(attempt_id)
    with ground.work() as work, pytest.raises(NotAllowed):
        bookings.book(work.session, ground.office, work.session.merge(respondent), ground.now + timedelta(hours=1), "警员", ground.now)
    with ground.work() as work:
        fieldwork.opt_out(work.session, ground.office, respondent.phone_key or b"", "refused", ground.now)
        work.session.merge(respondent).state = "waiting"
    with ground.work() as work, pytest.raises(NotAllowed):
        bookings.book(work.session, ground.office, work.session.merge(respondent), ground.now + timedelta(hours=1), "警员", ground.now)


def test_every_change_of_the_case_is_kept(ground: Ground) -> None:
    ground.launch(1)
    _, token = ground.dial_next()
    ground.talk(token, "11219" + "2")
    ground.end(token)

    with ground.sessions() as session:
        assert [change.new for change in session.scalars(select(DispositionChange))] == ["partial"]


def book(ground: Ground, at: datetime, respondent_id: int = 1) -> None:
    with ground.work() as work:
        bookings.book(work.session, ground.office, work.session.get_one(Respondent, respondent_id), at, "警员", ground.now)


@pytest.mark.parametrize("year", [2026, 9999])
def test_nobody_is_booked_for_a_day_that_is_far_away(ground: Ground, year: int) -> None:
    ground.launch(1)
    latest = (ground.now + timedelta(days=29)).replace(hour=3)
    book(ground, latest)

    with pytest.raises(BadInput, match="30") as refused:
        book(ground, datetime(year, 12, 31, 3, 0, tzinfo=UTC))
    assert refused.value.field == "at"


def test_a_day_of_a_year_whose_holidays_are_not_loaded_is_refused_at_its_field(ground: Ground) -> None:
    ground.clock.moment = datetime(2026, 12, 28, 2, 0, tzinfo=UTC)
    ground.launch(1)

    for at in (datetime(2027, 1, 5, 2, 0, tzinfo=UTC), datetime(2026, 12, 31, 13, 0, tzinfo=UTC)):  # the second's nearest opening
        with pytest.raises(BadInput, match=r"2027.* / .*2027") as refused:
            book(ground, at)
        assert refused.value.field == "at"


def test_an_operator_cannot_have_somebody_called_whose_part_of_the_sample_is_not_due(ground: Ground) -> None:
    ground.launch(2, replicates=2, lines=1)
    tomorrow = (ground.now + timedelta(days=1)).replace(hour=3)
    with pytest.raises(NotAllowed, match=r"批次.* / .*batch"):
        book(ground, tomorrow, 2)
    book(ground, tomorrow, 1)

    with ground.work() as work:
        work.session.get_one(Respondent, 1).tries = 1
    book(ground, tomorrow, 2)
