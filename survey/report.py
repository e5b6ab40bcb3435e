"""The month's sheet 《警情处置情况考核表》 as figures and words' codes; nothing here knows files or pages (R37–R43, R56, R57, R60).

    Tally per unit (counts out of the tables)  →  build(...)  →  Sheet  →  survey.sheet renders it
    the same of earlier months                 ↗

Interviews (complete and partial) are scored; the answers of break-offs are kept, counted apart and not scored.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from survey.disposition import Disposition
from survey.rates import Counts, OutcomeRates, counts_of, outcome_rates, share
from survey.report_rows import RANKED_FROM, SCORED_FROM, ItemFigure, Rolling, Row, ordered, ranked
from survey.scoring import (
    FORMULAS,
    ITEMS,
    SCALE,
    UNSURE,
    Rate,
    Score,
    Tally,
    asked_rate,
    assessed,
    effect_of_weights,
    item_score,
    rate,
    together,
    total_score,
    weighted_asked,
    weighted_item,
    weighted_rate,
    weighted_total,
)  # fmt: skip


@dataclass(frozen=True)
class Earlier:
    """The counts of an earlier month of the same kind, real or simulated; `ago` in months."""

    month: str
    ago: int
    tallies: tuple[Tally, ...]


@dataclass(frozen=True)
class ScriptUsed:
    """A script version that answers of this sheet were given to."""

    name: str
    number: int
    digest: str


@dataclass(frozen=True)
class Frame:
    """Where the sample came from: the draw's own accounts."""

    incidents: int
    frame: int
    exclusions: tuple[tuple[str, int], ...]
    digest: str
    seed: int


@dataclass(frozen=True)
class Head:
    """What stands over the figures. `audit_n` and `audit_digest` are the audit trail's last link when the sheet was made."""

    month: str
    bureau: str
    bureau_en: str
    campaigns: tuple[str, ...]
    simulated: bool
    provisional: bool
    issued_at: datetime
    scripts: tuple[ScriptUsed, ...]
    audit_n: int
    audit_digest: str


@dataclass(frozen=True)
class Sheet:
    """The month's sheet. `digest` covers all figures, not the moment of issue: run again, it is the same.

    `earlier` names the earlier months that its figures rest on; `appeals_waiting`: appeals of this month's that nobody has decided on.
    """

    head: Head
    source: Frame
    rows: tuple[Row, ...]
    weighted: Row
    unweighted: Row
    design_effect: float | None
    effective_n: float | None
    dispositions: tuple[tuple[Disposition, int], ...]
    counts: Counts
    outcome: OutcomeRates
    break_off_answers: int
    earlier: tuple[str, ...] = ()
    appeals_waiting: int = 0
    digest: str = ""

    @property
    def cases(self) -> int:
        """All respondents: the sum of all dispositions (R17)."""
        return sum(count for _, count in self.dispositions)


def build(
    head: Head,
    source: Frame,
    tallies: Sequence[Tally],
    break_off_answers: int = 0,
    earlier: Sequence[Earlier] = (),
    appeals_waiting: int = 0,
) -> Sheet:
    """The sheet from the counts per unit; rows come in the order of rank, unranked units after them by name."""
    last = next((each.tallies for each in earlier if each.ago == 1), ())
    rows = ordered(ranked([_compared(_row(tally), tally, earlier) for tally in tallies]))
    everybody = together(tallies)
    plain = replace(_row(everybody, whole=True), change=_change(total_score(everybody.sums), total_score(together(last).sums)))
    codes = Counter(everybody.dispositions)
    counts = counts_of(codes)
    effect = effect_of_weights(tallies)
    sheet = Sheet(
        head,
        source,
        rows,
        _weighted_row(tallies, plain, effect, last),
        plain,
        effect,
        everybody.sums.persons / effect if effect else None,
        tuple((each, codes[each]) for each in Disposition if codes[each]),
        counts,
        outcome_rates(counts),
        break_off_answers,
        tuple(each.month for each in earlier),
        appeals_waiting,
    )
    return replace(sheet, digest=digest_of(sheet))


def digest_of(sheet: Sheet) -> str:
    """SHA-256 over all figures and over what they rest on, without the moment of issue and the audit trail's head."""
    head = {**asdict(sheet.head), "issued_at": None, "audit_n": None, "audit_digest": None}
    figures = {**asdict(sheet), "head": head, "digest": None, "dispositions": [(each.word, n) for each, n in sheet.dispositions]}
    return hashlib.sha256(json.dumps(figures, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _row(tally: Tally, whole: bool = False) -> Row:
    """One unit's line, or with `whole` the bureau's, which has no standing and is always shown."""
    kept = assessed(tally)
    shown = whole or tally.assessed >= SCORED_FROM
    standing = "ranked" if tally.assessed >= RANKED_FROM else "few" if shown else "suppressed"
    items = tuple(_item(tally, kept, item, shown) for item in ITEMS)
    return Row(
        tally.unit, tally.frame, tally.drawn, tally.answered, items,
        total_score(tally.sums) if shown else Score(),
        sum(item.valid for item in items),
        {name: rate(tally, weights) if shown else Rate() for name, weights in FORMULAS.items()},
        tally.dissatisfied, tally.escalated,
        share(tally.closed, tally.drawn),
        outcome_rates(counts_of(tally.dispositions)).rr1,
        tally.asked, asked_rate(tally.asked) if shown else Rate(),
        total_score(kept.sums) if shown else Score(), tally.assessed, kept.dissatisfied, tally.aside,
        "" if whole else standing,
    )  # fmt: skip


def _item(tally: Tally, kept: Tally, item: str, shown: bool) -> ItemFigure:
    mine, left, out = ([count for count in counts if count.item == item] for counts in (tally.answers, kept.answers, tally.aside.answers))
    given = Counter({count.code: count.count for count in mine})
    missing = tally.answered - sum(given.values())
    score, assessed_score = (item_score(counts) if shown else Score() for counts in (mine, left))
    scale = tuple(given[code] for code in SCALE)
    return ItemFigure(item, score, sum(scale), scale, given[UNSURE], missing, assessed_score, sum(count.count for count in out))


def _compared(row: Row, tally: Tally, earlier: Sequence[Earlier]) -> Row:
    """The unit's line with its change to the month before, and with the months together where this one gives no rank."""
    before = [(each.ago, found) for each in earlier for found in each.tallies if found.code == tally.code]
    last = next((total_score(found.sums) for ago, found in before if ago == 1 and found.assessed >= SCORED_FROM), Score())
    row = replace(row, change=_change(row.total, last))
    months = assessed(together([tally, *(found for _, found in before)]))
    rolling = Rolling(months.assessed, total_score(months.sums), months.dissatisfied)
    if row.standing == "ranked" or rolling.answered < RANKED_FROM or rolling.total.mean is None:
        return row
    return replace(row, standing="rolling", rolling=rolling)


def _change(now: Score, before: Score) -> float | None:
    return None if now.mean is None or before.mean is None else now.mean - before.mean


def _weighted_row(tallies: Sequence[Tally], plain: Row, effect: float | None, last: Sequence[Tally]) -> Row:
    """The bureau's row: every unit counts by its frame, N_h/r_h per answer (R43)."""
    kept = [assessed(tally) for tally in tallies]
    items = tuple(
        replace(figure, score=weighted_item(tallies, figure.item), assessed=weighted_item(kept, figure.item)) for figure in plain.items
    )
    rates = {name: weighted_rate(tallies, weights, effect) for name, weights in FORMULAS.items()}
    total = weighted_total(tallies)
    change = _change(total, weighted_total(last))
    return replace(
        plain, items=items, total=total, assessed=weighted_total(kept), rates=rates, asked_rate=weighted_asked(tallies), change=change
    )  # fmt: skip
