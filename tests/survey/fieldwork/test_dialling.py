"""Who may be dialled, when, how many at once; and that a dial is intended before it is asked for."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from survey import fieldwork
from survey.errors import NotAllowed
from survey.fieldwork import Early
from survey.store.models import AuditEntry, CallAttempt, Campaign, Incident, Respondent
from tests.survey.fieldwork.conftest import CALLER_ID, Ground


def test_no_more_lines_are_taken_than_the_campaign_has(ground: Ground) -> None:
    ground.launch(8, lines=3, calls_per_second=10)
    claimed = ground.claim()
    ground.clock.advance(seconds=2)

    assert len(claimed) == 3
    assert ground.claim() == []


def test_a_line_is_free_again_once_the_carrier_reports_the_end(ground: Ground) -> None:
    ground.launch(4, lines=1)
    _, token = ground.dial_next()
    ground.clock.advance(seconds=2)
    assert ground.claim() == []

    ground.status(token, "busy")

    assert len(ground.claim()) == 1


def test_claims_are_a_stock_for_one_second_however_often_is_swept(ground: Ground) -> None:
    ground.launch(9, lines=9, calls_per_second=2)

    counts = [len(ground.claim()) for _ in range(3)]
    ground.clock.advance(seconds=1)

    assert counts == [2, 0, 0]
    assert ground.claim() == [], "nobody has dialled what was claimed"


def test_what_was_dialled_leaves_room_for_claims_a_second_later_or_as_long_ahead_as_the_workers_wait(ground: Ground) -> None:
    ground.launch(9, lines=9, calls_per_second=2)
    for attempt_id in ground.claim():
        ground.place_call(attempt_id)
    ground.clock.advance(seconds=0.9)

    assert ground.claim() == []
    assert len(ground.claim(ahead=0.1)) == 2


def test_a_rate_below_one_leaves_whole_seconds_between_calls(ground: Ground) -> None:
    ground.launch(3, lines=3, calls_per_second=0.5)
    ground.dial_next()
    ground.clock.advance(seconds=1)
    too_early = ground.claim()
    ground.clock.advance(seconds=1)

    assert (too_early, len(ground.claim())) == ([], 1)


def test_a_job_that_comes_early_is_told_when_its_place_opens(ground: Ground) -> None:
    ground.launch(5, lines=5, calls_per_second=2)
    began = ground.now
    first, second = ground.claim()
    ground.place_call(first)
    ground.clock.advance(seconds=0.25)
    ground.place_call(second)
    third, fourth = ground.claim(ahead=1)

    assert ground.prepare(fourth) == Early(began + timedelta(seconds=1.25)), "the place before it is for whoever was claimed before"
    assert ground.prepare(third) == Early(began + timedelta(seconds=1))
    ground.clock.advance(seconds=0.75)
    assert ground.prepare(third) is not None
    assert ground.prepare(fourth) == Early(began + timedelta(seconds=1.25))


def test_a_claim_that_grew_old_while_it_was_early_is_given_back(ground: Ground) -> None:
    ground.launch(2, lines=2, calls_per_second=0.05)
    ground.dial_next()
    ground.clock.advance(seconds=19)
    attempt_id = ground.claim(ahead=1)[0]
    ground.clock.advance(seconds=-10)

    assert ground.prepare(attempt_id) is None
    with ground.sessions() as session:
        assert session.get(CallAttempt, attempt_id) is None


def test_campaigns_take_turns_and_who_finds_nobody_leaves_its_share_to_the_others(ground: Ground) -> None:
    first, second = ground.launch(3, lines=9, calls_per_second=1), ground.launch(6, lines=9, calls_per_second=1)
    callers = []
    for _ in range(8):
        attempt_id, _ = ground.dial_next()
        callers.append(ground.attempt(attempt_id).campaign_id)
        ground.clock.advance(seconds=1)

    assert callers == [first, second, first, second, first, second, second, second]


def test_a_slow_campaign_has_its_calls_beside_a_fast_one_and_no_more(ground: Ground) -> None:
    slow, fast = ground.launch(9, lines=40, calls_per_second=1), ground.launch(40, lines=40, calls_per_second=5)
    counts: dict[int, list[int]] = {slow: [], fast: []}
    for _ in range(4):
        starts = Counter(ground.attempt(attempt_id).campaign_id for attempt_id in ground.claim() if ground.place_call(attempt_id))
        for campaign_id, found in counts.items():
            found.append(starts[campaign_id])
        ground.clock.advance(seconds=1)

    assert counts[slow] == [1, 1, 1, 1]
    assert all(together <= 5 for together in map(sum, zip(*counts.values(), strict=True)))
    assert sum(counts[fast]) >= 8


def test_a_slow_campaigns_claim_that_is_not_yet_to_go_holds_up_no_other_campaign(ground: Ground) -> None:
    slow, fast = ground.launch(20, lines=60, calls_per_second=0.3), ground.launch(60, lines=60, calls_per_second=1)
    ground.office = replace(ground.office, calls_per_second=1.0)
    waiting: list[int] = []
    started: Counter[int] = Counter()
    for _ in range(40 * 2):
        waiting += ground.claim(ahead=2.0)
        for attempt_id in list(waiting):
            order = ground.prepare(attempt_id)
            if not isinstance(order, fieldwork.Early):
                waiting.remove(attempt_id)
                started[ground.attempt(attempt_id).campaign_id] += isinstance(order, fieldwork.DialOrder)
        ground.clock.advance(seconds=0.5)

    assert started.total() == 40, "every second has its call"
    assert started[slow] >= 10
    assert started[fast] == 40 - started[slow]


def test_the_second_replicate_waits_until_each_case_of_the_first_was_tried(ground: Ground) -> None:
    ground.launch(4, replicates=2, lines=4)

    first = ground.claim()
    ground.clock.advance(seconds=2)
    still = ground.claim()
    for attempt_id in first:
        ground.place_call(attempt_id)
    ground.clock.advance(seconds=2)

    assert len(first) == 2
    assert still == [], "claimed is not yet attempted"
    assert len(ground.claim()) == 2


def test_outside_the_windows_nobody_is_called_and_everybody_waits_for_the_next_opening(ground: Ground) -> None:
    ground.launch(2)
    ground.clock.advance(hours=2, minutes=30)  # 12:30 in Shanghai: the noon break

    assert ground.claim() == []
    with ground.sessions() as session:
        due = set(session.scalars(select(Respondent.due_at)))
    assert due == {ground.now + timedelta(hours=1, minutes=30)}


def test_a_job_that_comes_after_the_window_closed_does_not_dial(ground: Ground) -> None:
    ground.launch(1)
    attempt_id = ground.claim()[0]
    ground.clock.advance(hours=2, minutes=1)

    assert ground.prepare(attempt_id) is None
    with ground.sessions() as session:
        assert session.get(CallAttempt, attempt_id) is None, "a claim that never reached the carrier leaves no attempt"
        assert session.scalars(select(Respondent.state)).one() == "waiting"


def test_a_stale_claim_is_given_back_and_claimed_anew(ground: Ground) -> None:
    ground.launch(1)
    stale = ground.claim()[0]
    ground.clock.advance(seconds=6)

    assert ground.prepare(stale) is None
    assert len(ground.claim()) == 1


def test_a_paused_campaign_gives_its_claims_back(ground: Ground) -> None:
    campaign_id = ground.launch(2)
    attempt_id = ground.claim()[0]
    with ground.work() as work:
        fieldwork.pause(work.session, ground.office, work.session.get_one(Campaign, campaign_id), "张三", ground.now)

    assert ground.prepare(attempt_id) is None
    assert ground.claim() == []


def test_the_intent_is_committed_with_the_number_before_the_carrier_is_asked(ground: Ground) -> None:
    ground.launch(1)
    attempt_id = ground.claim()[0]

    order = ground.prepare(attempt_id)

    assert order is not None
    assert (order.to, order.caller_id) == ("+8610000000000", CALLER_ID)
    attempt = ground.attempt(attempt_id)
    assert (attempt.status, attempt.requested_at) == ("requested", ground.now)
    assert ground.prepare(attempt_id) is None, "a second job for the same attempt finds nothing to do"


def put_number(ground: Ground, number: str) -> None:
    """Store a number that the import would have refused."""
    with ground.work() as work:
        incident = work.session.scalars(select(Incident)).one()
        incident.phone_sealed = ground.office.keys.seal(number, f"incidents.phone_sealed:{incident.public_id}")


@pytest.mark.parametrize(
    "number", ["+86110", "+19005550100", "+88213300000", "+5355550100", "+864008123123", "+86138001380", CALLER_ID, "+8612389"]
)
def test_a_number_that_must_not_be_dialled_is_refused_at_the_claim(ground: Ground, number: str) -> None:
    ground.launch(1)
    put_number(ground, number)

    assert ground.claim() == []
    with ground.sessions() as session:
        assert session.scalars(select(Respondent.close_reason)).one() == "refused_number"


def test_an_emergency_number_is_refused_at_the_last_moment_whatever_the_data_say(ground: Ground) -> None:
    ground.launch(1)
    attempt_id = ground.claim()[0]
    put_number(ground, "+86110")

    assert ground.prepare(attempt_id) is None
    with ground.sessions() as session:
        respondent = session.scalars(select(Respondent)).one()
        assert (respondent.state, respondent.close_reason, respondent.tries) == ("closed", "refused_number", 0)
        assert session.get(CallAttempt, attempt_id) is None


def test_two_people_with_one_number_are_never_on_the_line_together(ground: Ground) -> None:
    ground.launch(2, same_number=True)

    assert len(ground.claim()) == 1
    ground.clock.advance(seconds=2)
    assert ground.claim() == []


def test_a_number_called_for_another_campaign_is_in_quarantine(ground: Ground) -> None:
    ground.launch(1, same_number=True)
    _, token = ground.dial_next()
    ground.end(token, "no_answer")
    with ground.work() as work:
        work.session.execute(update(Campaign).values(state="stopped"))
    ground.launch(1, same_number=True)
    ground.clock.advance(seconds=2)

    assert ground.claim() == []
    with ground.sessions() as session:
        last = session.scalars(select(Respondent).order_by(Respondent.id.desc())).first()
        assert last is not None
        assert (last.state, last.close_reason, last.disposition) == ("closed", "quarantine", "duplicate")


def test_a_draw_is_worked_by_one_campaign_only(ground: Ground) -> None:
    campaign_id = ground.launch(1)
    with ground.work() as work:
        campaign = work.session.get_one(Campaign, campaign_id)
        with pytest.raises(NotAllowed):
            fieldwork.launch(
                work.session, ground.office, campaign.draw, campaign.script_version, fieldwork.rules_of(campaign), ground.now,
                name="again", lines=1, calls_per_second=1, caller_id=CALLER_ID, simulated=True, by="tester",
            )  # fmt: skip


def test_every_dialling_is_in_the_audit_trail_without_the_number(ground: Ground) -> None:
    ground.launch(1)
    ground.dial_next()
    with ground.sessions() as session:
        entries = session.scalars(select(AuditEntry)).all()

    assert [entry.action for entry in entries] == ["campaign.launch", "campaign.start", "contact.dial"]
    assert all("86100" not in entry.details for entry in entries)
