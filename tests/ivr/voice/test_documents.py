"""RS35: whatever the house says, in any rehearsal and with the wildest words, is TwiML that a strict carrier obeys, below 64 kB."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ivr.carrier.simulator.document import LIMIT_BYTES, read
from ivr.voice import twiml, wording
from ivr.voice.twiml import Urls
from survey import prompts, rehearsal
from survey.actions import Collect, Hangup, Join, Say, Transfer
from survey.bureau import Bureau
from survey.script import Script
from tests.survey.scripts import shipped

CASES = sorted((Path(__file__).parents[2] / "rehearsals").glob("*.yaml"))
ATTEMPT = "https://voice.example/voice/attempts/" + "a" * 32
URLS = Urls(
    f"{ATTEMPT}/steps/4", "https://voice.example/recordings?item=", f"{ATTEMPT}/queue", "room-" + "a" * 32, f"{ATTEMPT}/room",
    f"{ATTEMPT}/music",
)  # fmt: skip
NASTY = ("<Say>", "</Response>", "a & b", "nul\x00l", "😀🚓", "\u202eback\u202c", "\ud800", "]]>", "&#0;", "&lt;", "\ufffe\uffff",
         "\x1b[31m", "\u2028\u2029", "<!DOCTYPE x>", "<?xml?>", "\r\n\t", "᠎", "é", "x" * 9000)  # fmt: skip
HOUSES = (
    Bureau("示范市公安局", "the Police of Shifan", "12389", 3, "Asia/Shanghai"),
    Bureau("".join(NASTY[:-1]), "".join(reversed(NASTY[:-1])), "1<2&3", 3, "Asia/Shanghai"),
)
SPEAKING = (Say, Collect, rehearsal.Record, Transfer, Join, Hangup)


def faults(document: str) -> list[Any]:
    """What a strict carrier finds wrong."""
    body = document.encode()
    assert len(body) < LIMIT_BYTES
    return list(read(body, "text/xml")[1])


def documents_of(script: Script, turns: list[rehearsal.Turn], house: Bureau) -> list[str]:
    """What the carrier is sent in this call."""
    given = prompts.variables(script, house, datetime(2026, 3, 1, 2, tzinfo=UTC), "Asia/Shanghai")
    given = replace(given, callback_time=prompts.sample_time(script.language))
    voice = wording.voice_of(wording.VOICES, script.language)
    return [
        twiml.render(
            [action for action in turn.actions if isinstance(action, SPEAKING)],
            lambda prompt: prompts.speak(script, prompt, given),
            URLS,
            voice,
        )
        for turn in turns
    ]


@pytest.mark.parametrize("house", HOUSES, ids=["an honest bureau", "a bureau of wild words"])
@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_every_document_of_every_rehearsal_is_obeyed(path: Path, house: Bureau) -> None:
    case = rehearsal.read_case(path)
    script = shipped(case.script_file)
    sent = documents_of(script, rehearsal.play(script, case.events, case.answers, operator_free=case.operator_free), house)

    assert len(sent) == len(case.events)
    assert [found for document in sent for found in faults(document)] == []
    excuse = wording.spoken(wording.INTERRUPTED, wording.VOICES, house, script.language)
    assert [found for document in sent for found in faults(twiml.precede(excuse, document))] == []


@pytest.mark.parametrize("nasty", NASTY)
def test_wild_words_in_a_prompt_are_obeyed_wherever_they_stand(nasty: str) -> None:
    voice = wording.voice_of(wording.VOICES, "zh-CN")
    for actions in ([Say(nasty), Collect("1", 5)], [Say(nasty), Collect("1", 5, barge_in=False)], [Say(nasty), Hangup()]):
        assert faults(twiml.render(actions, str, URLS, voice)) == []
    assert faults(twiml.announce([(nasty, voice)])) == []
    assert faults(twiml.announce([(nasty, voice)], pause_seconds=6, then=URLS.step)) == []
    assert faults(twiml.ask_key([(nasty, voice)], URLS.step, 6)) == []
    assert faults(twiml.precede([(nasty, voice)], twiml.render([Say(nasty), Collect("1", 5)], str, URLS, voice))) == []


def test_the_longest_document_has_room_for_an_excuse_before_it() -> None:
    voice = wording.voice_of(wording.VOICES, "zh-CN")
    longest = twiml.render([Say("x")] * 5000 + [Collect("1", 5)], lambda _: "&" * 9000, URLS, voice)

    assert faults(twiml.precede(wording.spoken(wording.INTERRUPTED, wording.VOICES, HOUSES[1]), longest)) == []


SENTENCES = [value for name, value in vars(wording).items() if name.isupper() and name != "VOICES" and isinstance(value, Mapping)]
ANNOUNCEMENTS = [texts for one in SENTENCES for texts in ([one] if "zh" in one else one.values())]


@pytest.mark.parametrize("texts", ANNOUNCEMENTS)
def test_every_announcement_is_obeyed_in_the_name_of_any_bureau_and_unit(texts: Mapping[str, str]) -> None:
    for house, unit in zip(HOUSES, ("北关派出所", "{" + "".join(NASTY) + "}{0}"), strict=True):
        told = wording.spoken(texts, wording.VOICES, house, ahead=2, left=30, unit=unit, reason="r")
        assert faults(twiml.announce(told)) == []
        assert faults(twiml.wait(told, URLS.music, URLS.queue)) == []


def test_what_the_operator_hears_and_how_a_wait_ends_is_obeyed() -> None:
    assert faults(twiml.enter_room(URLS, f"{ATTEMPT}/over")) == []
    assert faults(twiml.leave_queue()) == []


def test_a_strict_carrier_would_notice() -> None:
    voice = wording.voice_of(wording.VOICES, "zh-CN")
    good = twiml.render([Say("hello"), Collect("1", 5)], str, URLS, voice)

    assert faults(good.replace("<Redirect", "<Redirected")) != []
    assert faults(good.replace("numDigits", "digits")) != []
    assert faults(good.replace("hello", "\x00")) != []
    assert faults(good.replace("hello", "<b>")) != []
