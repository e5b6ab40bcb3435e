"""Every document that the door can send is well-formed, small, and never loses the call (twilio_voice §11, RS35)."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.voice import twiml
from ivr.voice.insistence import insist
from ivr.voice.twiml import Urls, Voice, render
from survey.actions import Collect, Escalate, Hangup, Record, SaveAnswer, Say, SetDisposition
from survey.disposition import Disposition

URLS = Urls("https://voice.example/voice/attempts/ab/steps/4", "https://voice.example/voice/attempts/ab/recordings?item=")
ZH = Voice("zh-CN", "Polly.Zhiyu")


def rendered(*actions, speak=str, voice=ZH):
    return ElementTree.fromstring(render(actions, speak, URLS, voice))


def verbs(document):
    return [element.tag for element in document]


def test_a_question_waits_for_one_key_and_reports_silence_to_us():
    gather, redirect = rendered(Say("出警速度"), Collect("123456", 6))

    assert gather.attrib == {
        "input": "dtmf", "numDigits": "1", "timeout": "6", "finishOnKey": "", "actionOnEmptyResult": "true",
        "action": insist(URLS.step), "method": "POST",
    }  # fmt: skip
    assert redirect.text == URLS.step
    assert redirect.attrib == {"method": "POST"}


def test_a_prompt_that_may_be_interrupted_stands_inside_the_gather():
    gather, _ = rendered(Say("出警速度"), Collect("12", 5))

    assert [say.text for say in gather] == ["出警速度"]
    assert gather[0].attrib == {"language": "zh-CN", "voice": "Polly.Zhiyu"}


def test_a_prompt_that_must_be_heard_stands_before_the_gather():
    document = rendered(Say("本次通话将录音"), Collect("12", 5, barge_in=False))

    assert verbs(document) == ["Say", "Gather", "Redirect"]
    assert len(document[1]) == 0


def test_a_voice_without_a_name_leaves_the_choice_to_the_carrier():
    document = rendered(Say("Hello"), Hangup(), voice=Voice("en-US"))

    assert document[0].attrib == {"language": "en-US"}


def test_a_remark_is_recorded_until_the_end_key_and_its_file_is_announced_to_us():
    document = rendered(Say("请留言"), Record("remark", 60, "#", 5))

    assert verbs(document) == ["Say", "Record", "Redirect"]
    assert document[1].attrib == {
        "action": insist(URLS.step), "method": "POST", "finishOnKey": "#", "maxLength": "60", "timeout": "5", "playBeep": "true",
        "trim": "trim-silence", "recordingStatusCallback": insist(URLS.recordings + "remark"), "recordingStatusCallbackMethod": "POST",
        "recordingStatusCallbackEvent": "completed absent",
    }  # fmt: skip


def test_nothing_is_played_after_a_hang_up():
    document = rendered(Say("再见"), Hangup(), Say("还在吗"))

    assert verbs(document) == ["Say", "Hangup"]


def test_words_without_a_wait_end_the_call():
    assert verbs(rendered(Say("谢谢"))) == ["Say", "Hangup"]


def test_no_action_leads_to_the_step_the_conversation_stands_at():
    document = rendered()

    assert verbs(document) == ["Redirect"]
    assert document[0].text == URLS.step


def test_recording_actions_are_not_heard():
    actions = SaveAnswer("speed", "satisfied", 75.0, "2", "keys"), Escalate("dissatisfied"), SetDisposition(Disposition.COMPLETE)

    assert verbs(rendered(*actions, Say("再见"), Hangup())) == ["Say", "Hangup"]


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("拨打0755-84450110核实", "拨打0 7 5 5 8 4 4 5 0 1 1 0核实"),
        ("请拨12345。", "请拨1 2 3 4 5。"),
        ("call +8675584450110 now", "call + 8 6 7 5 5 8 4 4 5 0 1 1 0 now"),
        ("您9月3日的报警", "您9月3日的报警"),
        ("2026年", "2026年"),
        ("on 2026-09-03 at", "on 2026-09-03 at"),
        ("case A12345", "case A12345"),
    ],
)
def test_telephone_numbers_are_spoken_digit_by_digit(written, spoken):
    assert twiml.speakable(written) == spoken


@pytest.mark.parametrize("nasty", ["<Hangup/>", "a & b", "nul\x00", "\U0001f600", "\u202eturned", "\ud800", "]]>", "\ufffe", '"quoted"'])
def test_prompt_text_can_break_neither_the_document_nor_the_call(nasty):
    document = rendered(Say(nasty), Collect("1", 5))

    assert verbs(document) == ["Gather", "Redirect"]
    assert len(document[0]) <= 1


def test_an_endless_prompt_still_fits_what_the_carrier_takes():
    document = render([Say("x")] * 5000 + [Collect("1", 5)], lambda _: "&" * 9000, URLS, ZH)

    assert len(document.encode()) < 64_000
    assert verbs(ElementTree.fromstring(document)) == ["Gather", "Redirect"]


def test_an_apology_waits_and_goes_on_where_it_is_told():
    document = ElementTree.fromstring(twiml.announce([("请稍候", ZH), ("Please wait", Voice("en-US"))], pause_seconds=6, then=URLS.step))

    assert verbs(document) == ["Say", "Say", "Pause", "Redirect"]
    assert document[2].attrib == {"length": "6"}


def test_an_apology_without_a_way_on_ends_the_call():
    assert verbs(ElementTree.fromstring(twiml.announce([("再见", ZH)]))) == ["Say", "Hangup"]


@pytest.mark.parametrize("nasty", ["<Response>", "</Response>", "a & b", "&lt;Response&gt;"])
def test_words_before_a_document_leave_it_as_it_was(nasty):
    kept = render([Say(nasty), Collect("1", 5)], str, URLS, ZH)

    document = ElementTree.fromstring(twiml.precede([(nasty, ZH), ("Sorry", Voice("en-US"))], kept))

    assert verbs(document) == ["Say", "Say", "Gather", "Redirect"]
    assert [say.text for say in document.iter("Say")] == [nasty, "Sorry", nasty]
    assert ElementTree.tostring(document[2]) == ElementTree.tostring(ElementTree.fromstring(kept)[0])


PROMPTS = st.text(max_size=40)
ACTIONS = st.lists(
    st.one_of(
        st.builds(Say, PROMPTS),
        st.builds(Collect, st.text("0123456789*#", max_size=12), st.integers(1, 60), st.booleans()),
        st.builds(Record, st.just("remark"), st.integers(1, 3600), st.sampled_from(["#", "*", ""]), st.integers(0, 30)),
        st.just(Hangup()),
        st.builds(Escalate, PROMPTS),
        st.builds(SaveAnswer, PROMPTS, PROMPTS, st.none(), PROMPTS, st.just("keys")),
    ),
    max_size=30,
)


@given(ACTIONS, st.text(max_size=6000))
def test_any_actions_make_a_document_that_never_loses_the_call(actions, words):
    text = render(actions, lambda prompt: prompt + words, URLS, ZH)
    document = ElementTree.fromstring(text)

    assert len(text.encode()) < 64_000
    for place, verb in enumerate(document):
        if verb.tag in ("Gather", "Record"):
            assert verb.attrib["action"] == insist(URLS.step)
            assert document[place + 1].tag == "Redirect"
    assert document[-1].tag in ("Redirect", "Hangup")
    assert all(say.text for say in document.iter("Say"))
