"""Lengths estimated from letters, where there is no sound yet."""

from dataclasses import replace

import pytest

from survey import spoken_length
from survey.script import RecordStep, SayStep
from tests.survey.scripts import a_confirm, a_rate, a_script


def test_chinese_takes_four_and_a_half_characters_a_second() -> None:
    assert spoken_length.seconds("您好，这里是 公安局", "zh-CN") == pytest.approx(9 / 4.5)


def test_english_takes_two_and_a_half_words_a_second() -> None:
    assert spoken_length.seconds("this is your local police", "en") == pytest.approx(2)


def test_a_path_adds_prompts_answers_and_where_asked_the_recordings() -> None:
    reason = RecordStep("reason", "reason", "why", max_seconds=60, when="any_dissatisfied")
    remark = RecordStep("remark", "remark", "more", max_seconds=30)
    script = a_script(a_confirm(), a_rate("speed"), reason, SayStep("sorry", "sorry", when="any_dissatisfied"), remark)
    lengths = dict.fromkeys(script.prompts, 10.0)

    assert spoken_length.path_seconds(script, lengths, dissatisfied=False, speech=False) == 4 * 10 + 3 * 2
    assert spoken_length.path_seconds(script, lengths, dissatisfied=True, speech=True) == 6 * 10 + 2 * 2 + 60 + 30


def test_the_path_ends_at_the_first_farewell_without_a_condition() -> None:
    script = a_script(a_confirm())
    longer = replace(script, steps=(*script.steps, SayStep("after", "never heard")))

    assert spoken_length.path_seconds(longer, dict.fromkeys(longer.prompts, 1.0), dissatisfied=True, speech=True) == 2 + 2
