"""One campaign under the nemesis as a test: what must be true of its outcome on either engine.

`CHAOS_PEOPLE` and `CHAOS_SEED` make it longer or another one, and

    python -m tests.chaos.campaign --people 500 --seed 20 --engine postgresql

runs it by hand and prints its counts.
"""

import os
from collections.abc import Callable
from pathlib import Path

from tests.chaos.campaign import Trial, database, run

PEOPLE, SEED = 200, 20
FEWEST_DEEDS = 8
LONGEST_STUCK_SECONDS = 240.0
Told = Callable[[str, object], None]


def judge(engine: str, folder: Path, tell: Told) -> None:
    """Run the campaign on the engine, tell its counts whatever they are, and ask what the judges have found."""
    people, seed = int(os.environ.get("CHAOS_PEOPLE", PEOPLE)), int(os.environ.get("CHAOS_SEED", SEED))
    with database(engine) as (url, restart):
        found = run(Trial(people, seed, url, restart, longest_seconds=1200 + people / 2), folder)
    tell("told", f"the campaign under the nemesis on {engine}\n{found.text()}")

    assert found.faults == []
    assert found.counts["double rings"] == found.counts["rung twice at once"] == 0
    assert found.counts["people"] == people
    assert found.counts["attempts with a call"] == found.counts["calls at the carrier"] > people
    assert found.counts["answers equal"] > people
    assert sum(found.counts["deeds"].values()) >= FEWEST_DEEDS
    assert found.counts["longest without a settlement"] < LONGEST_STUCK_SECONDS
