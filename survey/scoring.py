"""Counts of answers become means, rates and intervals, for one unit and for the bureau (R40–R43; domain §3.4)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from survey.disposition import Disposition
from survey.intervals import Interval, StratumScores, design_effect, stratified, t_interval, wilson
from survey.rates import share

ITEMS = ("speed", "attitude", "outcome", "equipment", "appearance")
SCALE = ("very_satisfied", "satisfied", "neutral", "dissatisfied", "very_dissatisfied")
UNSURE = "unsure"
FORMULAS: Mapping[str, tuple[float, ...]] = {"strict": (1, 1, 0, 0, 0), "weighted": (1, 1, 0.5, 0, 0), "broad": (1, 1, 1, 0, 0)}
"""Weight of each step of the scale in the three named satisfaction rates (R41)."""
HIGHEST_SCORE = 100.0


@dataclass(frozen=True)
class CodeCount:
    """How often one item was answered with one code; `score` is None for “unsure”."""

    item: str
    code: str
    score: float | None
    count: int


@dataclass(frozen=True)
class ScoreSums:
    """Sums over persons of s, the person's scores added up, and c, how many there are: enough for mean and spread."""

    persons: int = 0
    s: float = 0.0
    c: float = 0.0
    ss: float = 0.0
    sc: float = 0.0
    cc: float = 0.0

    def __add__(self, more: ScoreSums) -> ScoreSums:
        return ScoreSums(*(mine + theirs for mine, theirs in zip(asdict(self).values(), asdict(more).values(), strict=True)))

    def __sub__(self, less: ScoreSums) -> ScoreSums:
        return ScoreSums(*(mine - theirs for mine, theirs in zip(asdict(self).values(), asdict(less).values(), strict=True)))


@dataclass(frozen=True)
class Asked:
    """The question whether a good rating was asked for: how many answered it, and how many with yes (R37)."""

    answered: int = 0
    yes: int = 0


@dataclass(frozen=True)
class SetAside:
    """What upheld appeals take out of one unit's assessment: the answers, and what its counts lose by them (R53).

    `people` gave at least one such answer; of these `gone` have no answer left.
    """

    people: int = 0
    gone: int = 0
    answers: tuple[CodeCount, ...] = ()
    sums: ScoreSums = ScoreSums()
    dissatisfied: int = 0

    def __add__(self, more: SetAside) -> SetAside:
        both = _added((*self.answers, *more.answers))
        sums, dissatisfied = self.sums + more.sums, self.dissatisfied + more.dissatisfied
        return SetAside(self.people + more.people, self.gone + more.gone, both, sums, dissatisfied)


@dataclass(frozen=True)
class Tally:
    """What was counted for one unit: its frame N_h, its respondents by disposition, its interviews' answers.

    `code` is the unit's own: by it the unit is found again in another month.
    """

    unit: str
    frame: int
    dispositions: Mapping[Disposition, int] = field(default_factory=dict)
    closed: int = 0
    answers: tuple[CodeCount, ...] = ()
    sums: ScoreSums = ScoreSums()
    dissatisfied: int = 0
    escalated: int = 0
    asked: Asked = Asked()
    code: str = ""
    aside: SetAside = SetAside()

    @property
    def drawn(self) -> int:
        """Respondents of this unit."""
        return sum(self.dispositions.values())

    @property
    def answered(self) -> int:
        """Interviews r_h, complete and partial."""
        return self.dispositions.get(Disposition.COMPLETE, 0) + self.dispositions.get(Disposition.PARTIAL, 0)

    @property
    def assessed(self) -> int:
        """Interviews with an answer that counts for the unit's assessment."""
        return self.answered - self.aside.gone


@dataclass(frozen=True)
class Score:
    """A mean of points (0 to 100) with its interval; None where there is nothing to show."""

    mean: float | None = None
    interval: Interval | None = None


@dataclass(frozen=True)
class Rate:
    """A share (0 to 1) with its Wilson interval over persons."""

    value: float | None = None
    interval: Interval | None = None


def _added(counts: Iterable[CodeCount]) -> tuple[CodeCount, ...]:
    """The counts with those of one item and code added up."""
    found: Counter[tuple[str, str, float | None]] = Counter()
    for count in counts:
        found[count.item, count.code, count.score] += count.count
    return tuple(CodeCount(*key, count) for key, count in found.items())


def assessed(tally: Tally) -> Tally:
    """The tally by whose scores the unit is assessed: without the answers that upheld appeals took out (R53).

    Frame, dispositions and all else stay as they are, and so does `aside`.
    """
    less = tuple(CodeCount(each.item, each.code, each.score, -each.count) for each in tally.aside.answers)
    left = tuple(count for count in _added((*tally.answers, *less)) if count.count)
    return replace(
        tally, answers=left, sums=tally.sums - tally.aside.sums, dissatisfied=tally.dissatisfied - tally.aside.dissatisfied
    )  # fmt: skip


def moments(counts: Iterable[CodeCount]) -> tuple[int, float, float]:
    """How many scores, their mean and their variance (0 for fewer than two)."""
    scored = [(count.score, count.count) for count in counts if count.score is not None]
    n = sum(count for _, count in scored)
    mean = sum(score * count for score, count in scored) / n if n else 0.0
    squares = sum((score - mean) ** 2 * count for score, count in scored)
    return n, mean, squares / (n - 1) if n > 1 else 0.0


def item_score(counts: Iterable[CodeCount]) -> Score:
    """The mean of one item's scores with its t interval."""
    n, mean, spread = moments(counts)
    return Score(mean, _clipped(t_interval(mean, math.sqrt(spread), n))) if n else Score()


def _clipped(interval: Interval | None) -> Interval | None:
    return interval and Interval(max(0.0, interval.low), min(HIGHEST_SCORE, interval.high))


def total_score(sums: ScoreSums) -> Score:
    """The mean of all answers; its interval counts persons, whose five answers belong together."""
    if not sums.c:
        return Score()
    mean = sums.s / sums.c
    return Score(mean, _clipped(t_interval(mean, math.sqrt(_person_variance(sums)), sums.persons)))


def _person_variance(sums: ScoreSums) -> float:
    """The variance between persons of a mean of answers: Σ(sᵢ−R·cᵢ)²/((n−1)·c̄²), R = Σs/Σc (ratio estimator)."""
    if sums.persons < 2:
        return 0.0
    ratio, average = sums.s / sums.c, sums.c / sums.persons
    squares = sums.ss - 2 * ratio * sums.sc + ratio * ratio * sums.cc
    return max(0.0, squares) / ((sums.persons - 1) * average * average)


def _satisfied(tally: Tally, weights: Sequence[float]) -> float | None:
    """Σ weight / valid answers over the five items."""
    given: Counter[str] = Counter()
    for count in tally.answers:
        given[count.code] += count.count if count.item in ITEMS else 0
    return share(sum(given[code] * weight for code, weight in zip(SCALE, weights, strict=True)), sum(given[code] for code in SCALE))


def rate(tally: Tally, weights: Sequence[float]) -> Rate:
    """A satisfaction rate over all valid answers; its interval counts persons, as one person's answers belong together."""
    value = _satisfied(tally, weights)
    return Rate() if value is None else Rate(value, wilson(value * tally.sums.persons, tally.sums.persons))


def asked_rate(asked: Asked) -> Rate:
    """The share of those who say that a good rating was asked of them."""
    return Rate(share(asked.yes, asked.answered), wilson(asked.yes, asked.answered))


def together(tallies: Sequence[Tally]) -> Tally:
    """All units as one, unweighted."""
    dispositions: Counter[Disposition] = Counter()
    for tally in tallies:
        dispositions.update(tally.dispositions)
    return Tally(
        "", sum(tally.frame for tally in tallies), dispositions, sum(tally.closed for tally in tallies),
        _added(count for tally in tallies for count in tally.answers),
        sum((tally.sums for tally in tallies), ScoreSums()),
        sum(tally.dissatisfied for tally in tallies), sum(tally.escalated for tally in tallies),
        Asked(sum(tally.asked.answered for tally in tallies), sum(tally.asked.yes for tally in tallies)),
        aside=sum((tally.aside for tally in tallies), SetAside()),
    )  # fmt: skip


def _size(tally: Tally) -> int:
    """N_h; never below the answers, should the draw's accounts lack the unit."""
    return max(tally.frame, tally.answered)


def effect_of_weights(tallies: Sequence[Tally]) -> float | None:
    """Kish's design effect of the weights N_h/r_h; None without answers."""
    weights = [(_size(tally) / tally.sums.persons, tally.sums.persons) for tally in tallies if tally.sums.persons]
    return design_effect(weights) if weights else None


def weighted_item(tallies: Sequence[Tally], item: str) -> Score:
    """The bureau's score of one item, every unit weighted by its frame."""
    each = [(tally, *moments(count for count in tally.answers if count.item == item)) for tally in tallies]
    return _estimate([StratumScores(_size(tally), n, mean, spread) for tally, n, mean, spread in each if n])


def weighted_total(tallies: Sequence[Tally]) -> Score:
    """The bureau's mean of all answers, every unit weighted by its frame."""
    return _estimate([_total_stratum(tally) for tally in tallies if tally.sums.c])


def _total_stratum(tally: Tally) -> StratumScores:
    return StratumScores(_size(tally), tally.sums.persons, tally.sums.s / tally.sums.c, _person_variance(tally.sums))


def _estimate(strata: Sequence[StratumScores]) -> Score:
    found = stratified(strata)
    return Score(found.mean, _clipped(found.interval(len(strata)))) if found else Score()


def weighted_rate(tallies: Sequence[Tally], weights: Sequence[float], effect: float | None) -> Rate:
    """The bureau's rate, every unit weighted by its frame; Wilson with n_eff."""
    parts = [(_size(tally), value) for tally in tallies if (value := _satisfied(tally, weights)) is not None]
    return _weighted(parts, sum(tally.sums.persons for tally in tallies), effect)


def weighted_asked(tallies: Sequence[Tally]) -> Rate:
    """The bureau's share of those of whom a good rating was asked, with the weights of those who answered the question."""
    given = [(_size(tally), tally.asked) for tally in tallies if tally.asked.answered]
    effect = design_effect([(size / asked.answered, asked.answered) for size, asked in given]) if given else None
    return _weighted([(size, asked.yes / asked.answered) for size, asked in given], sum(asked.answered for _, asked in given), effect)


def _weighted(parts: Sequence[tuple[int, float]], persons: int, effect: float | None) -> Rate:
    value = share(sum(size * part for size, part in parts), sum(size for size, _ in parts))
    if value is None or not effect:
        return Rate()
    effective = persons / effect
    return Rate(value, wilson(value * effective, effective))
