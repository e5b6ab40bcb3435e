"""What may be said at a question, and while what was heard there is being asked back."""

from functools import cache
from pathlib import Path

import pytest

from ivr.voice.expectations import expectations, listened_for, meant
from speech.transcript import Transcript, Word
from survey.fieldwork import Asked
from survey.script import Script
from survey.script_yaml import parse
from tests.speech.questions import NEGATIVE, POSITIVE, rows

SCRIPTS = Path(__file__).parents[3] / "config" / "scripts"


@cache
def shipped(language: str) -> Script:
    return parse((SCRIPTS / f"callback-{language}.yaml").read_text("utf-8"))


def asked(language: str, step: str, *, is_doubt: bool) -> Asked:
    script = shipped(language)
    return Asked(1, script, script.question(step), is_doubt)


def code(text: str, language: str, step: str = "speed", *, is_doubt: bool = True) -> str | None:
    said = tuple(Word(word, 0.3 * place, 0.3 * place + 0.3, 0.95) for place, word in enumerate(text.split()))
    return meant(Transcript(said), expectations(asked(language, step, is_doubt=is_doubt))).code


@pytest.mark.parametrize(
    ("language", "text", "meaning"),
    [
        ("zh", "是", "yes"), ("zh", "对", "yes"), ("zh", "不对", "no"), ("zh", "不是", "no"), ("zh", "满意", "satisfied"),
        ("zh", "不满意", "dissatisfied"), ("zh", "是的 满意", "satisfied"), ("zh", "不是 满意", None),
        ("en", "yes", "yes"), ("en", "no", "no"), ("en", "satisfied", "satisfied"), ("en", "not satisfied", "dissatisfied"),
    ],
)  # fmt: skip
def test_a_rating_that_is_asked_back_may_be_called_right_or_said_again(language: str, text: str, meaning: str | None) -> None:
    assert code(text, language) == meaning


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_phrase_changes_its_side_while_a_rating_is_asked_back(language: str) -> None:
    sides = {None: set(), **dict.fromkeys(POSITIVE, POSITIVE), **dict.fromkeys(NEGATIVE, NEGATIVE)}
    for row in rows(language):
        if row.question == "scale" and row.expected in sides and "[unk]" not in row.phrase:
            found = code(row.phrase, language)
            assert found not in (POSITIVE | NEGATIVE) - sides[row.expected], row.phrase


def test_at_other_questions_what_is_asked_back_is_only_called_right_or_wrong() -> None:
    assert code("同意", "zh", "consent") is None
    assert code("同意", "zh", "consent", is_doubt=False) == "yes"
    assert len(expectations(asked("zh", "consent", is_doubt=True))) == 1


def test_the_recogniser_listens_for_both() -> None:
    phrases = listened_for(expectations(asked("zh", "speed", is_doubt=True)))

    assert {"是", "不对", "满意", "不满意"} <= set(phrases)
    assert len(set(phrases)) == len(phrases)
