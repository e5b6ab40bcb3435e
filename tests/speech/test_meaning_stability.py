"""However it is written, the same utterance means the same; and whatever is written, there is an answer."""

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.lexicon import table
from speech.meaning import understand
from speech.transcript import Transcript, Word
from speech.words.traditional import SIMPLIFIED
from tests.speech.questions import QUESTIONS, Row, question, rows

LANGUAGES = ("zh", "en")
LONG_SECONDS = 30.0
"""Far more than a slow machine takes for the longest text, far less than it would if the work grew with the square of its length."""
ROWS = {language: [row for row in rows(language) if "[unk]" not in row.phrase] for language in LANGUAGES}
MARKS = '，。！？、；：…—·,.!?;:()《》「」"“”-~ \t\n　\u200b\ufeff'
TRADITIONAL: dict[str, list[str]] = {}
for old, new in SIMPLIFIED.items():
    TRADITIONAL.setdefault(new, []).append(chr(old))


def any_row() -> st.SearchStrategy[Row]:
    return st.sampled_from([*ROWS["zh"], *ROWS["en"]])


def same(row: Row, text: str) -> None:
    assert understand(text, question(row.language, row.question)).code == row.expected, (row, text)


@settings(max_examples=300, deadline=None)
@given(row=any_row(), data=st.data())
def test_punctuation_and_blanks_change_nothing(row: Row, data: st.DataObject) -> None:
    marks = st.text(MARKS, max_size=3)
    if row.language == "zh":
        parts = list(row.phrase)
        between = data.draw(st.lists(marks, min_size=len(parts) + 1, max_size=len(parts) + 1))
    else:
        parts = row.phrase.split()
        between = [f" {text} " for text in data.draw(st.lists(marks, min_size=len(parts) + 1, max_size=len(parts) + 1))]

    same(row, "".join(mark + part for mark, part in zip(between, [*parts, ""], strict=True)))


@settings(max_examples=300, deadline=None)
@given(row=any_row(), data=st.data())
def test_case_and_full_width_change_nothing(row: Row, data: st.DataObject) -> None:
    wide = {letter: chr(ord(letter) + 0xFEE0) for letter in map(chr, range(0x21, 0x7F))} | {" ": "　"}
    choices = [st.sampled_from([letter, letter.upper(), letter.lower(), wide.get(letter, letter)]) for letter in row.phrase]

    same(row, "".join(data.draw(choice) for choice in choices))


@settings(max_examples=300, deadline=None)
@given(row=st.sampled_from(ROWS["zh"]), data=st.data())
def test_traditional_characters_change_nothing(row: Row, data: st.DataObject) -> None:
    same(row, "".join(data.draw(st.sampled_from([letter, *TRADITIONAL.get(letter, [])])) for letter in row.phrase))


@pytest.mark.parametrize(
    ("phrase", "code"),
    [
        ("滿意", "satisfied"), ("不滿意", "dissatisfied"), ("還行", "neutral"), ("說不清", "unsure"), ("不要再打電話了", "never"),
        ("轉人工", "human"), ("重聽", "repeat"), ("返回上一題", "back"), ("現在沒空", "not_now"), ("沒聽清楚", "repeat"),
        ("什麼叫滿意", None), ("甚麼", "repeat"), ("沒什麼不滿意的", None), ("馬馬虎虎", "neutral"), ("一點都不滿意", "very_dissatisfied"),
        ("著火了", "danger"),
        ("對民警的態度很滿意", "very_satisfied"), ("按４", "dissatisfied"), ("按④", "dissatisfied"), ("第３個", "neutral"),
    ],
)  # fmt: skip
def test_traditional_characters_are_understood(phrase: str, code: str | None) -> None:
    assert understand(phrase, question("zh", "scale")).code == code


def test_every_traditional_character_leads_to_one_that_the_tables_hold_or_people_say() -> None:
    assert all(len(chr(old)) == 1 and unicodedata.category(new) == "Lo" for old, new in SIMPLIFIED.items())
    assert not {ord(new) for new in SIMPLIFIED.values()} & SIMPLIFIED.keys()


def test_the_tables_are_written_in_the_characters_they_are_looked_up_by() -> None:
    words = table("zh")
    lines = [line for phrases in (words.common, words.scale, words.yes_no, *words.families.values()) for line in phrases.values()]

    assert [letter for line in lines for letter in line if ord(letter) in SIMPLIFIED] == []


@settings(max_examples=1000, deadline=None)
@given(
    text=st.text(st.characters(), max_size=60),
    language=st.sampled_from(LANGUAGES),
    name=st.sampled_from(QUESTIONS),
)
def test_there_is_an_answer_to_every_text(text: str, language: str, name: str) -> None:
    found = understand(text, question(language, name))

    assert 0.0 <= found.confidence <= 1.0
    assert (found.code is None) == (found.confidence == 0.0)


ALPHABET = "满意不没是非常很太好差一般三四分按第个还行有吗的嗯救命再打了别要"


@settings(max_examples=1000, deadline=None)
@given(text=st.text(st.sampled_from(ALPHABET), max_size=40))
def test_what_is_meant_can_be_read_in_what_was_said(text: str) -> None:
    found = understand(text, question("zh", "scale"))

    letters = iter(text)
    assert found.code is None or all(letter in letters for letter in found.evidence.split(" / ")[0])


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.builds(Word, st.sampled_from(["不", "满意", "非常", "[unk]", "", "嗯", "三"]), st.floats(), st.floats(), st.floats()),
        max_size=12,
    )
)
def test_there_is_an_answer_to_every_transcript(words: list[Word]) -> None:
    found = understand(Transcript(tuple(words)), question("zh", "scale"))

    assert 0.0 <= found.confidence <= 1.0


@pytest.mark.parametrize(
    "text",
    ["", " ", "满意" * 5000, "嗯" * 10_000, "\ud800" * 10_000, "没有打我" * 2500, "😀" * 10_000, "[unk]" * 2000,
     "\0" * 10_000, "ﷺ" * 3000, "very " * 5000, "not help me " * 1000, "a" * 10_000, "[unk] " * 2000, "٣" * 10_000],
)  # fmt: skip
@pytest.mark.parametrize("language", LANGUAGES)
def test_long_and_strange_texts_are_nothing_and_soon_decided(text: str, language: str) -> None:
    began = time.process_time()

    assert understand(text, question(language, "scale")).code is None
    assert time.process_time() - began < LONG_SECONDS


@pytest.mark.parametrize("language", LANGUAGES)
def test_danger_is_found_at_the_end_of_a_long_utterance(language: str) -> None:
    long = {"zh": "我跟你说" * 2000 + "快来人", "en": "and then i said " * 1000 + "help me"}

    assert understand(long[language], question(language, "scale")).code == "danger"
