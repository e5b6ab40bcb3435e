"""What the machine cannot know is shown to a person with all it knows, and the person's word is kept with its reason (RS10)."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from survey import fieldwork
from survey.alarms import AlarmKind
from survey.errors import BadInput, NotAllowed, NotFound
from survey.fieldwork import SeenCall
from survey.fieldwork.alarms import standing_alarms
from survey.store.models import AuditEntry, Campaign, Respondent
from tests.survey.fieldwork.conftest import CALLER_ID, Ground


@pytest.fixture
def respondent_id(ground: Ground) -> int:
    """A respondent whose one attempt may be either of two calls at the carrier."""
    ground.launch(2, lines=1)
    attempt_id = ground.claim()[0]
    assert ground.prepare(attempt_id) is not None
    with ground.work() as work:
        fieldwork.note_unknown(work, attempt_id, "read timeout")
    calls = [SeenCall(sid, CALLER_ID, "in_progress", ground.now, None) for sid in ("CAone", "CAtwo")]
    with ground.work() as work:
        fieldwork.reconcile(work, ground.office, attempt_id, calls, ground.now)
    ground.settle(ground.attempt(attempt_id).token)
    return ground.attempt(attempt_id).respondent_id


def resolve(ground: Ground, respondent_id: int, verdict: str, reason: str = "已电话核实") -> None:
    with ground.work() as work:
        fieldwork.reviews.resolve(work.session, ground.office, respondent_id, verdict, "王姐", reason, ground.now)


def alarms(ground: Ground) -> list[str]:
    with ground.sessions() as session:
        return [alarm.kind for alarm in standing_alarms(session)]


def test_both_calls_are_shown_and_nobody_is_dialled_meanwhile(ground: Ground, respondent_id: int) -> None:
    with ground.sessions() as session:
        (review,) = fieldwork.reviews.needs_review(session)

    assert (review.respondent_id, review.reason, review.sids) == (respondent_id, "several_calls", ("CAone", "CAtwo"))
    assert (review.campaign, review.error) == ("三月回访", "several calls")
    assert alarms(ground) == [AlarmKind.NEEDS_REVIEW.word]
    ground.clock.advance(hours=24)
    assert {ground.attempt(attempt_id).respondent_id for attempt_id in ground.claim()} == {3 - respondent_id}


def test_call_again_lets_the_respondent_wait_for_the_next_opening(ground: Ground, respondent_id: int) -> None:
    ground.clock.moment = datetime(2026, 3, 10, 4, 30, tzinfo=UTC)  # noon break
    resolve(ground, respondent_id, "call_again")

    with ground.sessions() as session:
        assert fieldwork.reviews.needs_review(session) == []
    assert alarms(ground) == []
    with ground.sessions() as session:
        respondent = session.get_one(Respondent, respondent_id)
        assert (respondent.state, respondent.due_at, respondent.review_reason) == ("waiting", datetime(2026, 3, 10, 6, 0, tzinfo=UTC), "")
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "review.call_again")).one()
    assert (entry.actor, json.loads(entry.details)) == ("王姐", {"waited_for": "several_calls", "reason": "已电话核实"})


def test_to_close_ends_the_case_and_perhaps_the_campaign(ground: Ground, respondent_id: int) -> None:
    attempt_id, token = ground.dial_next()
    ground.talk(token, "112121")
    ground.end(token)
    ground.clock.advance(hours=24)
    ground.claim()
    assert ground.campaign(1).state == "running", "somebody may still be called in it"

    resolve(ground, respondent_id, "close")
    assert ground.campaign(1).state == "finished"
    with ground.sessions() as session:
        assert fieldwork.reviews.needs_review(session) == []
    assert ground.attempt(attempt_id).disposition == "complete"


@pytest.mark.parametrize(("verdict", "reason"), [("forget", "x"), ("close", " "), ("", "x")])
def test_a_verdict_needs_its_word_and_a_reason(ground: Ground, respondent_id: int, verdict: str, reason: str) -> None:
    with pytest.raises(BadInput):
        resolve(ground, respondent_id, verdict, reason)


def test_only_who_waits_for_a_person_can_be_decided_on(ground: Ground, respondent_id: int) -> None:
    with pytest.raises(NotAllowed):
        resolve(ground, 3 - respondent_id, "close")
    with pytest.raises(NotFound):
        resolve(ground, 99, "close")


def test_nobody_is_called_again_in_a_campaign_that_has_ended(ground: Ground, respondent_id: int) -> None:
    with ground.work() as work:
        fieldwork.stop(work.session, ground.office, work.session.get_one(Campaign, 1), "张三", ground.now, "结束")
    with pytest.raises(NotAllowed):
        resolve(ground, respondent_id, "call_again")
    resolve(ground, respondent_id, "close")


def test_whoever_is_looked_at_last_can_still_be_called_again(ground: Ground, respondent_id: int) -> None:
    _, token = ground.dial_next()
    ground.talk(token, "112121")
    ground.end(token)
    resolve(ground, respondent_id, "call_again")
    ground.clock.advance(hours=4)  # the afternoon

    assert [ground.attempt(attempt_id).respondent_id for attempt_id in ground.claim()] == [respondent_id]


def test_a_person_is_called_again_also_when_nobody_has_loaded_the_years_holidays(ground: Ground, respondent_id: int) -> None:
    ground.clock.moment = datetime(2027, 1, 4, 4, 30, tzinfo=UTC)

    resolve(ground, respondent_id, "call_again")

    with ground.sessions() as session:
        respondent = session.get_one(Respondent, respondent_id)
        assert (respondent.state, respondent.due_at) == ("waiting", ground.now)
