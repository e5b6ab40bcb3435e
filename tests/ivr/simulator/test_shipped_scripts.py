"""The callees understand the scripts that we ship, by their words alone."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from ivr.carrier.simulator.listening import key_for, question_in
from ivr.carrier.simulator.persona import Persona, Press, Speak, Traits
from ivr.carrier.simulator.wording import REMARKS

SCRIPTS = Path(__file__).parents[3] / "config" / "scripts"
ASKING = ("confirm", "rate", "choose", "record")


def steps(name: str) -> list[dict]:
    return YAML(typ="safe").load((SCRIPTS / name).read_text(encoding="utf-8"))["steps"]


QUESTIONS = [
    pytest.param(step["id"], text, id=f"{name}:{step['id']}:{number}")
    for name in ("callback-zh.yaml", "callback-en.yaml", "followup-zh.yaml", "followup-en.yaml")
    for step in steps(name)
    if step["type"] in ASKING
    for number, text in enumerate([step["text"], *step.get("retry", [])])
]


@pytest.mark.parametrize(("item", "text"), QUESTIONS)
def test_each_prompt_is_taken_for_its_question_or_leaves_it_as_it_was(item, text):
    assert question_in(text) in (item, None)


@pytest.mark.parametrize("name", ["callback-zh.yaml", "callback-en.yaml", "followup-zh.yaml", "followup-en.yaml"])
def test_each_question_is_recognised_when_it_is_first_put(name):
    first = {step["id"]: step["text"] for step in steps(name) if step["type"] in ASKING}

    assert {item: question_in(text) for item, text in first.items()} == {item: item for item in first}


@pytest.mark.parametrize("name", ["followup-zh.yaml", "followup-en.yaml"])
def test_a_callee_says_in_a_second_call_whether_it_was_put_right(name):
    texts = {step["id"]: [step["text"], *step.get("retry", [])] for step in steps(name) if step["id"] in ("put_right", "satisfied_now")}
    pressed = {
        (put_right, satisfied): [
            Persona(Traits(put_right=put_right, satisfied_now=satisfied), "+8610000000000", 1, 1).at_keys(text).keys
            for said in texts.values() for text in said
        ]
        for put_right in (True, False) for satisfied in (True, False)
    }  # fmt: skip

    for (put_right, satisfied), keys in pressed.items():
        assert keys == ["1" if put_right else "2"] * 3 + ["1" if satisfied else "2"] * 3


def test_some_are_appeased_by_the_second_call_and_some_are_not():
    text = next(step["text"] for step in steps("followup-zh.yaml") if step["id"] == "satisfied_now")
    pressed = [Persona(Traits(), f"+86100000{n:05}", 7, 2).at_keys(text).keys for n in range(200)]

    assert 70 <= pressed.count("1") <= 130
    assert pressed.count("2") == 200 - pressed.count("1")


@pytest.mark.parametrize("name", ["callback-zh.yaml", "callback-en.yaml"])
def test_a_callee_says_what_it_means_by_the_keys_that_are_offered(name):
    texts = {step["id"]: step["text"] for step in steps(name) if "text" in step}
    honest = Persona(Traits(), "+8610000000000", 1, 1)
    pressed = {item: honest.at_keys(texts[item]) for item in ("right_person", "discipline", "consent", "interference")}

    assert {item: reaction.keys for item, reaction in pressed.items() if isinstance(reaction, Press)} == {
        "right_person": "1", "discipline": "1", "consent": "1", "interference": "1",
    }  # fmt: skip
    other = Persona(Traits(right_person=False, consents=False, interfered=True, abused=True), "+8610000000000", 1, 1)
    assert [other.at_keys(texts[item]).keys for item in pressed] == ["2", "2", "2", "2"]
    assert key_for("later", texts["way_out"]) == "9"
    assert key_for("never", texts["way_out"]) == "0"


@pytest.mark.parametrize("name", ["callback-zh.yaml", "callback-en.yaml"])
def test_a_callee_speaks_where_it_is_asked_to_speak(name):
    texts = {step["id"]: step["text"] for step in steps(name) if "text" in step}
    silent, talkative = Persona(Traits(), "+1", 1, 1), Persona(Traits(remark=Speak(4)), "+1", 1, 1)

    assert silent.at_recording(texts["remark"], "#1") == Press("1", "nothing to say")
    spoken = talkative.at_recording(texts["remark"], "#1")
    assert isinstance(spoken, Speak)
    assert (spoken.seconds, spoken.then, spoken.text in REMARKS[name[9:11]]) == (4, "#", True)
    assert isinstance(silent.at_recording(texts["reason"], "#1"), Speak)
