"""How sure a figure is: Wilson and t intervals, design effect, stratified means (domain §3.4, R42, R43)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, variance

from survey.errors import BadInput

CONFIDENCE = 0.95
FRACTION_STEPS = 300
TINY = 1e-300


@dataclass(frozen=True)
class Interval:
    """From `low` to `high`, both included, in the unit of the figure."""

    low: float
    high: float


def wilson(hits: float, n: float, confidence: float = CONFIDENCE) -> Interval | None:
    """The Wilson interval of hits/n, as shares; None for n = 0. For weighted shares give p·n_eff and n_eff.

    Centre (p+z²/2n)/(1+z²/n), half-width z√(p(1−p)/n+z²/4n²)/(1+z²/n).
    """
    if n <= 0:
        return None
    p, z2 = hits / n, NormalDist().inv_cdf(0.5 + confidence / 2) ** 2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Interval(max(0.0, centre - half) if hits > 0 else 0.0, min(1.0, centre + half) if hits < n else 1.0)


def t_interval(mean: float, deviation: float, n: int, confidence: float = CONFIDENCE) -> Interval | None:
    """mean ± t·s/√n with n−1 degrees of freedom; None below two values."""
    if n < 2:
        return None
    half = t_quantile(0.5 + confidence / 2, n - 1) * deviation / math.sqrt(n)
    return Interval(mean - half, mean + half)


def t_quantile(probability: float, degrees: float) -> float:
    """The value below which Student's t lies with `probability`, found by bisection of its distribution function."""
    if not 0 < probability < 1 or degrees <= 0:
        raise BadInput(f"no t quantile for probability {probability} and {degrees} degrees of freedom")
    if probability < 0.5:
        return -t_quantile(1 - probability, degrees)
    low, high = 0.0, 1.0
    while t_distribution(high, degrees) < probability:
        low, high = high, 2 * high
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if t_distribution(middle, degrees) < probability else (low, middle)
    return (low + high) / 2


def t_distribution(value: float, degrees: float) -> float:
    """P(T ≤ value) of Student's t: 1 − I_x(ν/2, ½)/2 with x = ν/(ν+t²) (Abramowitz & Stegun 26.7.1)."""
    tail = incomplete_beta(degrees / 2, 0.5, degrees / (degrees + value * value)) / 2
    return 1 - tail if value >= 0 else tail


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by its continued fraction (Abramowitz & Stegun 26.5.8)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast on the other side only
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    return front / _continued_fraction(_beta_terms(a, b, x))


def _beta_terms(a: float, b: float, x: float) -> Iterable[float]:
    for m in range(FRACTION_STEPS):
        yield -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        yield (m + 1) * (b - m - 1) * x / ((a + 2 * m + 1) * (a + 2 * m + 2))


def _continued_fraction(terms: Iterable[float]) -> float:
    """1 + t₁/(1 + t₂/(1 + …)), by Lentz's method."""
    value, c, d = 1.0, 1.0, 0.0
    for term in terms:
        d = 1 / ((1 + term * d) or TINY)
        c = (1 + term / c) or TINY
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


@dataclass(frozen=True)
class StratumScores:
    """One unit's answers: the frame's N_h, the n = r_h answers, their mean and variance s² (of no account for one answer)."""

    frame: int
    n: int
    mean: float
    variance: float

    @classmethod
    def of(cls, frame: int, values: Sequence[float]) -> StratumScores:
        """From the values themselves; there must be at least one."""
        return cls(frame, len(values), fmean(values), variance(values) if len(values) > 1 else 0.0)


@dataclass(frozen=True)
class Estimate:
    """A weighted mean with its standard error, what it rests on, and the unweighted mean beside it."""

    mean: float
    standard_error: float
    unweighted: float
    n: int
    design_effect: float
    effective_n: float

    def interval(self, strata: int, confidence: float = CONFIDENCE) -> Interval | None:
        """mean ± t·se with n − strata degrees of freedom; None where no degree is left."""
        if self.n <= strata:
            return None
        half = t_quantile(0.5 + confidence / 2, self.n - strata) * self.standard_error
        return Interval(self.mean - half, self.mean + half)


def stratified(strata: Iterable[StratumScores]) -> Estimate | None:
    """The mean over units weighted by their frames: Σ(N_h/N)ȳ_h, variance Σ(N_h/N)²(1−r_h/N_h)s_h²/r_h (domain §3.4).

    Units without an answer are left out of N; None when there is none with one. A single answer shows no spread: the
    pooled variance of the other units stands in for it. The design effect is Kish's
    n·Σw²/(Σw)² with w = N_h/r_h.
    """
    answered = [stratum for stratum in strata if stratum.n]
    if not answered:
        return None
    total, n = sum(stratum.frame for stratum in answered), sum(stratum.n for stratum in answered)
    mean = sum(stratum.frame * stratum.mean for stratum in answered) / total
    pooled = _pooled_variance(answered)
    spread = sum((s.frame / total) ** 2 * max(0.0, 1 - s.n / s.frame) * (s.variance if s.n > 1 else pooled) / s.n for s in answered)
    effect = design_effect([(stratum.frame / stratum.n, stratum.n) for stratum in answered])
    unweighted = sum(stratum.n * stratum.mean for stratum in answered) / n
    return Estimate(mean, math.sqrt(spread), unweighted, n, effect, n / effect)


def _pooled_variance(strata: Iterable[StratumScores]) -> float:
    """Σ(n−1)s² / Σ(n−1); 0 when no unit has two answers."""
    several = [(stratum.n - 1, stratum.variance) for stratum in strata if stratum.n > 1]
    degrees = sum(free for free, _ in several)
    return sum(free * spread for free, spread in several) / degrees if degrees else 0.0


def design_effect(weights: Iterable[tuple[float, int]]) -> float:
    """Kish's n·Σw²/(Σw)² from pairs of a weight and how often it occurs."""
    pairs = list(weights)
    n, total = sum(count for _, count in pairs), sum(weight * count for weight, count in pairs)
    return n * sum(weight * weight * count for weight, count in pairs) / total**2
