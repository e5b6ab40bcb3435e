"""What people say at the questions of the shipped scripts, phrase by phrase: each means what the table says, or nothing."""

from dataclasses import replace

import pytest

from speech.meaning import understand
from speech.transcript import Transcript, Word
from tests.speech.questions import QUESTIONS, Row, question, rows

LANGUAGES = ("zh", "en")


def faults(language: str, name: str) -> list[tuple[Row, str | None, str]]:
    """The rows of a question that mean something else than the table says."""
    expected = question(language, name)
    found = [(row, understand(row.phrase, expected)) for row in rows(language) if row.question == name]
    return [(row, meaning.code, meaning.evidence) for row, meaning in found if meaning.code != row.expected]


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_phrase_means_what_the_table_says(language: str, name: str) -> None:
    assert faults(language, name) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_is_large_and_holds_no_line_twice(language: str) -> None:
    table = rows(language)

    assert len({(row.question, row.phrase) for row in table}) == len(table)
    assert len(table) >= 1000
    assert sum(row.expected is None for row in table) >= 300
    for code in ("very_satisfied", "satisfied", "neutral", "dissatisfied", "very_dissatisfied", "unsure"):
        assert sum(row.expected == code for row in table) >= 25, code


def test_the_judge_of_the_table_notices_a_swap(monkeypatch: pytest.MonkeyPatch) -> None:
    swapped = [replace(row, expected="satisfied") if row.phrase == "不太满意" else row for row in rows("zh")]
    monkeypatch.setattr("tests.speech.test_meaning_phrases.rows", lambda language: swapped)

    assert [row.phrase for row, _, _ in faults("zh", "scale")] == ["不太满意"]


def heard(texts: list[str]) -> Transcript:
    """A recogniser's words for these texts, each 0.3 s long, all equally sure."""
    return Transcript(tuple(Word(text, 0.3 * place, 0.3 * place + 0.3, 0.9) for place, text in enumerate(texts)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_transcript_means_the_same_as_its_text_however_a_recogniser_cuts_it(language: str) -> None:
    for row in rows(language):
        if "[unk]" in row.phrase:
            continue
        expected = question(language, row.question)
        if language == "zh":
            cuts = [list(row.phrase), [row.phrase[place : place + 2] for place in range(0, len(row.phrase), 2)], [row.phrase]]
        else:
            cuts = [row.phrase.split(), [row.phrase]]
        for cut in cuts:
            assert understand(heard(cut), expected).code == row.expected, row
