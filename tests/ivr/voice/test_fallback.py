"""The door died in the middle of a turn and is back: the call goes on where it stands, once, and is not held in a circle."""

import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from ivr.carrier.simulator.persona import Traits
from ivr.voice import wording
from ivr.voice.app import create_voice_app
from survey.store.models import Answer, CallAttempt, CarrierEvent, Turn
from tests.calls import small_house
from tests.ivr.voice.conftest import BASE, Line, document, next_url, services_of, words
from tests.survey.fieldwork.conftest import Ground

GO_ON, FAREWELL = wording.INTERRUPTED["zh"], wording.FAREWELL["zh"]
TICKET = "I-Twilio-Idempotency-Token"
RATINGS = {"speed": "1", "attitude": "2", "outcome": "3", "equipment": "4", "appearance": "5"}


def fall(line: Line, step: int | str, *, code: str = "11200", ticket: str = "", address: str = "") -> Any:
    """The carrier could not use what it asked for at this step; our document instead, as it came."""
    failed = address or f"{BASE}/voice/attempts/{line.token}/steps/{step}"
    form = line._standard(ErrorCode=code, ErrorUrl=failed)
    return line.post(f"/voice/attempts/{line.token}/fallback", form, headers={TICKET: ticket} if ticket else {})


def events(ground: Ground) -> list[str]:
    with ground.sessions() as session:
        return sorted(session.scalars(select(CarrierEvent.kind)))


def turns(ground: Ground) -> int:
    with ground.sessions() as session:
        return session.scalar(select(func.count()).select_from(Turn)) or 0


def is_over(reply: Any) -> bool:
    return [verb.tag for verb in reply][-1] == "Hangup"


def test_a_key_that_was_lost_is_asked_for_again_as_if_for_the_first_time(ground, line):
    line.step(0)
    question = line.step(1, Digits="1")

    reply = document(fall(line, 2))

    assert words(reply) == GO_ON + words(question), "an excuse in the language of the call, and no reproach for a missing key"
    assert next_url(reply) == next_url(question)
    assert turns(ground) == 2
    line.post(next_url(reply), line._standard(Digits="4"))
    with ground.sessions() as session:
        assert {answer.item: answer.raw for answer in session.scalars(select(Answer))} == {"right_person": "1", "speed": "4"}


def test_what_was_stored_before_the_door_died_is_not_asked_again(line):
    line.step(0)
    unheard = line.step(1, Digits="1")

    reply = document(fall(line, 1))

    assert words(reply) == GO_ON + words(unheard)
    assert next_url(reply).endswith("/steps/2")


def test_the_second_failure_at_a_step_is_a_farewell_and_noted_as_our_fault(ground, line):
    line.step(0)
    line.step(1, Digits="1")
    assert not is_over(document(fall(line, 2)))

    reply = document(fall(line, 2))

    assert (words(reply), is_over(reply)) == (FAREWELL, True)
    assert events(ground) == ["broken", "led_back"]


def test_a_failure_at_a_later_step_is_excused_again(line):
    for step in range(6):
        line.step(step, Digits="1" if step else "")
        assert GO_ON in words(document(fall(line, step + 1))), step


def test_the_carriers_repeat_of_its_question_is_answered_alike(ground, line):
    line.step(0)
    line.step(1, Digits="1")

    first, repeated, other = (fall(line, 2, ticket=ticket) for ticket in ("a1", "a1", "b2"))

    assert repeated.data == first.data
    assert FAREWELL in words(document(other))
    assert events(ground) == ["broken", "led_back"]


def test_who_has_heard_nothing_yet_is_greeted_without_an_excuse(line):
    reply = document(fall(line, 0))

    assert [verb.tag for verb in reply] == ["Redirect"]
    assert next_url(reply) == f"{BASE}/voice/attempts/{line.token}/steps/0"
    assert "某市公安局" in words(line.step(0))


@pytest.mark.parametrize("code", ["12100", "12300", "11750", "11215", "13910"])
def test_a_document_that_the_carrier_cannot_obey_is_not_sent_again(ground, line, code):
    line.step(0)

    assert is_over(document(fall(line, 1, code=code)))
    assert events(ground) == ["broken"]


@pytest.mark.parametrize("address", ["https://x/<script>", "https://x/voice/attempts/" + "f" * 32 + "/steps/1", "\x00", "?again=1", "#"])
def test_an_address_of_nobody_s_tells_nothing_and_the_call_goes_on_where_it_stands(line, address):
    question = line.step(0)

    assert words(document(fall(line, 0, address=address))) == GO_ON + words(question)


def test_an_absurd_step_is_the_one_at_which_the_call_stands(ground, line):
    line.step(0)

    assert GO_ON in words(document(fall(line, 999_999_999)))
    assert FAREWELL in words(document(fall(line, 1)))


def test_the_overrides_in_an_address_that_failed_are_not_taken_for_a_part_of_it(line):
    line.step(0)

    assert GO_ON in words(document(fall(line, "1#rc=2&rp=ct,rt")))
    assert FAREWELL in words(document(fall(line, 1)))


def test_a_second_leg_and_a_call_that_was_settled_hear_a_hang_up(ground, line):
    line.step(0)
    ours, line.sid = line.sid, "CA" + "9" * 32
    assert [verb.tag for verb in document(fall(line, 1))] == ["Hangup"]
    line.sid = ours
    ground.end(line.token)
    ground.clock.advance(days=1)

    assert [verb.tag for verb in document(fall(line, 1))] == ["Hangup"]
    assert "led_back" not in events(ground)
    assert "broken" not in events(ground)


def test_an_unknown_attempt_is_hung_up_on(line):
    line.token = "f" * 32

    assert [verb.tag for verb in document(fall(line, 1))] == ["Hangup"]


class Unreachable:
    """A unit of work whose database is down."""

    def __enter__(self) -> None:
        raise OperationalError("SELECT", {}, Exception("connection refused"))

    def __exit__(self, *error: object) -> None:
        return None


def without_database(ground: Ground, line: Line) -> Line:
    services = services_of(ground)
    object.__setattr__(services, "unit_of_work", Unreachable)
    return Line(create_voice_app(services).test_client(), line.token, line.sid)


def test_without_the_database_the_step_that_failed_is_asked_again_once(ground, line):
    line.step(0)
    line.step(1, Digits="1")
    broken = without_database(ground, line)

    reply = document(fall(broken, 2))
    again = next_url(reply)

    assert [verb.tag for verb in reply] == ["Say", "Pause", "Redirect"], "in the language that this process has spoken before"
    assert again == f"{BASE}/voice/attempts/{line.token}/steps/2?again=1"
    assert is_over(document(fall(broken, 0, address=again)))
    assert is_over(document(broken.post(again))), "still without: the step itself says farewell"
    assert "民警到场的速度" in words(document(line.post(again))), "there again: the same question"


@pytest.mark.parametrize("form", [{}, {"ErrorCode": "11200", "ErrorUrl": "https://x/<script>"}])
def test_without_the_database_and_a_step_there_is_only_a_farewell(ground, line, form):
    reply = document(without_database(ground, line).hook("fallback", **form))

    assert [verb.tag for verb in reply] == ["Say", "Say", "Hangup"]


Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Deadly:
    """The door, which drops the connection at one turn without a word: before it is served, or after it was stored."""

    def __init__(self, app: Wsgi, *, step: int, after: bool, times: int) -> None:
        self._app, self._end, self._after, self._left = app, f"/steps/{step}", after, times
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        with self._lock:
            dies = self._left > 0 and environ["PATH_INFO"].endswith(self._end)
            self._left -= dies
        if dies and self._after:
            list(self._app(environ, lambda *answer: None))
        if dies:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError
        return self._app(environ, start)


@pytest.mark.parametrize("after", [False, True], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_door_that_dies_in_a_turn_costs_an_excuse_and_twice_in_the_same_turn_the_call_but_no_answer(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool, times: int
) -> None:
    monkeypatch.setattr(small_house, "create_voice_app", lambda given: Deadly(create_voice_app(given), step=3, after=after, times=times))
    campaign = ground.launch(1)
    with small_house.opened(ground, tmp_path, patience_seconds=5.0) as house:
        house.everybody_is(Traits(ratings=RATINGS))
        house.run(campaign)
        calls = house.exchange.journal()

    with ground.sessions() as session:
        answers = {answer.item: answer.raw for answer in session.scalars(select(Answer))}
        attempts = session.scalars(select(CallAttempt).order_by(CallAttempt.id)).all()
    assert {item: answers[item] for item in RATINGS} == RATINGS
    assert sum("no reply" in problem for call in calls for problem in call["problems"]) == (1 if after else times)
    assert [attempt.disposition for attempt in attempts] == (["complete"] if after or times == 1 else ["technical", "complete"])
    assert len(calls) == len(attempts)
