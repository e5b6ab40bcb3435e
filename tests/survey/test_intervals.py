import math
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.errors import BadInput
from survey.intervals import Interval, StratumScores, design_effect, stratified, t_distribution, t_interval, t_quantile, wilson


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(14, 15, 0.7018, 0.9881), (15, 15, 0.7961, 1), (0, 12, 0, 0.2425), (27, 30, 0.7438, 0.9654), (7285, 7781, 0.9306, 0.9415)],
)
def test_wilson_reproduces_worked_figure_5(hits: int, n: int, low: float, high: float) -> None:
    interval = wilson(hits, n)
    assert interval is not None
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


def test_nothing_counted_gives_no_interval() -> None:
    assert wilson(0, 0) is None
    assert t_interval(80, 5, 1) is None
    assert stratified([]) is None


@given(st.integers(1, 500), st.data())
def test_wilson_holds_the_share_and_stays_between_0_and_1(n: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n))
    interval = wilson(hits, n)
    assert interval is not None
    assert 0 <= interval.low <= hits / n <= interval.high <= 1


TABLE = {1: 12.706205, 2: 4.302653, 3: 3.182446, 4: 2.776445, 5: 2.570582, 9: 2.262157, 10: 2.228139, 29: 2.045230, 30: 2.042272,
         60: 2.000298, 100: 1.983972, 120: 1.979930}  # fmt: skip


@pytest.mark.parametrize(("degrees", "value"), TABLE.items())
def test_t_quantiles_agree_with_the_printed_tables(degrees: int, value: float) -> None:
    assert t_quantile(0.975, degrees) == pytest.approx(value, abs=6e-7)


def test_t_has_closed_forms_for_one_and_two_degrees_and_tends_to_the_normal() -> None:
    for value in (-7.5, -0.3, 0.0, 0.8, 40.0):
        assert t_distribution(value, 1) == pytest.approx(0.5 + math.atan(value) / math.pi, abs=1e-12)
        assert t_distribution(value, 2) == pytest.approx(0.5 + value / (2 * math.sqrt(2 + value * value)), abs=1e-12)
    assert t_quantile(0.975, 1e7) == pytest.approx(NormalDist().inv_cdf(0.975), abs=1e-6)


@given(st.floats(0.001, 0.999), st.integers(1, 5000))
def test_the_quantile_turns_the_distribution_round(probability: float, degrees: int) -> None:
    value = t_quantile(probability, degrees)
    assert t_distribution(value, degrees) == pytest.approx(probability, abs=1e-9)
    assert t_quantile(1 - probability, degrees) == pytest.approx(-value, abs=1e-6, rel=1e-9)


@pytest.mark.parametrize("arguments", [(0, 5), (1, 5), (0.5, 0)])
def test_impossible_quantiles_are_refused(arguments: tuple[float, float]) -> None:
    with pytest.raises(BadInput):
        t_quantile(*arguments)


def test_a_t_interval_by_hand() -> None:
    interval = t_interval(80.0, 10.0, 25)
    assert interval is not None
    assert interval.high - 80 == pytest.approx(2.063899 * 2, abs=1e-5)
    assert interval.low == pytest.approx(160 - interval.high)


def scores(*pairs: tuple[int, float]) -> list[float]:
    return [value for count, value in pairs for _ in range(count)]


FIGURE_8 = [
    StratumScores.of(1000, scores((20, 100), (20, 75), (10, 50))),
    StratumScores.of(500, scores((5, 100), (10, 75), (10, 25))),
    StratumScores.of(100, scores((6, 75), (2, 50))),
    StratumScores.of(8, scores((3, 100), (1, 0))),
]


def test_the_stratified_mean_reproduces_worked_figure_8() -> None:
    estimate = stratified(FIGURE_8)
    assert estimate is not None
    assert (round(estimate.mean, 4), round(estimate.standard_error, 4)) == (73.0566, 2.4771)
    assert round(estimate.unweighted, 4) == 72.9885
    assert (round(estimate.design_effect, 4), round(estimate.effective_n, 2)) == (1.0520, 82.70)
    interval = estimate.interval(strata=4)
    assert interval is not None
    assert interval.low < 73.0566 < interval.high


def test_a_stratum_answered_whole_adds_no_uncertainty() -> None:
    estimate = stratified([StratumScores.of(3, [100.0, 0.0, 50.0])])
    assert estimate is not None
    assert (estimate.mean, estimate.standard_error, estimate.design_effect) == (50.0, 0.0, 1.0)
    assert estimate.interval(strata=3) is None


def test_a_stratum_without_an_answer_is_left_out() -> None:
    assert stratified([*FIGURE_8, StratumScores(400, 0, 0.0, 0.0)]) == stratified(FIGURE_8)


def test_a_single_answer_borrows_the_spread_of_the_other_units() -> None:
    others = [StratumScores(100, 3, 70.0, 40.0), StratumScores(100, 5, 80.0, 100.0)]
    pooled = (2 * 40.0 + 4 * 100.0) / 6
    alone = stratified([*others, StratumScores(100, 1, 60.0, 0.0)])
    without = stratified([*others, StratumScores(100, 100, 60.0, 0.0)])
    assert alone is not None
    assert without is not None
    assert alone.standard_error**2 - without.standard_error**2 == pytest.approx(0.99 * pooled / 9)


def test_equal_weights_have_no_design_effect() -> None:
    assert design_effect([(3.0, 10), (3.0, 5)]) == pytest.approx(1.0)
    assert Interval(0, 1).low == 0
