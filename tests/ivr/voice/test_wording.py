"""What the house says when no script speaks."""

import re

import pytest

from ivr.carrier.simulator.listening import key_for
from ivr.voice import wording
from survey.bureau import Bureau

BUREAU = Bureau("示范市公安局", "the Police of Shifan", "0571-88880000", 3, "Asia/Shanghai")
ANNOUNCEMENTS = (
    wording.EXCUSE, wording.FAREWELL, wording.WHO_WE_ARE, wording.OPTED_OUT, wording.NUMBER_HIDDEN, wording.GOODBYE,
    wording.NOW, wording.NOW_OR_LATER, wording.ON_THE_LINE, wording.NO_MORE_CALLS, wording.ALREADY_OUT, wording.INTERRUPTED,
)  # fmt: skip


def spoken(texts: dict[str, str]) -> dict[str, str]:
    return {voice.language[:2]: text for text, voice in wording.spoken(texts, wording.VOICES, BUREAU)}


@pytest.mark.parametrize("texts", ANNOUNCEMENTS)
def test_every_announcement_is_there_in_both_languages_with_its_own_punctuation(texts):
    said = spoken(texts)

    assert set(said) == {"zh", "en"}
    assert re.findall(r"[,;:?!]|\.(?!\d)|[{}]", said["zh"]) == []
    assert said["en"].isascii()


def test_who_calls_the_line_hears_a_number_digit_by_digit_and_how_to_be_left_alone():
    said = spoken(wording.joined(wording.WHO_WE_ARE, wording.NOW_OR_LATER, wording.NO_MORE_CALLS))

    assert "示范市公安局指挥中心自动语音回访" in said["zh"]
    assert all("0 5 7 1 8 8 8 8 0 0 0 0" in text for text in said.values())
    assert [key_for("never", text) for text in said.values()] == ["0", "0"]


def test_a_known_language_is_spoken_alone_and_an_unknown_one_gives_all():
    assert [voice.language for _, voice in wording.spoken(wording.GOODBYE, wording.VOICES, BUREAU, "en-GB")] == ["en-US"]
    assert [voice.language for _, voice in wording.spoken(wording.GOODBYE, wording.VOICES, BUREAU, "bo")] == ["zh-CN", "en-US"]
