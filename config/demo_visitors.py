"""The English part of the demonstration: a few people of a month of its own, all of whom answer in words."""

import csv
from collections.abc import Iterator
from pathlib import Path

from config.demo_round import Round
from survey.contact_rules import Rules
from survey.incidents import made_up
from survey.incidents.fictitious import chance, english_name
from survey.reporting import MONTHS_BEFORE, month_before

PEOPLE = 12
"""Few, since each sentence costs real time of listening; not fewer than there are units."""

INCIDENTS = 150
SPEECH = {"share": 1.0, "patience_seconds": 0.5}
"""All speak; on these few lines who listens has decided long before half a second, and what stays unclear costs all of that."""

RULES = Rules(within_days=1)
"""Over on the next day: in a week of calls the cases of the main month would all become overdue."""

CALLER = made_up.HEADERS.index("报警人")


def visitors(folder: Path, month: str, zone: str, seed: int) -> Round:
    """Write the visitors' incidents into `folder`, and say how they are called, while the main sample is that of `month`.

    Their month lies before those at which the sheet of `month` looks back, so that it stays the same with or without them.
    """
    earlier = month_before(month, MONTHS_BEFORE + 1)
    path = folder / f"incidents-{earlier}-visitors.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([made_up.HEADERS, *incidents(earlier, seed)])
    name = f"{earlier} 外籍人员回访 / English-speaking visitors"
    return Round(path, made_up.MAPPING, earlier, zone, PEOPLE, seed, "en", RULES, name)


def incidents(month: str, seed: int) -> Iterator[tuple[str, ...]]:
    """A made-up month whose callers have English names."""
    for row in made_up.month_of_incidents(month, seed, INCIDENTS):
        yield (*row[:CALLER], english_name(chance(seed, "visitor", row[CALLER])), *row[CALLER + 1 :])
