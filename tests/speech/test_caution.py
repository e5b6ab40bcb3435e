"""A negation that the recogniser has swallowed, and lone digits, are never an answer without a key."""

from speech.caution import DOUBTFUL, cautious
from speech.meaning import Choice, Expectation, Meaning, understand
from speech.transcript import Transcript, Word

SCALE = Expectation(
    "zh-CN",
    (Choice("very_satisfied", "1", ("非常满意",)), Choice("satisfied", "2", ("满意",)), Choice("neutral", "3", ("一般",)),
     Choice("dissatisfied", "4", ("不满意",)), Choice("very_dissatisfied", "5", ("非常不满意",))),
    {}, ("救命",), is_scale=True,
)  # fmt: skip


def heard(*words: tuple[str, float], language: str = "zh-CN") -> Meaning:
    """The meaning of words of these lengths in seconds, each heard with full confidence."""
    said, at = [], 0.2
    for text, seconds in words:
        said.append(Word(text, at, at + seconds, 1.0))
        at += seconds
    transcript, expected = Transcript(tuple(said)), Expectation(language, SCALE.choices, SCALE.commands, SCALE.danger, is_scale=True)
    return cautious(understand(transcript, expected), transcript, expected)


def test_words_at_an_even_pace_are_what_they_are() -> None:
    assert heard(("非常", 0.46), ("满意", 0.45)) == Meaning("very_satisfied", 1.0, "非常满意")
    assert heard(("满意", 0.8)).code == "satisfied"
    assert heard(("非常", 0.4), ("不", 0.2), ("满意", 0.4)).code == "very_dissatisfied"


def test_a_degree_so_long_that_a_negation_may_hide_in_it_is_no_answer() -> None:
    assert heard(("非常", 0.63), ("满意", 0.42)).code is None
    assert heard(("很", 0.39), ("满意", 0.42)).code is None


def test_a_lone_digit_is_asked_back() -> None:
    assert heard(("四", 0.4)) == Meaning("dissatisfied", DOUBTFUL, "四")
    assert heard(("按", 0.2), ("四", 0.2)).confidence == 1.0


def test_an_english_word_in_which_a_negation_may_hide_is_asked_back() -> None:
    said = Transcript((Word("satisfied", 0.2, 1.3, 1.0),))
    expected = Expectation("en", (Choice("satisfied", "2", ("satisfied",)),), {}, is_scale=True)

    assert cautious(understand(said, expected), said, expected) == Meaning("satisfied", DOUBTFUL, "satisfied")


def test_danger_is_believed_however_it_is_said() -> None:
    assert heard(("救命", 2.0)).code == "danger"
