"""A call at the desk: offered, claimed once, rung, joined, given back or ended, sorted out (O1–O13, O18–O20, O25–O27)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import OperationalError

from survey import desk
from survey.desk import Taken
from survey.errors import BadInput, NotAllowed
from survey.events import Digits, HungUp, NoInput, Recorded
from survey.fieldwork.alarms import standing_alarms
from survey.fieldwork.replays import stored_calls
from survey.replay import ways_under
from survey.store.models import Answer, CallAttempt, Duty, Escalation, Offer, OperatorAnswer, Takeover, Turn, User
from survey.store.queries.desk import last_verdict, put_offer
from survey.wrap_ups import check
from tests.survey.desk.conftest import BAD, Desk


def test_nobody_goes_on_duty_without_a_telephone(bench: Desk) -> None:
    with pytest.raises(BadInput, match="值班电话"):
        bench.operator("wang", telephone="")


def test_while_nobody_is_on_duty_no_call_comes_to_the_desk(bench: Desk) -> None:
    bench.call(BAD + "1")

    with pytest.raises(Exception, match="No row"):
        bench.takeover()


def test_a_call_is_offered_to_the_free_then_to_everybody_then_given_up(bench: Desk) -> None:
    bench.operator("wang")
    bench.operator("li", state="busy")
    token = bench.call()
    bench.tend()
    assert bench.offers() == [("wang", 1, "open")]

    bench.ground.clock.advance(seconds=20)
    bench.tend()
    assert bench.offers() == [("wang", 1, "missed"), ("wang", 2, "open"), ("li", 2, "open")]

    bench.ground.clock.advance(seconds=40)
    bench.tend()
    assert bench.takeover().result == "nobody"
    assert ("leave_desk", bench.takeover().id, 0) in bench.ground.queue.asked

    reply = bench.again(token)
    assert "operator.nobody" in reply
    assert (bench.takeover().state, bench.takeover().ended_at) == ("done", bench.ground.now)


def test_who_misses_two_offers_in_a_row_counts_as_away_and_is_told_why(bench: Desk) -> None:
    wang = bench.operator("wang")
    bench.call()
    for _ in range(3):
        bench.tend()
        bench.ground.clock.advance(seconds=20)

    duty = bench.duty(wang)
    assert (duty.state, duty.note) == ("away", "missed")


@pytest.mark.parametrize(("state", "free_at", "outcome"), [
    ("away", 19.5, "gone"), ("away", 9.5, "missed"),  # shown for half a second, and for more than half of the round
    ("busy", 39.5, "gone"), ("busy", 29.5, "missed"),  # shown to everybody in the second round
])  # fmt: skip
def test_an_offer_is_missed_only_by_who_was_free_before_it_for_half_a_round(bench: Desk, state: str, free_at: float, outcome: str) -> None:
    wang, _ = bench.operator("wang", state=state), bench.operator("li")
    bench.call()
    for moment in (0, 20):
        if moment < free_at:
            bench.ground.clock.advance(seconds=moment)
            bench.tend()
    bench.ground.clock.advance(seconds=free_at % 20)
    with bench.ground.work() as work:
        desk.duty.choose(work.session, bench.ground.office, work.session.get_one(User, wang.id), "free", bench.ground.now)
    bench.tend()
    bench.ground.clock.advance(seconds=20 - free_at % 20)
    bench.tend()

    assert ("wang", 1 + (free_at > 20), outcome) in bench.offers()
    assert bench.duty(wang).misses == (outcome == "missed")


def test_a_call_that_comes_back_to_the_screens_near_the_end_of_its_round_is_missed_by_nobody(bench: Desk) -> None:
    wang, li = bench.operator("wang"), bench.operator("li")
    bench.call()
    bench.tend()
    bench.claim(wang)
    bench.ground.clock.advance(seconds=18)
    bench.leg_over(bench.ring())
    bench.ground.clock.advance(seconds=2)
    bench.tend()

    assert ("li", 1, "gone") in bench.offers()
    assert bench.duty(li).misses == 0


def test_a_declined_call_is_not_offered_again_and_nothing_is_held_against_it(bench: Desk) -> None:
    wang, _ = bench.operator("wang"), bench.operator("li", state="busy")
    bench.call()
    bench.tend()
    bench.decline(wang)
    bench.ground.clock.advance(seconds=25)
    bench.tend()

    assert bench.offers() == [("wang", 1, "declined"), ("li", 2, "open")]
    assert (bench.duty(wang).misses, bench.duty(wang).state) == (0, "free")


def test_a_call_that_is_declined_before_it_was_offered_is_not_offered_any_more(bench: Desk) -> None:
    wang, _ = bench.operator("wang"), bench.operator("li")
    bench.call()
    bench.decline(wang)
    bench.tend()

    assert bench.offers() == [("wang", 1, "declined"), ("li", 1, "open")]


def test_nobody_waits_for_a_desk_at_which_everybody_has_declined(bench: Desk) -> None:
    wang, li = bench.operator("wang"), bench.operator("li")
    bench.call()
    bench.decline(wang)
    bench.tend()
    assert bench.takeover().result == ""

    bench.decline(li)
    bench.tend()
    assert bench.takeover().result == "nobody"


def test_who_talks_may_still_take_a_call_that_the_others_have_declined(bench: Desk) -> None:
    wang, li = bench.operator("wang"), bench.operator("li")
    bench.talk(li)
    bench.call()
    bench.decline(wang)
    bench.tend()

    assert bench.takeover().result == ""


@pytest.mark.parametrize("by_the_clock", [False, True])
def test_an_operator_who_sorts_a_newer_call_out_is_not_freed_by_an_older_one(bench: Desk, by_the_clock: bool) -> None:
    wang, _ = bench.operator("wang"), bench.operator("li")
    bench.again(bench.talk(wang))
    older = bench.takeover().public_id
    bench.ground.clock.advance(seconds=60)
    bench.again(bench.talk(wang))
    if by_the_clock:
        bench.ground.clock.advance(seconds=61)
        bench.tend()
    else:
        bench.wrap_up(wang, "order", public_id=older)

    assert bench.duty(wang).state == "wrapping"
    bench.wrap_up(wang, "order")
    assert bench.duty(wang).state == "free"


@pytest.mark.parametrize("sorted_out", ["afterwards", "before the other hangs up"])
def test_an_operator_whose_next_person_hangs_up_before_the_talk_goes_on_sorting_the_last_call_out(bench: Desk, sorted_out: str) -> None:
    wang, _ = bench.operator("wang"), bench.operator("li")
    bench.again(bench.talk(wang))
    older = bench.takeover().public_id
    bench.ground.clock.advance(seconds=10)
    token = bench.call()
    bench.claim(wang)
    if sorted_out == "before the other hangs up":
        bench.wrap_up(wang, "order", public_id=older)
    bench.again(token, HungUp())

    assert (bench.takeover().state, bench.takeover().result) == ("done", "left")
    if sorted_out == "afterwards":
        assert bench.duty(wang).state == "wrapping"
        bench.wrap_up(wang, "order", public_id=older)
    assert bench.duty(wang).state == "free"


def test_a_person_who_hangs_up_while_the_last_call_is_being_stored_as_sorted_out_leaves_the_operator_free(bench: Desk) -> None:
    wang, _ = bench.operator("wang"), bench.operator("li")
    bench.again(bench.talk(wang))
    older = bench.takeover().public_id
    token = bench.call()
    bench.claim(wang)
    with ThreadPoolExecutor(1) as pool:
        with bench.ground.work() as work:
            own, given = work.session.get_one(User, wang.id), desk.WrapUp("order", "yes", "")
            desk.wrap_up(work.session, bench.ground.office, older, own, given, bench.ground.now)
            end = pool.submit(bench.again, token, HungUp())
            wait([end], timeout=0.5)  # who does not wait for the operator's row is done by now
        end.result(timeout=60)

    assert bench.takeover().result == "left"
    assert bench.duty(wang).state == "free"


def test_a_claim_rings_the_telephone_of_the_claimant(bench: Desk) -> None:
    wang = bench.operator("wang", telephone="+8610000009007")
    bench.call()
    bench.claim(wang)

    assert ("ring_desk", bench.takeover().id, 0) in bench.ground.queue.asked
    assert bench.ring().to == "+8610000009007"
    assert bench.duty(wang).state == "talking"
    number = bench.takeover().id
    with bench.ground.work() as work:
        assert desk.ringing.prepare_ring(work, bench.ground.office, number, bench.ground.now) is None, "rung once"


def test_whoever_comes_second_reads_who_was_first(bench: Desk) -> None:
    wang, li = bench.operator("wang"), bench.operator("li")
    bench.call()
    bench.tend()
    bench.claim(wang)

    with pytest.raises(Taken, match="已由Wang接听"):
        bench.claim(li)
    assert bench.duty(li).state == "free"
    assert bench.offers() == [("wang", 1, "claimed"), ("li", 1, "taken")]


def test_two_at_once_have_exactly_one_winner_in_a_thousand_trials(bench: Desk) -> None:
    """O9. A trial is a fresh row; the two begin together, each with a connection of its own."""
    users = [bench.operator("wang"), bench.operator("li")]
    bench.call()
    trials = 1000 if bench.ground.engine.dialect.name == "sqlite" else 200
    first = bench.takeover()
    barrier = Barrier(2)

    def contend(user: User) -> list[str]:
        told = []
        for _ in range(trials):
            barrier.wait(timeout=60)
            try:
                bench.claim(user, first.public_id)
                told.append("won")
            except Taken as lost:
                told.append(lost.by)
            barrier.wait(timeout=60)
            if user is users[0]:
                _free_again(bench, first.id)
            barrier.wait(timeout=60)
        return told

    with ThreadPoolExecutor(2) as pool:
        ours, theirs = pool.map(contend, users)

    assert all({one, other} in ({"won", "Wang"}, {"won", "Li"}) for one, other in zip(ours, theirs, strict=True))
    assert ours.count("won") + theirs.count("won") == trials


def test_who_answers_or_declines_at_the_very_end_of_an_offer_gets_in_nobodys_way(bench: Desk) -> None:
    """All take the rows of the desk in one order: call, operator, offers. Otherwise a database ends one of the two in a deadlock."""
    users = [bench.operator(name) for name in ("wang", "li", "zhao")]
    bench.call()
    public_id, number = bench.takeover().public_id, bench.takeover().id
    trials = 150 if bench.ground.engine.dialect.name == "postgresql" else 20
    barrier, problems = Barrier(4), list[Exception]()

    def set_out() -> None:
        _free_again(bench, number)
        with bench.ground.work() as work:
            work.session.execute(delete(Offer))
        bench.tend()
        with bench.ground.work() as work:
            work.session.execute(update(Offer).values(until=bench.ground.now))

    def act(do: Callable[[], object], is_first: bool) -> None:
        for _ in range(trials):
            if is_first:
                set_out()
            barrier.wait(timeout=60)
            try:
                do()
            except (NotAllowed, OperationalError) as problem:
                problems.append(problem)
            barrier.wait(timeout=60)

    deeds = [bench.tend, lambda: bench.claim(users[0], public_id), lambda: bench.decline(users[1]), lambda: bench.decline(users[2])]
    with ThreadPoolExecutor(len(deeds)) as pool:
        for done in [pool.submit(act, deed, deed is deeds[0]) for deed in deeds]:
            done.result()

    assert [problem for problem in problems if isinstance(problem, OperationalError)] == []
    assert {outcome for _, _, outcome in bench.offers()} <= {"claimed", "declined", "taken", "missed", "gone", "open"}


def _free_again(bench: Desk, takeover_id: int) -> None:
    with bench.ground.work() as work:
        work.session.get_one(Takeover, takeover_id).state = "waiting"
        work.session.get_one(Takeover, takeover_id).operator_id = None
        for duty in work.session.scalars(select(Duty)):
            duty.state = "free"


def test_nobody_claims_who_is_off_duty_or_talks(bench: Desk) -> None:
    wang = bench.operator("wang")
    bench.call()
    bench.claim(wang)
    bench.call()

    with pytest.raises(NotAllowed, match="先上岗"):
        bench.claim(wang)


def test_the_key_brings_the_two_together(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.call()
    bench.claim(wang)
    order = bench.ring()

    assert bench.accept(order) == token
    assert bench.accept(order) == token, "a repeated key names the same room"
    assert ("leave_desk", bench.takeover().id, 0) in bench.ground.queue.asked
    assert "join" in bench.again(token)
    assert bench.takeover().state == "talking"


def test_who_claims_while_the_sweep_offers_the_same_call_has_it(bench: Desk) -> None:
    """The two add the same offer: whoever comes second finds it there."""
    wang = bench.operator("wang")
    bench.call()
    takeover = bench.takeover()
    with bench.ground.work() as work:
        for _ in range(2):
            put_offer(work.session, takeover.id, wang.id, 1, bench.ground.now, bench.ground.now)
    bench.claim(wang)

    assert bench.offers() == [("wang", 1, "claimed")]


def test_a_telephone_that_nobody_answers_puts_the_call_back_for_the_others(bench: Desk) -> None:
    wang, li = bench.operator("wang"), bench.operator("li")
    token = bench.call()
    bench.claim(wang)
    order = bench.ring()
    bench.leg_over(order)
    bench.tend()

    assert (bench.takeover().state, bench.takeover().operator_id) == ("waiting", None)
    assert (bench.duty(wang).state, bench.duty(wang).note) == ("away", "rang_out")
    assert ("li", 1, "open") in bench.offers()
    assert bench.accept(order) is None, "the old telephone opens nothing any more"
    bench.claim(li)
    assert bench.accept(bench.ring()) == token


def test_a_call_that_was_on_other_screens_before_the_claim_is_back_there_at_once(bench: Desk) -> None:
    wang, _, _ = bench.operator("wang"), bench.operator("li"), bench.operator("zhao")
    bench.call()
    bench.tend()
    bench.claim(wang)
    assert ("li", 1, "taken") in bench.offers()
    bench.leg_over(bench.ring())

    assert bench.offers() == [("wang", 1, "rang_out"), ("li", 1, "open"), ("zhao", 1, "open")]


def test_who_hangs_up_is_off_the_screen_at_once_and_the_operator_s_telephone_let_go(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.call()
    bench.claim(wang)
    bench.accept(bench.ring())
    bench.ground.status(token, "completed", seconds=60)
    assert not bench.ground.settle(token), "a late key may still come"

    assert (bench.takeover().state, bench.takeover().result) == ("done", "left")
    assert bench.duty(wang).state == "free"
    assert ("let_go", bench.takeover().id, 0) in bench.ground.queue.asked
    bench.ground.clock.advance(seconds=31)
    assert bench.ground.settle(token)
    assert bench.takeover().result == "left"


def test_the_end_of_a_talk_that_comes_after_the_end_of_the_call_is_still_its_end(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang)
    bench.write(wang, "outcome", "dissatisfied")
    bench.ground.status(token, "completed", seconds=60)
    bench.ground.settle(token)

    assert bench.again(token).startswith("notice.thanks hangup")


def test_two_who_were_together_for_a_while_have_met_also_where_the_carrier_told_nothing_of_the_room(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.call()
    bench.claim(wang)
    bench.accept(bench.ring())
    bench.again(token)
    bench.ground.clock.advance(seconds=6)

    assert bench.again(token).startswith("notice.thanks hangup")
    assert bench.takeover().result == "ended"


def test_who_comes_into_a_room_that_the_operator_has_left_is_fetched_out_of_it(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.call()
    bench.claim(wang)
    order = bench.ring()
    bench.accept(order)
    bench.again(token)
    bench.leg_over(order)
    assert bench.takeover().state == "talking"
    bench.ground.clock.advance(seconds=3)
    bench.ground.queue.asked.clear()
    bench.tend()

    assert ("leave_desk", bench.takeover().id, 0) in bench.ground.queue.asked
    assert "operator.nobody" in bench.again(token)
    assert bench.takeover().result == "lost"


def test_a_ring_of_which_nothing_more_is_heard_ends_by_the_clock(bench: Desk) -> None:
    wang = bench.operator("wang")
    bench.call()
    bench.claim(wang)
    bench.ring()
    bench.ground.clock.advance(seconds=36)
    bench.tend()

    assert bench.takeover().state == "waiting"


@pytest.mark.parametrize("asks", ["tend", "the waiting document"])
def test_a_claim_whose_ring_was_never_asked_for_ends_by_the_clock_as_well(bench: Desk, asks: str) -> None:
    wang = bench.operator("wang")
    token = bench.call()
    bench.claim(wang)
    bench.ground.clock.advance(seconds=36)
    if asks == "tend":
        bench.tend()
    else:
        with bench.ground.work() as work:
            desk.wait_of(work, bench.ground.office, token, bench.ground.now)

    assert bench.takeover().state == "waiting"
    assert bench.duty(wang).state == "away"


def test_an_operator_whose_number_cannot_be_read_is_passed_over(bench: Desk) -> None:
    wang = bench.operator("wang")
    bench.call()
    bench.claim(wang)
    with bench.ground.work() as work:
        work.session.get_one(User, wang.id).telephone_sealed = b"altered"
    with bench.ground.work() as work:
        assert desk.ringing.prepare_ring(work, bench.ground.office, bench.takeover().id, bench.ground.now) is None

    assert bench.takeover().state == "waiting"


@pytest.mark.parametrize(("kind", "note", "alarms"), [
    ("bad_number", "ring_refused", []), ("busy", "ring_failed", []), ("bad_caller_id", "ring_failed", ["desk"]),
])  # fmt: skip
def test_what_the_carrier_refuses_is_told_as_such(bench: Desk, kind: str, note: str, alarms: list[str]) -> None:
    wang, li = bench.operator("wang"), bench.operator("li")
    bench.call()
    for user in (wang, li):
        bench.claim(user)
        with bench.ground.work() as work:
            order = desk.ringing.prepare_ring(work, bench.ground.office, bench.takeover().id, bench.ground.now)
        with bench.ground.work() as work:
            if user is wang:
                desk.ringing.note_refused(work, bench.ground.office, order.token, kind, "21210", bench.ground.now)
            else:
                desk.ringing.note_accepted(work, order.token, "CAoperator", bench.ground.now)
        with bench.ground.sessions() as session:
            standing = [alarm.subject for alarm in standing_alarms(session)]
        assert standing == (alarms if user is wang else [])
    assert (bench.duty(wang).state, bench.duty(wang).note) == ("away", note)
    assert ("wang", 1, "rang_out") in bench.offers()


def test_who_picks_up_late_has_the_time_of_the_whisper_and_of_the_key(bench: Desk) -> None:
    wang = bench.operator("wang")
    bench.call()
    bench.claim(wang)
    order = bench.ring()
    bench.ground.clock.advance(seconds=25)  # the carrier rings up to five seconds longer
    with bench.ground.work() as work:
        assert desk.ringing.picked_up(work, bench.ground.office, order.token, "CAoperator", bench.ground.now)
    bench.ground.clock.advance(seconds=16)
    bench.tend()
    assert bench.takeover().state == "claimed"

    bench.ground.clock.advance(seconds=16)
    bench.tend()
    assert bench.takeover().state == "waiting"


def test_a_ring_that_begins_late_may_end_after_the_wait(bench: Desk) -> None:
    wang = bench.operator("wang")
    bench.call()
    bench.ground.clock.advance(seconds=55)
    bench.claim(wang)
    order = bench.ring()
    bench.ground.clock.advance(seconds=15)
    bench.tend()

    assert bench.takeover().result == ""
    assert bench.accept(order) is not None


def test_who_hangs_up_while_waiting_leaves_a_case_and_frees_the_operator(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.call()
    bench.claim(wang)
    bench.ring()
    with bench.ground.sessions() as session:
        step = session.get_one(Takeover, bench.takeover().id).attempt.step
    bench.ground.turn(token, step, HungUp())

    assert (bench.takeover().state, bench.takeover().result) == ("done", "left")
    assert bench.duty(wang).state == "free"
    assert ("let_go", bench.takeover().id, 0) in bench.ground.queue.asked
    with bench.ground.sessions() as session:
        assert "human_requested" in session.scalars(select(Escalation)).one().reasons


def test_a_call_given_back_goes_on_with_the_script(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang)
    bench.wish(wang, "handed_back")

    assert ("leave_desk", bench.takeover().id, 0) in bench.ground.queue.asked
    assert "operator.back" in bench.again(token)
    assert (bench.takeover().state, bench.takeover().result, bench.duty(wang).state) == ("wrap", "handed_back", "wrapping")


def test_a_call_that_ends_with_the_operator_putting_down_the_telephone_is_thanked_for(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang)

    assert "notice.thanks" in bench.again(token)
    assert bench.takeover().result == "ended"


def test_an_operator_whose_line_broke_before_the_talk_is_lost_to_the_person(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.call()
    bench.claim(wang)
    bench.accept(bench.ring())
    bench.again(token)

    assert "operator.nobody" in bench.again(token)
    assert bench.takeover().result == "lost"


def test_what_the_operator_writes_down_counts_and_the_machine_s_is_kept(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang)
    bench.write(wang, "equipment", "satisfied")
    bench.wish(wang, "handed_back")
    bench.again(token)

    with bench.ground.sessions() as session:
        answer = session.scalars(select(Answer).where(Answer.item == "equipment")).one()
        kept = session.scalars(select(OperatorAnswer)).one()
        assert (answer.code, answer.mode, answer.score) == ("satisfied", "human", 75)
        assert (kept.before_code, kept.before_raw, kept.before_mode) == ("dissatisfied", "4", "keys")
        assert session.scalars(select(Escalation)).one().reasons == ["human_requested"], "the dissatisfaction is taken back"


ALLEGED = (("speed", "very_dissatisfied"), ("attitude", "dissatisfied"), ("discipline", "yes"))


def case_of(bench: Desk) -> Escalation:
    with bench.ground.sessions() as session:
        return session.scalars(select(Escalation)).one()


def test_what_a_person_tells_the_operator_becomes_an_order_of_inspection(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang, "1" + "8")
    for item, code in ALLEGED:
        bench.write(wang, item, code)
    bench.wish(wang, "ended")
    bench.again(token)

    assert (case_of(bench).reasons, case_of(bench).route) == (["human_requested", "dissatisfied", "abuse_alleged"], "inspection")
    with pytest.raises(BadInput, match="须交办或回电"):
        bench.wrap_up(wang, "resolved", remark="已说明")
    bench.wrap_up(wang, "order", "no")
    bench.ground.end(token)
    assert bench.issue() == [(["speed", "attitude"], "no", "inspection")]


def test_what_was_written_down_counts_as_soon_as_the_person_has_hung_up(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang)
    bench.write(wang, "equipment", "satisfied")
    bench.ground.status(token, "completed", seconds=60)
    bench.ground.settle(token)

    assert (bench.takeover().state, case_of(bench).reasons) == ("wrap", ["human_requested"])
    bench.wrap_up(wang, "resolved", remark="按错了键")
    bench.ground.clock.advance(seconds=31)
    assert bench.ground.settle(token)
    assert bench.issue() == []


@pytest.mark.parametrize("told_by", ["the line", "the clock"])
def test_a_rating_that_only_the_operator_heard_makes_the_case_also_when_the_person_hangs_up(bench: Desk, told_by: str) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang, "1" + "8")
    bench.write(wang, "speed", "dissatisfied")
    if told_by == "the line":
        bench.again(token, HungUp())
    bench.ground.end(token)

    assert case_of(bench).reasons == ["human_requested", "dissatisfied"]
    assert bench.takeover().result == "left"


def test_an_answer_that_is_written_down_after_the_talk_counts_too(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang)
    bench.again(token)
    bench.write(wang, "equipment", "satisfied")
    assert case_of(bench).reasons == ["human_requested"]

    bench.write(wang, "speed", "dissatisfied")
    assert case_of(bench).reasons == ["human_requested", "dissatisfied"]


def test_the_fifth_answer_makes_an_interview_complete_with_those_that_were_written_down_before_the_person_hung_up(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang, "1" + "8")
    for item in ("speed", "attitude", "outcome", "equipment"):
        bench.write(wang, item, "satisfied")
    bench.ground.end(token)
    assert bench.ground.respondent_of(bench.takeover().attempt_id).disposition == "partial"

    bench.write(wang, "appearance", "satisfied")
    assert bench.ground.respondent_of(bench.takeover().attempt_id).disposition == "complete"


def test_who_wants_no_contact_is_not_named_whatever_they_had_pressed(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang)
    bench.write(wang, "consent", "yes")
    assert case_of(bench).consent == "yes"
    bench.write(wang, "consent", "no")
    bench.ground.end(token)

    assert case_of(bench).consent == "no"


def test_the_order_waits_until_the_call_is_sorted_out_so_that_consent_stands_in_it(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang)
    bench.wish(wang, "ended")
    bench.again(token)
    bench.ground.end(token)

    assert bench.issue() == []
    with pytest.raises(NotAllowed, match="整理后再下发"):
        bench.issue_by_hand()
    bench.write(wang, "attitude", "dissatisfied")
    bench.wrap_up(wang, "order", "yes")
    assert bench.issue() == [(["attitude", "equipment"], "yes", "centre")]


def test_a_call_that_nobody_sorts_out_in_time_holds_its_order_up_no_longer(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang)
    bench.again(token)
    bench.ground.end(token)
    bench.ground.clock.advance(seconds=120)
    bench.tend()

    assert bench.issue() == [(["equipment"], "unasked", "centre")]


def test_an_operator_finds_out_after_the_talk_that_it_was_somebody_else(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang, "8")
    bench.again(token)
    bench.ground.end(token)
    assert bench.ground.respondent_of(bench.takeover().attempt_id).disposition == "not_confirmed"

    bench.write(wang, "right_person", "no")
    assert bench.ground.respondent_of(bench.takeover().attempt_id).disposition == "wrong_person"


FIVE = ("speed", "attitude", "outcome", "equipment", "appearance")


def verdicts(bench: Desk) -> tuple[str | None, str]:
    """Of the newest call at the desk, and of its case."""
    attempt_id = bench.takeover().attempt_id
    return bench.ground.attempt(attempt_id).disposition, bench.ground.respondent_of(attempt_id).disposition


def test_somebody_else_in_a_second_call_leaves_what_the_first_one_brought(bench: Desk) -> None:
    bench.ground.launch(1, lines=20)
    attempt_id, token = bench.ground.dial_next()
    bench.ground.talk(token, "1" + "121" + "9" + "1")
    bench.ground.end(token)
    bench.ground.clock.moment = bench.ground.respondent_of(attempt_id).due_at or bench.ground.now
    bench.ground.clock.advance(minutes=1)
    wang = bench.operator("wang")
    token = bench.talk(wang, "8")
    bench.wish(wang, "ended")
    bench.again(token)
    bench.ground.end(token)
    assert verdicts(bench) == ("not_confirmed", "partial")

    bench.write(wang, "right_person", "no")
    assert verdicts(bench) == ("wrong_person", "partial")


def test_who_was_taken_for_somebody_else_by_a_slip_counts_after_all(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang, "8")
    bench.wish(wang, "ended")
    bench.again(token)
    bench.ground.end(token)

    bench.write(wang, "right_person", "no")
    bench.write(wang, "right_person", "yes")
    assert verdicts(bench) == ("break_off", "break_off")
    for item in FIVE:
        bench.write(wang, item, "satisfied")
    assert verdicts(bench) == ("complete", "complete")


@pytest.mark.parametrize("is_in_talk", [True, False])
def test_a_call_with_somebody_else_is_no_interview_whenever_that_is_found_out(bench: Desk, is_in_talk: bool) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang)
    if is_in_talk:
        bench.write(wang, "right_person", "no")
    bench.wish(wang, "ended")
    bench.again(token)
    bench.ground.end(token)
    if not is_in_talk:
        assert verdicts(bench) == ("complete", "complete")
        bench.write(wang, "right_person", "no")
    assert bench.ground.attempt(bench.takeover().attempt_id).disposition == "wrong_person"


def test_a_call_that_the_line_ended_is_whole_once_the_last_answer_is_written_down(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang, "1" + "8")
    for item in FIVE[:4]:
        bench.write(wang, item, "satisfied")
    bench.ground.end(token, "failed")
    assert verdicts(bench) == ("technical", "partial")

    bench.write(wang, "right_person", "no")
    bench.write(wang, "right_person", "yes")
    assert verdicts(bench) == ("technical", "partial")
    bench.write(wang, FIVE[4], "satisfied")
    assert verdicts(bench) == ("complete", "complete")


def test_what_is_written_down_before_the_call_is_settled_counts_for_the_call_and_then_for_the_case(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang)
    bench.wish(wang, "ended")
    bench.again(token)
    bench.write(wang, "right_person", "no")
    assert verdicts(bench) == ("wrong_person", "not_attempted")

    bench.write(wang, "right_person", "yes")
    bench.ground.end(token)
    assert verdicts(bench) == ("complete", "complete")


@pytest.mark.parametrize(("item", "code"), [("weather", "satisfied"), ("outcome", "wonderful"), ("reason", "none")])
def test_an_answer_that_the_script_does_not_know_is_refused(bench: Desk, item: str, code: str) -> None:
    wang = bench.operator("wang")
    bench.talk(wang)

    with pytest.raises(BadInput):
        bench.write(wang, item, code)


def test_only_the_operator_who_has_the_call_steers_it(bench: Desk) -> None:
    wang, li = bench.operator("wang"), bench.operator("li")
    bench.talk(wang)

    with pytest.raises(Taken, match="Wang"):
        bench.wish(li, "ended")


def test_a_call_is_sorted_out_and_the_operator_free_again(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang)
    bench.again(token)
    bench.wrap_up(wang, "order", "no", "群众要求核查现场")

    assert (bench.takeover().state, bench.takeover().verdict, bench.duty(wang).state) == ("done", "order", "free")
    with bench.ground.sessions() as session:
        case = session.scalars(select(Escalation)).one()
        assert (case.state, case.consent) == ("open", "no")


@pytest.mark.parametrize("sorted_out", ["before", "after"])
def test_who_is_promised_a_call_after_a_talk_that_has_settled_the_case_is_in_the_queue_again(bench: Desk, sorted_out: str) -> None:
    """Handed back they understood nothing, waited once more, and nobody came: “we will call you back” was said, and no ticket was open."""
    wang, _ = bench.operator("wang"), bench.operator("li")
    token = bench.talk(wang, "1" + "8")
    first, due_at = bench.takeover().public_id, the_case(bench).due_at
    assert due_at is not None
    bench.wish(wang, "handed_back")
    bench.again(token)
    if sorted_out == "before":
        bench.ground.clock.advance(minutes=1)
        bench.wrap_up(wang, "resolved", remark="已说明")
        assert the_case(bench).state == "settled"
        bench.ground.clock.advance(days=1)
    for event in (*[NoInput()] * 6, Digits("1")):
        bench.again(token, event)
    assert bench.takeover().public_id != first
    for _ in range(4):
        bench.tend()
        bench.ground.clock.advance(seconds=20)
    assert "operator.nobody" in bench.again(token)
    if sorted_out == "after":
        bench.wrap_up(wang, "resolved", remark="已说明", public_id=first)

    case = the_case(bench)
    assert (case.state, case.reasons, case.claimed_by) == ("open", ["human_requested"], None)
    assert case.due_at is not None
    assert (case.due_at > due_at) is (sorted_out == "before"), "what was due for the first asking was done"
    with bench.ground.sessions() as session:
        assert last_verdict(session, case.respondent_id) == "", "the end of an order does not close it either"


def test_who_is_talked_with_once_more_after_a_talk_is_settled_by_the_later_one(bench: Desk) -> None:
    wang, li = bench.operator("wang"), bench.operator("li")
    token = bench.talk(wang, "1" + "8")
    bench.wish(wang, "handed_back")
    bench.again(token)
    bench.wrap_up(wang, "resolved", remark="已说明")
    for event in (*[NoInput()] * 6, Digits("1")):
        bench.again(token, event)
    bench.claim(li)
    bench.accept(bench.ring())
    bench.again(token)
    bench.bridge(token)
    bench.again(token)
    assert the_case(bench).state == "open"
    bench.wrap_up(li, "no_contact")

    assert the_case(bench).state == "settled"
    with bench.ground.sessions() as session:
        assert last_verdict(session, the_case(bench).respondent_id) == "no_contact"


def the_case(bench: Desk) -> Escalation:
    with bench.ground.sessions() as session:
        return session.scalars(select(Escalation)).one()


def test_a_call_that_is_not_sorted_out_in_time_frees_the_operator_and_stays_a_case(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang)
    bench.again(token)
    wanted = bench.takeover().public_id
    for _ in range(2):
        with bench.ground.work() as work:
            desk.takeovers.prolong(work.session, bench.ground.office, wanted, work.session.get_one(User, wang.id))
    assert bench.takeover().wrap_until == bench.ground.now + timedelta(seconds=240)

    with pytest.raises(NotAllowed, match="2 次"), bench.ground.work() as work:
        desk.takeovers.prolong(work.session, bench.ground.office, wanted, work.session.get_one(User, wang.id))
    bench.ground.clock.advance(seconds=241)
    bench.tend()

    assert (bench.takeover().state, bench.takeover().verdict, bench.duty(wang).state) == ("done", "", "free")


@pytest.mark.parametrize(
    ("verdict", "consent", "reasons", "why"),
    [
        ("resolved", "yes", ["dissatisfied"], "须交办或回电"),
        ("no_contact", "no", ["danger"], "须交办或回电"),
        ("order", "yes", ["human_requested"], "没有不满意的评分"),
        ("call_back", "no", ["dissatisfied"], "没有要过人工，不能选择回电"),
        ("resolved", "yes", ["human_requested"], "写明如何解决"),
        ("", "yes", [], "请选择处理结果"),
        ("order", "perhaps", ["dissatisfied"], "是否同意联系"),
    ],
)
def test_impossible_combinations_are_refused_with_the_reason(verdict: str, consent: str, reasons: list[str], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        check(desk.WrapUp(verdict, consent), reasons)


@pytest.mark.parametrize("reason", ["human_requested", "danger"])
def test_who_asked_for_us_may_want_no_contact_by_the_unit(reason: str) -> None:
    check(desk.WrapUp("call_back", "no"), ["dissatisfied", reason])


def test_the_danger_is_served_first_and_the_others_hear_how_many_are_before_them(bench: Desk) -> None:
    bench.operator("wang")
    first = bench.call("1" + "8")
    bench.ground.clock.advance(seconds=1)
    second = bench.call("1" + "8")
    bench.ground.clock.advance(seconds=1)
    with bench.ground.work() as work:
        places = [desk.wait_of(work, bench.ground.office, token, bench.ground.now) for token in (first, second)]

    assert [place.ahead for place in places if place] == [0, 1]


def test_a_newer_log_in_takes_the_desk_over(bench: Desk) -> None:
    wang = bench.operator("wang")
    with bench.ground.work() as work:
        desk.duty.begin(work.session, bench.ground.office, work.session.get_one(User, wang.id), "a newer log-in", bench.ground.now)

    with bench.ground.sessions() as session:
        assert not desk.duty.is_on(session, "login of wang")
        assert desk.duty.is_on(session, "a newer log-in")


@pytest.mark.parametrize("late", [{}, {"right_person": "no"}, {"consent": "yes", "discipline": "yes"}, {"appearance": "dissatisfied"}])
@pytest.mark.parametrize("end", ["handed_back", "ended", "left"])
def test_a_call_that_an_operator_took_over_is_replayed_as_it_was(bench: Desk, end: str, late: dict[str, str]) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang)
    bench.write(wang, "equipment", "satisfied")
    bench.ground.clock.advance(seconds=1)
    if end != "left":
        bench.wish(wang, end)
        bench.again(token)
    bench.ground.end(token)
    for item, code in late.items():
        bench.write(wang, item, code)
    bench.ground.clock.advance(minutes=5)
    bench.tend()
    bench.call("1" + "8")

    assert replayed(bench) == (1, 0)


def test_what_is_written_down_while_the_script_goes_on_again_is_replayed_where_it_was(bench: Desk) -> None:
    wang = bench.operator("wang")
    token = bench.talk(wang)
    bench.wish(wang, "handed_back")
    bench.again(token)
    bench.ground.clock.advance(seconds=1)
    for item, code in (("discipline", "yes"), ("discipline", "no"), ("consent", "no")):
        bench.write(wang, item, code)
    bench.ground.clock.advance(seconds=1)
    bench.again(token, Recorded(None, None, "1"))
    bench.ground.clock.advance(seconds=1)
    bench.again(token, Digits("1"))
    bench.ground.end(token)
    bench.write(wang, "consent", "yes")
    assert [turn.node for turn in stored_turns(bench)][-3:] == ["reason", "interference", "remark"]

    assert replayed(bench) == (1, 0)


def stored_turns(bench: Desk) -> list[Turn]:
    with bench.ground.sessions() as session:
        return list(session.scalars(select(Turn).order_by(Turn.attempt_id, Turn.step)))


def replayed(bench: Desk) -> tuple[int, int]:
    """How many stored calls are the same again on their own script, and how many are not."""
    with bench.ground.sessions() as session:
        [campaign_id] = session.scalars(select(CallAttempt.campaign_id).distinct())
        stored = stored_calls(session, campaign_id)
        script = bench.ground.office.script(session, session.scalars(select(CallAttempt.script_version_id)).first() or 0)
        ways = ways_under(stored, script, script)
    return ways.same, ways.unlike
