"""Strictness: each fault of a document is found, and what is right passes."""

import pytest

from ivr.carrier.simulator.document import read

GOOD = '<Gather action="/a" numDigits="1"><Say>x</Say></Gather><Redirect>/a</Redirect>'


def faults(document: str | bytes, content_type: str = "text/xml", purpose: str = "call") -> list[tuple[int, str]]:
    body = document if isinstance(document, bytes) else f"<Response>{document}</Response>".encode()
    return [(fault.code, fault.message) for fault in read(body, content_type, purpose)[1]]


@pytest.mark.parametrize(
    "document",
    [
        GOOD, "<Hangup/>", "<Say>x</Say><Redirect>/a</Redirect>",
        '<Record action="/a" finishOnKey="#1" recordingStatusCallbackEvent="completed absent"/><Redirect>/a</Redirect>',
        '<Record action="/a"/>', '<Dial action="/a" timeout="20"><Number url="/w">+861</Number><Client>desk</Client></Dial>',
        '<Dial><Queue>q</Queue></Dial><Hangup/>', '<Enqueue action="/a" waitUrl="/w">q</Enqueue>',
        '<Start><Stream url="wss://a/b" name="s"><Parameter name="a" value="b"/></Stream></Start>' + GOOD,
        '<Say language="zh-CN" voice="x">读<emphasis>重</emphasis></Say><!-- c --><Hangup/>',
        '<Connect action="/a"><Stream url="wss://a/b"/></Connect>', '<Reject reason="busy"/>',
    ],
)  # fmt: skip
def test_what_is_right_passes(document):
    assert faults(document) == []


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("<Speak>x</Speak><Hangup/>", 12200), ("<say>x</say><Hangup/>", 12200), ('<Say tempo="fast">x</Say><Hangup/>', 12200),
        ("<Gather><Say>x</Say></Gather><Redirect>/a</Redirect>", 12200), ('<Gather action="/a"/><Hangup/>', 12200),
        ('<Gather action="/a"><Record/></Gather><Redirect>/a</Redirect>', 12200), ("<Record/>", 12200), ("<Say>x</Say>", 12200),
        ('<Gather action="/a" numDigits="0"/><Redirect>/a</Redirect>', 12200), ('<Pause length="0"/><Hangup/>', 12200),
        ('<Gather action="/a" actionOnEmptyResult="True"/><Redirect>/a</Redirect>', 12200), ("", 12200),
        ("<Hangup/><Say>x</Say>", 12200), ("<Redirect>/a</Redirect><Hangup/>", 12200),
        ('<Start><Stream url="wss://a/b?c=d"/></Start><Hangup/>', 12200),
        ("<Gather action=\"/a\" input=\"['dtmf', 'speech']\"/><Redirect>/a</Redirect>", 12200),
        (b"<Response><Say>", 12100), (b"", 12100), (b"<!DOCTYPE r [<!ENTITY a 'b'>]><Response/>", 12100),
        (b"<Answer><Hangup/></Answer>", 12102),
        ("<Say>" + "x" * 70_000 + "</Say><Hangup/>", 11750),
    ],
    ids=[
        "unknown verb", "verbs have capitals", "unknown attribute", "Gather without action", "Gather without Redirect", "wrong nesting",
        "Record without action", "no end", "numDigits 0", "Pause 0", "Python's True", "empty", "after Hangup", "after Redirect",
        "stream query", "a list's repr", "not closed", "no body", "DOCTYPE", "other root", "over 64 kB",
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(document, code):
    assert [found for found, _ in faults(document)][:1] == [code]


@pytest.mark.parametrize(("content_type", "code"), [("application/json", 12300), ("", 12300)], ids=["another type", "none"])
def test_the_type_must_be_one_of_xml(content_type, code):
    assert faults(GOOD, content_type)[0][0] == code


def test_plain_text_is_read_aloud():
    verbs, found = read(b"good day", "text/plain")

    assert ([verb.name for verb in verbs], found) == (["Say", "Hangup"], [])


def test_a_waiting_document_needs_no_end():
    assert faults("<Say>x</Say>", purpose="wait") == []
    assert faults("<Say>x</Say>", purpose="whisper") == []
