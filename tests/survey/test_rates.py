from collections import Counter
from dataclasses import asdict, replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.disposition import Disposition
from survey.rates import FORMULAS, Counts, OutcomeRates, counts_of, estimated_eligibility, outcome_rates

NAMES = ["rr1", "rr2", "rr3", "rr4", "rr5", "rr6", "coop1", "coop2", "coop3", "coop4", "ref1", "ref2", "ref3", "con1", "con2", "con3"]


def rounded(rates: OutcomeRates, digits: int) -> dict[str, float]:
    return {name: round(value, digits) for name, value in asdict(rates).items() if value is not None}


def test_worked_figure_1_with_the_default_e() -> None:
    counts = Counts(i=4, p=2, r=1, nc=1, o=1, uh=1, uo=1, ne=1)
    assert estimated_eligibility(counts) == pytest.approx(0.9)
    expected = [.364, .545, .370, .556, .444, .667, .500, .750, .571, .857, .091, .093, .111, .727, .741, .889]  # fmt: skip
    assert rounded(outcome_rates(counts), 3) == {"e": 0.9, **dict(zip(NAMES, expected, strict=True))}


def test_worked_figure_2_as_exact_fractions() -> None:
    cases = Counter("I,P,I,NC,UH,I,R,UO,I,O,P,I,R,O,P,NE".lower().split(","))
    rates = outcome_rates(Counts(**cases), e=0.5)
    f = Fraction
    expected = [f(1, 3), f(8, 15), f(5, 14), f(4, 7), f(5, 13), f(8, 13), f(5, 12), f(2, 3), f(1, 2), f(4, 5),
                f(2, 15), f(1, 7), f(2, 13), f(4, 5), f(6, 7), f(12, 13)]  # fmt: skip
    for name, value in zip(NAMES, expected, strict=True):
        assert getattr(rates, name) == pytest.approx(float(value), abs=1e-12), name


def test_worked_figure_3_to_four_decimals() -> None:
    rates = rounded(outcome_rates(Counts(i=612, p=38, r=74, nc=141, o=23, uh=96, uo=31), e=0.92), 4)
    expected = {"rr1": .6030, "rr2": .6404, "rr3": .6091, "rr4": .6469, "rr5": .6892, "rr6": .7320,
                "coop1": .8193, "ref1": .0729, "con2": .7434}  # fmt: skip
    assert {name: rates[name] for name in expected} == expected


def test_without_cases_no_rate_is_available() -> None:
    assert set(asdict(outcome_rates(Counts())).values()) == {None}


def test_with_only_ineligible_cases_no_rate_but_e_is_available() -> None:
    rates = outcome_rates(Counts(ne=7))
    assert rates.e == 0
    assert {getattr(rates, name) for name in NAMES} == {None}


CLASS_COUNTS = st.builds(Counts, **{name: st.integers(0, 50) for name in ["i", "p", "r", "nc", "o", "uh", "uo", "ne"]})


@given(CLASS_COUNTS, st.floats(0, 1), st.integers(0, 100))
def test_ineligible_cases_never_enter_a_denominator(counts: Counts, e: float, ne: int) -> None:
    assert outcome_rates(replace(counts, ne=ne), e) == outcome_rates(counts, e)


@given(CLASS_COUNTS)
def test_every_rate_is_a_share_and_partials_never_lower_it(counts: Counts) -> None:
    rates = outcome_rates(counts)
    assert all(value is None or 0 <= value <= 1 for value in asdict(rates).values())
    for low, high in (("rr1", "rr2"), ("rr3", "rr4"), ("rr5", "rr6"), ("rr1", "rr3"), ("rr3", "rr5"), ("coop1", "coop2")):
        first, second = getattr(rates, low), getattr(rates, high)
        assert first is None or second is None or first <= second + 1e-12


def test_counts_come_from_dispositions_and_every_rate_has_its_formula() -> None:
    assert counts_of({Disposition.COMPLETE: 3, Disposition.BREAK_OFF: 2, Disposition.FAX: 1}) == Counts(i=3, r=2, ne=1)
    assert list(FORMULAS) == ["e", *NAMES]
