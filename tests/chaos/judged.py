"""One campaign under the nemesis as a test: what must be true of its outcome on either engine.

`CHAOS_PEOPLE` and `CHAOS_SEED` make it longer or another one, and

    python -m tests.chaos.campaign --people 500 --seed 20 --engine postgresql

runs it by hand and prints its counts.
"""

import os
from collections.abc import Callable
from pathlib import Path

from tests.chaos.campaign import Trial, database, run
from tests.chaos.verdict import MOST_FAULTS

PEOPLE, SEED = 500, 20
LONGEST_SECONDS = 1200.0
"""A minute and a half on a machine with nothing else to do."""

PEOPLE_FOR_A_DEED = 40
Told = Callable[[str, object], None]


def judge(engine: str, folder: Path, tell: Told) -> None:
    """Run the campaign on the engine, tell its counts whatever they are, and ask what the judges have found."""
    people, seed = int(os.environ.get("CHAOS_PEOPLE", PEOPLE)), int(os.environ.get("CHAOS_SEED", SEED))
    with database(engine) as (url, restart):
        found = run(Trial(people, seed, url, restart, longest_seconds=LONGEST_SECONDS * max(1.0, people / PEOPLE)), folder)
    tell("told", f"the campaign under the nemesis on {engine}\n{found.text()}")

    assert found.faults[:MOST_FAULTS] == []
    assert found.counts["double rings"] == found.counts["people rung twice at once"] == found.counts["people without an end"] == 0
    assert found.counts["people"] == people
    assert found.counts["attempts with a call"] == found.counts["calls at the carrier"] > people
    assert found.counts["answers equal"] == found.counts["answers stored"] > people / 2
    assert found.deeds >= people / PEOPLE_FOR_A_DEED
