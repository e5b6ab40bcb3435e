from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.disposition import OUTCOME_CLASSES, Disposition, by_class, final

ANY = st.sampled_from(sorted(Disposition, key=lambda each: each.word))
RANK = {"I": 0, "P": 0, "R": 1, "O": 2, "NC": 3, "NE": 4, "UH": 5, "UO": 5}


def test_words_and_codes_name_one_disposition_each_and_fit_their_columns() -> None:
    assert len({each.word for each in Disposition}) == len(Disposition) == len({each.aapor for each in Disposition})
    assert all(Disposition.from_word(each.word) is each and len(each.word) <= 24 for each in Disposition)


def test_the_class_follows_the_group_of_the_code() -> None:
    groups = {"1": {"I", "P"}, "2": {"R", "NC", "O"}, "3": {"UH", "UO"}, "4": {"NE"}}
    assert all(each.outcome_class in groups[each.aapor[0]] for each in Disposition)


def test_an_unknown_word_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="gone"):
        Disposition.from_word("gone")


def test_without_any_attempt_a_respondent_was_not_attempted() -> None:
    assert final([]) is Disposition.NOT_ATTEMPTED


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ("no_answer busy", "busy"), ("busy no_answer", "no_answer"), ("machine not_confirmed no_answer", "no_answer"),
        ("no_answer no_such_number", "no_such_number"), ("non_contact wrong_person", "non_contact"),
        ("not_available no_answer", "not_available"),
        ("language not_available", "language"), ("refusal_before unable", "refusal_before"), ("break_off complete", "complete"),
        ("complete partial", "complete"), ("partial refusal", "partial"), ("refusal_before refusal", "refusal"),
    ],
)  # fmt: skip
def test_the_most_informative_attempt_gives_the_final_code(attempts: str, expected: str) -> None:
    assert final([Disposition.from_word(word) for word in attempts.split()]).word == expected


@given(st.lists(ANY, min_size=1, max_size=8))
def test_the_final_code_is_one_of_the_attempts_and_of_the_best_rank(attempts: list[Disposition]) -> None:
    code = final(attempts)
    assert code in attempts
    assert RANK[code.outcome_class] == min(RANK[each.outcome_class] for each in attempts)


@given(st.lists(ANY, min_size=1, max_size=8), ANY)
def test_one_more_attempt_never_makes_the_final_code_less_informative(attempts: list[Disposition], more: Disposition) -> None:
    assert RANK[final([*attempts, more]).outcome_class] <= RANK[final(attempts).outcome_class]


@given(st.lists(ANY, max_size=60))
def test_the_classes_add_up_to_the_cases(cases: list[Disposition]) -> None:
    totals = by_class(Counter(cases))
    assert list(totals) == list(OUTCOME_CLASSES)
    assert sum(totals.values()) == len(cases)
