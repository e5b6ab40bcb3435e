"""People call the number that called them: who is offered the survey, and what such a call counts for (R20)."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from survey import fieldwork
from survey.events import Digits
from survey.fieldwork import bookings
from survey.fieldwork.history import past_attempts, settled_attempts
from survey.fieldwork.incoming import KNOWN, ON_THE_LINE, REFUSED, STRANGER, UNFINISHED, WAITED_FOR
from survey.store.models import Answer, CallAttempt, Campaign, CarrierEvent, Incident, Respondent
from survey.store.queries import dialling
from survey.store.queries import fieldwork as queries
from tests.survey.fieldwork.conftest import Ground

SID, OTHER = "CA" + "1" * 32, "CA" + "2" * 32
STRANGERS_NUMBER = "+8610099999999"


def key_of(ground, number="+8610000000000"):
    return ground.office.keys.phone_key(number)


def standing(ground, number="+8610000000000", sid=SID):
    with ground.work() as work:
        return fieldwork.recognise(work.session, ground.office, key_of(ground, number), sid, ground.now).standing


def take_up(ground, sid=SID, **wish):
    with ground.work() as work:
        return fieldwork.take_up(work, ground.office, key_of(ground), sid, ground.now, **wish)


def miss(ground):
    """Our call is not answered; its verdict is given."""
    _, token = ground.dial_next()
    ground.end(token, "no_answer")


def report(ground, word="completed", sid=SID, seconds=60):
    with ground.work() as work:
        fieldwork.apply_incoming_status(work, sid, word, ground.now, seconds=seconds)


def hang_up(ground, token):
    report(ground)
    ground.clock.advance(seconds=31)
    assert ground.settle(token)


def respondent(ground):
    with ground.sessions() as session:
        return session.scalars(select(Respondent).order_by(Respondent.id)).first()


def wait_until_due(ground):
    ground.clock.moment = max(ground.now, respondent(ground).due_at)


def answers(ground):
    with ground.sessions() as session:
        return {answer.item: answer.raw for answer in session.scalars(select(Answer))}


def attempts_in(session):
    return session.scalars(select(CallAttempt).order_by(CallAttempt.number)).all()


def attempts(ground):
    with ground.sessions() as session:
        return attempts_in(session)


@pytest.fixture
def missed(ground: Ground) -> Ground:
    """One person, whom we have called once in vain."""
    ground.launch(1)
    miss(ground)
    return ground


def test_the_survey_is_offered_to_whoever_is_waited_for_and_to_nobody_else(missed):
    with missed.sessions() as session:
        caller = fieldwork.recognise(session, missed.office, key_of(missed), SID, missed.now)

    assert (caller.standing, caller.language) == (WAITED_FOR, "zh-CN")
    assert standing(missed, STRANGERS_NUMBER) == STRANGER


def test_nothing_is_offered_by_a_campaign_that_does_not_run(missed):
    with missed.work() as work:
        fieldwork.pause(work.session, missed.office, missed_campaign(work), "tester", missed.now)

    assert standing(missed) == KNOWN
    assert take_up(missed) is None


def missed_campaign(work):
    return work.session.scalars(select(Respondent)).one().campaign


def test_who_refused_is_told_so_and_not_interviewed(missed):
    with missed.work() as work:
        fieldwork.opt_out(work.session, missed.office, key_of(missed), "refused by calling us", missed.now)

    assert standing(missed) == REFUSED
    assert take_up(missed) is None


def test_a_whole_interview_ends_the_case_and_leaves_our_own_counts_alone(missed):
    before = attempts(missed)[0].requested_at - timedelta(seconds=1)
    token = take_up(missed)
    missed.talk(token, "112345111")
    with missed.sessions() as session:
        assert queries.lines_taken(session) == 0
        assert all(at is not None for _, _, at in dialling.traffic(session, missed.now, {}))
    hang_up(missed, token)

    person, (ours, theirs) = respondent(missed), attempts(missed)
    assert {item: answers(missed)[item] for item in ("speed", "appearance")} == {"speed": "1", "appearance": "5"}
    assert (person.state, person.disposition, person.tries) == ("closed", "complete", 1)
    assert (ours.direction, theirs.direction, theirs.number, theirs.requested_at, theirs.abandoned) == ("out", "in", 2, None, False)
    with missed.sessions() as session:
        assert dialling.started_since(session, person.campaign_id, before) == 1
        (rung,) = dialling.rung_at(session, [key_of(missed)], before)
        assert rung == (person.phone_key, person.campaign_id, person.id, "survey", theirs.claimed_at), (
            "an interview too is a call to the number"
        )
        assert dialling.silence_since(session, person.campaign_id, before) == (0, 0)
        assert dialling.minutes_talked(session, person.campaign_id) == 1  # ours, as the line told


def test_they_may_call_at_night(missed):
    missed.clock.advance(hours=12)

    token = take_up(missed)

    assert "right_person" in missed.talk(token, "")[0]


def test_a_repeated_web_hook_takes_the_call_up_once(missed):
    token = take_up(missed)
    first = missed.talk(token, "1")

    assert take_up(missed) == token
    assert take_up(missed, postponing=True) == token
    assert missed.talk(token, "")[0] == first[0]
    assert len(attempts(missed)) == 2


def test_a_second_call_of_the_same_person_is_not_taken_up_while_the_first_goes_on(missed):
    take_up(missed)

    assert standing(missed, sid=SID) == WAITED_FOR
    assert standing(missed, sid=OTHER) == ON_THE_LINE
    assert take_up(missed, OTHER) is None
    assert missed.claim() == []


def test_a_claim_that_nobody_has_dialled_gives_way(ground):
    ground.launch(1)
    (claimed,) = ground.claim()

    assert standing(ground) == WAITED_FOR
    assert take_up(ground)
    assert ground.prepare(claimed) is None
    assert [attempt.direction for attempt in attempts(ground)] == ["in"]


def test_our_call_that_may_ring_does_not(ground):
    ground.launch(1)
    (claimed,) = ground.claim()
    assert ground.prepare(claimed)

    assert standing(ground) == ON_THE_LINE
    assert take_up(ground) is None


def test_who_hangs_up_before_the_first_word_waits_again_and_is_left_in_peace(missed):
    due = respondent(missed).due_at
    missed.clock.advance(seconds=(due - missed.now).total_seconds())  # we were about to call
    token = take_up(missed)
    hang_up(missed, token)

    person = respondent(missed)
    assert (person.state, person.tries) == ("waiting", 1)
    assert person.due_at - missed.now >= timedelta(minutes=179)
    assert missed.claim() == []


def test_a_hang_up_in_the_middle_is_a_break_off_as_in_our_own_calls(missed):
    token = take_up(missed)
    missed.talk(token, "112")
    hang_up(missed, token)

    person = respondent(missed)
    assert (person.state, person.disposition, person.close_reason) == ("closed", "break_off", "declined")
    assert answers(missed)["attitude"] == "2"


def test_an_interview_that_the_line_ended_goes_on_in_our_next_call_and_was_none_of_our_attempts(missed):
    token = take_up(missed)
    missed.talk(token, "112")
    report(missed, "failed")
    missed.clock.advance(seconds=31)
    missed.settle(token)

    with missed.sessions() as session:
        assert len(past_attempts(settled_attempts(session, respondent(missed).id))) == 1
    missed.clock.advance(seconds=(respondent(missed).due_at - missed.now).total_seconds())
    _, token = missed.dial_next()
    assert "outcome" in missed.talk(token, "1")[1]


def test_a_refusal_in_a_call_to_us_counts_but_not_as_one_of_our_attempts(missed):
    token = take_up(missed)
    missed.talk(token, "0")
    hang_up(missed, token)

    with missed.sessions() as session:
        past = past_attempts(settled_attempts(session, respondent(missed).id))
    assert [attempt.ours for attempt in past] == [True, False]
    assert (respondent(missed).state, respondent(missed).close_reason) == ("closed", "opted_out")
    assert standing(missed) == REFUSED


def test_another_time_is_asked_in_the_words_of_the_script_and_booked(missed):
    token = take_up(missed, postponing=True)
    asked = missed.turn(token, 0, Digits(""))
    missed.turn(token, 1, Digits("2"))
    hang_up(missed, token)

    person = respondent(missed)
    assert "callback" in asked
    assert (person.state, person.booked_by, person.due_at) == ("waiting", "respondent", person.booked_for)
    assert person.booked_for > missed.now


def test_who_hangs_up_while_putting_it_off_has_not_refused(missed):
    token = take_up(missed, postponing=True)
    hang_up(missed, token)

    assert attempts(missed)[1].disposition == "not_available"
    assert respondent(missed).state == "waiting"
    assert missed.claim() == []


def test_without_any_status_the_carrier_is_asked_after_two_minutes(missed):
    take_up(missed)
    with missed.sessions() as session:
        assert queries.silent_attempts(session, missed.now, timedelta(minutes=12)) == []
        (_, theirs) = attempts_in(session)
        later = missed.now + timedelta(minutes=2)
        assert queries.silent_attempts(session, later, timedelta(minutes=12)) == [theirs.id]


def test_a_status_is_applied_once_and_that_of_a_call_without_interview_is_passed_over(missed):
    take_up(missed)
    for _ in range(2):
        report(missed)
    report(missed, sid=OTHER)

    with missed.sessions() as session:
        told = select(func.count()).select_from(CarrierEvent).where(CarrierEvent.key == f"{SID}:completed")
        assert session.scalar(told) == 1
    assert attempts(missed)[1].status == "completed"


def test_of_several_people_with_one_number_the_one_whom_we_called_last_is_meant(ground):
    ground.launch(2, same_number=True)
    attempt_id, token = ground.dial_next()
    ground.end(token, "no_answer")

    token = take_up(ground)

    with ground.sessions() as session:
        theirs = session.scalars(select(CallAttempt).where(CallAttempt.token == token)).one()
        assert theirs.respondent_id == session.get_one(CallAttempt, attempt_id).respondent_id


def test_who_was_dialled_for_another_campaign_is_left_in_peace(ground):
    ground.launch(1)
    _, token = ground.dial_next()
    ground.talk(token, "112345111")
    ground.end(token)
    with ground.work() as work:
        second = ground._draw(work, 1, 1, same_number=True)
        script = work.session.scalars(select(Respondent)).first().campaign.script_version
        first = work.session.scalars(select(Respondent)).first().campaign
        campaign = fieldwork.launch(
            work.session, ground.office, second, script, fieldwork.rules_of(first), ground.now, name="四月", lines=1, calls_per_second=1.0,
            caller_id="+861000000000", simulated=True, by="tester",
        )  # fmt: skip
        fieldwork.start(work.session, ground.office, campaign, "tester", ground.now)

    assert standing(ground) == KNOWN
    assert take_up(ground) is None


def test_who_puts_it_off_in_a_call_to_us_after_four_missed_calls_is_asked_when_and_called_then(missed):
    for _ in range(3):
        wait_until_due(missed)
        miss(missed)
    token = take_up(missed, postponing=True)

    assert "callback" in missed.turn(token, 0, Digits(""))
    missed.turn(token, 1, Digits("2"))
    hang_up(missed, token)
    assert (respondent(missed).state, respondent(missed).due_at) == ("waiting", respondent(missed).booked_for)
    wait_until_due(missed)
    assert len(missed.claim()) == 1


def test_putting_it_off_in_a_call_to_us_is_none_of_the_times_that_it_may_be_put_off_in_ours(ground):
    ground.launch(1)
    _, token = ground.dial_next()
    ground.talk(token, "99")
    ground.end(token)
    token = take_up(ground, postponing=True)

    assert "callback" in ground.turn(token, 0, Digits(""))
    hang_up(ground, token)
    assert respondent(ground).state == "waiting"


def test_who_puts_it_off_and_has_a_promise_already_is_not_told_that_nobody_will_call(missed):
    for _ in range(3):
        wait_until_due(missed)
        miss(missed)
    book_for_tomorrow(missed)
    missed.clock.moment = respondent(missed).booked_for - timedelta(hours=1)
    with missed.work() as work:
        work.session.scalars(select(CallAttempt)).first().requested_at -= timedelta(days=9)  # the days of the contact rules are over
    token = take_up(missed, postponing=True)

    assert "callback" in missed.turn(token, 0, Digits(""))
    hang_up(missed, token)
    assert (respondent(missed).state, respondent(missed).due_at) == ("waiting", respondent(missed).booked_for)


def book_for_tomorrow(ground):
    with ground.work() as work:
        waiting = work.session.scalars(select(Respondent)).first()
        at = (ground.now + timedelta(days=1)).replace(hour=2, minute=0)
        bookings.book(work.session, ground.office, waiting, at, "警员", ground.now)


def test_who_breaks_off_in_a_call_to_us_is_not_called_though_a_call_was_booked(missed):
    book_for_tomorrow(missed)
    token = take_up(missed)
    missed.talk(token, "112")
    hang_up(missed, token)

    person = respondent(missed)
    assert (person.state, person.close_reason, person.booked_for) == ("closed", "declined", None)
    missed.clock.advance(hours=30)
    assert missed.claim() == []


@pytest.fixture
def given_up(ground: Ground) -> Ground:
    """Somebody whom we have called five times in vain, in a campaign in which somebody else still waits."""
    ground.launch(2)
    with ground.work() as work:
        work.session.scalars(select(Respondent).order_by(Respondent.id.desc())).first().due_at = ground.now + timedelta(days=30)
    for _ in range(5):
        wait_until_due(ground)
        miss(ground)
    assert (respondent(ground).state, respondent(ground).close_reason) == ("closed", "max_attempts")
    return ground


def is_left_in_peace(ground):
    """Nothing of the next fortnight calls the first respondent."""
    for _ in range(14):
        ground.clock.advance(hours=24)
        if ground.claim():
            return False
    return True


def test_who_was_given_up_is_offered_the_survey_and_no_other_time(given_up):
    assert standing(given_up) == UNFINISHED
    assert take_up(given_up, postponing=True) is None
    assert respondent(given_up).state == "closed"


def test_an_interview_after_we_gave_up_is_the_outcome_of_the_case(given_up):
    token = take_up(given_up)
    assert standing(given_up) == UNFINISHED, "a repeated web-hook is told the same"
    given_up.talk(token, "112345111")
    hang_up(given_up, token)

    person = respondent(given_up)
    assert (person.state, person.close_reason, person.disposition) == ("closed", "finished", "complete")
    assert standing(given_up) == KNOWN


@pytest.mark.parametrize(("pressed", "reason", "outcome"), [
    ("", "declined", "refusal_before"), ("112", "declined", "break_off"), ("1121", "finished", "partial"),
    ("19", "max_attempts", "not_available"), ("___", "max_attempts", "not_confirmed"), ("2", "finished", "wrong_person"),
])  # fmt: skip
def test_whatever_becomes_of_such_a_call_the_case_is_closed_again_with_its_best_code(given_up, pressed, reason, outcome):
    token = take_up(given_up)
    given_up.talk(token, pressed)
    hang_up(given_up, token)

    person = respondent(given_up)
    assert (person.state, person.close_reason, person.disposition) == ("closed", reason, outcome)
    assert is_left_in_peace(given_up)


def test_who_puts_off_such_a_call_is_told_that_nobody_will_call(given_up):
    token = take_up(given_up)

    assert "notice.not_again" in given_up.talk(token, "19")[-1]


def test_the_line_that_fails_in_such_a_call_brings_no_call_of_ours(given_up):
    token = take_up(given_up)
    given_up.talk(token, "112")
    report(given_up, "failed")
    given_up.clock.advance(seconds=31)
    given_up.settle(token)

    assert (respondent(given_up).state, respondent(given_up).close_reason) == ("closed", "max_attempts")
    assert is_left_in_peace(given_up)
    assert "outcome" in given_up.talk(take_up(given_up, OTHER), "1")[1], "but they may call again and go on"


def test_who_broke_off_in_our_call_finishes_the_interview_in_theirs(ground):
    ground.launch(2)
    with ground.work() as work:
        work.session.scalars(select(Respondent).order_by(Respondent.id.desc())).first().due_at = ground.now + timedelta(days=30)
    _, token = ground.dial_next()
    ground.talk(token, "112")
    ground.end(token)
    assert (respondent(ground).state, respondent(ground).disposition) == ("closed", "break_off")

    assert standing(ground) == UNFINISHED
    token = take_up(ground)
    ground.talk(token, "1345111")
    hang_up(ground, token)

    assert (respondent(ground).state, respondent(ground).disposition) == ("closed", "complete")
    assert {answers(ground)[item] for item in ("attitude", "outcome")} == {"2", "3"}


@pytest.mark.parametrize("pressed", ["", "10", "2", "112345111", "18"])
def test_who_refused_or_is_the_wrong_person_or_has_answered_or_waits_for_a_human_is_offered_nothing(ground, pressed):
    ground.launch(2)
    with ground.work() as work:
        work.session.scalars(select(Respondent).order_by(Respondent.id.desc())).first().due_at = ground.now + timedelta(days=30)
    _, token = ground.dial_next()
    ground.talk(token, pressed)
    ground.end(token)
    assert respondent(ground).state == "closed"

    assert standing(ground) in (KNOWN, REFUSED)
    assert take_up(ground) is None


def test_nothing_is_offered_once_the_campaign_of_a_closed_case_has_ended(given_up):
    with given_up.work() as work:
        fieldwork.stop(work.session, given_up.office, work.session.scalars(select(Campaign)).one(), "tester", given_up.now)

    assert standing(given_up) == KNOWN
    assert take_up(given_up) is None


def test_nobody_is_interviewed_who_was_found_to_be_excluded(missed):
    with missed.work() as work:
        work.session.scalars(select(Incident)).one().exclusion = "sensitive"

    assert standing(missed) == KNOWN
    assert take_up(missed) is None


def test_a_campaign_that_is_stopped_meanwhile_keeps_what_such_a_call_brought(given_up):
    token = take_up(given_up)
    given_up.talk(token, "112345111")
    with given_up.work() as work:
        fieldwork.stop(work.session, given_up.office, work.session.scalars(select(Campaign)).one(), "tester", given_up.now)
    hang_up(given_up, token)

    assert (respondent(given_up).state, respondent(given_up).disposition) == ("closed", "complete")


def test_who_was_interviewed_only_on_a_call_of_their_own_is_left_in_peace_by_other_campaigns(ground):
    first = ground.launch(1)
    token = take_up(ground)
    ground.talk(token, "112345111")
    hang_up(ground, token)
    ground.launch(1, same_number=True)
    assert ground.campaign(first).state == "finished"

    assert ground.claim() == []
    with ground.sessions() as session:
        assert session.scalars(select(Respondent.close_reason).order_by(Respondent.id)).all() == ["finished", "quarantine"]
