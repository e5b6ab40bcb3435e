"""Counts of a month without tables: what the sheet is built from in tests."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from survey.disposition import Disposition
from survey.report import Earlier, Frame, Head, ScriptUsed, Sheet, build
from survey.scoring import ITEMS, SCALE, CodeCount, ScoreSums, Tally

POINTS = dict(zip(SCALE, (100.0, 75.0, 50.0, 25.0, 0.0), strict=True))
HEAD = Head("2026-03", "某市公安局", "City Bureau", ("三月回访",), False, False, datetime(2026, 4, 5, tzinfo=UTC),
            (ScriptUsed("callback-zh", 1, "d" * 64),), 12, "a" * 64)  # fmt: skip
SOURCE = Frame(2000, 1608, (("cancelled", 300), ("no_number", 92)), "f" * 64, 7)


def people(*given: tuple[int, str]) -> list[str]:
    return [code for count, code in given for _ in range(count)]


def tally(unit: str, frame: int, codes: list[str], other: Mapping[Disposition, int] | None = None, items: tuple[str, ...] = ITEMS) -> Tally:
    """A unit whose persons each gave one code to all items."""
    counts = Counter(codes)
    answers = tuple(CodeCount(item, code, POINTS.get(code), count) for item in items for code, count in counts.items())
    scored = [POINTS[code] for code in codes if code in POINTS]
    k = len(items)
    sums = ScoreSums(
        len(scored), k * sum(scored), k * len(scored), k * k * sum(s * s for s in scored), k * k * sum(scored), k * k * len(scored)
    )
    dispositions = {Disposition.COMPLETE: len(codes), **(other or {})}
    unhappy = counts["dissatisfied"] + counts["very_dissatisfied"]
    return Tally(unit, frame, dispositions, sum(dispositions.values()), answers, sums, unhappy, code=f"code of {unit}")


def sheet(*tallies: Tally, earlier: Sequence[Earlier] = ()) -> Sheet:
    return build(HEAD, SOURCE, tallies, earlier=earlier)


FIGURE_8 = (
    tally("甲所", 1000, people((20, "very_satisfied"), (20, "satisfied"), (10, "neutral"))),
    tally("乙所", 500, people((5, "very_satisfied"), (10, "satisfied"), (10, "dissatisfied"))),
    tally("丙所", 100, people((6, "satisfied"), (2, "neutral"))),
    tally("丁所", 8, people((3, "very_satisfied"), (1, "very_dissatisfied"))),
)


def mixed(unit: str, happy: int, unhappy: int) -> Tally:
    return tally(unit, 500, people((happy, "very_satisfied"), (unhappy, "very_dissatisfied")))
