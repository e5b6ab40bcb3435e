"""One reason per incident, by a fixed precedence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.eligibility import ORDINARY, PASSING, SENSITIVE, STANDING, Exclusion, by_category, category_words, first


def test_the_precedence_is_that_of_the_rule_book():
    assert [exclusion.word for exclusion in Exclusion] == [
        "cancelled", "duplicate", "officer_initiated", "invalid", "no_number", "bad_number", "excluded_category", "under_age",
        "opted_out", "quarantine", "duplicate_number",
    ]  # fmt: skip


@given(st.lists(st.sampled_from(Exclusion)))
def test_the_order_in_which_reasons_are_found_makes_no_difference(reasons):
    assert first(reasons) is first(reversed(reasons)) is first(sorted(reasons, key=lambda reason: reason.word))
    assert first(reasons) in reasons or (not reasons and first(reasons) is None)


def test_words_lead_back_to_their_exclusion():
    assert all(Exclusion(exclusion.word) is exclusion is Exclusion.from_word(exclusion.word) for exclusion in Exclusion)
    with pytest.raises(KeyError):
        Exclusion.from_word("bored")


def test_every_exclusion_is_either_standing_or_passing():
    assert set(Exclusion) == STANDING | PASSING
    assert not STANDING & PASSING


@pytest.mark.parametrize("category", sorted(SENSITIVE))
def test_sensitive_categories_are_not_called(category):
    assert by_category(category) is Exclusion.EXCLUDED_CATEGORY


@pytest.mark.parametrize("category", sorted(ORDINARY))
def test_ordinary_categories_are_called(category):
    assert by_category(category) is None


def test_a_category_is_matched_whole_never_by_a_word_in_it():
    assert by_category("not domestic_violence") is None
    assert by_category("missing property") is None


def test_categories_have_words_in_both_languages_and_unknown_ones_stand_for_themselves():
    assert category_words("theft") == ("盗窃", "Theft")
    assert category_words("domestic_violence") == ("家庭暴力", "Domestic violence")
    assert category_words("ufo") == ("ufo", "ufo")
