"""Caps of calls and of money: dialling stops with a reason; time or a named person lets it go on (RS19)."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from survey import fieldwork
from survey.alarms import AlarmKind
from survey.errors import BadInput, NotAllowed
from survey.fieldwork.alarms import is_standing
from survey.fieldwork.holds import scope_of
from survey.store.models import AuditEntry, CallAttempt, Campaign, Hold, Respondent
from tests.survey.fieldwork.conftest import Ground


def standing(ground: Ground) -> list[tuple[str, str, datetime | None]]:
    with ground.sessions() as session:
        return [(hold.reason, hold.detail, hold.until) for hold in fieldwork.holds.standing_holds(session)]


def change(ground: Ground, campaign_id: int, reason: str = "领导批准", **limits: object) -> None:
    with ground.work() as work:
        campaign = work.session.get_one(Campaign, campaign_id)
        fieldwork.change_limits(work.session, ground.office, campaign, "李队", ground.now, reason=reason, **limits)  # type: ignore[arg-type]


def call(ground: Ground, seconds: int) -> None:
    """One whole call of so many seconds."""
    _, token = ground.dial_next()
    ground.talk(token, "")
    ground.status(token, "completed", seconds=seconds)
    ground.clock.advance(seconds=31)
    ground.settle(token)


@pytest.mark.parametrize(("cap", "hours"), [("hourly_calls", 1), ("daily_calls", 24)])
def test_a_cap_stops_dialling_until_the_oldest_start_has_left_its_time(ground: Ground, cap: str, hours: int) -> None:
    ground.launch(6, lines=6, **{cap: 2})
    first = ground.now
    for attempt_id in ground.claim():
        ground.place_call(attempt_id)
        ground.clock.advance(seconds=3)

    assert ground.claim() == []
    assert standing(ground) == [(cap.replace("calls", "cap"), "2/2", first + timedelta(hours=hours))]
    ground.clock.moment = first + timedelta(hours=hours) - timedelta(seconds=1)
    assert ground.claim() == []
    ground.clock.advance(seconds=1)
    assert len(ground.claim()) == 1, "one start has left the time, the other has not"
    assert standing(ground) == []


def test_claims_that_wait_for_their_worker_count_towards_the_cap(ground: Ground) -> None:
    ground.launch(4, hourly_calls=3)
    assert len(ground.claim()) == 3
    ground.clock.advance(seconds=2)

    assert ground.claim() == []
    assert standing(ground) == [], "nothing has been started yet"


def test_a_claim_is_given_back_when_the_cap_was_lowered_before_the_request(ground: Ground) -> None:
    campaign_id = ground.launch(2)
    first, second = ground.claim()
    change(ground, campaign_id, hourly_calls=1)

    assert ground.prepare(first) is not None
    assert ground.prepare(second) is None
    with ground.sessions() as session:
        assert session.get(CallAttempt, second) is None
        assert sorted(session.scalars(select(Respondent.state))) == ["calling", "waiting"]


def test_a_cap_of_one_campaign_does_not_hold_another(ground: Ground) -> None:
    ground.launch(2, hourly_calls=1)
    ground.launch(2)

    assert len(ground.claim()) == 3


def test_only_a_named_person_raises_a_cap_and_the_trail_tells_why(ground: Ground) -> None:
    campaign_id = ground.launch(3, hourly_calls=1)
    ground.dial_next()
    ground.clock.advance(seconds=2)
    assert ground.claim() == []
    with ground.sessions() as session:
        hold = session.scalars(select(Hold)).one()
    with pytest.raises(NotAllowed), ground.work() as work:
        fieldwork.holds.lift(work.session, ground.office, hold.id, "李队", "快点", ground.now)
    with pytest.raises(BadInput):
        change(ground, campaign_id, reason=" ", hourly_calls=2)
    change(ground, campaign_id, hourly_calls=2)

    assert len(ground.claim()) == 1
    with ground.sessions() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "campaign.limits")).one()
        assert (entry.actor, json.loads(entry.details)) == ("李队", {"hourly_calls": 2, "reason": "领导批准"})
        assert session.get_one(Hold, hold.id).lifted_by == "李队"


def test_the_estimated_bill_stops_dialling_and_raises_an_alarm(ground: Ground) -> None:
    campaign_id = ground.launch(4, lines=1, spend_limit=1.5, minute_price=0.5)
    call(ground, 60)
    assert standing(ground) == [], "one started minute"
    call(ground, 61)

    assert ground.claim() == []
    assert standing(ground) == [("spend_limit", "1.5/1.5", None)]
    with ground.sessions() as session:
        scope = scope_of(session.get_one(Campaign, campaign_id))
        assert is_standing(session, AlarmKind.SPEND_LIMIT, scope)
    ground.clock.advance(hours=1)
    assert ground.claim() == [], "time alone does not lift it"


def test_a_higher_limit_of_the_bill_lifts_the_hold_and_one_below_the_bill_does_not(ground: Ground) -> None:
    campaign_id = ground.launch(4, lines=1, spend_limit=0.5, minute_price=0.5)
    call(ground, 60)

    change(ground, campaign_id, spend_limit=0.4)
    assert ground.claim() == []
    change(ground, campaign_id, spend_limit=2.0)
    assert len(ground.claim()) > 0
    with ground.sessions() as session:
        assert not is_standing(session, AlarmKind.SPEND_LIMIT, scope_of(session.get_one(Campaign, campaign_id)))


def test_lines_taken_away_while_a_campaign_runs_hold_at_the_next_claim(ground: Ground) -> None:
    campaign_id = ground.launch(6, lines=4)
    assert len(ground.claim()) == 4
    with ground.work() as work:
        campaign = work.session.get_one(Campaign, campaign_id)
        fieldwork.change_pace(work.session, ground.office, campaign, "李队", ground.now, lines=2, reason="线路检修")
    ground.clock.advance(seconds=6)
    for attempt_id in [1, 2, 3, 4]:
        ground.prepare(attempt_id)  # too old by now: given back

    assert len(ground.claim()) == 2


def test_all_campaigns_together_stay_within_the_lines_and_the_rate_of_the_account(ground: Ground) -> None:
    ground.launch(4, lines=4, calls_per_second=4)
    ground.launch(4, lines=4, calls_per_second=4)
    ground.office = replace(ground.office, lines=3, calls_per_second=2.0)

    claimed = ground.claim()
    assert len(claimed) == 2, "calls per second of the account"
    for attempt_id in claimed:
        ground.place_call(attempt_id)
    ground.clock.advance(seconds=1)
    assert len(ground.claim()) == 1, "lines of the account"
    ground.clock.advance(seconds=1)
    assert ground.claim() == []


def test_a_campaign_that_has_ended_keeps_its_pace(ground: Ground) -> None:
    campaign_id = ground.launch(1)
    with ground.work() as work:
        campaign = work.session.get_one(Campaign, campaign_id)
        fieldwork.stop(work.session, ground.office, campaign, "李队", ground.now, "结束")
    with ground.work() as work, pytest.raises(NotAllowed):
        fieldwork.change_pace(
            work.session, ground.office, work.session.get_one(Campaign, campaign_id), "李队", ground.now, lines=2, reason="快点"
        )
