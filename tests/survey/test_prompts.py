"""Words for the line: names filled in, numbers and dates as they are said, and nothing an author could do harm with."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from survey import prompts, spoken_length
from survey.bureau import Bureau
from survey.prompts import PromptFaulty, Variables
from survey.script import Script
from tests.survey.scripts import FOLLOWUPS, SHIPPED, a_confirm, a_rate, a_script, shipped

BUREAU = Bureau("示范市公安局", "Example City Police", "0571-12345", 3, "Asia/Shanghai")
GIVEN = Variables("示范市公安局", "0571-12345", 3, date(2026, 9, 3), callback_time="tomorrow")


def a_script_saying(text: str, language: str = "en") -> Script:
    return replace(a_script(a_confirm(), a_rate("speed")), language=language, notices={"thanks": text})


def spoken(text: str, language: str = "en", given: Variables = GIVEN) -> str:
    return prompts.speak(a_script_saying(text, language), "notice.thanks", given)


@pytest.mark.parametrize("name", SHIPPED + FOLLOWUPS)
def test_every_prompt_of_the_shipped_scripts_can_be_spoken(name: str) -> None:
    script = shipped(name)
    words = [prompts.speak(script, prompt, GIVEN) for prompt in script.prompts]

    assert all(words)
    assert not any("{" in text for text in words)


def test_the_chinese_opening_names_the_bureau_in_at_most_54_characters() -> None:
    text = prompts.speak(shipped(), "opening", GIVEN)

    assert text == "您好，这里是示范市公安局指挥中心自动语音回访，想请您评价公安服务，约两分钟，通话会录音。"
    assert len(text) <= 54


@pytest.mark.parametrize("name", SHIPPED + FOLLOWUPS)
def test_the_opening_takes_at_most_twelve_seconds(name: str) -> None:
    script = shipped(name)
    given = prompts.variables(script, BUREAU, None, "Asia/Shanghai")

    assert spoken_length.seconds(prompts.speak(script, "opening", given), script.language) <= 12


def test_the_long_scale_says_the_meaning_before_the_key() -> None:
    expected = "非常满意请按1，满意按2，一般按3，不满意按4，非常不满意按5，说不清按6"

    assert prompts.speak(shipped(), "speed", GIVEN) == f"第一题，民警到达现场的速度：{expected}。"


def test_the_short_scale_names_both_ends_and_the_way_around() -> None:
    assert prompts.speak(shipped(), "attitude", GIVEN) == "第二题，民警的处警态度。按1到5，1是非常满意，5是非常不满意，说不清请按6。"
    assert "where 1 is very satisfied and 5 is very dissatisfied; for not sure, press 6" in prompts.speak(
        shipped(SHIPPED[1]), "attitude", GIVEN
    )


def test_telephone_numbers_are_spaced_for_the_voice() -> None:
    assert spoken("call {{ hotline }} or {{ emergency }}") == "call 0 5 7 1 1 2 3 4 5 or 1 1 0"


@pytest.mark.parametrize(("language", "expected"), [("zh-CN", "9月3日"), ("en", "3 September")])
def test_the_day_is_said_as_people_say_it(language: str, expected: str) -> None:
    assert spoken("{{ incident_date }}", language) == expected


def test_the_day_is_the_one_in_the_zone_of_the_person_called() -> None:
    late = datetime(2026, 9, 3, 17, tzinfo=UTC)

    assert prompts.variables(shipped(), BUREAU, late, "Asia/Shanghai").incident_on == date(2026, 9, 4)
    assert prompts.variables(shipped(), BUREAU, late, "America/Los_Angeles").incident_on == date(2026, 9, 3)


def test_the_bureau_is_named_in_the_language_of_the_script() -> None:
    names = [prompts.variables(shipped(name), BUREAU, None, "Asia/Shanghai").bureau for name in SHIPPED]

    assert names == ["示范市公安局", "Example City Police"]


def test_the_emergency_number_is_the_one_of_the_place() -> None:
    given = prompts.variables(shipped(SHIPPED[1]), replace(BUREAU, emergency="911"), None, "America/Los_Angeles")

    assert prompts.speak(shipped(SHIPPED[1]), "no_fraud", given).endswith("dial 9 1 1.")


def test_a_number_may_decide_between_two_words() -> None:
    text = '{{ callback_days }} {{ "day" if callback_days == 1 else "days" }}'

    assert [spoken(text, given=replace(GIVEN, callback_days=days)) for days in (1, 2)] == ["1 day", "2 days"]


def test_a_day_that_must_not_be_told_is_an_error_and_not_a_gap() -> None:
    with pytest.raises(PromptFaulty, match="incident_date"):
        spoken("on {{ incident_date }}", given=replace(GIVEN, incident_on=None))


def test_an_unknown_variable_and_an_unknown_prompt_are_errors() -> None:
    with pytest.raises(PromptFaulty, match="nobody"):
        spoken("{{ nobody }}")
    with pytest.raises(PromptFaulty, match="no prompt"):
        prompts.speak(shipped(), "speed.retry.9", GIVEN)


@pytest.mark.parametrize(
    "text",
    ["{{ range(9) }}", "{{ bureau.__class__ }}", "{{ bureau.upper() }}", "{% for x in bureau %}{{ x }}{% endfor %}", "{{ 'a' * 99999999 }}",
     "{% set x = 1 %}", "{{ bureau|upper }}", "{{ bureau[0] }}", "{% include 'x' %}", "{{ 2 ** 99999999 }}", "{{", "a" * 2000],
)  # fmt: skip
def test_a_prompt_can_do_nothing_but_fill_in_names(text: str) -> None:
    with pytest.raises(PromptFaulty):
        spoken(text)


def test_markup_in_a_name_stays_text() -> None:
    """Escaping is the business of whoever writes XML."""
    assert spoken("{{ bureau }}", given=replace(GIVEN, bureau="A & B <x> {{ hotline }}")) == "A & B <x> {{ hotline }}"


def test_a_prompt_that_grows_too_long_is_refused() -> None:
    with pytest.raises(PromptFaulty, match="longer"):
        spoken("{{ bureau }}", given=replace(GIVEN, bureau="x" * 2000))


def test_line_breaks_of_the_text_do_not_reach_the_voice() -> None:
    assert spoken("one\n  two\n") == "one two"
