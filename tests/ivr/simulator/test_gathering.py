"""Every way in which a Gather ends (twilio_voice §3.2)."""

import pytest

from ivr.carrier.simulator.document import Verb
from ivr.carrier.simulator.gathering import Outcome, Terms, collect, terms_of
from ivr.carrier.simulator.persona import Persona, Press, Silence
from tests.ivr.simulator.toy import gather, xml

ONE = Terms(1, "#", 5.0, True, True)


@pytest.mark.parametrize(
    ("terms", "press", "expected"),
    [
        (ONE, Press("4", after=1), Outcome("4", "", 11.0)),
        (ONE, Press("42", after=1), Outcome("4", "", 11.0)),
        (Terms(3, "#", 5, True, True), Press("42", after=1, gap=1), Outcome("42", "", 17.0)),
        (Terms(None, "#", 5, True, True), Press("42#9", after=1, gap=1), Outcome("42", "#", 13.0)),
        (Terms(None, "#", 5, True, True), Press("42", after=1, gap=6), Outcome("4", "", 16.0)),
        (ONE, Press("#", after=1), Outcome("", "#", 11.0)),
        (Terms(1, "", 5, True, True), Press("#", after=1), Outcome("#", "", 11.0)),
        (ONE, Press("4", after=5.5), Outcome("", "", 15.0)),
        (ONE, None, Outcome("", "", 15.0)),
        (ONE, Press("4", after=1, barge=True), Outcome("4", "", 1.0)),
        (Terms(1, "#", 5, False, True), Press("4", after=1, barge=True), Outcome("4", "", 11.0)),
        (Terms(1, "#", 5, True, False), Press("4", after=1), Outcome("", "", 15.0)),
    ],
    ids=[
        "number of digits", "what comes after is lost", "time between digits restarts", "finishing key is stripped",
        "late second digit is lost", "finishing key without digits is nothing", "without finishing key # is data", "too late",
        "silence", "into the prompt", "no barging in", "speech only",
    ],
)  # fmt: skip
def test_keys_against_the_timers(terms, press, expected):
    assert collect(terms, 10.0, press) == expected


def test_attributes_have_the_carriers_defaults():
    assert terms_of(Verb("Gather", {}, "")) == Terms(None, "#", 5.0, True, True)


def silent(monkeypatch):
    monkeypatch.setattr(Persona, "at_keys", lambda self, heard: Silence())


def test_silence_goes_to_the_action_when_empty_results_are_wanted(story, toy, monkeypatch):
    silent(monkeypatch)

    story()

    assert toy.seen[-2].path == "/steps/7" or "/steps/1" in toy.paths()
    first = next(seen for seen in toy.seen if seen.path == "/steps/1")
    assert first.form["Digits"] == ""


def test_silence_goes_on_to_the_next_verb_otherwise(story, toy, monkeypatch):
    silent(monkeypatch)
    toy.pages["/steps/0"] = '<Gather action="/steps/1"><Say>?</Say></Gather><Redirect>/elsewhere</Redirect>'
    toy.pages["/elsewhere"] = "<Hangup/>"

    call = story()

    assert "/elsewhere" in toy.paths()
    assert "/steps/1" not in toy.paths()
    assert call.problems == []


@pytest.mark.parametrize(("wanted", "path"), [("true", "/steps/1"), ("false", "/elsewhere")], ids=["action", "next verb"])
def test_a_finishing_key_without_digits_is_no_input(story, toy, monkeypatch, wanted, path):
    monkeypatch.setattr(Persona, "at_keys", lambda self, heard: Press("#"))
    toy.pages["/steps/0"] = f'<Gather action="/steps/1" actionOnEmptyResult="{wanted}"/><Redirect>/elsewhere</Redirect>'
    toy.pages["/steps/1"] = toy.pages["/elsewhere"] = "<Hangup/>"

    story()

    turns = [seen for seen in toy.seen if seen.path != "/status"]
    assert turns[1].path == path
    assert turns[1].form.get("Digits", "") == ""


def test_the_prompt_takes_as_long_as_it_takes_to_say(story, toy):
    toy.pages["/steps/0"] = gather("是" * 45, "/steps/1")
    toy.pages["/steps/1"] = lambda seen: xml("<Pause length='3'/><Hangup/>")

    call = story("58")

    assert call.ended_at - call.answered_at == pytest.approx(10 + 5 + 3)
