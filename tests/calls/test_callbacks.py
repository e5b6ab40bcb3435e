"""An operator calls the person of a ticket back, whole and over real HTTP: first their own telephone, then the person's (O23, R14–R16)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from ivr.carrier.simulator.calls import MUSIC, Call
from ivr.carrier.simulator.faults import CreateFaults, FaultPlan, HookFaults
from ivr.carrier.simulator.persona import RATED, Traits
from survey import desk, fieldwork
from survey.casework.tickets import Taken
from survey.desk.callbacks import Standing
from survey.errors import BadInput, NotAllowed
from survey.order_moves import Actor
from survey.store.models import Alarm, CallAttempt, CarrierEvent, Escalation, TicketNote, User
from survey.store.sealing import place
from tests.calls import takeover_house
from tests.calls.takeover_house import ASKS, LONGEST_SILENCE, UNHAPPY, Desk, longest_gap
from tests.conftest import ON_SQLITE_ALONE
from tests.survey.fieldwork.conftest import Ground, ground

__all__ = ["ground"]
pytestmark = ON_SQLITE_ALONE

GREETED = "值班员给您回电"
SORRY = "值班员的线路中断了"
PICKS_UP = Traits(talk_seconds=600.0, ring_seconds=6.0)
SLOW = replace(PICKS_UP, ring_seconds=20.0)


@dataclass
class Bench:
    """A person whose case waits in the human queue, and the desk."""

    desk: Desk

    @property
    def ground(self) -> Ground:
        return self.desk.ground

    def owed(self, traits: Traits = ASKS, now: Traits = PICKS_UP) -> None:
        """The person asks for somebody while nobody is on duty, and is `now` another one on the telephone."""
        self.desk.launch(traits)
        self.desk.until_over()
        self.desk.house.everybody_is(now)

    def case(self) -> Escalation:
        with self.ground.sessions() as session:
            return session.scalars(select(Escalation).order_by(Escalation.id)).one()

    def standing(self) -> Standing:
        case = self.case().id
        with self.ground.sessions() as session:
            return desk.callbacks.standing(session, self.ground.office, session.get_one(Escalation, case), self.desk.now)

    def press(self, user: User) -> None:
        """The operator presses the button on the ticket's page; the jobs of that moment run."""
        ticket = self.case().public_id
        with self.desk.house.runtime.unit_of_work() as work:
            own = work.session.get_one(User, user.id)
            desk.callbacks.begin(work, self.ground.office, ticket, Actor(user.name, "operator"), own, self.desk.now)
        self.desk.house.queue.work_off(self.desk.house.pool)

    def call_off(self, user: User) -> None:
        wanted = self.desk.takeover().public_id
        with self.desk.house.runtime.unit_of_work() as work:
            own = work.session.get_one(User, user.id)
            desk.callbacks.call_off(work, self.ground.office, wanted, own, self.desk.now)
        self.desk.house.queue.work_off(self.desk.house.pool)

    def until_result(self, seconds: float = 120) -> str:
        return self.desk.until_state("done", "wrap", seconds=seconds).result

    def calls_back(self) -> list[CallAttempt]:
        with self.ground.sessions() as session:
            return list(session.scalars(select(CallAttempt).where(CallAttempt.purpose == "callback").order_by(CallAttempt.id)))

    def rung(self) -> list[Call]:
        """The carrier's calls to the person since the survey's own."""
        theirs = [call for call in self.desk.house.exchange.calls.values() if not call.callee.startswith("desk_")]
        return theirs[1:]

    def notes(self) -> list[tuple[str, str]]:
        """The ticket's history: step and words."""
        keys, found = self.ground.office.keys, []
        with self.ground.sessions() as session:
            for one in session.scalars(select(TicketNote).order_by(TicketNote.id)):
                found.append((one.what, keys.open(one.text_sealed, place("ticket_notes", "text_sealed", one.public_id)) or ""))
        return found

    def settled(self) -> CallAttempt:
        """The newest call back when it is settled."""
        self.desk.until(lambda: self.calls_back()[-1].settled_at, 200)
        return self.calls_back()[-1]

    def is_quiet(self) -> bool:
        """Whether no telephone is connected any more, and no attempt is open."""
        self.desk.until(lambda: all(call.ended for call in self.desk.house.exchange.calls.values()), 60)
        self.settled()
        with self.ground.sessions() as session:
            live = session.scalars(select(CallAttempt.id).where(CallAttempt.live_key.is_not(None))).all()
        return not live


@pytest.fixture
def bench(ground: Ground, tmp_path: Path) -> Iterator[Bench]:
    with takeover_house.opened(ground, tmp_path) as house:
        yield Bench(house)
        assert house.problems() == house.expected_problems


def test_the_operator_is_rung_first_the_person_then_and_the_talk_closes_the_ticket(bench: Bench) -> None:
    bench.owed()
    li = bench.desk.operator("li")
    assert bench.standing().is_open(bench.desk.now)
    bench.press(li)
    assert bench.rung() == []
    assert (bench.case().claimed_by, bench.desk.duty(li)[0]) == ("li", "talking")

    bench.desk.until(lambda: bench.desk.takeover().bridged_at, 60)
    [theirs], [person] = bench.desk.desk_calls(), bench.rung()
    assert person.created_at > theirs.presses[0]["at"]
    assert "您要拨的回电，城东派出所，要求人工" in bench.desk.words(theirs)
    assert GREETED in bench.desk.words(person)
    assert "报警" not in bench.desk.words(person)  # nothing of the incident before anybody has asked who it is (R26)
    [attempt] = bench.calls_back()
    assert attempt.live_key is not None

    bench.desk.beat(20)
    bench.desk.write(li, "speed", "satisfied")
    bench.desk.wish(li, "ended")
    assert bench.until_result() == "ended"
    bench.desk.wrap_up(li, "resolved", remark="已答复")
    assert bench.is_quiet()
    assert "感谢您的接听" in bench.desk.words(person)
    assert bench.desk.duty(li)[0] == "free"
    assert (bench.case().state, bench.notes()) == ("settled", [("claim", ""), ("call_back", ""), ("call_resolved", "已答复")])
    assert bench.settled().disposition == "other"
    assert {"takeover.call_back", "takeover.wrap_up"} <= set(bench.desk.audited())


def test_a_call_back_is_not_given_back_to_a_script_that_never_ran(bench: Bench) -> None:
    bench.owed()
    li = bench.desk.operator("li")
    bench.press(li)
    bench.desk.until(lambda: bench.desk.takeover().bridged_at, 60)

    with pytest.raises(NotAllowed, match="没有可交还"):
        bench.desk.wish(li, "handed_back")


def test_what_the_operator_asks_in_the_call_back_makes_the_interview_whole(bench: Bench) -> None:
    bench.owed()
    assert bench.desk.person().disposition == "break_off"
    li = bench.desk.operator("li")
    bench.press(li)
    bench.desk.until(lambda: bench.desk.takeover().bridged_at, 60)
    for item in RATED:
        bench.desk.write(li, item, "satisfied")
    bench.desk.wish(li, "ended")
    bench.until_result()
    bench.desk.wrap_up(li, "no_contact", "no")

    assert bench.settled().disposition == "complete"
    assert bench.desk.person().disposition == "complete"
    assert bench.desk.person().close_reason == "handed_over"
    assert bench.case().state == "settled"


def test_a_dissatisfied_case_is_called_back_and_still_goes_on_to_its_order(bench: Bench) -> None:
    bench.owed(UNHAPPY)
    li = bench.desk.operator("li")
    bench.press(li)
    bench.desk.until(lambda: bench.desk.takeover().bridged_at, 60)
    bench.desk.wish(li, "ended")
    bench.until_result()
    with pytest.raises(BadInput, match="须交办"):
        bench.desk.wrap_up(li, "resolved", remark="已说明")
    bench.desk.wrap_up(li, "order", remark="补充了经过")

    assert bench.case().state == "open"
    assert bench.notes()[-1] == ("call_order", "补充了经过")


def test_the_operator_hears_music_as_long_as_the_person_s_telephone_rings(bench: Bench) -> None:
    bench.owed(now=SLOW)
    li = bench.desk.operator("li")
    bench.press(li)
    bench.desk.until(lambda: bench.desk.takeover().bridged_at, 90)
    [theirs] = bench.desk.desk_calls()
    alone = [heard for heard in theirs.heard if heard.text == MUSIC]

    assert sum(heard.seconds for heard in alone) > 16  # the sound itself is half as long
    assert longest_gap(sorted(theirs.heard, key=lambda heard: heard.at)[1:]) <= LONGEST_SILENCE


@pytest.mark.parametrize("telephone", ["desk_no_answer", "desk_busy", "desk_silent", "desk_wrong_key", "desk_hangs_up"])
def test_an_operator_who_does_not_come_to_the_telephone_rings_nobody(bench: Bench, telephone: str) -> None:
    bench.owed()
    li = bench.desk.operator("li", telephone)
    bench.press(li)

    assert bench.until_result() == "rang_out"
    assert bench.rung() == []
    assert bench.desk.duty(li) == ("away", "rang_out")
    assert bench.notes()[-1] == ("not_reached", "rang_out")
    assert bench.is_quiet()
    assert [(each.status, each.disposition, each.requested_at) for each in bench.calls_back()] == [("canceled", None, None)]
    assert bench.standing().is_open(bench.desk.now)
    assert bench.standing().tries == 0


@pytest.mark.parametrize(
    ("pick_up", "result", "pause"),
    [("busy", "busy", timedelta(minutes=20)), ("no-answer", "no_answer", timedelta(hours=3)), ("no-such-number", "unreachable", None)],
)
def test_whom_nobody_reaches_is_told_to_the_operator_with_the_next_time_and_the_ticket_stays(
    bench: Bench, pick_up: str, result: str, pause: timedelta | None
) -> None:
    bench.owed(now=replace(PICKS_UP, pick_up=pick_up))
    li = bench.desk.operator("li")
    bench.press(li)

    assert bench.until_result() == result
    assert bench.desk.duty(li)[0] == "free"
    assert bench.case().state == "open"
    assert bench.notes()[-1] == ("not_reached", result)
    assert bench.is_quiet()
    [attempt] = bench.calls_back()
    found = bench.standing()
    if pause is None:
        assert found.reason == "no_such_number"
    else:
        assert found.at is not None
        assert attempt.requested_at is not None
        assert found.at >= attempt.requested_at + pause
    assert found.at is None or found.tries == 1
    with pytest.raises(NotAllowed, match="此刻不能回拨"):
        bench.press(li)
    assert len(bench.rung()) == 1
    assert bench.desk.person().tries == 1  # the machine's own calls are counted apart
    assert bench.desk.person().close_reason == "handed_over"


def test_after_as_many_calls_as_are_allowed_nobody_is_called_back_any_more(bench: Bench) -> None:
    bench.owed(now=replace(PICKS_UP, pick_up="no-answer"))
    li = bench.desk.operator("li")
    for _ in range(5):
        at = bench.standing().at
        assert at is not None
        bench.desk.house.exchange.run_until(max(at, bench.desk.now))
        bench.press(li)
        assert bench.until_result() == "no_answer"
        bench.settled()

    assert bench.standing().reason == "max_attempts"
    with pytest.raises(NotAllowed):
        bench.press(li)
    assert len(bench.rung()) == 5


@pytest.mark.parametrize("point", ["operator", "ringing", "talk"])
def test_wherever_the_operator_puts_the_telephone_down_nobody_is_left_alone(bench: Bench, point: str) -> None:
    bench.owed(now=SLOW)
    li = bench.desk.operator("li", "desk_takes_slowly" if point == "operator" else "desk_takes")
    bench.press(li)
    reached = {
        "operator": lambda: bench.desk.desk_calls() and bench.desk.desk_calls()[-1].ringing_at,
        "ringing": lambda: bench.rung() and bench.rung()[-1].ringing_at,
        "talk": lambda: bench.desk.takeover().bridged_at,
    }
    bench.desk.until(reached[point], 60)
    bench.desk.hang_up(bench.desk.desk_calls()[-1])
    result = bench.until_result()

    assert result == {"operator": "rang_out", "ringing": "called_off", "talk": "ended"}[point]
    assert bench.is_quiet()
    assert len(bench.rung()) == (0 if point == "operator" else 1)
    if point == "ringing":
        assert [call.answered_at for call in bench.rung()] == [None]
        assert bench.standing().is_open(bench.desk.now + timedelta(hours=4))
    assert bench.case().state == "open"
    assert bench.desk.duty(li)[0] == {"operator": "away", "ringing": "free", "talk": "wrapping"}[point]


def test_who_picks_up_when_the_operator_is_gone_hears_that_they_will_be_called_again(bench: Bench) -> None:
    bench.owed(now=SLOW)
    li = bench.desk.operator("li")
    bench.press(li)
    bench.desk.until(lambda: bench.rung() and bench.rung()[-1].ringing_at, 60)
    bench.desk.sweeps = False  # the clock process is away: nobody calls the ringing off
    wanted = bench.desk.takeover().public_id
    with bench.desk.house.runtime.unit_of_work() as work:
        own = work.session.get_one(User, li.id)
        desk.callbacks.call_off(work, bench.ground.office, wanted, own, bench.desk.now)
    bench.desk.house.queue._take()  # and what was to be done at once is lost
    bench.desk.house.exchange.run_until(bench.desk.now + timedelta(seconds=25))
    bench.desk.sweeps = True

    assert SORRY in bench.desk.words(bench.rung()[-1])
    assert bench.is_quiet()
    assert bench.desk.takeover().result == "called_off"


@pytest.mark.parametrize("point", ["operator", "ringing"])
def test_a_call_back_that_is_called_off_stops_ringing(bench: Bench, point: str) -> None:
    bench.owed(now=SLOW)
    li = bench.desk.operator("li", "desk_takes_slowly" if point == "operator" else "desk_takes")
    bench.press(li)
    telephones = {"operator": bench.desk.desk_calls, "ringing": bench.rung}
    bench.desk.until(lambda: telephones[point]() and telephones[point]()[-1].ringing_at, 60)
    bench.call_off(li)

    assert bench.desk.takeover().result == "called_off"
    assert bench.desk.duty(li)[0] == "free"
    assert bench.is_quiet()
    assert all(call.answered_at is None for call in bench.rung())
    assert bench.desk.seconds_of_talk(bench.desk.desk_calls()[-1]) == 0


@pytest.mark.parametrize("seconds", [1.0, 8.0])
def test_a_person_who_hangs_up_leaves_the_operator_to_sort_it_out_or_to_try_again(bench: Bench, seconds: float) -> None:
    bench.owed(now=replace(PICKS_UP, hangs_up_after=seconds))
    li = bench.desk.operator("li")
    bench.press(li)
    result = bench.until_result()

    assert result == "left"
    assert bench.is_quiet()
    bench.desk.wrap_up(li, "call_back")
    assert (bench.case().state, bench.notes()[-1]) == ("open", ("call_call_back", ""))
    assert bench.standing().is_open(bench.desk.now)  # somebody picked up: to call again is one click (O23)


def test_an_operator_who_does_not_sort_it_out_finds_it_in_the_history_of_the_ticket(bench: Bench) -> None:
    bench.owed()
    li = bench.desk.operator("li")
    bench.press(li)
    bench.desk.until(lambda: bench.desk.takeover().bridged_at, 60)
    bench.desk.hang_up(bench.rung()[-1])
    bench.desk.until_state("wrap")
    bench.desk.until(lambda: bench.desk.takeover().state == "done", 200)

    assert bench.notes()[-1] == ("call_unsorted", "")
    assert (bench.case().state, bench.desk.duty(li)[0]) == ("open", "free")


def test_outside_of_the_calling_hours_nobody_is_called_and_the_page_knows_from_when(bench: Bench) -> None:
    bench.owed()
    li = bench.desk.operator("li")
    bench.desk.house.exchange.run_until(bench.desk.now.replace(hour=21, minute=30))
    found = bench.standing()

    assert found.at is not None
    assert not found.is_open(bench.desk.now)
    with pytest.raises(NotAllowed):
        bench.press(li)
    assert bench.calls_back() == []
    assert bench.desk.duty(li)[0] == "free"
    bench.desk.house.exchange.run_until(found.at)
    assert bench.standing().is_open(bench.desk.now)


def test_hours_that_end_while_the_operator_s_telephone_rings_are_seen_before_the_person_is_dialled(bench: Bench) -> None:
    bench.owed()
    li = bench.desk.operator("li", "desk_takes_slowly")
    bench.desk.house.exchange.run_until(bench.desk.now.replace(hour=11, minute=59, second=20))
    assert bench.standing().is_open(bench.desk.now)
    bench.press(li)

    assert bench.until_result() == "outside_hours"
    assert bench.rung() == []
    assert bench.notes()[-1] == ("not_reached", "outside_hours")
    assert bench.is_quiet()


def _refuse(bench: Bench) -> None:
    key = bench.desk.person().phone_key
    assert key is not None
    with bench.ground.work() as work:
        fieldwork.opt_out(work.session, bench.ground.office, key, "refused by calling us", bench.desk.now)


def test_a_number_on_the_refusal_list_is_not_called_back_whatever_is_pressed(bench: Bench) -> None:
    bench.owed()
    li = bench.desk.operator("li")
    _refuse(bench)

    assert bench.standing().reason == "refused"
    with pytest.raises(NotAllowed):
        bench.press(li)
    assert (bench.calls_back(), bench.case().claimed_by) == ([], None)


def test_a_refusal_that_comes_while_the_operator_s_telephone_rings_is_heeded(bench: Bench) -> None:
    bench.owed()
    li = bench.desk.operator("li", "desk_takes_slowly")
    bench.press(li)
    _refuse(bench)

    assert bench.until_result() == "refused"
    assert bench.rung() == []


def test_who_wants_no_contact_is_not_called_back_unless_they_asked_for_it(bench: Bench) -> None:
    bench.owed(UNHAPPY)
    with bench.ground.sessions.begin() as session:
        session.execute(update(Escalation).values(consent="no"))
    assert bench.standing().reason == "no_contact"
    with bench.ground.sessions.begin() as session:
        session.execute(update(Escalation).values(reasons=["dissatisfied", "human_requested"]))

    assert bench.standing().is_open(bench.desk.now)


def test_two_who_press_at_once_make_one_call(bench: Bench) -> None:
    bench.owed()
    li, wang = bench.desk.operator("li"), bench.desk.operator("wang", which=1)
    bench.press(li)
    with pytest.raises(Taken):
        bench.press(wang)
    with pytest.raises(NotAllowed):
        bench.press(li)
    bench.desk.until(lambda: bench.desk.takeover().bridged_at, 60)

    assert (len(bench.rung()), len(bench.desk.desk_calls()), bench.desk.duty(wang)[0]) == (1, 1, "free")


def test_without_a_free_line_the_operator_waits_and_is_told_when_none_comes(bench: Bench) -> None:
    bench.owed()
    li = bench.desk.operator("li")
    bench.desk.house.ground.office = bench.desk.house.runtime.office  # the same; its lines are all taken by others
    with bench.ground.sessions.begin() as session:
        first = session.scalars(select(CallAttempt).order_by(CallAttempt.id)).first()
        assert first is not None
        lines = bench.ground.office.lines or first.campaign.lines
        others = [
            CallAttempt(
                campaign_id=first.campaign_id, respondent_id=first.respondent_id, number=100 + n, token=f"{n:032x}", phone_key=bytes(16),
                live_key=n.to_bytes(16, "big"), status="in_progress", script_version_id=first.script_version_id, claimed_at=bench.desk.now,
                requested_at=bench.desk.now, carrier_sid=f"CA{n:032x}",
            )
            for n in range(1, lines + 1)
        ]  # fmt: skip
        session.add_all(others)
    bench.press(li)

    assert bench.until_result() == "no_line"
    assert bench.rung() == []
    assert bench.notes()[-1] == ("not_reached", "no_line")


def test_web_hooks_that_come_twice_late_and_out_of_order_change_nothing(bench: Bench) -> None:
    bench.owed()
    spoilt = HookFaults(duplicate=1.0, reorder=0.3)
    bench.desk.house.exchange.inflict(FaultPlan(seed=5, turn=spoilt, status=HookFaults(duplicate=1.0, delay=0.7)))
    li = bench.desk.operator("li")
    bench.press(li)
    bench.desk.until(lambda: bench.desk.takeover().state in ("talking", "wrap"), 60)
    bench.desk.beat(10)
    bench.desk.wish(li, "ended")

    assert bench.until_result() in ("ended", "left")
    assert bench.is_quiet()
    assert (len(bench.rung()), len(bench.desk.desk_calls()), bench.desk.takeover().rings) == (1, 1, 1)
    assert [again["url"] for again in bench.rung()[-1].repeats_differing if "/steps/" in again["url"]] == []


def test_an_answer_of_the_carrier_that_is_lost_is_found_again_and_nobody_is_rung_twice(bench: Bench) -> None:
    bench.owed(now=SLOW)
    li = bench.desk.operator("li")
    bench.press(li)
    bench.desk.until(lambda: bench.desk.desk_calls() and bench.desk.desk_calls()[-1].heard, 30)
    bench.desk.house.exchange.inflict(FaultPlan(create=CreateFaults(reset_after=1.0)))
    bench.desk.until(lambda: bench.calls_back()[-1].status not in ("planned", "claimed", "requested"), 30)
    bench.desk.house.exchange.inflict(FaultPlan())
    bench.desk.until(lambda: bench.desk.takeover().bridged_at, 120)

    assert len(bench.rung()) == 1
    bench.desk.wish(li, "ended")
    assert bench.until_result() == "ended"
    assert bench.is_quiet()


def test_a_request_that_the_carrier_never_took_is_told_after_its_list_was_asked(bench: Bench) -> None:
    bench.owed()
    li = bench.desk.operator("li")
    bench.press(li)
    bench.desk.until(lambda: bench.desk.desk_calls() and bench.desk.desk_calls()[-1].heard, 30)
    bench.desk.house.exchange.inflict(FaultPlan(create=CreateFaults(error_before=1.0)))
    bench.desk.until(lambda: bench.calls_back()[-1].status == "unknown", 30)
    bench.desk.house.exchange.inflict(FaultPlan())

    assert bench.until_result(240) == "unreachable"
    assert bench.rung() == []
    assert bench.desk.person().state == "closed"
    assert bench.is_quiet()
    assert bench.standing().tries == 0


def test_where_no_document_reaches_the_carrier_the_person_hears_a_farewell_and_the_operator_may_call_again(bench: Bench) -> None:
    bench.owed()
    li = bench.desk.operator("li")
    bench.press(li)
    bench.desk.house.closed.add("/steps/0")
    result = bench.until_result()
    bench.desk.house.closed.clear()
    bench.desk.expected_problems = bench.desk.problems()

    assert result == "unreachable"
    assert "系统出现故障" in bench.desk.words(bench.rung()[-1])
    assert bench.is_quiet()
    assert (bench.case().state, bench.desk.duty(li)[0]) == ("open", "free")
    assert bench.standing().is_open(bench.desk.now)


@pytest.mark.parametrize("is_operator_on_the_line", [False, True])
def test_a_door_that_is_gone_for_long_ends_everything_and_keeps_the_ticket(bench: Bench, is_operator_on_the_line: bool) -> None:
    bench.owed(now=SLOW)
    li = bench.desk.operator("li")
    bench.press(li)
    if is_operator_on_the_line:
        bench.desk.until(lambda: bench.rung() and bench.rung()[-1].ringing_at, 60)
    bench.desk.house.closed.add("/")
    bench.desk.beat(60)
    bench.desk.house.closed.clear()
    bench.desk.until(lambda: bench.desk.takeover().state in ("done", "wrap"), 400)
    bench.desk.expected_problems = bench.desk.problems()

    assert bench.desk.takeover().result in ("rang_out", "unreachable", "called_off", "left", "no_answer")
    assert (bench.case().state, bench.desk.duty(li)[0] in ("free", "away", "wrapping")) == ("open", True)
    assert len(bench.rung()) <= 1


def test_a_second_call_that_was_left_to_a_person_is_decided_by_the_call_back(ground: Ground, tmp_path: Path) -> None:
    from tests.calls.test_second_calls import APPEASED, dissatisfied

    with takeover_house.opened(ground, tmp_path) as house:
        bureau = dissatisfied(house.house)
        house.house.everybody_is(replace(APPEASED, asks_for="human", asks_at="put_right"))
        bureau.answer()
        bureau.until(lambda: [person.state for person in bureau.people("followup")] == ["closed"])
        house.house.everybody_is(PICKS_UP)
        li = house.operator("li")
        with ground.sessions() as session:
            case = session.scalars(select(Escalation).order_by(Escalation.id.desc()).limit(1)).one().public_id
        with house.house.runtime.unit_of_work() as work:
            own = work.session.get_one(User, li.id)
            desk.callbacks.begin(work, ground.office, case, Actor("li", "operator"), own, house.now)
        house.house.queue.work_off(house.house.pool)
        house.until(lambda: house.takeover().bridged_at, 60)
        house.write(li, "satisfied_now", "yes")
        house.wish(li, "ended")
        house.until_state("wrap")
        house.wrap_up(li, "resolved", remark="已当面说清")
        house.until(lambda: bureau.order().state != "recalling", 120)

        assert (bureau.order().state, bureau.order().outcome) == ("closed", "satisfied")
        assert house.problems() == []


def test_no_alarm_and_no_second_leg_come_of_all_this(bench: Bench) -> None:
    bench.owed()
    li = bench.desk.operator("li")
    bench.press(li)
    bench.desk.until(lambda: bench.desk.takeover().bridged_at, 60)
    bench.desk.wish(li, "ended")
    bench.until_result()
    assert bench.is_quiet()

    with bench.ground.sessions() as session:
        assert session.scalars(select(Alarm.kind)).all() == []
        assert session.scalars(select(CarrierEvent.kind).where(CarrierEvent.kind == "second_leg")).all() == []
