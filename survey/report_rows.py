"""The lines of the month's sheet: what each holds, which of them have a rank, and in what order they stand (R53, R57, R60)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from survey.scoring import Asked, Rate, Score, SetAside

SCORED_FROM = 10
RANKED_FROM = 30
LEAST_RANKED_UNITS = 6
LAST = 3


@dataclass(frozen=True)
class ItemFigure:
    """One item: its score, the valid answers under it, their distribution over the scale, and what was left out.

    `assessed` is the score without the `aside` answers that upheld appeals took out; all other figures are with them (R53).
    """

    item: str
    score: Score
    valid: int
    scale: tuple[int, ...]
    unsure: int
    missing: int
    assessed: Score
    aside: int


@dataclass(frozen=True)
class Rolling:
    """A unit's interviews of this month and the two before it, together, as they are assessed."""

    answered: int
    total: Score
    dissatisfied: int


@dataclass(frozen=True)
class Row:
    """One line of the sheet. `standing`: ranked, rolling, few (listed, not ranked) or suppressed (no score shown).

    A rolling unit has too few answers for a rank by this month alone, but enough with the two months before: it is ranked
    by the mean of all of them, `rolling` (R57); whether its month's own scores are shown still depends on the month.
    `change` is the total mean less that of the month before; None where either month shows none (R56).
    `total` is the mean of all answers that are stored; by `assessed`, without those that upheld appeals took out, a unit is ranked.
    So are standing and last three by what is assessed: `assessed_persons` and, of them, `assessed_dissatisfied` (R53).
    """

    unit: str
    frame: int
    drawn: int
    answered: int
    items: tuple[ItemFigure, ...]
    total: Score
    valid: int
    rates: Mapping[str, Rate]
    dissatisfied: int
    escalated: int
    coverage: float | None
    response: float | None
    asked: Asked
    asked_rate: Rate
    assessed: Score
    assessed_persons: int
    assessed_dissatisfied: int
    aside: SetAside
    standing: str = ""
    rank: int | None = None
    last_three: bool = False
    change: float | None = None
    rolling: Rolling | None = None

    @property
    def shown(self) -> bool:
        """Whether scores and rates may be shown; the bureau's always are."""
        return not self.standing or self.assessed_persons >= SCORED_FROM


def _merit(row: Row) -> tuple[float, float]:
    """What the rank goes by, best first: the assessed mean, then the lower share of dissatisfied persons among the assessed (R53, R60)."""
    basis = row.rolling or Rolling(row.assessed_persons, row.assessed, row.assessed_dissatisfied)
    return -round(basis.total.mean or 0.0, 9), round(basis.dissatisfied / basis.answered, 9)


def _has_rank(row: Row) -> bool:
    return row.standing in ("ranked", "rolling") and (row.rolling.total if row.rolling else row.assessed).mean is not None


def ranked(rows: Sequence[Row]) -> list[Row]:
    """The rows with rank and last three: none among fewer than six, all that are equal at the third place (R60)."""
    merits = sorted(_merit(row) for row in rows if _has_rank(row))
    bar = merits[-LAST] if len(merits) >= LEAST_RANKED_UNITS else None
    return [
        replace(row, rank=merits.index(_merit(row)) + 1, last_three=bar is not None and _merit(row) >= bar) if _has_rank(row) else row
        for row in rows
    ]


def ordered(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows by rank, those without one after them by name."""
    return tuple(sorted(rows, key=lambda row: (row.rank is None, row.rank or 0, row.unit)))
