"""A carrier out of reach: nobody's attempt is used up, one call in half a minute tries, the first that is taken lifts it (RS6)."""

import itertools
from datetime import datetime, timedelta

from sqlalchemy import func, select

from survey import fieldwork
from survey.alarms import AlarmKind
from survey.store.models import Alarm, Hold, Respondent
from tests.survey.fieldwork.conftest import Ground


def cut_off(ground: Ground) -> datetime:
    """The first of the claimed calls finds nobody at the other end, the others are given back; when that was."""
    first, *others = ground.claim()
    assert ground.prepare(first) is not None
    ground.reject(first, "unreachable")
    assert [ground.prepare(attempt_id) for attempt_id in others] == [None] * len(others)
    return ground.now


def try_for(ground: Ground, length: timedelta) -> list[datetime]:
    """Sweep and work for so long with nobody at the other end; the moments of the requests."""
    requests = []
    end = ground.now + length
    while ground.now < end:
        for attempt_id in ground.claim():
            if ground.prepare(attempt_id) is not None:
                requests.append(ground.now)
                ground.reject(attempt_id, "unreachable")
        with ground.work() as work:
            fieldwork.watch(work.session, ground.now)
        ground.clock.advance(seconds=7.5)
    return requests


def alarms(ground: Ground) -> list[tuple[str, str, bool]]:
    with ground.sessions() as session:
        return [(alarm.kind, alarm.subject, alarm.cleared_at is None) for alarm in session.scalars(select(Alarm).order_by(Alarm.id))]


def test_an_outage_uses_up_no_attempt_and_is_tried_once_in_half_a_minute(ground: Ground) -> None:
    ground.launch(3)
    began = cut_off(ground)

    requests = [began, *try_for(ground, timedelta(minutes=5))]

    assert len(requests) >= 9
    assert min(later - earlier for earlier, later in itertools.pairwise(requests)) >= timedelta(seconds=30)
    with ground.sessions() as session:
        rows = session.execute(select(Respondent.state, Respondent.tries, Respondent.disposition)).all()
        hold = session.scalars(select(Hold)).one()
    assert set(rows) == {("waiting", 0, "not_attempted")}
    assert (hold.scope, hold.reason, hold.since, hold.lifted_at) == ("carrier", "unreachable", began, None)


def test_claims_that_wait_for_their_workers_do_not_all_go_out_into_the_void(ground: Ground) -> None:
    ground.launch(4)
    cut_off(ground)

    ground.clock.advance(seconds=30)
    assert len(ground.claim()) == 1, "one trial, although five a second are allowed"
    ground.clock.advance(seconds=1)
    assert ground.claim() == [], "the trial waits for its worker"


def test_the_first_call_that_is_taken_lifts_the_hold_and_ends_the_alarm(ground: Ground) -> None:
    ground.launch(6)
    cut_off(ground)
    try_for(ground, timedelta(seconds=110))
    assert alarms(ground) == []
    try_for(ground, timedelta(seconds=60))
    assert alarms(ground) == [(AlarmKind.CARRIER_UNREACHABLE.word, "carrier", True)], "after two minutes, once"

    ground.clock.advance(seconds=30)
    ground.place_call(ground.claim()[0])
    ground.clock.advance(seconds=1)

    assert alarms(ground) == [(AlarmKind.CARRIER_UNREACHABLE.word, "carrier", False)]
    assert len(ground.claim()) == 4
    with ground.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Hold).where(Hold.lifted_at.is_(None))) == 0


def test_a_refusal_too_shows_that_the_carrier_is_there(ground: Ground) -> None:
    ground.launch(6)
    cut_off(ground)
    ground.clock.advance(seconds=30)
    trial = ground.claim()[0]
    assert ground.prepare(trial) is not None
    ground.reject(trial, "bad_number", "21211")
    ground.clock.advance(seconds=1)

    assert len(ground.claim()) == 5
