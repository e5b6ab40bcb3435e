"""RS75, in small: a year of campaigns on one database, with faults; nothing grows that should not, every promise is kept.

The whole: `python -m tests.simulation.year --people 600`.
"""

from collections.abc import Callable
from pathlib import Path

from tests.simulation.year import Figures, Year

PEOPLE = 6
MOST_GROWTH_MEGABYTES = 12.0


def test_a_year_keeps_every_promise_and_leaves_nothing_behind(folder: Path, record_property: Callable[[str, object], None]) -> None:
    year = Year(folder, PEOPLE)
    months = list(year.played())
    outcome = year.judge()
    year.ground.engine.dispose()
    record_property("told", f"a year of {PEOPLE} people a month: {outcome.calls} calls; in the last month {months[-1]}")

    assert outcome.breaches == []
    assert outcome.calls > 12
    assert any(month.quarantined for month in months)
    assert [month.unfinished for month in months] == [0] * 12
    assert [month.waiting for month in months] == [0] * 12
    assert months[-1].descriptors <= months[2].descriptors
    assert months[-1].megabytes - months[2].megabytes < MOST_GROWTH_MEGABYTES
    assert _work(months[8:]) < 2 * _work(months[:4])


def _work(months: list[Figures]) -> float:
    """The database's work for each call, over some months."""
    return sum(month.steps * month.calls for month in months) / sum(month.calls for month in months)
