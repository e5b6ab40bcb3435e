"""The person's words: fetched, kept, and gone everywhere when they were taken back."""

import pytest
from sqlalchemy import select

from survey import fieldwork
from survey.events import Recorded
from survey.fieldwork import FetchOrder
from survey.fieldwork.recordings import note_absent
from survey.store.models import Recording
from tests.survey.fieldwork.conftest import Ground

SID = "RE" + "1" * 32
TO_THE_REMARK = "1" + "12121" + "1"


@pytest.fixture
def token(ground: Ground) -> str:
    """A call that has come to the remark."""
    ground.launch(1)
    token = ground.dial_next()[1]
    ground.talk(token, TO_THE_REMARK)
    return token


def recording(ground: Ground) -> Recording:
    with ground.sessions() as session:
        return session.scalars(select(Recording)).one()


def fetch(ground: Ground) -> FetchOrder | None:
    with ground.work() as work:
        return fieldwork.prepare_fetch(work, 1, ground.now)


def announce(ground: Ground, token: str) -> None:
    with ground.work() as work:
        fieldwork.announce_recording(work, token, "remark", SID, 7.0, ground.now)


def keep(ground: Ground) -> None:
    with ground.work() as work:
        fieldwork.note_kept(work, 1, "recordings/x.sealed", "0" * 64, 7.0, ground.now)


def delete(ground: Ground, removed: str | None) -> None:
    with ground.work() as work:
        fieldwork.note_deleted(work, 1, removed, ground.now)


def test_words_are_fetched_kept_and_deleted_at_the_carrier(ground: Ground, token: str) -> None:
    ground.turn(token, len(TO_THE_REMARK) + 1, Recorded(SID, 7.0, "#"))
    order = fetch(ground)
    keep(ground)
    delete(ground, None)

    assert order is not None
    assert (order.fetch, order.carrier_sid) == (True, SID)
    kept = recording(ground)
    assert (kept.state, kept.path, kept.due_at) == ("kept", "recordings/x.sealed", None)
    assert kept.carrier_copy_deleted_at == ground.now
    assert fetch(ground) is None, "nothing is left to do"


def test_words_taken_back_before_the_fetch_are_only_deleted(ground: Ground, token: str) -> None:
    announce(ground, token)
    ground.turn(token, len(TO_THE_REMARK) + 1, Recorded(SID, 7.0, "*"))
    order = fetch(ground)

    assert order is not None
    assert (order.fetch, order.path) == (False, None)
    delete(ground, None)
    assert recording(ground).due_at is None


def test_words_taken_back_while_they_are_being_fetched_leave_no_file(ground: Ground, token: str) -> None:
    announce(ground, token)
    first = fetch(ground)
    ground.turn(token, len(TO_THE_REMARK) + 1, Recorded(SID, 7.0, "*"))
    keep(ground)  # the job had the sound already
    delete(ground, first.path if first else None)

    left = recording(ground)
    assert (left.state, left.due_at) == ("discarded", ground.now), "the file is still there: the job must come again"
    again = fetch(ground)
    assert again is not None
    assert (again.fetch, again.path) == (False, "recordings/x.sealed")
    delete(ground, again.path)
    gone = recording(ground)
    assert (gone.state, gone.path, gone.due_at) == ("discarded", None, None)


def test_a_fetch_that_fails_is_tried_again_later_and_ends_with_a_person(ground: Ground, token: str) -> None:
    announce(ground, token)
    pauses = []
    while fetch(ground) is not None:
        with ground.work() as work:
            fieldwork.note_fetch_problem(work, 1, "404")
        due = recording(ground).due_at
        if due is None:
            break
        pauses.append(due - ground.now)
        ground.clock.moment = due

    assert pauses == sorted(pauses)
    assert recording(ground).state == "needs_review"


def test_a_file_that_is_no_sound_goes_to_a_person_at_once(ground: Ground, token: str) -> None:
    announce(ground, token)
    with ground.work() as work:
        fieldwork.note_fetch_problem(work, 1, "not a readable WAV file", final=True)

    assert recording(ground).state == "needs_review"
    assert fetch(ground) is None


@pytest.mark.parametrize("turn_first", [True, False])
def test_a_recording_that_never_will_be_there_is_not_fetched(ground: Ground, token: str, turn_first: bool) -> None:
    def turn() -> None:
        ground.turn(token, len(TO_THE_REMARK) + 1, Recorded(SID, 7.0, "#"))

    def absent() -> None:
        with ground.work() as work:
            note_absent(work, token, SID, ground.now)

    for act in (turn, absent) if turn_first else (absent, turn):
        act()

    assert fetch(ground) is None
    gone = recording(ground)
    assert (gone.state, gone.problem, gone.due_at) == ("discarded", "absent", None)


def test_a_recording_that_is_kept_stays_when_the_carrier_calls_it_absent_later(ground: Ground, token: str) -> None:
    ground.turn(token, len(TO_THE_REMARK) + 1, Recorded(SID, 7.0, "#"))
    fetch(ground)
    keep(ground)
    with ground.work() as work:
        note_absent(work, token, SID, ground.now)

    assert recording(ground).state == "kept"
