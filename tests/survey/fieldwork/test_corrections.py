"""What an import corrects after the draw counts for every call not yet made: another number, a reason not to call (R5–R7, R16)."""

import pytest
from sqlalchemy import select

from survey import fieldwork
from survey.alarms import AlarmKind
from survey.fieldwork.alarms import is_standing
from survey.fieldwork.holds import scope_of
from survey.store.models import CallAttempt, Campaign, Incident, Respondent, Suppression
from survey.store.sealing import place
from tests.survey.fieldwork.conftest import Ground

NEW = "+8610077777777"


def correct(ground: Ground, number: str | None = None, respondent_id: int = 1, **values: object) -> None:
    """What an import writes into the respondent's incident."""
    with ground.work() as work:
        incident = work.session.get_one(Respondent, respondent_id).incident
        if number is not None:
            incident.phone_key = ground.office.keys.phone_key(number)
            incident.phone_sealed = ground.office.keys.seal(number, place("incidents", "phone_sealed", incident.public_id))
        for name, value in values.items():
            setattr(incident, name, value)


def state(ground: Ground, respondent_id: int = 1) -> tuple[str, str, str]:
    with ground.sessions() as session:
        respondent = session.get_one(Respondent, respondent_id)
        return respondent.state, respondent.close_reason, respondent.disposition


def refuse(ground: Ground, number: str) -> None:
    with ground.work() as work:
        fieldwork.opt_out(work.session, ground.office, ground.office.keys.phone_key(number), "hotline", ground.now)


def test_the_corrected_number_is_dialled_and_a_refusal_in_that_call_holds_for_it(ground: Ground) -> None:
    ground.launch(1)
    correct(ground, NEW)
    _, token = ground.dial_next()
    ground.talk(token, "0")

    with ground.sessions() as session:
        attempt = session.scalars(select(CallAttempt)).one()
        refused = session.scalars(select(Suppression.phone_key)).all()
    assert attempt.phone_key == ground.office.keys.phone_key(NEW)
    assert refused == [attempt.phone_key]


def test_a_corrected_number_that_has_been_refused_is_not_dialled(ground: Ground) -> None:
    ground.launch(1)
    refuse(ground, NEW)
    correct(ground, NEW)

    assert ground.claim() == []
    assert state(ground)[:2] == ("closed", "opted_out")


def test_a_claim_is_given_back_when_the_number_was_corrected_before_the_request(ground: Ground) -> None:
    ground.launch(1)
    claimed = ground.claim()
    correct(ground, NEW)

    assert ground.prepare(claimed[0]) is None
    assert state(ground)[0] == "waiting"
    again = ground.attempt(ground.claim()[0])
    assert (again.phone_key, again.number) == (ground.office.keys.phone_key(NEW), 1)


@pytest.mark.parametrize("before", ["", "no_answer"])
def test_who_is_found_to_be_excluded_after_the_draw_is_not_called_any_more(ground: Ground, before: str) -> None:
    ground.launch(1)
    if before:
        _, token = ground.dial_next()
        ground.end(token, "no_answer")
        ground.clock.advance(hours=6)
    correct(ground, exclusion="sensitive")

    assert ground.claim() == []
    assert state(ground) == ("closed", "excluded", "wrong_person"), "4.70: found excluded"


def test_a_refusal_given_before_stays_the_code_of_one_who_is_excluded_later(ground: Ground) -> None:
    ground.launch(1)
    _, token = ground.dial_next()
    ground.talk(token, "1" + "1")
    ground.end(token)
    with ground.work() as work:
        respondent = work.session.get_one(Respondent, 1)
        respondent.state, respondent.close_reason, respondent.due_at = "waiting", "", ground.now
    correct(ground, exclusion="sensitive")
    ground.clock.advance(hours=24)

    assert ground.claim() == []
    assert state(ground)[2] == "break_off"


def test_one_number_that_cannot_be_read_waits_for_a_person_and_the_others_are_called(ground: Ground) -> None:
    campaign_id = ground.launch(3)
    correct(ground, phone_sealed=b"not sealed by us")

    assert [ground.attempt(attempt_id).respondent_id for attempt_id in ground.claim()] == [2, 3]
    assert state(ground)[0] == "needs_review"
    with ground.sessions() as session:
        assert is_standing(session, AlarmKind.NEEDS_REVIEW, scope_of(session.get_one(Campaign, campaign_id)))
        assert session.get_one(Respondent, 1).review_reason == "unreadable"


def test_the_number_in_an_incident_stays_what_the_import_wrote(ground: Ground) -> None:
    ground.launch(1)
    correct(ground, NEW)
    ground.claim()

    with ground.sessions() as session:
        assert session.scalars(select(Incident.phone_key)).one() == ground.office.keys.phone_key(NEW)
