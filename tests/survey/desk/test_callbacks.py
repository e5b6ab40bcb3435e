"""A call back in the database: planned, claimed when the operator is on the line, dialled, called off; on both engines (O23)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from survey import desk, fieldwork
from survey.desk.callbacks import CALLBACK
from survey.errors import NotAllowed
from survey.events import Answered
from survey.fieldwork import DialOrder, breaker
from survey.ladder import LIVE
from survey.order_moves import Actor
from survey.store.models import CallAttempt, Campaign, Escalation, Takeover, User
from survey.store.queries.dialling import to_be_called_off
from survey.store.queries.fieldwork import claimed_attempts, lines_taken
from tests.survey.desk.conftest import Desk


def begun(bench: Desk, name: str = "wang", keys: str = "18") -> User:
    """A case whose person has pressed these keys, else asked for somebody, and an operator who has pressed the button."""
    bench.ground.launch(1, lines=20)
    token = bench.call(keys)
    bench.ground.end(token)
    user = bench.operator(name)
    with bench.ground.sessions() as session:
        ticket = session.scalars(select(Escalation.public_id)).one()
    with bench.ground.work() as work:
        own = work.session.get_one(User, user.id)
        desk.callbacks.begin(work, bench.ground.office, ticket, Actor(name, "operator"), own, bench.ground.now)
    return user


def attempt_of(bench: Desk) -> CallAttempt:
    with bench.ground.sessions() as session:
        return session.scalars(select(CallAttempt).where(CallAttempt.purpose == CALLBACK)).one()


def dial(bench: Desk) -> object:
    number = attempt_of(bench).id
    with bench.ground.work() as work:
        return fieldwork.prepare_dial(work, bench.ground.office, number, bench.ground.now)


def talked(bench: Desk) -> tuple[int, str]:
    """Operator and person talk; the attempt's number and token."""
    bench.accept(bench.ring())
    dial(bench)
    attempt = attempt_of(bench)
    with bench.ground.work() as work:
        fieldwork.note_accepted(work, attempt.id, "CAperson", bench.ground.now)
    bench.ground.turn(attempt.token, 0, Answered())
    return attempt.id, attempt.token


def write(bench: Desk, user: User, *items: str) -> None:
    for item in items:
        bench.write(user, item, "satisfied")


def test_what_is_planned_holds_no_line_and_is_not_dialled(bench: Desk) -> None:
    begun(bench)

    assert attempt_of(bench).status == "planned"
    assert "planned" not in LIVE
    with bench.ground.sessions() as session:
        assert lines_taken(session) == 0
        assert claimed_attempts(session) == []
    assert dial(bench) is None


def test_the_key_of_the_operator_has_the_person_dialled_at_the_number_of_the_case(bench: Desk) -> None:
    begun(bench)
    room = bench.accept(bench.ring())
    assert room == attempt_of(bench).token
    order = dial(bench)

    assert isinstance(order, DialOrder)
    assert (order.token, order.is_by_machine) == (room, False)
    attempt = attempt_of(bench)
    assert (attempt.status, attempt.live_key) == ("requested", attempt.phone_key)
    assert dial(bench) is None
    with bench.ground.sessions() as session:
        assert lines_taken(session) == 1


def test_a_call_back_whose_operator_is_gone_is_called_off_as_soon_as_the_carrier_has_it(bench: Desk) -> None:
    user = begun(bench)
    bench.accept(bench.ring())
    dial(bench)
    number, wanted = attempt_of(bench).id, bench.takeover().public_id
    with bench.ground.work() as work:
        desk.callbacks.call_off(work, bench.ground.office, wanted, work.session.get_one(User, user.id), bench.ground.now)
    with bench.ground.work() as work:
        fieldwork.note_accepted(work, number, "CAperson", bench.ground.now)

    with bench.ground.work() as work:
        assert to_be_called_off(work.session) == [number]
        assert fieldwork.prepare_call_off(work, number) == "CAperson"
    assert bench.duty(user).state == "free"


def test_while_the_carrier_is_out_of_reach_an_operator_waits_no_longer_than_for_a_line(bench: Desk) -> None:
    user = begun(bench)
    with bench.ground.work() as work:
        breaker.note_unreachable(work.session, bench.ground.now + timedelta(minutes=5))
    bench.accept(bench.ring())
    assert dial(bench) is None
    assert bench.takeover().state == "ready"
    bench.ground.clock.advance(seconds=31)
    assert dial(bench) is None

    assert (bench.takeover().state, bench.takeover().result) == ("done", "unreachable")
    assert bench.duty(user).state == "free"


def test_an_operator_who_waits_for_too_long_is_told_so_by_the_clock(bench: Desk) -> None:
    user = begun(bench)
    bench.accept(bench.ring())
    dial(bench)
    bench.ground.clock.advance(seconds=239)
    bench.tend()
    assert bench.takeover().state == "ready"
    bench.ground.clock.advance(seconds=2)
    bench.tend()

    assert (bench.takeover().state, bench.takeover().result) == ("done", "unreachable")
    assert bench.duty(user).state == "free"


def test_a_call_that_came_to_the_desk_by_itself_is_not_called_off(bench: Desk) -> None:
    user = bench.operator("wang")
    bench.call()
    bench.claim(user)
    wanted = bench.takeover().public_id

    with pytest.raises(NotAllowed, match="不能取消"), bench.ground.work() as work:
        desk.callbacks.call_off(work, bench.ground.office, wanted, work.session.get_one(User, user.id), bench.ground.now)
    assert bench.takeover().state == "claimed"


def test_a_second_call_back_may_follow_when_the_first_is_over(bench: Desk) -> None:
    user = begun(bench)
    bench.leg_over(bench.ring())
    bench.ground.clock.moment += timedelta(minutes=1)
    with bench.ground.sessions() as session:
        ticket = session.scalars(select(Escalation.public_id)).one()
    with bench.ground.work() as work:
        own = work.session.get_one(User, user.id)
        desk.duty.choose(work.session, bench.ground.office, own, "free", bench.ground.now)
        desk.callbacks.begin(work, bench.ground.office, ticket, Actor("wang", "operator"), own, bench.ground.now)

    with bench.ground.sessions() as session:
        assert session.scalars(select(Takeover.state).order_by(Takeover.id)).all() == ["done", "claimed"]
        numbers = session.scalars(select(CallAttempt.number).order_by(CallAttempt.id)).all()
        assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(("pressed", "outcome"), [
    ("114" + "91", ("closed", "complete", "finished")),  # put off: the machine would call again
    ("114", ("closed", "complete", "declined")),
])  # fmt: skip
@pytest.mark.parametrize("when", ["in the talk", "after the talk"])
def test_an_interview_completed_in_a_call_back_counts_whenever_its_answers_are_written_down(
    bench: Desk, pressed: str, outcome: tuple[str, str, str], when: str
) -> None:
    user = begun(bench, keys=pressed)
    number, token = talked(bench)
    rest = ("outcome", "equipment", "appearance")
    if when == "in the talk":
        write(bench, user, *rest)
    bench.wish(user, "ended")
    bench.again(token)
    bench.ground.end(token)
    assert attempt_of(bench).settled_at is not None
    if when == "after the talk":
        write(bench, user, *rest)
        write(bench, user, "outcome")
    bench.wrap_up(user, "order", "yes")

    respondent = bench.ground.respondent_of(number)
    assert (respondent.state, respondent.disposition, respondent.close_reason) == outcome
    assert attempt_of(bench).disposition == "complete"
    with bench.ground.sessions() as session:
        assert session.scalars(select(Campaign.state)).all() == ["finished"]
    for _ in range(24 * 8):
        bench.ground.clock.moment += timedelta(hours=1)
        assert bench.ground.claim() == []


def test_an_interview_that_was_whole_before_the_call_back_is_none_of_it_however_often_it_is_weighed(bench: Desk) -> None:
    user = begun(bench, keys="1" + "11142" + "2")
    number, token = talked(bench)
    bench.wish(user, "ended")
    bench.again(token)
    bench.ground.end(token)
    write(bench, user, "equipment", "speed")

    assert attempt_of(bench).disposition == "other"
    assert bench.ground.respondent_of(number).disposition == "complete"
