"""Calls to the number that calls people, over HTTP, through the real flow into a real database (R20)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from ivr.voice.app import create_voice_app
from survey import fieldwork
from survey.store.models import Answer, CallAttempt, Respondent
from tests.ivr.voice.conftest import BASE, CALLED, OURS, Line, document, next_url, words
from tests.survey.fieldwork.conftest import Ground

THEIRS = "CA" + "7" * 32


class Caller(Line):
    """The carrier's side of a call to us."""

    def ask(self, path: str, **form: str):
        """Post with the fields of a call to us; the response."""
        theirs = {"From": CALLED, "To": OURS, "Direction": "inbound"} | form
        return self.post(path, self._standard(**theirs))

    def press(self, key: str, **form: str):
        """Call, listen, press one key; the document that follows."""
        self.ask("/voice/incoming", **form)
        return document(self.ask("/voice/incoming/keys", Digits=key, **form))


@pytest.fixture
def caller(ground: Ground, services) -> Caller:
    """One person of a running campaign, called once in vain, calls us."""
    ground.launch(1)
    _, token = ground.dial_next()
    ground.end(token, "no_answer")
    return Caller(create_voice_app(services).test_client(), "", THEIRS)


def tags(reply):
    return [verb.tag for verb in reply]


def theirs(ground):
    with ground.sessions() as session:
        return session.scalars(select(CallAttempt).where(CallAttempt.direction == "in")).all()


def test_who_is_waited_for_hears_three_offers_in_the_scripts_language_and_nothing_of_the_incident(caller):
    reply = document(caller.ask("/voice/incoming"))

    assert [f"请按{key}" in words(reply) for key in "190"] == [True] * 3
    assert {say.attrib["language"] for say in reply.iter("Say")} == {"zh-CN"}
    assert not any(word in words(reply) for word in ("纠纷", "城东", "月"))


def test_who_was_given_up_hears_the_survey_offered_and_no_other_time(ground, caller):
    with ground.work() as work:
        person = work.session.scalars(select(Respondent)).one()
        person.state, person.close_reason, person.closed_at, person.due_at = "closed", "max_attempts", ground.now, None

    reply = document(caller.ask("/voice/incoming"))

    assert [f"请按{key}" in words(reply) for key in "190"] == [True, False, True]
    assert tags(caller.press("1")) == ["Redirect"]
    assert theirs(ground)


def test_a_stranger_hears_who_we_are_and_how_to_be_left_alone(caller):
    said = words(document(caller.ask("/voice/incoming", From="+8610077777777")))

    assert "请按0" in said
    assert "请按1" not in said
    assert "City Police Bureau" in said


@pytest.mark.parametrize("hidden", ["anonymous", "", "sip:someone@example.org"])
def test_a_withheld_number_hears_whom_to_call_instead(caller, hidden):
    reply = document(caller.ask("/voice/incoming", From=hidden))

    assert "没有显示号码" in words(reply)
    assert tags(reply)[-1] == "Hangup"


def test_who_has_refused_hears_that_it_is_noted(ground, caller):
    caller.press("0")

    reply = document(caller.ask("/voice/incoming"))

    assert "不会再给您拨打" in words(reply)
    assert tags(reply) == ["Say", "Hangup"]


def test_who_is_called_by_us_at_this_moment_hears_so_and_may_still_refuse(ground, services):
    ground.launch(1)
    ground.dial_next()
    caller = Caller(create_voice_app(services).test_client(), "", THEIRS)

    said = words(document(caller.ask("/voice/incoming")))

    assert "此刻正在拨打您的电话" in said
    assert "请按0" in said
    assert tags(caller.press("1"))[-1] == "Hangup"
    assert theirs(ground) == []


def test_key_1_leads_through_the_whole_survey_and_its_status_settles_it(ground, caller):
    reply = caller.press("1")
    assert tags(reply) == ["Redirect"]

    for key in ("", *"112345111"):
        reply = document(caller.ask(next_url(reply).removeprefix(BASE), Digits=key))
    assert caller.ask("/voice/incoming/status", CallStatus="completed", CallDuration="95").status_code == 204
    (attempt,) = theirs(ground)
    ground.clock.advance(seconds=31)
    ground.settle(attempt.token)

    with ground.sessions() as session:
        kept = {answer.item: answer.raw for answer in session.scalars(select(Answer))}
        person = session.scalars(select(Respondent)).one()
        assert (attempt.carrier_sid, session.get_one(CallAttempt, attempt.id).seconds) == (THEIRS, 95)
    assert [kept[item] for item in ("speed", "attitude", "outcome", "equipment", "appearance")] == list("12345")
    assert (person.state, person.disposition) == ("closed", "complete")


def test_a_repeated_key_gives_the_same_bytes_and_one_attempt(ground, caller):
    first = caller.ask("/voice/incoming/keys", Digits="1").data

    assert caller.ask("/voice/incoming/keys", Digits="1").data == first
    assert len(theirs(ground)) == 1


def test_an_interview_that_the_number_s_fallback_interrupts_goes_on_at_the_same_question(ground, caller):
    reply = caller.press("1")
    for key in ("", "1", "1"):
        reply = document(caller.ask(next_url(reply).removeprefix(BASE), Digits=key))
    failed = next_url(reply)

    again = document(caller.ask("/voice/incoming", ErrorCode="11200", ErrorUrl=failed))

    assert words(again).startswith("抱歉，刚才中断了一下")
    assert words(again).endswith(words(reply))
    assert next_url(again) == failed
    caller.sid = "CA" + "8" * 32
    assert tags(document(caller.ask("/voice/incoming", ErrorCode="11200", ErrorUrl=failed))) == ["Hangup"], "of another call"


def test_key_9_asks_when_to_call_and_books_it(ground, caller):
    reply = document(caller.ask(next_url(caller.press("9")).removeprefix(BASE)))
    assert "明天上午请按2" in words(reply)

    reply = document(caller.ask(next_url(reply).removeprefix(BASE), Digits="2"))

    assert "明天上午再给您打电话" in words(reply)
    with ground.sessions() as session:
        assert session.scalars(select(Respondent)).one().booked_for > ground.now


def test_key_0_ends_all_calling(ground, caller):
    assert "不再给您拨打" in words(caller.press("0"))

    with ground.sessions() as session:
        person = session.scalars(select(Respondent)).one()
        assert fieldwork.is_suppressed(session, person.phone_key)
    assert (person.state, person.close_reason, person.disposition) == ("closed", "opted_out", "refusal_before")


def test_key_0_while_our_own_call_rings_is_a_refusal_whatever_becomes_of_our_call(ground, services):
    ground.launch(1)
    _, token = ground.dial_next()
    Caller(create_voice_app(services).test_client(), "", THEIRS).press("0")

    ground.end(token, "no_answer")

    with ground.sessions() as session:
        person = session.scalars(select(Respondent)).one()
    assert (person.state, person.close_reason, person.disposition) == ("closed", "opted_out", "refusal_before")


@pytest.mark.parametrize("key", ["1", "9"])
def test_a_stranger_who_presses_what_was_not_offered_hears_a_farewell(ground, caller, key):
    assert "感谢您的来电" in words(caller.press(key, From="+8610077777777"))
    assert theirs(ground) == []


def test_a_key_that_a_failure_lost_is_asked_for_again_once(ground, caller, monkeypatch):
    monkeypatch.setattr(fieldwork, "take_up", _fail)

    reply = caller.press("1")
    assert next_url(reply) == f"{BASE}/voice/incoming?again=1"
    again = document(caller.ask("/voice/incoming?again=1"))
    assert next_url(again) == f"{BASE}/voice/incoming/keys?again=1"

    assert tags(document(caller.ask("/voice/incoming/keys?again=1", Digits="1"))) == ["Say", "Say", "Hangup"]


def test_without_a_database_the_caller_hears_who_we_are_all_the_same(caller, monkeypatch):
    monkeypatch.setattr(fieldwork, "recognise", _fail)

    assert "请按0" in words(document(caller.ask("/voice/incoming")))


def _fail(*_: object, **__: object) -> None:
    raise ConnectionError


def test_a_status_of_a_call_that_led_to_no_interview_changes_nothing(ground, caller):
    assert caller.ask("/voice/incoming/status", CallStatus="completed").status_code == 204

    assert theirs(ground) == []
    with ground.sessions() as session:
        assert session.scalars(select(Respondent)).one().due_at > ground.now + timedelta(minutes=1)
