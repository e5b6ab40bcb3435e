"""What an utterance is taken for depends on the question, its keys and its own words; and how sure one is."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.meaning import Choice, Expectation, Meaning, phrases, understand
from speech.transcript import UNKNOWN, Transcript, Word
from tests.speech.questions import COMMANDS, DANGER, QUESTIONS, SAID, question, rows

LANGUAGES = ("zh", "en")
DIGITS = {"zh": "一二三四五六", "en": ("one", "two", "three", "four", "five", "six")}
SPOKEN = {"zh": ("{}", "按{}", "第{}个", "{}号", "选{}", "按{}键"), "en": ("{}", "press {}", "number {}", "option {}", "{} please")}


def heard(*words: tuple[str, float]) -> Transcript:
    return Transcript(tuple(Word(text, 0.3 * place, 0.3 * place + 0.3, sure) for place, (text, sure) in enumerate(words)))


def a_question(*choices: tuple[str, str, str], language: str = "zh", danger: tuple[str, ...] = ()) -> Expectation:
    """A question with these (code, key, phrase)."""
    return Expectation(language, tuple(Choice(code, key, (phrase,)) for code, key, phrase in choices), COMMANDS, danger)


@settings(max_examples=60, deadline=None)
@given(keys=st.permutations("123456"), language=st.sampled_from(LANGUAGES), name=st.sampled_from(QUESTIONS))
def test_digits_follow_the_keys_and_words_do_not(keys: list[str], language: str, name: str) -> None:
    moved = question(language, name, "".join(keys))
    by_key = {choice.key: choice.code for choice in moved.choices}
    for key, digit in zip("123456", DIGITS[language], strict=True):
        for frame in SPOKEN[language]:
            assert understand(frame.format(digit), moved).code == by_key.get(key)
    for code, say in SAID[language][name].items():
        assert understand(say, moved).code == code


def test_a_score_counts_only_where_points_and_keys_agree() -> None:
    worst_first = Expectation(
        "zh",
        tuple(
            Choice(code, key, ())
            for key, code in zip("12345", ("very_dissatisfied", "dissatisfied", "neutral", "satisfied", "very_satisfied"), strict=True)
        ),
        COMMANDS,
        is_scale=True,
    )

    assert [understand(f"打{digit}分", worst_first).code for digit in "一二三四五六"] == [*(c.code for c in worst_first.choices), None]
    assert [understand(f"{digit}分", question("zh", "scale")).code for digit in "一二三四五六"] == [None, None, "neutral", None, None, None]
    assert understand("三分", question("zh", "callback")).code is None


def test_no_order_of_keys_lets_a_score_swap_praise_and_blame() -> None:
    codes = ("very_satisfied", "satisfied", "neutral", "dissatisfied", "very_dissatisfied")
    for keys in permutations("12345"):
        expected = Expectation("en", tuple(Choice(code, key, ()) for code, key in zip(codes, keys, strict=True)), COMMANDS, is_scale=True)
        for points, digit in enumerate(DIGITS["en"][:5], 1):
            assert understand(f"{digit} out of five", expected).code in (None, codes[5 - points])


@pytest.mark.parametrize(("yes", "no"), [("1", "2"), ("2", "1")])
def test_yes_and_no_keep_their_meaning_whichever_key_they_have(yes: str, no: str) -> None:
    expected = a_question(("no", no, "没有"), ("yes", yes, "有"))

    assert [understand(text, expected).code for text in ("没有", "有", "是的", "不是", "不是没有")] == ["no", "yes", "yes", "no", None]
    assert understand(f"按{yes}", expected).code == "yes"


def test_a_yes_that_is_worded_as_a_no_is_taken_only_in_its_own_words() -> None:
    expected = a_question(("yes", "1", "没有意见"), ("no", "2", "有意见"))

    assert [understand(text, expected).code for text in ("没有意见", "有意见", "是的", "不是", "没有")] == ["yes", "no", None, None, None]


def test_a_yes_or_no_without_words_of_its_own_takes_what_fits_any_question() -> None:
    expected = Expectation("zh", (Choice("yes", "", ()), Choice("no", "", ())), COMMANDS)

    assert [understand(text, expected).code for text in ("是的", "嗯对", "不是", "不对", "没有", "同意", "打错了", "八", "一", "")] == [
        "yes", "yes", "no", "no", None, None, None, "human", None, None,
    ]  # fmt: skip
    assert {"是的", "不是", "再说一遍"} <= set(phrases(expected))


def test_choices_of_any_kind_are_taken_in_their_own_words() -> None:
    expected = a_question(("came", "1", "来了"), ("late", "2", "来晚了"), ("never_came", "3", "没来"))

    assert [understand(text, expected).code for text in ("来了", "嗯来晚了", "没来吧", "三")] == [
        "came",
        "late",
        "never_came",
        "never_came",
    ]
    assert [understand(text, expected).code for text in ("不来了", "来了没来", "没有来了", "是的", "来")] == [None] * 5


def test_administrators_words_are_taken_and_reach_the_recogniser() -> None:
    plain = question("zh", "scale")
    expected = Expectation(
        "zh-CN", (Choice("satisfied", "2", ("满意", "巴适得板", "没什么不满意的")), *plain.choices), COMMANDS, is_scale=True
    )

    assert understand("巴适得板", plain) == Meaning(None, 0.0, "unknown words")
    assert [understand(text, expected).code for text in ("巴适得板", "嗯巴适得板", "没什么不满意的")] == ["satisfied"] * 3
    assert understand("不巴适得板", expected).code is None
    assert {"巴适得板", "没什么不满意的"} <= set(phrases(expected))


def test_a_phrase_that_two_choices_claim_is_neither() -> None:
    assert understand("随便", a_question(("a", "1", "随便"), ("b", "2", "随便"))).code is None


def test_unsure_is_taken_only_where_the_question_has_it() -> None:
    assert understand("说不清", question("zh", "scale")).code == "unsure"
    assert understand("说不清", question("zh", "consent")) == Meaning(None, 0.0, "no such answer: 说不清")


def test_commands_are_taken_only_where_a_key_stands_for_them() -> None:
    assert understand("再说一遍", Expectation("zh", (), COMMANDS)).code == "repeat"
    assert understand("再说一遍", Expectation("zh", (), {"8": "human"})).code is None
    assert understand("按井号", Expectation("zh", (), {"#": "end_recording"})).code is None


@pytest.mark.parametrize(
    ("text", "code"), [("零", None), ("0", None), ("按零", "never"), ("按0键", "never"), ("九", "not_now"), ("八", "human")]
)
def test_a_digit_alone_never_ends_all_calls(text: str, code: str | None) -> None:
    assert understand(text, question("zh", "scale")).code == code


def test_the_confidence_is_that_of_the_least_certain_word_that_carries_the_meaning() -> None:
    scale = question("zh", "scale")

    assert understand(heard(("嗯", 0.2), ("非常", 0.9), ("满意", 0.7)), scale) == Meaning("very_satisfied", 0.7, "非常满意")
    assert understand(heard(("不", 0.6), ("满意", 0.9), ("吧", 0.1)), scale) == Meaning("dissatisfied", 0.6, "不满意")
    assert understand(heard(("按", 0.5), ("四", 0.9)), scale) == Meaning("dissatisfied", 0.5, "按四")
    assert understand("非常满意", scale).confidence == 1.0


def test_both_of_two_equal_answers_must_be_certain() -> None:
    assert understand(heard(("满意", 0.9), ("嗯", 0.1), ("满意", 0.4)), question("zh", "scale")).confidence == 0.4


@pytest.mark.parametrize("sure", [float("nan"), float("inf"), -1.0, 2.0])
def test_a_confidence_that_is_none_is_kept_within_bounds(sure: float) -> None:
    assert 0.0 <= understand(heard(("满意", sure)), question("zh", "scale")).confidence <= 1.0


def test_an_unknown_word_beside_it_spoils_an_answer_and_a_command_but_no_danger() -> None:
    scale = question("zh", "scale")

    assert understand(heard((UNKNOWN, 1.0), ("满意", 1.0)), scale) == Meaning(None, 0.0, "unknown words")
    assert understand(heard(("人工", 1.0), (UNKNOWN, 0.1)), scale).code is None
    assert understand(heard((UNKNOWN, 0.1), ("救", 0.8), ("命", 0.9), (UNKNOWN, 0.1)), scale) == Meaning("danger", 0.8, "救命")


@pytest.mark.parametrize("language", LANGUAGES)
def test_danger_is_heard_at_every_question_beside_anything(language: str) -> None:
    for row in rows(language):
        if row.expected not in ("danger", None):
            for danger in DANGER[language]:
                assert understand(f"{danger} {row.phrase}", question(language, row.question)).code == "danger"


def test_danger_that_is_denied_is_none_and_a_question_about_it_is_one() -> None:
    scale = question("zh", "scale")

    assert [understand(text, scale).code for text in ("没有人打我", "没打我", "不要打我", "有没有人杀人", "没打我，着火了")] == [
        None, None, "danger", "danger", "danger",
    ]  # fmt: skip


def test_a_choice_in_its_own_words_is_no_danger() -> None:
    expected = a_question(("fire", "1", "着火"), ("theft", "2", "被偷"), danger=("着火",))

    assert [understand(text, expected).code for text in ("着火", "着火了", "被偷")] == ["fire", "danger", "theft"]


def test_a_contradiction_names_both_sides() -> None:
    assert understand("满意，嗯，不满意", question("zh", "scale")).evidence == "ambiguous: 满意 / 不满意"


def test_nothing_said_has_no_evidence() -> None:
    assert understand("嗯", question("zh", "scale")) == understand("", question("zh", "scale")) == Meaning(None, 0.0, "")


@pytest.mark.parametrize("language", ["zh", "zh-CN", "ZH-Hant-TW", "zh_CN"])
def test_the_language_chooses_the_table_by_its_first_part(language: str) -> None:
    assert understand("还行", Expectation(language, question("zh", "scale").choices, COMMANDS, is_scale=True)).code == "neutral"


def test_a_language_without_a_table_knows_the_scripts_words_and_digits() -> None:
    expected = a_question(("yes", "1", "Ja"), ("no", "2", "Nein, nie"), language="de-DE", danger=("Hilfe",))

    assert [understand(text, expected).code for text in ("ja", "NEIN nie", "2", "Hilfe!", "nein")] == ["yes", "no", "no", "danger", None]
    assert set(phrases(expected)) == {"ja", "nein nie", "hilfe"}


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_to_listen_for_is_bounded_and_begins_with_the_scripts_words(language: str, name: str) -> None:
    expected = question(language, name)
    listed = phrases(expected)

    assert len(listed) == len(set(listed)) <= 400
    assert [understand(phrase, expected).code for phrase in listed[: len(expected.choices)]] == [choice.code for choice in expected.choices]
    assert not any(mark in phrase for phrase in listed for mark in ",.，。{}[]")
    codes = {choice.code for choice in expected.choices} | {*COMMANDS.values(), "danger"}
    assert {understand(phrase, expected).code for phrase in listed} - {None} == codes


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_usual_answers_are_listened_for(language: str, name: str) -> None:
    listed = set(phrases(question(language, name)))
    short = {row.phrase for row in rows(language) if row.question == name and row.expected not in (None, "danger")}

    assert len(short & listed) >= 5


def test_many_words_of_an_administrator_do_not_push_out_the_bound() -> None:
    many = tuple(f"第{number}种说法" for number in range(1000))

    assert len(phrases(Expectation("zh", (Choice("a", "1", many),), COMMANDS))) == 400
