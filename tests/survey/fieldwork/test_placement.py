"""Accepted, refused, or unknown: what becomes of an attempt after the carrier was asked."""

from datetime import timedelta

import pytest

from survey import fieldwork
from survey.fieldwork import SeenCall
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
    strangers = (seen(ground, "CAold", created_at=ground.now - timedelta(hours=1)), seen(ground, "CAother", caller_id="+861000000999"))

    assert reconcile(ground, doubtful, seen(ground, "CAours"), *strangers) == "bound"
    attempt = ground.attempt(doubtful)
    assert (attempt.carrier_sid, attempt.status) == ("CAours", "in_progress")


def test_an_empty_list_after_the_grace_means_that_nothing_rang(ground: Ground, doubtful: int) -> None:
    assert reconcile(ground, doubtful) == "not_placed"
    assert ground.attempt(doubtful).disposition is None, "no verdict: the person was never called"
    ground.clock.advance(seconds=2)
    again = ground.attempt(ground.claim()[0])
    assert again.number == 2


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
