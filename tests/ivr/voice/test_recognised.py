"""The house may leave the listening to the carrier: then its words are weighed like those of our own recogniser."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from sqlalchemy import select

from ivr.voice.app import create_voice_app
from ivr.voice.recognised import LONGEST_TEXT, UNTOLD, speech
from ivr.voice.routes import VoiceServices
from survey.store.models import Answer
from tests.ivr.voice.conftest import Line, words
from tests.survey.fieldwork.conftest import Ground


@pytest.fixture
def listened(ground: Ground, services: VoiceServices) -> Line:
    """A call of which the carrier writes down what is said; the person has confirmed, the first rating waits at step 2."""
    object.__setattr__(ground.office, "languages", frozenset({"zh", "en"}))
    services = replace(services, office=ground.office, carrier_listens=True)
    ground.launch(1)
    attempt_id, token = ground.dial_next()
    line = Line(create_voice_app(services).test_client(), token, ground.attempt(attempt_id).carrier_sid or "")
    line.step(0)
    line.step(1, Digits="1")
    return line


def gather(document: ElementTree.Element) -> dict[str, str]:
    (found,) = document.iter("Gather")
    return found.attrib


def answers(ground: Ground) -> list[tuple[str, str, str]]:
    with ground.sessions() as session:
        return [(row.item, row.code, row.mode) for row in session.scalars(select(Answer).order_by(Answer.id))]


def test_a_question_takes_keys_and_speech_with_the_words_that_may_be_said(listened: Line) -> None:
    terms = gather(listened.step(2, Digits="2"))

    assert terms["input"] == "dtmf speech"
    assert terms["language"] == "cmn-Hans-CN"
    assert terms["speechTimeout"] == "1"
    assert terms["profanityFilter"] == "false"
    assert {"满意", "非常不满意", "说不清"} <= set(terms["hints"].split(","))


def test_words_that_are_sure_are_an_answer_by_voice(listened: Line, ground: Ground) -> None:
    listened.step(2, SpeechResult="不太满意。", Confidence="0.93")

    assert answers(ground)[-1] == ("speed", "dissatisfied", "speech")


@pytest.mark.parametrize("told", [{}, {"Confidence": ""}, {"Confidence": "nan"}, {"Confidence": "0.6"}, {"Confidence": "7"}])
def test_words_of_which_nobody_is_sure_are_asked_back_and_the_next_words_decide(
    listened: Line, ground: Ground, told: dict[str, str]
) -> None:
    asked_back = listened.step(2, SpeechResult="满意", **told)

    assert "我听到的是" in words(asked_back)
    assert [row for row in answers(ground) if row[0] == "speed"] == []
    listened.step(3, SpeechResult="是的", Confidence="0.95")
    assert answers(ground)[-1] == ("speed", "satisfied", "speech")


def test_words_without_meaning_are_asked_again_by_key(listened: Line, ground: Ground) -> None:
    again = listened.step(2, SpeechResult="今天天气不错", Confidence="0.99")

    assert gather(again)["input"] == "dtmf"
    assert [row for row in answers(ground) if row[0] == "speed"] == []


def test_a_key_counts_though_words_came_with_it(listened: Line, ground: Ground) -> None:
    listened.step(2, Digits="1", SpeechResult="不满意", Confidence="0.99")

    assert answers(ground)[-1] == ("speed", "very_satisfied", "keys")


def test_a_repeated_request_with_words_gets_the_same_document_and_stores_nothing_twice(listened: Line, ground: Ground) -> None:
    first, again = (listened.hook("steps/2", SpeechResult="满意", Confidence="0.95").data for _ in range(2))

    assert first == again
    assert len([row for row in answers(ground) if row[0] == "speed"]) == 1


def test_words_that_nobody_asked_the_carrier_for_are_not_looked_at(line: Line, ground: Ground) -> None:
    line.step(0)
    line.step(1, Digits="1")
    line.step(2, SpeechResult="满意", Confidence="0.95")

    assert [row for row in answers(ground) if row[0] == "speed"] == []


def test_an_endless_text_is_cut() -> None:
    said = speech({"SpeechResult": "很 " * 5000, "Confidence": "0.9"})

    assert said is not None
    assert len(said.text) <= LONGEST_TEXT
    assert speech({"SpeechResult": "满意"}) == speech({"SpeechResult": "满意", "Confidence": str(UNTOLD)})
    assert speech({"SpeechResult": "  "}) is None
