"""A conversation, turn by turn: stored once, answered the same whenever it is repeated."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from survey import fieldwork
from survey.errors import UnknownAttempt
from survey.events import Answered, Digits, Recorded
from survey.store.models import Answer, AuditEntry, CallAttempt, Escalation, Recording, Respondent, Suppression, Turn
from tests.survey.fieldwork.conftest import Ground, render

HAPPY = "1" + "12121"  # the person, then five ratings


@pytest.fixture
def token(ground: Ground) -> str:
    ground.launch(1)
    return ground.dial_next()[1]


def answers(ground: Ground) -> dict[str, str]:
    with ground.sessions() as session:
        return {answer.item: answer.raw for answer in session.scalars(select(Answer))}


def count(ground: Ground, table: type) -> int:
    with ground.sessions() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_five_ratings_are_stored_with_the_key_that_was_pressed(ground: Ground, token: str) -> None:
    ground.talk(token, HAPPY)

    rated = {"speed": "1", "attitude": "2", "outcome": "1", "equipment": "2", "appearance": "1"}
    assert answers(ground) == {"right_person": "1", **rated}


def test_a_repeated_step_gets_the_same_reply_and_changes_nothing(ground: Ground, token: str) -> None:
    replies = ground.talk(token, HAPPY)
    before = (answers(ground), count(ground, Turn), count(ground, AuditEntry))

    again = [ground.turn(token, step, Digits("5")) for step in range(len(replies))]

    assert again == replies
    assert (answers(ground), count(ground, Turn), count(ground, AuditEntry)) == before


def test_a_step_ahead_is_led_back_and_changes_nothing(ground: Ground, token: str) -> None:
    replies = ground.talk(token, "1")

    assert ground.turn(token, 5, Digits("1")) == replies[-1]
    assert count(ground, Turn) == 2


def test_a_step_ahead_of_the_first_one_is_led_to_the_beginning(ground: Ground, token: str) -> None:
    assert ground.turn(token, 3, Digits("1")) == " > 0"


def test_an_unknown_token_is_refused(ground: Ground) -> None:
    with pytest.raises(UnknownAttempt), ground.work() as work:
        fieldwork.take_turn(work, ground.office, "f" * 32, 0, Answered(), "CA1", ground.now, render)


def test_a_second_leg_of_the_same_attempt_hears_a_hangup(ground: Ground, token: str) -> None:
    ground.talk(token, "1")

    assert ground.turn(token, 2, Digits("5"), sid="CAsecond") == "hangup > 2"
    assert "speed" not in answers(ground)


def test_a_second_leg_that_asks_for_an_earlier_step_hears_a_hangup_too(ground: Ground, token: str) -> None:
    first = ground.turn(token, 0, Answered())

    assert ground.turn(token, 0, Answered(), sid="CAother") == "hangup > 0"
    assert ground.turn(token, 0, Answered()) == first


def test_going_back_replaces_the_answer_and_keeps_one_row(ground: Ground, token: str) -> None:
    ground.talk(token, "1" + "1" + "7" + "3")

    assert answers(ground)["speed"] == "3"


def test_a_dissatisfied_answer_opens_exactly_one_case(ground: Ground, token: str) -> None:
    ground.talk(token, "1" + "45454")

    with ground.sessions() as session:
        case = session.scalars(select(Escalation)).one()
    assert (case.reasons, case.priority, case.route, case.consent) == (["dissatisfied"], 3, "centre", "unasked")
    assert case.due_at is not None
    assert case.due_at > ground.now


def test_a_satisfied_person_opens_none(ground: Ground, token: str) -> None:
    ground.talk(token, HAPPY)

    assert count(ground, Escalation) == 0


def test_asking_for_a_human_opens_a_case_for_today(ground: Ground, token: str) -> None:
    ground.talk(token, "1" + "8")

    with ground.sessions() as session:
        case = session.scalars(select(Escalation)).one()
    assert (case.reasons, case.priority) == (["human_requested"], 2)


def test_the_most_urgent_reason_sets_the_deadline(ground: Ground, token: str) -> None:
    slow = replace(ground.office, bureau=replace(ground.office.bureau, callback_days=5))
    with ground.work() as work:
        attempt = work.session.scalars(select(CallAttempt)).one()
        first = fieldwork.escalate(work.session, slow, attempt, "dissatisfied", ground.now).due_at
        second = fieldwork.escalate(work.session, slow, attempt, "danger", ground.now)
        days = second.due_at - ground.now if second.due_at else timedelta(days=99)

    assert first is not None
    assert first - ground.now > timedelta(days=5)
    assert (days < timedelta(days=1), second.priority) == (True, 1)


def test_who_goes_back_and_is_satisfied_after_all_leaves_no_open_case(ground: Ground, token: str) -> None:
    ground.talk(token, "1" + "5" + "7" + "1")

    with ground.sessions() as session:
        case = session.scalars(select(Escalation)).one()
    assert (case.state, case.reasons) == ("withdrawn", [])


def test_never_again_closes_every_place_where_the_number_waits(ground: Ground, token: str) -> None:
    ground.launch(1, same_number=True)  # the same number in another month

    ground.talk(token, "0")

    assert count(ground, Suppression) == 1
    with ground.sessions() as session:
        waiting = session.scalars(select(Respondent).where(Respondent.state == "waiting")).all()
    assert waiting == []


def test_the_persons_own_words_are_announced_for_fetching(ground: Ground, token: str) -> None:
    replies = ground.talk(token, HAPPY + "1")  # nobody asked for a good rating
    assert replies[-1].startswith("remark record")

    ground.turn(token, len(replies), Recorded("RE" + "1" * 32, 7.5, "#"))

    with ground.sessions() as session:
        recording = session.scalars(select(Recording)).one()
    assert (recording.item, recording.state, recording.seconds) == ("remark", "announced", 7.5)
    assert ("fetch_recording", recording.id, 0) in ground.queue.asked


def test_a_recording_callback_before_the_turn_makes_no_second_row(ground: Ground, token: str) -> None:
    replies = ground.talk(token, HAPPY + "1")
    with ground.work() as work:
        fieldwork.announce_recording(work, token, "remark", "RE" + "1" * 32, 7.0, ground.now)

    ground.turn(token, len(replies), Recorded("RE" + "1" * 32, 7.5, "hangup"))

    assert count(ground, Recording) == 1


def test_a_settled_call_changes_no_more(ground: Ground, token: str) -> None:
    replies = ground.talk(token, "1" + "12")
    ground.end(token)

    assert ground.turn(token, len(replies), Digits("1")) == f"hangup > {len(replies)}"
    assert "outcome" not in answers(ground)


def test_each_answer_is_in_the_audit_trail(ground: Ground, token: str) -> None:
    ground.talk(token, HAPPY)
    with ground.sessions() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "answer")).all()

    assert len(entries) == 6
    assert '"code":"very_satisfied"' in entries[1].details
