"""Operators take over calls, whole and over real HTTP: voice door, carrier, jobs and desk as in operation (R33–R36, O1–O27)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ivr.carrier.simulator.faults import FaultPlan, HookFaults
from survey import desk
from survey.store.models import User
from tests.calls import takeover_house
from tests.calls.takeover_house import ASKS, LONGEST_SILENCE, UNHAPPY, Desk
from tests.conftest import ON_SQLITE_ALONE
from tests.survey.fieldwork.conftest import Ground, ground
from worker import runtime
from worker.ringing import leave_desk

__all__ = ["ground"]
pytestmark = ON_SQLITE_ALONE

NOBODY_CAME = "值班员都在接听其他电话"
OFFERED = "转接值班员请按1"


@pytest.fixture
def bench(ground: Ground, tmp_path: Path) -> Iterator[Desk]:
    with takeover_house.opened(ground, tmp_path) as house:
        yield house
        assert house.problems() == house.expected_problems


def waiting(bench: Desk, traits=ASKS, **operators: str) -> list[User]:  # type: ignore[no-untyped-def]
    """One person who waits for an operator, and operators on duty with these telephones."""
    users = [bench.operator(name, telephone) for name, telephone in operators.items()]
    bench.launch(traits)
    bench.until_waiting()
    return users


def test_with_nobody_on_duty_nothing_is_offered_and_the_case_is_a_ticket(bench: Desk) -> None:
    bench.launch(UNHAPPY)
    bench.until_over()

    assert OFFERED not in bench.words()
    assert bench.takeovers() == []
    assert bench.cases() == [("open", ["dissatisfied"])]
    assert bench.person().disposition == "complete"


def test_who_asks_for_a_person_with_nobody_on_duty_is_told_when_somebody_will_call(bench: Desk) -> None:
    bench.launch(ASKS)
    bench.until_over()

    assert "个工作日内给您回电" in bench.words()
    assert bench.takeovers() == []
    assert bench.cases() == [("open", ["human_requested"])]


def test_who_declines_the_offer_goes_on_with_the_script(bench: Desk) -> None:
    bench.operator("li")
    bench.launch(replace(UNHAPPY, wants_operator=False))
    bench.until_over()

    assert OFFERED in bench.words()
    assert bench.takeovers() == []
    assert bench.cases() == [("open", ["dissatisfied"])]
    assert bench.person().disposition == "complete"


def test_an_operator_takes_over_talks_and_hands_back_and_the_script_goes_on_where_it_was(bench: Desk) -> None:
    [li] = waiting(bench, UNHAPPY, li="desk_takes")
    bench.claim(li)
    claimed = bench.now
    bench.until(lambda: bench.desk_calls() and bench.desk_calls()[0].ringing_at, 10)
    [theirs] = bench.desk_calls()
    assert theirs.ringing_at - claimed.timestamp() <= 3  # O13

    bench.until(lambda: bench.takeover().bridged_at, 30)
    [press] = theirs.presses
    assert "城东派出所" in bench.words(theirs)
    assert "评分不满意" in bench.words(theirs)
    assert bench.takeover().bridged_at.timestamp() - press["at"] <= 10  # O13
    assert bench.duty(li)[0] == "talking"

    bench.beat(10)
    bench.wish(li, "handed_back")
    bench.until_over()

    assert "下面请您继续完成剩下的几个问题" in bench.words()
    assert (bench.takeover().result, bench.takeover().operator_id) == ("handed_back", li.id)
    assert 8 <= bench.seconds_of_talk() <= 16
    assert bench.longest_silence() <= LONGEST_SILENCE
    assert bench.person().disposition == "complete"
    assert (bench.answers()["speed"], bench.answers()["attitude"]) == ("dissatisfied", "very_dissatisfied")
    assert {"consent", "remark"} <= set(bench.answers())
    [(state, reasons)] = bench.cases()
    assert (state, "dissatisfied" in reasons) == ("open", True)
    assert theirs.ended


def test_what_the_operator_wrote_down_is_not_asked_again(bench: Desk) -> None:
    [li] = waiting(bench, ASKS, li="desk_takes")
    bench.until_talking(li)
    for item, code in (("attitude", "very_dissatisfied"), ("outcome", "dissatisfied")):
        bench.write(li, item, code)
    bench.wish(li, "handed_back")
    bench.until_over()

    assert (bench.answers()["attitude"], bench.answers()["outcome"]) == ("very_dissatisfied", "dissatisfied")
    asked = [press["item"] for press in bench.call().presses]
    assert "outcome" not in asked
    assert {"equipment", "appearance"} <= set(asked)
    assert bench.person().disposition == "complete"
    assert bench.cases() == [("open", ["dissatisfied", "human_requested"])]


def test_an_operator_ends_the_call_and_sorts_it_out(bench: Desk) -> None:
    [li] = waiting(bench, ASKS, li="desk_takes")
    bench.until_talking(li)
    bench.beat(5)
    bench.wish(li, "ended")
    bench.until_state("wrap")
    assert bench.duty(li)[0] == "wrapping"
    bench.beat(5)
    bench.wrap_up(li, "resolved", remark="已当面说明")
    bench.until_over()

    assert "感谢您的评价" in bench.words()
    assert (bench.takeover().state, bench.takeover().result) == ("done", "ended")
    assert bench.duty(li)[0] == "free"
    assert bench.cases() == [("settled", ["human_requested"])]
    assert all(call.ended for call in bench.desk_calls())
    assert bench.longest_silence() <= LONGEST_SILENCE


@pytest.mark.parametrize("telephone", ["desk_no_answer", "desk_busy", "desk_silent", "desk_wrong_key", "desk_hangs_up", "desk_leaves_room"])
def test_a_call_that_one_operator_does_not_take_comes_to_the_next(bench: Desk, telephone: str) -> None:
    li, wang = waiting(bench, ASKS, li=telephone, wang="desk_takes")
    bench.claim(li)
    bench.until(lambda: bench.takeover().operator_id is None, 60)
    assert bench.takeover().state == "waiting"
    assert bench.duty(li)[0] == "away"

    bench.beat(1)
    assert ("wang", "open") in [(name, outcome) for name, _, outcome in bench.offers()]
    assert ("li", "open") not in [(name, outcome) for name, _, outcome in bench.offers()]
    bench.until_talking(wang)
    bench.until_over()

    assert bench.takeover().operator_id == wang.id
    assert bench.takeover().result in ("left", "ended")
    assert bench.longest_silence() <= LONGEST_SILENCE
    assert NOBODY_CAME not in bench.words()
    assert bench.cases() == [("open", ["human_requested"])]
    assert all(call.ended for call in bench.desk_calls())


def test_a_call_that_nobody_claims_in_a_minute_is_given_up_and_the_person_told(bench: Desk) -> None:
    waiting(bench, replace(UNHAPPY, talk_seconds=45), li="desk_takes")
    bench.until_over()

    takeover = bench.takeover()
    assert (takeover.state, takeover.result) == ("done", "nobody")
    assert 60 <= (takeover.ended_at - takeover.opened_at).total_seconds() <= 70
    assert NOBODY_CAME in bench.words()
    assert [f"最多再等{left}秒" in bench.words() for left in (60, 30, 10)] == [True, True, False]
    assert bench.longest_silence() <= LONGEST_SILENCE
    assert bench.person().disposition == "complete"
    [(state, reasons)] = bench.cases()
    assert (state, "dissatisfied" in reasons) == ("open", True)
    assert bench.duty(bench.users["li"]) == ("away", "missed")


def test_an_operator_who_hangs_up_after_the_talk_ends_the_call_with_thanks(bench: Desk) -> None:
    [li] = waiting(bench, ASKS, li="desk_talks_briefly")
    bench.until_talking(li)
    bench.until_over()

    assert bench.takeover().result == "ended"
    assert "感谢您的评价" in bench.words()
    assert NOBODY_CAME not in bench.words()
    assert 4 <= bench.seconds_of_talk() <= 6
    assert bench.cases() == [("open", ["human_requested"])]


def person_at(bench: Desk, point: str) -> User | None:
    """Bring a call to one point of the hand-over; the operator who has it then."""
    [li] = [bench.operator("li", "desk_takes_slowly" if point == "ringing" else "desk_takes")]
    bench.launch(UNHAPPY if point == "offer" else ASKS)
    if point == "offer":
        bench.until(lambda: OFFERED in bench.words() if bench.house.exchange.calls else False)
        return None
    bench.until_waiting()
    if point == "queue":
        bench.beat(12)
        return None
    bench.claim(li)
    reached = {
        "ringing": lambda: bench.desk_calls() and bench.desk_calls()[-1].ringing_at,
        "whisper": lambda: bench.desk_calls() and bench.desk_calls()[-1].heard,
        "talk": lambda: bench.takeover().bridged_at,
    }
    bench.until(reached[point], 40)
    bench.beat(1)
    return li


@pytest.mark.parametrize("point", ["offer", "queue", "ringing", "whisper", "talk"])
def test_wherever_the_person_hangs_up_one_case_stays_and_the_operator_is_free(bench: Desk, point: str) -> None:
    li = person_at(bench, point)
    bench.hang_up(bench.call())
    bench.beat(3)

    if point == "offer":
        assert bench.takeovers() == []
    else:
        assert bench.takeover().result == "left"
        assert bench.takeover().state == ("wrap" if point == "talk" else "done")
    assert bench.duty(bench.users["li"])[0] == ("wrapping" if point == "talk" else "free")
    bench.until_over()
    assert all(call.ended for call in bench.desk_calls())
    assert len(bench.cases()) == 1
    assert bench.cases()[0][0] == "open"
    if li is not None and point != "talk":
        assert bench.seconds_of_talk() == 0


@pytest.mark.parametrize("point", ["ringing", "whisper", "talk"])
def test_wherever_the_operator_s_telephone_is_put_down_the_person_is_not_left_alone(bench: Desk, point: str) -> None:
    li = person_at(bench, point)
    assert li is not None
    bench.hang_up(bench.desk_calls()[-1])
    bench.until_over()

    if point == "talk":
        assert bench.takeover().result == "ended"
        assert "感谢您的评价" in bench.words()
    else:
        assert bench.takeover().result == "nobody"
        assert NOBODY_CAME in bench.words()
        assert bench.duty(li) == ("away", "rang_out")
    assert bench.longest_silence() <= LONGEST_SILENCE
    assert bench.cases() == [("open", ["human_requested"])]


def test_two_operators_at_once_have_one_call_each(bench: Desk) -> None:
    li, wang = bench.operator("li"), bench.operator("wang", which=1)
    bench.launch(replace(ASKS, talk_seconds=20), people=2)
    bench.until_waiting(2)
    first, second = bench.takeovers()
    bench.claim(li, first)
    with pytest.raises(desk.Taken, match="Li"):
        bench.claim(wang, first)
    bench.claim(wang, second)
    bench.until(lambda: all(each.bridged_at for each in bench.takeovers()), 60)

    rooms = [room for room in bench.house.exchange.rooms.all() if room.status == "in-progress"]
    assert [len(room.members) for room in rooms] == [2, 2]
    bench.until_over()
    assert [each.operator_id for each in bench.takeovers()] == [li.id, wang.id]
    assert bench.cases() == [("open", ["human_requested"])] * 2
    assert {call.order.to[-2:] for call in bench.desk_calls()} == {"00", "01"}


def test_a_browser_that_dies_in_the_talk_takes_nothing_with_it(bench: Desk) -> None:
    """From then on nothing comes from the console: the telephones end the talk, the clock the sorting out."""
    [li] = waiting(bench, ASKS, li="desk_takes")
    bench.until_talking(li)
    bench.until_state("wrap", seconds=300)
    ended = bench.takeover().ended_at
    bench.until(lambda: bench.takeover().state == "done", 200)

    assert 120 <= (bench.now - ended).total_seconds() <= 130
    assert bench.duty(li)[0] == "free"
    assert bench.cases() == [("open", ["human_requested"])]
    assert bench.audited()[-1] == "takeover.unsorted"
    bench.until_over()
    assert all(call.ended for call in bench.desk_calls())


def test_a_door_that_is_away_for_one_waiting_document_costs_nobody_the_place(bench: Desk) -> None:
    [li] = waiting(bench, ASKS, li="desk_takes")
    bench.house.closed.add("/queue")
    bench.until(lambda: bench.call().problems, 20)
    bench.house.closed.clear()
    bench.until_talking(li)
    bench.until_over()

    assert bench.takeover().operator_id == li.id
    assert NOBODY_CAME not in bench.words()
    assert bench.longest_silence() <= LONGEST_SILENCE
    assert bench.cases() == [("open", ["human_requested"])]
    bench.expected_problems = bench.problems()
    assert len(bench.expected_problems) == 1
    assert "/queue" in bench.expected_problems[0]


@pytest.mark.parametrize("is_claimed", [False, True])
def test_a_door_that_is_gone_while_somebody_waits_may_lose_the_call_but_not_the_case(bench: Desk, is_claimed: bool) -> None:
    [li] = waiting(bench, ASKS, li="desk_takes_slowly")
    if is_claimed:
        bench.claim(li)
    bench.house.closed.add("/")
    bench.until(lambda: bench.call().ended, 30)
    bench.house.closed.clear()
    if is_claimed:
        bench.until(lambda: any(call.ended_at for call in bench.desk_calls()), 60)
    bench.until(lambda: bench.takeover().state == "done", 120)

    assert bench.takeover().result in ("left", "nobody")
    bench.until_over()
    assert bench.cases() == [("open", ["human_requested"])]
    assert bench.duty(li)[0] in ("free", "away")
    assert all(call.ended for call in bench.desk_calls())
    bench.expected_problems = bench.problems()


@pytest.mark.parametrize("telephone", ["desk_takes", "desk_talks_briefly"])
def test_web_hooks_that_come_twice_late_and_out_of_order_change_nothing(bench: Desk, telephone: str) -> None:
    spoilt = HookFaults(duplicate=1.0, reorder=0.3)
    bench.house.exchange.inflict(FaultPlan(seed=5, turn=spoilt, status=HookFaults(duplicate=1.0, delay=0.7)))
    [li] = waiting(bench, ASKS, li=telephone)
    bench.claim(li)
    bench.until(lambda: bench.takeover().state in ("talking", "wrap"), 60)
    bench.until_over()

    assert bench.takeover().operator_id == li.id
    assert bench.takeover().result in ("ended", "left")
    assert bench.takeover().rings == 1
    assert len(bench.desk_calls()) == 1
    assert NOBODY_CAME not in bench.words()
    assert bench.cases() == [("open", ["human_requested"])]
    assert [again["url"] for again in bench.call().repeats_differing if "/steps/" in again["url"]] == []


def test_where_no_report_ever_comes_the_talk_still_ends_as_one(bench: Desk) -> None:
    bench.house.exchange.inflict(FaultPlan(status=HookFaults(drop=1.0)))
    [li] = waiting(bench, replace(ASKS, talk_seconds=60), li="desk_takes")
    bench.claim(li)
    bench.until_state("talking", seconds=30)
    bench.beat(8)
    assert bench.takeover().bridged_at is None
    bench.hang_up(bench.desk_calls()[-1])
    bench.beat(2)

    assert bench.takeover().result == "ended"
    assert "感谢您的评价" in bench.words()
    assert NOBODY_CAME not in bench.words()
    assert bench.cases() == [("open", ["human_requested"])]


def test_a_telephone_of_which_no_report_comes_is_given_up_by_the_clock(bench: Desk) -> None:
    bench.house.exchange.inflict(FaultPlan(status=HookFaults(drop=1.0)))
    [li] = waiting(bench, ASKS, li="desk_no_answer")
    bench.claim(li)
    bench.until(lambda: bench.takeover().operator_id is None, 40)
    assert bench.duty(li) == ("away", "rang_out")
    bench.until(lambda: bench.takeover().state == "done", 60)

    assert bench.takeover().result == "nobody"
    assert bench.longest_silence() <= LONGEST_SILENCE
    assert bench.cases() == [("open", ["human_requested"])]


def test_a_key_pressed_twice_and_a_person_sent_twice_come_to_the_same_room(bench: Desk) -> None:
    [li] = waiting(bench, ASKS, li="desk_takes")
    bench.claim(li)
    bench.until_state("ready", "talking", seconds=30)
    for _ in range(2):
        leave_desk(bench.takeover().id)
    bench.until(lambda: bench.takeover().bridged_at, 20)
    [theirs] = bench.desk_calls()
    again = bench.post(f"/voice/desk/{bench.takeover().ring_token}/accept", theirs, {"Digits": "1"})
    assert f"room-{bench.attempt().token}" in again

    rooms = [room for room in bench.house.exchange.rooms.all() if room.status == "in-progress"]
    assert [len(room.members) for room in rooms] == [2]
    assert bench.takeover().rings == 1
    bench.until_over()
    assert bench.cases() == [("open", ["human_requested"])]


def test_a_redirect_that_takes_effect_after_the_person_has_come_by_themselves_ends_no_talk(
    bench: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    [li] = waiting(bench, ASKS, li="desk_takes")
    carrier, asked = bench.house.runtime.carrier, []
    redirect = carrier.redirect
    with monkeypatch.context() as slow:
        slow.setattr(carrier, "redirect", lambda sid, url, limit_seconds=None: asked.append((sid, url, limit_seconds)))
        bench.until_talking(li)  # by the waiting document, which comes round
    bench.beat(1)
    redirect(*asked[0])
    bench.beat(5)

    [conference] = [each for each in bench.house.exchange.rooms.all() if each.status == "in-progress"]
    assert {each.label for each in conference.members.values()} == {"operator", "person"}
    assert bench.takeover().state == "talking"
    bench.wish(li, "handed_back")
    bench.until_over()
    assert bench.takeover().result == "handed_back"
    assert all(call.ended for call in bench.desk_calls())


def test_a_talk_is_not_cut_at_the_limit_of_the_machine_s_calls(bench: Desk) -> None:
    runtime.install(replace(bench.house.runtime, call_limit_seconds=100))
    [li] = waiting(bench, replace(ASKS, talk_seconds=90), li="desk_takes")
    bench.until_talking(li)
    bench.until_over()

    call = bench.call()
    assert call.ended_at - call.answered_at > 100
    assert bench.seconds_of_talk() >= 89


def test_a_person_on_hold_is_told_so_and_an_operator_who_is_muted_hears_on(bench: Desk) -> None:
    [li] = waiting(bench, replace(ASKS, talk_seconds=60), li="desk_takes")
    bench.until_talking(li)
    carrier, attempt, takeover = bench.house.runtime.carrier, bench.attempt(), bench.takeover()
    room = f"room-{attempt.token}"
    carrier.hold(room, attempt.carrier_sid, True, f"{bench.house.runtime.public_base_url}/voice/attempts/{attempt.token}/held")
    bench.beat(15)
    assert "值班员马上回来" in bench.words()
    carrier.hold(room, attempt.carrier_sid, False, "")
    carrier.mute(room, takeover.operator_sid, True)
    bench.beat(5)
    [conference] = [each for each in bench.house.exchange.rooms.all() if each.status == "in-progress"]
    assert [(each.label, each.muted, each.hold) for each in conference.members.values()] == [
        ("operator", True, False), ("person", False, False),
    ]  # fmt: skip
    carrier.mute(room, takeover.operator_sid, False)
    bench.wish(li, "handed_back")
    bench.until_over()

    assert bench.takeover().result == "handed_back"
    assert bench.longest_silence() <= LONGEST_SILENCE
    assert len(bench.cases()) == 1


def test_a_call_in_english_is_taken_over_in_english(bench: Desk) -> None:
    li = bench.operator("li")
    bench.launch(UNHAPPY, language="en")
    bench.until_talking(li)
    [theirs] = bench.desk_calls()
    assert "dissatisfied. To take the call, press 1" in bench.words(theirs)
    bench.wish(li, "handed_back")
    bench.until_over()

    assert "Please go on with the questions that are left" in bench.words()
    assert bench.longest_silence() <= LONGEST_SILENCE
    assert bench.person().disposition == "complete"
