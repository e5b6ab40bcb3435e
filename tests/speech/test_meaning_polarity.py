"""Satisfied and dissatisfied are never swapped, whatever is put before, behind or into what people say."""

from collections.abc import Iterator
from itertools import islice, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.meaning import Choice, Expectation, phrases, understand
from tests.speech.questions import COMMANDS, NEGATIVE, POSITIVE, SAID, question, rows

LANGUAGES = ("zh", "en")
NEGATORS = {
    "zh": ("不", "没", "没有", "不太", "不是很", "并不", "不是", "不怎么", "不够", "一点都不", "从不", "别", "非"),
    "en": ("not", "not very", "not really", "never", "no", "not at all", "hardly", "nobody is", "isn't", "wasn't", "don't"),
}
FILLERS = {
    "zh": ("嗯", "呃", "那个", "我觉得", "吧", "呢", "啊", "应该是", "的", "了", "就是"),
    "en": ("um", "well", "I think", "it was", "uh"),
}
BROKEN = ("还是很满意呀", "满意是满意", "oh great", "I'm fine", "I'm fine thanks", "I'm good", "I am good thank you", "that's fine")
"""No answers only as long as nothing stands between their words."""
UNKNOWN = {"zh": ("[unk]", "苹果", "桌子", "xyz"), "en": ("[unk]", "table", "xyz", "苹果")}


def sign(code: str | None) -> int:
    """1 for praise, -1 for blame, 0 for all else."""
    return 1 if code in POSITIVE else -1 if code in NEGATIVE else 0


def with_inserted(language: str, phrase: str, piece: str) -> Iterator[str]:
    """The phrase with a piece at each place where a word may begin."""
    units = list(phrase) if language == "zh" else phrase.split()
    for place in range(len(units) + 1):
        yield ("" if language == "zh" else " ").join([*units[:place], piece, *units[place:]])


def on_the_scale(language: str) -> list[tuple[str, str | None]]:
    return [(row.phrase, row.expected) for row in rows(language) if row.question == "scale"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_phrase_is_praise_with_a_negation_anywhere_in_it(language: str) -> None:
    expected = question(language, "scale")
    swapped = [
        text
        for phrase, code in on_the_scale(language)
        for negator in NEGATORS[language]
        for text in islice(with_inserted(language, phrase, negator), 1 if code is None else None)
        if understand(text, expected).code in POSITIVE
    ]

    assert swapped == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_negated_blame_is_never_blame_and_never_praise(language: str) -> None:
    expected = question(language, "scale")
    plain = {
        "zh": ("不满意", "不太满意", "不怎么满意", "差", "失望", "很不满意"),
        "en": ("dissatisfied", "unhappy", "disappointed", "not satisfied", "bad"),
    }
    for phrase in plain[language]:
        for negator in NEGATORS[language]:
            text = f"{negator}{phrase}" if language == "zh" else f"{negator} {phrase}"
            assert understand(text, expected).code is None, text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_filler_anywhere_changes_no_answer_into_another(language: str) -> None:
    expected = question(language, "scale")
    for phrase, code in on_the_scale(language):
        for filler in FILLERS[language]:
            for text in with_inserted(language, phrase, filler):
                found = understand(text, expected).code
                assert sign(found) * sign(code) >= 0, (text, found, code)
                assert code is not None or phrase in BROKEN or sign(found) == 0, (text, found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_word_beside_it_makes_every_answer_none(language: str) -> None:
    for row in rows(language):
        if row.expected == "danger":
            continue
        expected = question(language, row.question)
        for word in UNKNOWN[language]:
            for text in (f"{word} {row.phrase}", f"{row.phrase} {word}"):
                assert understand(text, expected).code is None, text


WORDS = {
    "zh": {
        "negator": ("不", "没", "没有", "不是", "不太", "一点都不"), "blame": ("差", "失望"), "praise": ("满意", "好", "不错"),
        "even": ("一般",), "no answer": ("吗", "还是", "不对"), "filler": ("嗯", "都", "的", "对"),
        "degree": ("很", "非常", "太", "有点", "还算", "极了"),
    },
    "en": {
        "negator": ("not", "not very", "not at all", "never", "no"), "blame": ("dissatisfied", "bad", "terrible"),
        "praise": ("satisfied", "good", "excellent"), "even": ("average",), "no answer": ("or", "but", "are you"),
        "degree": ("very", "quite", "at all", "really"), "filler": ("um", "I am", "it was", "yes"),
    },
}  # fmt: skip


def judge(kinds: tuple[str, ...], code: str | None) -> bool:
    """Whether a code is possible for an utterance of these kinds of word; knows nothing of how it is understood."""
    if code is None:
        return True
    negators, found = 0, set()
    for kind in kinds:
        if kind == "negator":
            negators += 1
        elif kind in ("praise", "blame", "even"):
            found.add((kind, negators))
            negators = 0
    if negators or "no answer" in kinds:
        return False
    allowed = {1: {("praise", 0)}, -1: {("blame", 0), ("praise", 1)}, 0: {("even", 0)}}[sign(code)]
    return bool(found) and found <= allowed


def utterances(language: str) -> st.SearchStrategy[list[tuple[str, str]]]:
    pairs = [(kind, word) for kind, words in WORDS[language].items() for word in words]
    return st.lists(st.sampled_from(pairs), min_size=1, max_size=7)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_short_sequence_of_words_gets_a_meaning_that_it_cannot_have(language: str) -> None:
    expected, blank = question(language, "scale"), "" if language == "zh" else " "
    pairs = [(kind, word) for kind, words in WORDS[language].items() for word in words]
    for length in (1, 2, 3):
        for chosen in product(pairs, repeat=length):
            text = blank.join(word for _, word in chosen)
            code = understand(text, expected).code
            assert judge(tuple(kind for kind, _ in chosen), code), (text, code)


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_no_sequence_of_words_gets_a_meaning_that_it_cannot_have(language: str, data: st.DataObject) -> None:
    chosen = data.draw(utterances(language))
    text = ("" if language == "zh" else " ").join(word for _, word in chosen)
    code = understand(text, question(language, "scale")).code

    assert judge(tuple(kind for kind, _ in chosen), code), (text, code)


def test_the_judge_condemns_swaps() -> None:
    assert not judge(("negator", "praise"), "satisfied")
    assert not judge(("praise",), "dissatisfied")
    assert not judge(("negator", "blame"), "satisfied")
    assert not judge(("negator", "blame"), "dissatisfied")
    assert not judge(("negator", "negator", "praise"), "dissatisfied")
    assert not judge(("praise", "no answer"), "satisfied")
    assert judge(("negator", "degree", "praise"), "dissatisfied")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_recogniser_listens_for_has_no_opposite_meaning(language: str) -> None:
    signs = {row.phrase.casefold(): sign(row.expected) for row in rows(language) if row.question == "scale"}
    expected = question(language, "scale")
    for phrase in phrases(expected):
        found = sign(understand(phrase, expected).code)
        assert found in (0, signs.get(phrase, found)), phrase
        negated = any(phrase.startswith(negator) for negator in NEGATORS[language]) and not phrase.startswith(
            ("不错", "非常", "no complaints")
        )
        assert not (negated and found > 0), phrase


@pytest.mark.parametrize(("language", "praised", "blamed"), [("zh", "满意", "不满意"), ("en", "satisfied", "not satisfied")])
def test_a_script_cannot_turn_praise_into_blame(language: str, praised: str, blamed: str) -> None:
    said = {**SAID[language]["scale"], "satisfied": blamed, "dissatisfied": praised}
    choices = tuple(Choice(code, str(place + 1), (say,)) for place, (code, say) in enumerate(said.items()))
    expected = Expectation(language, choices, COMMANDS, is_scale=True)

    assert understand(praised, expected).code == "satisfied"
    assert understand(blamed, expected).code == "dissatisfied"


@pytest.mark.parametrize("family", ["person", "discipline", "interference", "consent"])
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_yes_and_no_in_one_utterance_are_neither(family: str, data: st.DataObject) -> None:
    language = data.draw(st.sampled_from(LANGUAGES))
    said = {code: [row.phrase for row in rows(language) if (row.question, row.expected) == (family, code)] for code in ("yes", "no")}
    yes, no = data.draw(st.sampled_from(said["yes"])), data.draw(st.sampled_from(said["no"]))
    first, second = data.draw(st.permutations([yes, no]))
    filler = " 嗯 " if language == "zh" else " um "

    assert understand(f"{first}{filler}{second}", question(language, family)).code is None
