"""Calls over HTTP as the carrier makes them, through the real flow into a real database."""

import threading
from urllib.parse import urldefrag

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from ivr.voice.app import create_voice_app
from ivr.voice.insistence import insist
from survey import fieldwork
from survey.store.models import Answer, CallAttempt, Recording, Suppression, Turn
from tests.ivr.voice.conftest import ACCOUNT, BASE, CALLED, Line, document, next_url, services_of, words
from tests.survey.fieldwork.conftest import Ground

RE = "RE" + "0a" * 16


def answers(ground):
    with ground.sessions() as session:
        return {answer.item: answer.raw for answer in session.scalars(select(Answer))}


def count(ground, table):
    with ground.sessions() as session:
        return session.scalar(select(func.count()).select_from(table))


def attempt(ground, line):
    with ground.sessions() as session:
        return session.scalars(select(CallAttempt).where(CallAttempt.token == line.token)).one()


def talk(line, keys):
    """Answer and press one key a turn, following the addresses that the documents name; the last document."""
    reply = line.step(0)
    for key in keys:
        reply = document(line.post(next_url(reply), line._standard(Digits=key)))
    return reply


def test_the_first_document_greets_and_asks_for_the_right_person(line):
    reply = line.step(0)

    assert [verb.tag for verb in reply] == ["Gather", "Redirect"]
    assert "某市公安局" in words(reply)
    assert next_url(reply) == f"{BASE}/voice/attempts/{line.token}/steps/1"
    assert reply[0].attrib["action"] == insist(next_url(reply))
    assert {(say.attrib["language"], say.attrib["voice"]) for say in reply.iter("Say")} == {("zh-CN", "Polly.Zhiyu")}


def test_five_ratings_by_key_end_in_the_database(ground, line):
    talk(line, "112345"[:6])

    assert answers(ground) == {
        "right_person": "1", "speed": "1", "attitude": "2", "outcome": "3", "equipment": "4", "appearance": "5",
    }  # fmt: skip


def test_silence_is_asked_again(ground, line):
    line.step(0)

    reply = line.step(1, Digits="")

    assert "没有收到有效的选择" in words(reply)
    assert answers(ground) == {}


def test_a_repeated_request_gets_the_same_bytes_and_changes_nothing(ground, line):
    line.step(0)
    line.step(1, Digits="1")
    first = line.hook("steps/2", Digits="2")

    again = line.hook("steps/2", Digits="5")

    assert again.data == first.data
    assert answers(ground)["speed"] == "2"


def test_a_step_ahead_is_led_back_without_being_stored(ground, line):
    here = line.hook("steps/0").data

    assert line.hook("steps/7", Digits="1").data == here
    assert count(ground, Turn) == 1


@pytest.mark.parametrize("step", [2**31, 2**63, 10**40])
def test_an_absurd_step_is_led_back(line, step):
    here = line.hook("steps/0").data

    assert line.hook(f"steps/{step}").data == here


def test_a_second_leg_of_the_same_attempt_hears_nothing(line):
    line.step(0)
    line.sid = "CA" + "9" * 32

    assert [verb.tag for verb in line.step(1, Digits="1")] == ["Hangup"]


def test_fifty_copies_of_one_turn_at_once_leave_one_answer_and_one_reply(file_engine, ground):
    there = Ground(file_engine, ground.office, ground.clock)
    there.launch(1)
    attempt_id, token = there.dial_next()
    app = create_voice_app(services_of(there))
    sid = there.attempt(attempt_id).carrier_sid
    first = Line(app.test_client(), token, sid)
    talk(first, "1")
    replies, start = [], threading.Barrier(50)

    def press(key):
        start.wait()
        replies.append(Line(app.test_client(), token, sid).hook("steps/2", Digits=key).data)

    threads = [threading.Thread(target=press, args=(str(1 + number % 5),)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(replies) == 50
    assert len(set(replies)) == 1
    assert list(answers(there)) == ["right_person", "speed"]


@pytest.mark.parametrize("form", [{"CallSid": ""}, {"CallSid": "CA\x00"}, {"CallSid": "x" * 100}])
def test_a_turn_of_no_call_is_refused(ground, line, form):
    assert line.hook("steps/0", **form).status_code == 400
    assert count(ground, Turn) == 0


def test_an_unknown_answerer_is_taken_for_a_person(line, caplog):
    reply = line.step(0, AnsweredBy="parrot")

    assert reply[0].tag == "Gather"
    assert "AnsweredBy='parrot'" in caplog.text


def test_a_machine_is_not_talked_to(ground, line):
    reply = line.step(0, AnsweredBy="machine_start")

    assert reply[-1].tag == "Hangup"
    assert attempt(ground, line).disposition == "machine"


def test_statuses_climb_the_ladder_whatever_their_order(ground, line):
    for sequence, status in [(3, "completed"), (0, "initiated"), (2, "in-progress"), (1, "ringing"), (3, "completed")]:
        form = {"CallStatus": status, "SequenceNumber": str(sequence), "CallDuration": "61", "CallbackSource": "call-progress-events"}
        assert line.hook("status", **form).status_code == 204

    ended = attempt(ground, line)
    assert (ended.status, ended.seconds, ended.live_key) == ("completed", 61, None)


def test_a_failed_call_brings_its_code(ground, line):
    line.hook("status", CallStatus="failed", SequenceNumber="1", SipResponseCode="404", ErrorCode="13224")

    assert (attempt(ground, line).status, attempt(ground, line).error) == ("failed", "404")


def test_an_unknown_status_changes_nothing_and_is_told_to_the_operators(ground, line, caplog):
    before = attempt(ground, line).status

    assert line.hook("status", CallStatus="exploded").status_code == 204
    assert attempt(ground, line).status == before
    assert "CallStatus='exploded'" in caplog.text


def test_a_machine_heard_late_ends_the_call_at_the_carrier(ground, line):
    line.step(0)

    four = {"CallSid": line.sid, "AccountSid": ACCOUNT, "AnsweredBy": "machine_start", "MachineDetectionDuration": "3100"}
    assert line.post(f"/voice/attempts/{line.token}/machine", four).status_code == 204
    assert attempt(ground, line).answered_by == "machine"
    assert "hang_up" in [job for job, *_ in ground.queue.asked]


def test_a_recording_is_announced_with_the_item_that_its_address_names(ground, line):
    reply = talk(line, "154545")
    record = reply.find("Record")
    assert record is not None

    callback = urldefrag(record.attrib["recordingStatusCallback"]).url
    form = {"RecordingSid": RE, "RecordingStatus": "completed", "RecordingDuration": "7", "RecordingUrl": "http://169.254.169.254/x"}
    response = line.post(callback, line._standard(**form))

    assert response.status_code == 204
    with ground.sessions() as session:
        kept = session.scalars(select(Recording)).one()
    assert (kept.item, kept.carrier_sid, kept.seconds) == ("reason", RE, 7)


@pytest.mark.parametrize(
    ("query", "form", "status"),
    [
        ("?item=remark", {"RecordingSid": ""}, 400),
        ("?item=remark", {"RecordingSid": "../x"}, 400),
        ("?item=%00", {"RecordingSid": RE}, 400),
        ("", {"RecordingSid": RE}, 400),
        ("?item=remark", {"RecordingSid": RE, "RecordingStatus": "absent"}, 204),
        ("?item=remark", {"RecordingSid": RE, "RecordingStatus": "in-progress"}, 204),
        ("?item=remark", {"RecordingSid": RE, "RecordingStatus": "melted"}, 204),
    ],
)
def test_nothing_is_fetched_that_does_not_exist_or_has_no_name(ground, line, query, form, status):
    assert line.post(f"/voice/attempts/{line.token}/recordings{query}", line._standard(**form)).status_code == status
    with ground.sessions() as session:
        assert set(session.execute(select(Recording.state, Recording.due_at))) <= {("discarded", None)}


class Unreachable:
    """A unit of work whose database is down."""

    def __enter__(self):
        raise OperationalError("SELECT", {}, Exception("connection refused"))

    def __exit__(self, *error):
        return None


@pytest.fixture
def broken(ground, line):
    """The same call while the database is down."""
    services = services_of(ground)
    object.__setattr__(services, "unit_of_work", Unreachable)
    return Line(create_voice_app(services).test_client(), line.token, line.sid)


def test_a_database_that_is_down_is_excused_and_the_same_step_asked_once_more(broken):
    reply = broken.step(3, Digits="1")

    assert [verb.tag for verb in reply] == ["Say", "Say", "Pause", "Redirect"]
    assert next_url(reply) == f"{BASE}/voice/attempts/{broken.token}/steps/3?again=1"


def test_a_database_that_stays_down_ends_the_call_with_a_farewell(broken):
    reply = document(broken.post(next_url(broken.step(3, Digits="1"))))

    assert [verb.tag for verb in reply] == ["Say", "Say", "Hangup"]


def test_a_database_that_came_back_goes_on_with_the_same_question(ground, line, broken):
    line.step(0)
    line.step(1, Digits="1")
    again = next_url(broken.step(2, Digits="5"))

    reply = document(line.post(again))

    assert "民警到场的速度" in words(reply)
    assert next_url(reply).endswith("/steps/3")
    assert "speed" not in answers(ground)


def test_a_callback_that_could_not_be_stored_may_come_again(broken):
    response = broken.hook("status", CallStatus="completed")

    assert (response.status_code, response.data) == (503, b"")


def test_a_failure_is_logged_with_the_attempt_and_without_the_number(broken, caplog):
    broken.step(3, Digits="1")

    assert broken.token[:12] in caplog.text
    assert CALLED not in caplog.text


def test_a_call_that_our_fallback_ended_is_no_refusal_and_is_made_again(ground, line):
    line.step(0)
    line.step(1, Digits="1")
    for _ in range(2):
        line.hook("fallback", ErrorCode="11200")
    line.hook("status", CallStatus="completed", CallDuration="30")
    ground.clock.advance(seconds=31)
    ground.settle(line.token)

    assert attempt(ground, line).disposition == "technical"
    assert ground.respondent_of(attempt(ground, line).id).state == "waiting"


def test_key_nine_asks_when_and_says_the_booked_time_back_the_same_on_a_repeat(ground, line):
    line.step(0)
    assert "明天上午请按2" in words(line.step(1, Digits="9"))
    reply = line.step(2, Digits="2")

    assert "明天上午再给您打电话" in words(reply)
    assert words(line.step(2, Digits="2")) == words(reply)


def test_who_calls_our_number_hears_who_we_are_and_how_to_be_left_alone(line):
    reply = document(line.post("/voice/incoming"))

    assert "某市公安局" in words(reply)
    assert "请按0" in words(reply)
    assert "City Police Bureau" in words(reply)
    assert next_url(reply) == f"{BASE}/voice/incoming/keys"
    assert reply[0].attrib["action"] == insist(next_url(reply))


def test_key_zero_puts_the_calling_number_on_the_refusal_list_once(ground, line):
    for _ in range(2):
        reply = document(line.post("/voice/incoming/keys", line._standard(From=CALLED, Digits="0")))
        assert reply[-1].tag == "Hangup"

    assert count(ground, Suppression) == 1
    with ground.sessions() as session:
        assert fieldwork.is_suppressed(session, ground.office.keys.phone_key(CALLED))


@pytest.mark.parametrize(
    ("form", "words_in_it"), [({"From": "anonymous", "Digits": "0"}, "没有显示"), ({"Digits": "5"}, "感谢"), ({}, "感谢")]
)
def test_a_hidden_number_or_another_key_refuses_nothing(ground, line, form, words_in_it):
    reply = document(line.post("/voice/incoming/keys", line._standard(**form)))

    assert words_in_it in words(reply)
    assert count(ground, Suppression) == 0


def test_no_answer_of_the_door_may_be_cached(line):
    assert line.hook("steps/0").headers["Cache-Control"] == "no-store"
