"""How well answers by voice are understood: counts become shares, latencies and error rates for each question (R30, R45, R46)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from survey.intervals import Interval, design_effect, wilson
from survey.rates import share
from survey.scoring import SCALE

SATISFIED, DISSATISFIED = frozenset(SCALE[:2]), frozenset(SCALE[-2:])


@dataclass(frozen=True)
class Utterances:
    """Utterances at an item's question with one outcome: how many, their confidences added up; `certain`: surely understood ones."""

    item: str
    outcome: str
    certain: bool
    count: int
    confidence: float


@dataclass(frozen=True)
class Latency:
    """How often it took so many milliseconds from the end of the speech to the decision."""

    item: str
    ms: int
    count: int


@dataclass(frozen=True)
class Answers:
    """How many answers to an item were given by keys or by speech (`mode`)."""

    item: str
    mode: str
    count: int


@dataclass(frozen=True)
class Spoken:
    """In how many calls something was said at the item's question, and in how many of these it was answered by key."""

    item: str
    calls: int
    by_key: int


@dataclass(frozen=True)
class Reviewed:
    """Accepted utterances with the same code whose last review says `found` (None: cannot be made out)."""

    item: str
    code: str | None
    found: str | None
    certain: bool
    count: int


@dataclass(frozen=True)
class Counts:
    """Everything that was counted."""

    utterances: Sequence[Utterances] = ()
    latencies: Sequence[Latency] = ()
    answers: Sequence[Answers] = ()
    spoken: Sequence[Spoken] = ()
    reviewed: Sequence[Reviewed] = ()

    def items(self) -> list[str]:
        """The items of which anything was counted, in alphabetical order."""
        return sorted({one.item for part in (self.utterances, self.answers) for one in part})

    def of(self, item: str) -> Counts:
        """What was counted of one item."""
        return Counts(
            [one for one in self.utterances if one.item == item], [one for one in self.latencies if one.item == item],
            [one for one in self.answers if one.item == item], [one for one in self.spoken if one.item == item],
            [one for one in self.reviewed if one.item == item],
        )  # fmt: skip


@dataclass(frozen=True)
class Share:
    """`hits` of `n`."""

    hits: int
    n: int

    @property
    def rate(self) -> float | None:
        """As a share of 1; None for none of none."""
        return share(self.hits, self.n)

    @property
    def interval(self) -> Interval | None:
        """Its Wilson interval at 95 %; None for none of none."""
        return wilson(self.hits, self.n)


@dataclass(frozen=True)
class Projection:
    """A rate of those reviewed, projected on all accepted ones, with its interval."""

    rate: float
    interval: Interval | None


@dataclass(frozen=True)
class Figures:
    """The figures of a question, or of all. Latencies in milliseconds; None where there is nothing to tell.

    `errors`: accepted ones whose last review says something else, of the accepted ones reviewed; `unheard` and `swaps` (a satisfied
    answer for a dissatisfied one, or the other way round) are among them.
    """

    heard: int
    accepted: int
    doubted: int
    unclear: int
    late: int
    by_voice: Share
    to_keys: Share
    confidence: float | None
    median_ms: int | None
    slow_ms: int | None
    errors: Share
    projected: Projection | None
    unheard: int
    swaps: int


def figures(counts: Counts) -> Figures:
    """What the counts say, all items taken together."""
    outcomes = {word: [one for one in counts.utterances if one.outcome == word] for word in ("accepted", "doubted", "unclear", "late")}
    number = {word: sum(one.count for one in found) for word, found in outcomes.items()}
    wrong = [one for one in counts.reviewed if one.found != one.code]
    return Figures(
        sum(one.count for one in counts.utterances), number["accepted"], number["doubted"], number["unclear"], number["late"],
        _by_voice(counts.answers), Share(sum(one.by_key for one in counts.spoken), sum(one.calls for one in counts.spoken)),
        share(sum(one.confidence for one in outcomes["accepted"]), number["accepted"]),
        percentile(counts.latencies, 0.5), percentile(counts.latencies, 0.95),
        Share(sum(one.count for one in wrong), sum(one.count for one in counts.reviewed)),
        _projected(outcomes["accepted"], counts.reviewed),
        sum(one.count for one in wrong if one.found is None), sum(one.count for one in wrong if is_swap(one.code, one.found)),
    )  # fmt: skip


def is_swap(code: str | None, found: str | None) -> bool:
    """Whether one is on the satisfied side of the scale and the other on the dissatisfied one."""
    return (code in SATISFIED and found in DISSATISFIED) or (code in DISSATISFIED and found in SATISFIED)


def percentile(latencies: Iterable[Latency], part: float) -> int | None:
    """The smallest latency that at least `part` of all do not exceed, in milliseconds; None when there is none."""
    ordered = sorted(latencies, key=lambda one: one.ms)
    wanted, seen = part * sum(one.count for one in ordered), 0
    for one in ordered:
        seen += one.count
        if seen >= wanted:
            return one.ms
    return None


def _by_voice(answers: Iterable[Answers]) -> Share:
    counted = {mode: sum(one.count for one in answers if one.mode == mode) for mode in ("speech", "keys")}
    return Share(counted["speech"], sum(counted.values()))


def _projected(accepted: Sequence[Utterances], reviewed: Sequence[Reviewed]) -> Projection | None:
    """The error rate of all accepted ones: the rates of certain and of uncertain ones, weighted by how many there are of each.

    Of certain ones only a share can be listened to. None while nothing is reviewed of a kind that there is. The interval is Wilson's with
    Kish's effective n.
    """
    total, wrong, weights = 0, 0.0, []
    for certain in (True, False):
        count = sum(one.count for one in accepted if one.certain == certain)
        checked = [one for one in reviewed if one.certain == certain]
        n = sum(one.count for one in checked)
        if count and not n:
            return None
        if count:
            total += count
            wrong += count / n * sum(one.count for one in checked if one.found != one.code)
            weights.append((count / n, n))
    if not total:
        return None
    effective = sum(n for _, n in weights) / design_effect(weights)
    return Projection(wrong / total, wilson(wrong / total * effective, effective))
