"""Conferences: who hears what and when, what is told of it, and how a room comes to its end."""

from contextlib import ExitStack
from datetime import timedelta

import pytest
from twilio.base.exceptions import TwilioRestException

from ivr.carrier.simulator.faults import FaultPlan
from ivr.carrier.simulator.persona import Traits
from tests.ivr.simulator.conftest import START
from tests.ivr.simulator.tab import opened
from tests.ivr.simulator.toy import xml

PERSON, OPERATOR = "+8610000000000", "sip:desk@operators.example"
ALL = "start end join leave mute hold modify announcement"
TOLD = f'statusCallback="/conference" statusCallbackEvent="{ALL}"'


def conference(after="/after", attributes="", dial=""):
    return f'<Dial action="{after}" {dial}><Conference {attributes}>room-1</Conference></Dial>'


@pytest.fixture
def room(toy, exchange, call):
    """Bring the person and then the operator into a room; gives the sids of their calls."""
    toy.pages |= dict.fromkeys(("/after", "/operator/after", "/back"), "<Pause length='3'/><Hangup/>") | {"/conference": "<Hangup/>"}

    def enter(person="", operator="", *, talks=600, dial=""):
        exchange.register(PERSON, Traits(talk_seconds=talks))
        exchange.register(OPERATOR, Traits(talk_seconds=900))
        toy.pages["/person"] = conference(attributes=f'participantLabel="person" {TOLD} {person}', dial=dial)
        toy.pages["/operator"] = conference("/operator/after", f'participantLabel="operator" {operator}')
        sid = call(PERSON, url=f"{toy.url}/person")
        exchange.run_until(START + timedelta(seconds=30))
        desk = call(OPERATOR, url=f"{toy.url}/operator")
        exchange.run_until(START + timedelta(seconds=60))
        return sid, desk

    return enter


@pytest.fixture
def later(exchange):
    """Let so many seconds pass."""
    return lambda seconds: exchange.run_until(START + timedelta(seconds=exchange.clock.now() - START.timestamp() + seconds))


def events(toy):
    return [seen.form for seen in sorted(told(toy), key=lambda seen: int(seen.form["SequenceNumber"]))]


def told(toy):
    return [seen for seen in toy.seen if seen.path == "/conference"]


def names(toy):
    return [form["StatusCallbackEvent"].replace("participant-", "").replace("conference-", "conference ") for form in events(toy)]


def form_of(toy, path):
    return next(seen.form for seen in toy.seen if seen.path == path)


def failure(act):
    with pytest.raises(TwilioRestException) as caught:
        act()
    return caught.value.status, caught.value.code


def the_room(client):
    [found] = client.conferences.list(friendly_name="room-1", status="in-progress")
    return client.conferences(found.sid)


def test_a_room_begins_when_two_are_in_it_and_the_client_reads_it(room, client, toy):
    person, operator = room(operator='endConferenceOnExit="true" muted="true"')

    found = the_room(client).fetch()
    members = {each.call_sid: each for each in the_room(client).participants.list()}
    assert (found.status, found.friendly_name, found.reason_conference_ended) == ("in-progress", "room-1", None)
    assert found.date_created > START
    assert list(members) == [person, operator]
    assert [(each.label, each.muted, each.hold, each.end_conference_on_exit, each.status) for each in members.values()] == [
        ("person", False, False, False, "connected"), ("operator", True, False, True, "connected"),
    ]  # fmt: skip
    assert names(toy) == ["join", "join", "conference start"]


def test_events_carry_the_room_the_participant_and_numbers_from_one(room, toy):
    person, _ = room()

    first, _, start = events(toy)
    assert [form["SequenceNumber"] for form in events(toy)] == ["1", "2", "3"]
    assert {key: first[key] for key in ("CallSid", "ParticipantLabel", "Muted", "Hold", "Coaching", "EndConferenceOnExit")} == {
        "CallSid": person, "ParticipantLabel": "person", "Muted": "false", "Hold": "false", "Coaching": "false",
        "EndConferenceOnExit": "false",
    }  # fmt: skip
    assert (first["FriendlyName"], first["ConferenceSid"][:2], first["StartConferenceOnEnter"]) == ("room-1", "CF", "true")
    assert "CallSid" not in start
    assert all(seen.signed for seen in told(toy))


def test_only_the_first_to_come_says_who_is_told_and_of_what(room, toy):
    toy.pages["/other"] = ""

    room(person='statusCallbackMethod="GET"', operator='statusCallback="/other" statusCallbackEvent="join"')

    assert "/other" not in toy.paths()
    assert {seen.method for seen in told(toy)} == {"GET"}


def test_without_events_nothing_is_told(call, toy, exchange):
    toy.pages["/steps/0"] = conference(attributes='statusCallback="/conference"')

    call()
    exchange.run_until(START + timedelta(hours=1))

    assert told(toy) == []


def test_whoever_waits_for_the_room_to_begin_hears_the_waiting_document_once(call, toy, exchange):
    toy.pages["/steps/0"] = conference(attributes='waitUrl="/wait"')
    toy.pages["/wait"] = "<Say>请稍候</Say><Pause length='2'/>"

    sid = call()
    exchange.run_until(START + timedelta(hours=1))

    assert toy.paths().count("/wait") == 1
    assert exchange.calls[sid].seconds == 180  # the patience of somebody who waits
    assert exchange.calls[sid].problems == []


def test_a_waiting_document_that_leads_to_itself_goes_round_until_the_room_begins(room, toy):
    toy.pages["/wait"] = "<Pause length='5'/><Redirect method='GET'></Redirect>"

    room(person='waitUrl="/wait" waitMethod="GET"')

    rounds = toy.paths().count("/wait")
    assert 2 <= rounds <= 11
    assert {seen.method for seen in toy.seen if seen.path == "/wait"} == {"GET"}


def test_a_waiting_document_that_only_leads_to_itself_does_not_spin(call, toy, exchange):
    toy.pages["/steps/0"] = conference(attributes='waitUrl="/wait"')
    toy.pages["/wait"] = "<Redirect/>"

    call()
    exchange.run_until(START + timedelta(hours=1))

    assert toy.paths().count("/wait") == 180


@pytest.mark.parametrize("page", [None, "<Gather action='/x'/>", "<Hangup/>"], ids=["missing", "Gather", "Hangup"])
def test_a_waiting_document_that_cannot_be_played_drops_the_caller_out(story, toy, page):
    toy.pages["/steps/0"] = conference(attributes='waitUrl="/wait"')
    toy.pages |= {"/after": "<Hangup/>"} | ({"/wait": page} if page else {})

    call = story()

    assert form_of(toy, "/after")["DialCallStatus"] == "answered"
    assert call.problems
    assert "/fallback" not in toy.paths()


def test_a_room_does_not_begin_before_somebody_comes_who_may_begin_it(room, client, toy):
    room(person='startConferenceOnEnter="false"', operator='startConferenceOnEnter="false"')

    assert [each.status for each in client.conferences.list()] == ["init"]
    assert names(toy) == ["join", "join"]


def test_who_has_talked_enough_hangs_up_and_the_last_to_leave_ends_the_room(room, later, client, toy, exchange):
    person, operator = room(talks=50)
    later(300)

    [found] = client.conferences.list()
    assert (found.status, found.reason_conference_ended) == ("completed", "last-participant-left")
    assert found.call_sid_ending_conference == operator  # alone, its patience came to an end
    assert exchange.calls[person].status == "completed"
    assert names(toy) == ["join", "join", "conference start", "leave", "leave", "conference end"]
    left = events(toy)[3]
    assert (left["CallSid"], left["ParticipantCallStatus"], left["ReasonParticipantLeft"]) == (person, "completed", "participant_hung_up")
    assert "/after" not in toy.paths()


def test_when_the_one_leaves_who_ends_the_room_the_other_goes_on_with_the_action(room, later, client, toy, exchange):
    person, operator = room(operator='endConferenceOnExit="true"')

    client.calls(operator).update(status="completed")
    later(60)

    after = form_of(toy, "/after")
    assert (after["CallSid"], after["DialCallStatus"], after["DialBridged"]) == (person, "answered", "true")
    assert not {"DialCallSid", "DialCallDuration"} & set(after)
    left, put_out, end = events(toy)[3:]
    assert [left["ReasonParticipantLeft"], put_out["ReasonParticipantLeft"]] == ["participant_hung_up", "moderator_ended_conference"]
    assert [left["ParticipantCallStatus"], put_out["ParticipantCallStatus"]] == ["completed", "in-progress"]
    assert (end["ReasonConferenceEnded"], end["CallSidEndingConference"]) == ("participant-with-end-conference-on-exit-left", operator)
    assert (end["ParticipantLabelEndingConference"], bool(end["Reason"])) == ("operator", True)
    assert exchange.calls[person].status == "completed"


def test_a_call_that_is_redirected_leaves_the_room(room, later, client, toy):
    person, _ = room(operator='endConferenceOnExit="true"')

    client.calls(person).update(url=f"{toy.url}/back", method="POST")
    later(10)

    assert "/back" in toy.paths()
    left = events(toy)[3]
    assert (left["ReasonParticipantLeft"], left["ParticipantCallStatus"]) == ("participant_updated_via_api", "in-progress")
    assert [each.label for each in the_room(client).participants.list()] == ["operator"]


def test_handing_back_ends_the_room_of_whoever_ends_it(room, later, client, toy, exchange):
    person, operator = room(person='endConferenceOnExit="true"')

    client.calls(person).update(url=f"{toy.url}/back", method="POST")
    later(60)

    assert [form_of(toy, path)["CallSid"] for path in ("/back", "/operator/after")] == [person, operator]
    assert [call.status for call in exchange.calls.values()] == ["completed", "completed"]
    assert "/after" not in toy.paths()


def test_a_call_on_hold_hears_its_document_until_it_is_brought_back(room, later, client, toy):
    toy.pages["/hold"] = "<Say>请稍等。</Say><Pause length='10'/><Redirect/>"
    person, _ = room()

    held = the_room(client).participants(person).update(hold=True, hold_url=f"{toy.url}/hold", hold_method="POST")
    later(35)
    asked = toy.paths().count("/hold")
    back = the_room(client).participants("person").update(hold=False)
    later(60)

    assert (held.hold, back.hold) == (True, False)
    assert 2 <= asked <= 5
    assert toy.paths().count("/hold") == asked
    assert names(toy)[3:] == ["hold", "unhold"]
    assert events(toy)[3]["Hold"] == "true"


def test_the_document_of_a_hold_is_got_by_get_unless_told_otherwise(room, later, client, toy):
    toy.pages["/hold"] = "<Say>请稍等。</Say>"
    person, _ = room()

    the_room(client).participants(person).update(hold=True, hold_url=f"{toy.url}/hold")
    later(5)

    assert [seen.method for seen in toy.seen if seen.path == "/hold"] == ["GET"]


def test_a_hold_whose_document_fails_is_silent(room, later, client, toy, exchange):
    person, _ = room()

    the_room(client).participants(person).update(hold=True, hold_url=f"{toy.url}/nowhere")
    later(60)

    assert exchange.calls[person].problems
    assert [each.hold for each in the_room(client).participants.list()] == [True, False]


def test_who_is_held_too_long_hangs_up(room, later, client, toy, exchange):
    person, _ = room()

    the_room(client).participants(person).update(hold=True)
    later(179)
    assert not exchange.calls[person].ended
    later(2)

    assert exchange.calls[person].ended
    assert events(toy)[-1]["ReasonParticipantLeft"] == "participant_hung_up"


def test_time_on_hold_does_not_count_as_talk(room, later, client, exchange):
    person, _ = room(talks=100)
    the_room(client).participants(person).update(hold=True)
    later(120)
    the_room(client).participants(person).update(hold=False)
    later(40)

    assert not exchange.calls[person].ended


def test_muting_and_the_end_on_exit_are_changed_and_told_once(room, client, toy, later):
    _, operator = room()
    participant = the_room(client).participants("operator")

    assert participant.update(muted=True).muted is True
    participant.update(muted=True)
    assert participant.update(muted=False).muted is False
    assert participant.update(end_conference_on_exit=True).end_conference_on_exit is True
    later(5)

    assert names(toy)[3:] == ["mute", "unmute", "modify"]
    assert {form["CallSid"] for form in events(toy)[3:]} == {operator}
    assert the_room(client).participants.list(muted=True) == []


def test_an_announcement_interrupts_and_its_end_is_told(room, later, client, toy, exchange):
    toy.pages["/announcement"] = "<Say>通话将在一分钟后结束。</Say>"
    person, operator = room()

    the_room(client).participants(person).update(announce_url=f"{toy.url}/announcement")
    later(10)
    the_room(client).update(announce_url=f"{toy.url}/announcement")
    later(10)

    assert [seen.form["CallSid"] for seen in toy.seen if seen.path == "/announcement"][:1] == [person]
    assert sorted(seen.form["CallSid"] for seen in toy.seen if seen.path == "/announcement") == sorted([person, person, operator])
    assert names(toy)[3:] == ["announcement-end"] * 3
    assert len(exchange.live_calls()) == 2


def test_a_kicked_participant_goes_on_with_its_action(room, later, client, toy):
    person, operator = room()

    assert the_room(client).participants("operator").delete() is True
    later(10)

    assert form_of(toy, "/operator/after")["CallSid"] == operator
    assert events(toy)[3]["ReasonParticipantLeft"] == "participant_updated_via_api"
    assert failure(the_room(client).participants(operator).fetch) == (404, 20404)
    assert the_room(client).participants(person).fetch().label == "person"


@pytest.mark.parametrize(
    ("person", "kicked", "reason"),
    [
        ('endConferenceOnExit="true"', ["person"], "participant-with-end-conference-on-exit-kicked"),
        ("", ["person", "operator"], "last-participant-kicked"),
    ],
)
def test_the_reason_tells_that_the_room_ended_with_a_kick(room, client, person, kicked, reason):
    room(person)
    found = the_room(client)

    for label in kicked:
        found.participants(label).delete()

    assert (found.fetch().status, found.fetch().reason_conference_ended) == ("completed", reason)


def test_a_room_is_ended_by_request_and_everybody_goes_on(room, later, client, toy):
    person, operator = room()
    found = the_room(client)

    assert found.update(status="completed").status == "completed"
    assert found.update(status="completed").status == "completed"
    later(10)

    assert (found.fetch().reason_conference_ended, found.fetch().call_sid_ending_conference) == ("conference-ended-via-api", None)
    assert {form_of(toy, "/after")["CallSid"], form_of(toy, "/operator/after")["CallSid"]} == {person, operator}
    assert names(toy)[3:] == ["leave", "leave", "conference end"]
    assert {form["ReasonParticipantLeft"] for form in events(toy)[3:5]} == {"conference_ended_via_api"}
    assert client.conferences.list(status="in-progress") == []
    assert found.participants.list() == []
    assert failure(found.participants(person).update) == (404, 20404)


def test_a_name_is_free_again_when_its_room_is_over(room, client, call, toy, exchange, later):
    room()
    first = the_room(client).update(status="completed")
    later(20)

    call(PERSON, url=f"{toy.url}/person")
    later(30)

    assert [each.status for each in client.conferences.list(friendly_name="room-1")] == ["init", "completed"]
    assert client.conferences.list(friendly_name="room-1")[0].sid != first.sid


def test_a_label_that_is_taken_leads_on_to_the_next_verb(room, call, client, toy, exchange, later):
    room()
    toy.pages["/second"] = conference("", 'participantLabel="person"').replace('action=""', "") + "<Redirect>/third</Redirect>"
    toy.pages["/third"] = "<Hangup/>"

    sid = call("+8610000000014", url=f"{toy.url}/second")
    later(30)

    assert [each.error_code for each in client.calls(sid).notifications.list()] == ["16025"]
    assert "/third" in toy.paths()
    assert len(the_room(client).participants.list()) == 2


def test_a_full_room_takes_nobody_more(room, call, toy, later, client):
    room()
    toy.pages["/second"] = conference("/third", 'maxParticipants="2"')
    toy.pages["/third"] = "<Hangup/>"

    call("+8610000000014", url=f"{toy.url}/second")
    later(30)

    assert (form_of(toy, "/third")["DialCallStatus"], form_of(toy, "/third")["DialBridged"]) == ("failed", "false")


def test_the_time_limit_of_the_dial_ends_the_stay(room, later, toy):
    person, _ = room(dial='timeLimit="90"')

    later(90)

    assert form_of(toy, "/after")["CallSid"] == person


@pytest.mark.parametrize(
    "attributes",
    ['coach="CA1"', 'record="record-from-start"', 'beep="loud"', 'maxParticipants="251"', 'statusCallbackEvent="join, leave"'],
)
def test_what_the_noun_does_not_take_is_a_fault(story, attributes):
    assert story(twiml=f"<Response>{conference(attributes=attributes)}</Response>", url=None).problems[0].startswith("12200")


def test_what_does_not_exist_or_is_not_simulated_is_refused(room, client, toy):
    person, _ = room()
    participant = the_room(client).participants(person)

    assert failure(client.conferences("CF" + "0" * 32).fetch) == (404, 20404)
    assert failure(the_room(client).participants("nobody").fetch) == (404, 20404)
    assert failure(lambda: participant.update(coaching=True)) == (400, 20001)
    assert failure(lambda: participant.update(hold=True, hold_url="/hold")) == (400, 21205)
    assert failure(lambda: the_room(client).update(status="init")) == (400, 20001)


def test_a_list_that_lags_shows_a_room_later(room, client, exchange, later):
    room()
    exchange.inflict(FaultPlan(list_lag_seconds=100))

    assert client.conferences.list() == []
    later(100)
    assert len(client.conferences.list()) == 1


def test_whoever_is_in_the_room_and_not_on_hold_is_heard(room, client, exchange, later):
    person, operator = (exchange.calls[sid] for sid in room())
    assert exchange.bridge.others(person) == (operator,)

    the_room(client).participants(person.sid).update(hold=True)
    assert exchange.bridge.others(operator) == ()
    the_room(client).participants(person.sid).update(hold=False)
    assert exchange.bridge.others(operator) == (person,)
    the_room(client).update(status="completed")
    assert exchange.bridge.others(person) == ()


def test_an_announcement_that_is_asked_for_twice_does_not_keep_anybody(room, later, client, toy):
    toy.pages["/announcement"] = "<Say>通话将在一分钟后结束。</Say>"
    person, _ = room()

    for _ in range(2):
        the_room(client).participants(person).update(announce_url=f"{toy.url}/announcement")
    later(30)
    the_room(client).participants(person).update(announce_url=f"{toy.url}/announcement")
    later(30)

    assert names(toy)[3:] == ["announcement-end"] * 2


def test_many_rooms_at_once_end_each_with_its_own_numbers(call, toy, exchange):
    document = conference("/over", f"waitUrl='/wait' {TOLD}")
    toy.pages |= {f"/rooms/{number}": document.replace("room-1", f"room-{number}") for number in range(20)}
    toy.pages |= {"/wait": "<Pause length='1'/><Redirect/>", "/conference": "", "/over": "<Hangup/>"}

    for number in range(60):
        exchange.register(f"+861000000{number:04d}", Traits(talk_seconds=10 + number, patience_seconds=60))
        call(f"+861000000{number:04d}", url=f"{toy.url}/rooms/{number % 20}")
    exchange.run_until(START + timedelta(hours=1))

    assert exchange.live_calls() == []
    assert {each.status for each in exchange.rooms.all()} == {"completed"}
    assert not any(call.problems for call in exchange.calls.values())
    for each in exchange.rooms.all():
        numbers = [int(seen.form["SequenceNumber"]) for seen in told(toy) if seen.form["ConferenceSid"] == each.sid]
        assert sorted(numbers) == list(range(1, each.sequence + 1))


def test_a_person_who_waits_is_taken_over_and_handed_back(call, client, toy, exchange, later):
    exchange.register(PERSON, Traits(talk_seconds=600))
    exchange.register(OPERATOR, Traits(talk_seconds=600))
    toy.pages |= {
        "/person": '<Enqueue action="/left" waitUrl="/wait">desk</Enqueue>', "/wait": "<Pause length='5'/>", "/conference": "",
        "/operator": conference("/done", f'waitUrl="" {TOLD}'), "/person/room": conference("/left", 'endConferenceOnExit="true"'),
        "/done": "<Hangup/>", "/back": lambda seen: xml("<Say>感谢您的评价,再见。</Say><Hangup/>"),
    }  # fmt: skip
    person = call(PERSON, url=f"{toy.url}/person")
    later(30)

    operator = call(OPERATOR, url=f"{toy.url}/operator")
    later(30)
    client.calls(person).update(url=f"{toy.url}/person/room", method="POST")
    later(30)
    assert {each.call_sid for each in the_room(client).participants.list()} == {person, operator}
    client.calls(person).update(url=f"{toy.url}/back", method="POST")
    later(30)

    assert not exchange.waiting_line("desk").members
    assert "/left" not in toy.paths()
    assert [exchange.calls[sid].status for sid in (person, operator)] == ["completed", "completed"]
    assert names(toy) == ["join", "join", "conference start", "leave", "leave", "conference end"]
    assert [exchange.calls[sid].problems for sid in (person, operator)] == [[], []]


@pytest.fixture
def two_phones(exchange, call, toy):
    """Two browser phones in one room, in real time; gives each one's tab and the sid of its call."""
    exchange.schedule.run_in_real_time()
    toy.pages |= {"/after": "<Say>谢谢。</Say><Pause length='30'/><Hangup/>", "/steps/0": conference(attributes=f"waitUrl='/wait' {TOLD}")}
    toy.pages |= {"/wait": "<Say>请等待。</Say><Pause length='30'/>", "/hold": "<Say>请稍等。</Say><Pause length='30'/>", "/conference": ""}

    def answer(tab, number):
        sid = call(number)
        tab.until_phase("ringing")
        tab.do("answer")
        return tab, sid

    with ExitStack() as stack:
        numbers = ("+8613900000001", "+8613900000002")
        yield [answer(stack.enter_context(opened(exchange, number)), number) for number in numbers]


def test_people_at_browser_phones_meet_are_held_and_part(two_phones, client, toy, exchange):
    (tab, sid), (other_tab, other) = two_phones
    tab.until(lambda tab: tab.call.get("joined"))
    assert tab.words == ["请等待。"]
    tab.until(lambda tab: any(message["event"] == "hush" for message in tab.told))

    the_room(client).participants(sid).update(hold=True, hold_url=f"{toy.url}/hold")
    tab.until(lambda tab: tab.words[1:] == ["请稍等。"] and not tab.call["joined"])
    the_room(client).participants(sid).update(hold=False)
    tab.until(lambda tab: tab.call["joined"])
    tab.until(lambda tab: [message["event"] for message in tab.told].count("hush") == 2)
    other_tab.do("hang up")
    tab.until(lambda tab: not tab.call["joined"])
    client.conferences(exchange.rooms.all()[0].sid).update(status="completed")
    tab.until(lambda tab: tab.words[2:] == ["谢谢。"])

    assert exchange.calls[other].status == "completed"
    assert not exchange.calls[sid].ended
