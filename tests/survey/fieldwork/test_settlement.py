"""After the call: one verdict for the attempt, one next step for the respondent."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from survey import fieldwork
from survey.disposition import Disposition
from survey.events import Digits
from survey.store.models import Campaign, DispositionChange, Respondent
from tests.survey.fieldwork.conftest import Ground

FIVE = "1" + "12121"


@pytest.fixture
def placed(ground: Ground) -> tuple[int, str]:
    ground.launch(1)
    return ground.dial_next()


@pytest.mark.parametrize(
    ("pressed", "verdict"),
    [
        ("", "refusal_before"),
        ("1", "break_off"),
        ("1" + "12", "break_off"),
        ("1" + "121", "partial"),
        ("1" + "1212", "partial"),
        (FIVE, "complete"),
        ("1" + "66666", "complete"),
        ("2", "wrong_person"),
        ("___", "not_confirmed"),
        ("0", "refusal_before"),
        ("1" + "0", "refusal"),
    ],
)
def test_hanging_up_gives_the_verdict_of_what_was_reached(ground: Ground, placed: tuple[int, str], pressed: str, verdict: str) -> None:
    ground.talk(placed[1], pressed)
    ground.end(placed[1])

    assert ground.attempt(placed[0]).disposition == verdict
    assert ground.respondent_of(placed[0]).disposition == verdict


@pytest.mark.parametrize(
    ("status", "error", "verdict"),
    [
        ("busy", "", "busy"),
        ("no_answer", "", "no_answer"),
        ("failed", "404", "no_such_number"),
        ("failed", "503", "technical"),
        ("failed", "603", "blocked"),
    ],
)
def test_a_call_nobody_answered_gets_the_carriers_verdict(
    ground: Ground, placed: tuple[int, str], status: str, error: str, verdict: str
) -> None:
    ground.end(placed[1], status, error=error)

    assert ground.attempt(placed[0]).disposition == verdict


def test_statuses_in_any_order_and_doubled_end_the_same(ground: Ground) -> None:
    words = ("initiated", "ringing", "in_progress", "completed")
    ground.launch(24, lines=24, calls_per_second=24)
    ends = []
    for attempt_id, order in zip(ground.claim(), itertools.permutations(words), strict=True):
        ground.place_call(attempt_id)
        for word in (*order, *order):
            ground.status(ground.attempt(attempt_id).token, word)
        ends.append(ground.attempt(attempt_id).status)

    assert ends == ["completed"] * 24


def test_a_late_key_within_the_grace_is_still_taken(ground: Ground, placed: tuple[int, str]) -> None:
    replies = ground.talk(placed[1], "1" + "1212")
    ground.status(placed[1], "completed")
    assert not ground.settle(placed[1]), "the last key may still be on its way"

    ground.turn(placed[1], len(replies), Digits("1"))
    ground.clock.advance(seconds=31)
    ground.settle(placed[1])

    assert ground.attempt(placed[0]).disposition == "complete"


def test_no_answer_waits_hours_and_another_attempt_follows(ground: Ground, placed: tuple[int, str]) -> None:
    ground.end(placed[1], "no_answer")

    respondent = ground.respondent_of(placed[0])
    assert respondent.state == "waiting"
    assert respondent.due_at is not None
    assert respondent.due_at >= ground.now + timedelta(hours=2, minutes=59)


def test_busy_is_tried_again_after_twenty_minutes(ground: Ground, placed: tuple[int, str]) -> None:
    requested = ground.now
    ground.end(placed[1], "busy")

    assert ground.respondent_of(placed[0]).due_at == requested + timedelta(minutes=20)


def test_after_the_last_attempt_the_respondent_is_closed_and_the_campaign_finished(ground: Ground) -> None:
    campaign_id = ground.launch(1)
    attempts = 0
    while ground.campaign(campaign_id).state == "running":
        attempts += 1
        attempt_id, token = ground.dial_next()
        ground.end(token, "no_answer")
        due = ground.respondent_of(attempt_id).due_at
        if due:
            ground.clock.moment = due

    assert attempts == 5
    assert ground.campaign(campaign_id).state == "finished"


def test_who_asked_for_a_human_is_not_rung_by_the_machine_again(ground: Ground, placed: tuple[int, str]) -> None:
    ground.talk(placed[1], "8")
    ground.end(placed[1])

    respondent = ground.respondent_of(placed[0])
    assert (respondent.state, respondent.close_reason) == ("closed", "handed_over")


def test_who_forbids_further_calls_is_closed_as_opted_out(ground: Ground, placed: tuple[int, str]) -> None:
    ground.talk(placed[1], "10")
    ground.end(placed[1])

    assert ground.respondent_of(placed[0]).close_reason == "opted_out"


def test_nobody_waits_for_ever_in_a_stopped_campaign(ground: Ground) -> None:
    campaign_id = ground.launch(4, lines=4, calls_per_second=4)
    claimed, asked, doubtful, talking = ground.claim()
    for attempt_id in (asked, doubtful, talking):
        ground.prepare(attempt_id)
    with ground.work() as work:
        fieldwork.note_unknown(work, doubtful, "read timeout")
        fieldwork.note_accepted(work, talking, "CAtalking", ground.now)
        fieldwork.stop(work.session, ground.office, work.session.get_one(Campaign, campaign_id), "张三", ground.now)

    ground.prepare(claimed)
    with ground.work() as work:
        fieldwork.note_rejected(work, ground.office, asked, "busy", "20429", ground.now)
        fieldwork.reconcile(work, ground.office, doubtful, (), ground.now)
    ground.end(ground.attempt(talking).token, "no_answer")

    with ground.sessions() as session:
        ends = {(each.state, each.close_reason) for each in session.scalars(select(Respondent))}
    assert ends == {("closed", "campaign_stopped")}


def test_every_change_of_a_verdict_is_kept(ground: Ground, placed: tuple[int, str]) -> None:
    ground.end(placed[1], "no_answer")
    ground.clock.moment = ground.respondent_of(placed[0]).due_at or ground.now
    _, token = ground.dial_next()
    ground.talk(token, FIVE)
    ground.end(token)

    with ground.sessions() as session:
        changes = session.scalars(select(DispositionChange).order_by(DispositionChange.id)).all()
    assert [(change.old, change.new) for change in changes] == [("not_attempted", "no_answer"), ("no_answer", "complete")]


def test_settling_twice_does_nothing(ground: Ground, placed: tuple[int, str]) -> None:
    ground.end(placed[1], "busy")

    assert not ground.settle(placed[1])


def test_each_word_of_a_verdict_is_known() -> None:
    assert {Disposition.from_word(each.word) for each in Disposition} == set(Disposition)


@pytest.mark.parametrize("code", ["21215", "21216", "13225", "13227"])
def test_a_number_that_the_carrier_never_calls_is_asked_for_once(ground: Ground, code: str) -> None:
    campaign_id = ground.launch(1)
    (attempt_id,) = ground.claim()
    ground.prepare(attempt_id)
    ground.reject(attempt_id, "bad_number", code)
    ground.settle(ground.attempt(attempt_id).token)

    respondent = ground.respondent_of(attempt_id)
    assert (respondent.state, respondent.close_reason, respondent.disposition) == ("closed", "finished", "blocked")
    assert ground.campaign(campaign_id).state == "finished"


def test_a_call_that_was_turned_away_once_is_made_again(ground: Ground, placed: tuple[int, str]) -> None:
    ground.end(placed[1], "failed", error="603")

    assert ground.respondent_of(placed[0]).state == "waiting"


def test_a_call_that_was_asked_for_on_the_eve_of_a_holiday_rings_after_it(ground: Ground) -> None:
    ground.clock.moment = datetime(2026, 9, 30, 11, 0, tzinfo=UTC)  # 19:00 over there
    ground.launch(1)
    attempt_id, token = ground.dial_next()

    assert "notice.not_again" not in ground.talk(token, "99")[-1]
    ground.end(token)
    respondent = ground.respondent_of(attempt_id)
    assert (respondent.state, respondent.due_at) == ("waiting", datetime(2026, 10, 8, 1, 0, tzinfo=UTC))
