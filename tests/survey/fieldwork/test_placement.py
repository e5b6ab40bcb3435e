"""Accepted, refused, or unknown: what becomes of an attempt after the carrier was asked."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from survey import fieldwork
from survey.alarms import AlarmKind
from survey.events import Answered
from survey.fieldwork import SeenCall
from survey.store.models import Alarm, Campaign, CarrierEvent, Respondent
from tests.survey.fieldwork.conftest import CALLER_ID, Ground


def seen(ground: Ground, sid: str, **facts: object) -> SeenCall:
    values: dict[str, object] = {"caller_id": CALLER_ID, "status": "in_progress", "created_at": ground.now, "seconds": None, **facts}
    return SeenCall(sid, **values)  # type: ignore[arg-type]


@pytest.fixture
def doubtful(ground: Ground) -> int:
    """An attempt of which nobody knows whether it rings."""
    ground.launch(1)
    attempt_id = ground.claim()[0]
    ground.prepare(attempt_id)
    with ground.work() as work:
        fieldwork.note_unknown(work, attempt_id, "read timeout")
    return attempt_id


def reconcile(ground: Ground, attempt_id: int, *calls: SeenCall) -> str:
    with ground.work() as work:
        return fieldwork.reconcile(work, ground.office, attempt_id, calls, ground.now)


def test_an_unknown_attempt_is_not_dialled_again_by_itself(ground: Ground, doubtful: int) -> None:
    ground.clock.advance(seconds=30)

    assert ground.claim() == []
    assert ground.attempt(doubtful).status == "unknown"


def test_a_callback_that_comes_first_binds_the_unknown_call(ground: Ground, doubtful: int) -> None:
    ground.status(ground.attempt(doubtful).token, "ringing")

    attempt = ground.attempt(doubtful)
    assert (attempt.status, attempt.carrier_sid) == ("ringing", "CAfirst")


def test_exactly_one_match_in_the_carriers_list_is_ours(ground: Ground, doubtful: int) -> None:
    strangers = (seen(ground, "CAold", created_at=ground.now - timedelta(hours=2)), seen(ground, "CAother", caller_id="+861000000999"))

    assert reconcile(ground, doubtful, seen(ground, "CAours"), *strangers) == "bound"
    attempt = ground.attempt(doubtful)
    assert (attempt.carrier_sid, attempt.status) == ("CAours", "in_progress")


def test_an_empty_list_after_the_grace_means_that_nothing_rang(ground: Ground, doubtful: int) -> None:
    assert reconcile(ground, doubtful) == "not_placed"
    assert ground.attempt(doubtful).disposition is None, "no verdict: the person was never called"
    ground.clock.advance(seconds=2)
    again = ground.attempt(ground.claim()[0])
    assert again.number == 2


def test_a_call_is_ours_though_the_carriers_clock_is_an_hour_behind(ground: Ground, doubtful: int) -> None:
    assert reconcile(ground, doubtful, seen(ground, "CAours", created_at=ground.now - timedelta(hours=1))) == "bound"


def test_a_list_that_is_asked_late_must_be_empty_twice_because_our_clock_may_have_been_set_forward(ground: Ground, doubtful: int) -> None:
    ground.clock.advance(hours=1)
    assert reconcile(ground, doubtful) == "not_yet"
    ground.clock.advance(seconds=15)
    assert reconcile(ground, doubtful) == "not_yet"
    ground.clock.advance(seconds=45)
    assert reconcile(ground, doubtful) == "not_placed"


def test_a_call_that_was_noted_as_a_second_leg_of_another_attempt_is_no_match(ground: Ground, doubtful: int) -> None:
    with ground.work() as work:
        work.session.add(CarrierEvent(attempt_id=doubtful, kind="second_leg", key="CAleg", at=ground.now))

    assert reconcile(ground, doubtful, seen(ground, "CAleg")) == "not_placed"


def test_two_matches_need_a_person(ground: Ground, doubtful: int) -> None:
    assert reconcile(ground, doubtful, seen(ground, "CAone"), seen(ground, "CAtwo")) == "review"
    ground.clock.advance(hours=4)
    assert ground.respondent_of(doubtful).state == "needs_review"
    assert ground.claim() == []


def test_the_carrier_being_busy_consumes_no_attempt(ground: Ground) -> None:
    ground.launch(1)
    attempt_id = ground.claim()[0]
    ground.prepare(attempt_id)
    with ground.work() as work:
        fieldwork.note_rejected(work, ground.office, attempt_id, "busy", "20429", ground.now)

    assert ground.claim() == []
    ground.clock.advance(seconds=31)
    again = ground.attempt(ground.claim()[0])
    assert (again.number, ground.respondent_of(again.id).tries) == (2, 0), "the request is kept, the try is not counted"


@pytest.mark.parametrize("kind", ["bad_caller_id", "credentials"])
def test_a_broken_account_halts_the_campaign_and_says_why(ground: Ground, kind: str) -> None:
    campaign_id = ground.launch(1)
    attempt_id = ground.claim()[0]
    ground.prepare(attempt_id)
    with ground.work() as work:
        fieldwork.note_rejected(work, ground.office, attempt_id, kind, "20003", ground.now)

    campaign = ground.campaign(campaign_id)
    assert campaign.state == "paused"
    assert "20003" in campaign.state_reason
    respondent = ground.respondent_of(attempt_id)
    assert (respondent.tries, respondent.state, ground.attempt(attempt_id).disposition) == (0, "waiting", None)


def test_a_number_that_does_not_exist_closes_the_respondent(ground: Ground) -> None:
    ground.launch(1)
    attempt_id = ground.claim()[0]
    ground.prepare(attempt_id)
    token = ground.attempt(attempt_id).token
    with ground.work() as work:
        fieldwork.note_rejected(work, ground.office, attempt_id, "bad_number", "21211", ground.now)
    ground.settle(token)

    respondent = ground.respondent_of(attempt_id)
    assert (respondent.state, respondent.disposition) == ("closed", "no_such_number")


def test_an_acceptance_that_comes_after_the_callbacks_changes_nothing(ground: Ground) -> None:
    ground.launch(1)
    attempt_id = ground.claim()[0]
    ground.prepare(attempt_id)
    ground.status(ground.attempt(attempt_id).token, "in_progress")
    with ground.work() as work:
        fieldwork.note_accepted(work, attempt_id, "CAfirst", ground.now)

    assert ground.attempt(attempt_id).status == "in_progress"


def standing(ground: Ground) -> list[tuple[str, str, int]]:
    with ground.sessions() as session:
        alarms = session.scalars(select(Alarm).where(Alarm.cleared_at.is_(None)).order_by(Alarm.kind, Alarm.subject))
        return [(alarm.kind, alarm.subject, alarm.count) for alarm in alarms]


def push_back(ground: Ground, code: str = "20429") -> timedelta:
    """The carrier has no room for the one who is due; how long it must wait."""
    attempt_id = ground.claim()[0]
    assert ground.prepare(attempt_id) is not None
    ground.reject(attempt_id, "busy", code)
    due = ground.respondent_of(attempt_id).due_at
    assert due is not None
    waits = due - ground.now
    ground.clock.moment = due
    return waits


def test_three_times_no_room_means_three_growing_waits_and_one_try(ground: Ground) -> None:
    ground.launch(1)

    waits = [push_back(ground).total_seconds() for _ in range(3)]
    attempt_id, _ = ground.dial_next()

    assert [low <= wait <= 1.5 * low for low, wait in zip((20, 40, 80), waits, strict=True)] == [True] * 3
    respondent = ground.respondent_of(attempt_id)
    assert (respondent.tries, respondent.pushed_back) == (1, 0)
    assert ground.attempt(attempt_id).status == "placed"


def test_the_longest_wait_has_an_end_and_people_do_not_come_back_together(ground: Ground) -> None:
    ground.launch(1)
    with ground.work() as work:
        work.session.execute(update(Respondent).values(pushed_back=50))
    assert timedelta(minutes=15) <= push_back(ground) <= timedelta(minutes=22.5)
    ground.launch(8, lines=8, calls_per_second=8)
    claimed = ground.claim()
    for attempt_id in claimed:
        assert ground.prepare(attempt_id) is not None
        ground.reject(attempt_id, "busy", "20429")

    assert len({ground.respondent_of(attempt_id).due_at for attempt_id in claimed}) == len(claimed) > 5


def test_requests_without_room_count_for_the_pace(ground: Ground) -> None:
    ground.launch(3, lines=3, calls_per_second=1)
    attempt_id = ground.claim()[0]
    assert ground.prepare(attempt_id) is not None
    ground.reject(attempt_id, "busy", "20429")

    assert ground.claim() == [], "a second request in the same second"


def test_a_full_queue_at_the_carrier_and_a_long_wait_in_it_raise_one_alarm_that_fades(ground: Ground) -> None:
    ground.launch(2)
    push_back(ground, "22005")
    attempt_id = ground.claim()[0]
    assert ground.prepare(attempt_id) is not None
    with ground.work() as work:
        fieldwork.note_accepted(work, attempt_id, "CAlate", ground.now, queue_milliseconds=2001)
    assert standing(ground) == [(AlarmKind.CARRIER_QUEUES.word, "carrier", 2)]

    ground.clock.advance(hours=1)
    with ground.work() as work:
        fieldwork.watch(work.session, ground.now)
    assert standing(ground) == []


@pytest.mark.parametrize(("kind", "code", "subject"), [("credentials", "20003", "carrier"), ("bad_caller_id", "21212", "campaign:")])
def test_a_refused_account_raises_exactly_one_alarm_and_goes_on_when_a_person_resumes(
    ground: Ground, kind: str, code: str, subject: str
) -> None:
    campaign_id = ground.launch(5)
    claimed = ground.claim()
    for attempt_id in claimed[:3]:
        assert ground.prepare(attempt_id) is not None
    for attempt_id in claimed[:3]:
        ground.reject(attempt_id, kind, code)

    ((word, of, count),) = standing(ground)
    assert (word, of.startswith(subject), count) == (AlarmKind.CARRIER_REFUSED.word, True, 3)
    assert [ground.prepare(attempt_id) for attempt_id in claimed[3:]] == [None, None]
    with ground.sessions() as session:
        rows = session.execute(select(Respondent.state, Respondent.tries, Respondent.disposition)).all()
    assert set(rows) == {("waiting", 0, "not_attempted")}
    with ground.work() as work:
        fieldwork.resume(work.session, ground.office, work.session.get_one(Campaign, campaign_id), "张三", ground.now)
    assert standing(ground) == []
    ground.clock.advance(seconds=1)
    assert len(ground.claim()) == 5


def test_an_unknown_outcome_is_an_alarm_after_ten_minutes_and_none_once_it_is_settled(ground: Ground, doubtful: int) -> None:
    def watch() -> list[tuple[str, str, int]]:
        with ground.work() as work:
            fieldwork.watch(work.session, ground.now)
        return standing(ground)

    ground.clock.advance(minutes=9, seconds=59)
    assert watch() == []
    ground.clock.advance(seconds=1)
    assert watch() == watch() == [(AlarmKind.UNKNOWN_TOO_LONG.word, f"attempt:{doubtful}", 1)]
    reconcile(ground, doubtful, seen(ground, "CAours"))
    assert watch() == []


def test_a_list_that_cannot_be_read_for_a_day_leaves_it_to_a_person(ground: Ground, doubtful: int) -> None:
    for hours in (1, 22.9):
        ground.clock.advance(hours=hours)
        with ground.work() as work:
            fieldwork.note_unreadable(work, doubtful, ground.now)
        assert ground.attempt(doubtful).status == "unknown"
    ground.clock.advance(hours=0.1)
    with ground.work() as work:
        fieldwork.note_unreadable(work, doubtful, ground.now)

    respondent = ground.respondent_of(doubtful)
    assert (respondent.state, respondent.review_reason) == ("needs_review", "list_unreadable")
    assert ground.attempt(doubtful).live_key is None, "its line is free"


def test_a_list_that_never_shows_the_calls_is_not_believed_for_ever(ground: Ground) -> None:
    ground.launch(1)
    outcomes = []
    for _ in range(5):
        attempt_id = ground.claim()[0]
        assert ground.prepare(attempt_id) is not None
        ground.clock.advance(seconds=61)
        outcomes.append(reconcile(ground, attempt_id))

    assert outcomes == ["not_placed"] * 4 + ["review"]
    ground.clock.advance(seconds=2)
    assert ground.claim() == []
    assert ground.respondent_of(attempt_id).review_reason == "never_listed"


def test_a_code_that_nobody_knows_is_left_to_a_person_and_not_repeated(ground: Ground) -> None:
    ground.launch(1)
    attempt_id = ground.claim()[0]
    assert ground.prepare(attempt_id) is not None
    token = ground.attempt(attempt_id).token
    ground.reject(attempt_id, "review", "99999")
    ground.settle(token)
    ground.clock.advance(hours=24)

    assert ground.claim() == []
    respondent = ground.respondent_of(attempt_id)
    assert (respondent.state, respondent.review_reason) == ("needs_review", "unlisted_code")


def test_a_call_that_a_callback_has_told_of_was_placed_whatever_the_list_shows(ground: Ground, doubtful: int) -> None:
    """A machine's verdict binds the call, and every status of it was lost."""
    with ground.work() as work:
        fieldwork.apply_machine(work, ground.office, ground.attempt(doubtful).token, "CAours", "human", ground.now)

    assert reconcile(ground, doubtful, seen(ground, "CAours")) == "bound"
    assert ground.attempt(doubtful).status == "placed"
    assert ground.claim() == []


def double_rings(ground: Ground) -> list[str]:
    with ground.sessions() as session:
        return list(session.scalars(select(Alarm.subject).where(Alarm.kind == AlarmKind.DOUBLE_RING.word)))


def report(ground: Ground, attempt_id: int, sid: str, word: str) -> None:
    with ground.work() as work:
        fieldwork.apply_status(work, ground.attempt(attempt_id).token, sid, word, ground.now)


@pytest.mark.parametrize("word", ["ringing", "no_answer"])
def test_a_second_leg_that_only_rings_is_noticed_too(ground: Ground, word: str) -> None:
    ground.launch(1)
    attempt_id, _ = ground.dial_next()
    report(ground, attempt_id, "CAsecond", "initiated")
    assert double_rings(ground) == []

    report(ground, attempt_id, "CAsecond", word)

    assert double_rings(ground) == [f"attempt:{attempt_id}"]
    assert ground.attempt(attempt_id).status == "placed", "nothing is learnt from it about our own call"


def test_two_calls_of_which_the_carrier_told_one_each_way_are_noticed(ground: Ground) -> None:
    ground.launch(1)
    attempt_id = ground.claim()[0]
    ground.prepare(attempt_id)
    report(ground, attempt_id, "CAfirst", "ringing")
    with ground.work() as work:
        fieldwork.note_accepted(work, attempt_id, "CAsecond", ground.now)

    assert double_rings(ground) == [f"attempt:{attempt_id}"]
    assert ground.attempt(attempt_id).carrier_sid == "CAfirst"


def test_a_call_that_rings_after_the_list_was_believed_goes_on_and_nobody_is_called_anew(ground: Ground, doubtful: int) -> None:
    assert reconcile(ground, doubtful) == "not_placed"
    report(ground, doubtful, "CAlate", "ringing")

    assert ground.claim() == []
    heard = ground.turn(ground.attempt(doubtful).token, 0, Answered(), "CAlate")
    assert "collect" in heard, "the survey begins"
    ground.end(ground.attempt(doubtful).token)
    assert ground.attempt(doubtful).disposition is not None


def test_a_call_that_rings_after_the_person_was_called_anew_is_ended_and_noticed(ground: Ground, doubtful: int) -> None:
    assert reconcile(ground, doubtful) == "not_placed"
    ground.clock.advance(seconds=2)
    anew, _ = ground.dial_next()

    heard = ground.turn(ground.attempt(doubtful).token, 0, Answered(), "CAlate")

    assert heard.startswith("hangup")
    assert double_rings(ground) == [f"attempt:{doubtful}"]
    assert ground.attempt(anew).status == "placed"


def test_a_late_call_to_one_who_was_closed_meanwhile_is_ended_and_no_double_ring(ground: Ground, doubtful: int) -> None:
    reconcile(ground, doubtful)
    with ground.work() as work:
        fieldwork.opt_out(work.session, ground.office, ground.attempt(doubtful).phone_key, "hotline", ground.now)

    assert ground.turn(ground.attempt(doubtful).token, 0, Answered(), "CAlate").startswith("hangup")
    assert double_rings(ground) == []
