"""Figures of answers by voice: nothing is divided by nothing, errors are counted, swaps are found (R30, R46)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.hearing_figures import (
    Answers,
    Counts,
    Latency,
    Projection,
    Reviewed,
    Share,
    Spoken,
    Utterances,
    figures,
    is_swap,
    percentile,
)
from survey.intervals import wilson


def test_without_anything_counted_no_figure_is_told():
    found = figures(Counts())

    assert (found.heard, found.accepted, found.swaps) == (0, 0, 0)
    assert found.by_voice.rate is found.to_keys.rate is found.errors.rate is None
    assert found.errors.interval is found.confidence is found.median_ms is found.slow_ms is found.projected is None


def test_each_outcome_is_counted_and_only_accepted_ones_make_the_mean_confidence():
    counts = Counts([
        Utterances("speed", "accepted", True, 2, 1.96), Utterances("speed", "accepted", False, 1, 0.84),
        Utterances("speed", "doubted", False, 3, 1.8), Utterances("speed", "unclear", False, 4, 0.4),
        Utterances("speed", "late", True, 1, 1.0),
    ])  # fmt: skip
    found = figures(counts)

    assert (found.heard, found.accepted, found.doubted, found.unclear, found.late) == (11, 3, 3, 4, 1)
    assert found.confidence == pytest.approx(2.8 / 3)


def test_answers_by_people_at_the_desk_are_neither_keys_nor_voice():
    answers = [Answers("speed", "speech", 3), Answers("speed", "keys", 1), Answers("speed", "human", 9)]

    assert figures(Counts(answers=answers)).by_voice == Share(3, 4)


def test_what_went_on_by_keys_is_told_of_the_calls_in_which_something_was_said():
    assert figures(Counts(spoken=[Spoken("speed", 5, 2), Spoken("attitude", 3, 0)])).to_keys == Share(2, 8)


def test_errors_are_reviews_that_say_something_else_with_their_interval():
    reviewed = [
        Reviewed("speed", "satisfied", "satisfied", False, 17), Reviewed("speed", "satisfied", "dissatisfied", False, 1),
        Reviewed("speed", "neutral", "satisfied", False, 1), Reviewed("speed", "neutral", None, False, 1),
    ]  # fmt: skip
    found = figures(Counts(reviewed=reviewed))

    assert found.errors == Share(3, 20)
    assert found.errors.interval == wilson(3, 20)
    assert (found.swaps, found.unheard) == (1, 1)


@pytest.mark.parametrize(
    ("code", "other", "swapped"),
    [
        ("satisfied", "dissatisfied", True), ("very_dissatisfied", "very_satisfied", True), ("satisfied", "very_satisfied", False),
        ("neutral", "dissatisfied", False), ("satisfied", None, False), ("yes", "no", False), ("unsure", "satisfied", False),
    ],
)  # fmt: skip
def test_a_swap_goes_from_one_side_of_the_scale_to_the_other(code, other, swapped):
    assert is_swap(code, other) is is_swap(other, code) is swapped


def test_the_rate_of_all_accepted_weighs_certain_and_uncertain_ones_by_their_numbers():
    utterances = [Utterances("speed", "accepted", True, 90, 88.0), Utterances("speed", "accepted", False, 10, 8.0)]
    reviewed = [Reviewed("speed", "satisfied", "satisfied", True, 9), Reviewed("speed", "satisfied", "neutral", False, 5),
                Reviewed("speed", "satisfied", "satisfied", False, 5)]  # fmt: skip
    found = figures(Counts(utterances, reviewed=reviewed))

    assert found.errors == Share(5, 19)
    assert isinstance(found.projected, Projection)
    assert found.projected.rate == pytest.approx(0.05)  # none of 90, half of 10
    assert found.projected.interval.low < 0.05 < found.projected.interval.high


def test_the_rate_of_all_accepted_cannot_be_told_while_none_of_a_kind_is_reviewed():
    utterances = [Utterances("speed", "accepted", True, 90, 88.0), Utterances("speed", "accepted", False, 10, 8.0)]

    assert figures(Counts(utterances, reviewed=[Reviewed("speed", "satisfied", "satisfied", False, 10)])).projected is None


def test_an_item_has_only_its_own_figures():
    counts = Counts([Utterances("speed", "accepted", True, 2, 2.0), Utterances("attitude", "late", True, 1, 1.0)], [Latency("speed", 5, 2)],
                    [Answers("outcome", "keys", 1)])  # fmt: skip

    assert counts.items() == ["attitude", "outcome", "speed"]
    assert (figures(counts.of("speed")).heard, figures(counts.of("attitude")).median_ms) == (2, None)


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=200), st.sampled_from([0.5, 0.95]))
def test_a_percentile_is_the_smallest_latency_that_so_many_do_not_exceed(values, part):
    found = percentile([Latency("speed", ms, values.count(ms)) for ms in set(values)], part)

    assert sum(value <= found for value in values) >= part * len(values)
    assert sum(value < found for value in values) < part * len(values)
