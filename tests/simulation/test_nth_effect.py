"""T-nth: the first effect fails, then the second, and so on for all of them; each time the office goes on and keeps its promises.

Effects are commits, requests to the carrier, wake-ups and files. Each is tried in two ways: the process dies there and then
(all it held in memory is thrown away), or what it asked for fails as its library would say.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.simulation.ground import Ground
from tests.simulation.hub import Broken, Died
from tests.simulation.line import Weather
from tests.simulation.month import Month, Outcome, Setting
from tests.simulation.test_controls import CALM, people
from tests.simulation.world import patched_jobs

STORIES = {
    "satisfied": (("00",), CALM),
    "speaks, refuses": (("44", "53"), CALM),
    "dissatisfied": (("28",), CALM),
    "in doubt": (("20",), replace(CALM, weather=Weather(error_after=1.0))),
    "never placed": (("37",), replace(CALM, weather=Weather(error_before=0.5))),
}
WAYS: dict[str, type[BaseException]] = {"dies": Died, "fails": Broken}
MOST = 1_000 if "MANY" in os.environ else 40
"""Of longer stories every second or third effect is tried; `MANY=1 pytest ...` tries them all."""
FAILING = frozenset({"commit", "enqueue", "write"})


def play(ground: Ground, folder: Path, setting: Setting, who: list[int], nth: int, way: type[BaseException]) -> tuple[Outcome, int]:
    """The story with its n-th effect spoiled (0: none); the verdict, and how many effects there were."""
    run = Month(ground, folder, replace(setting, groups=[who, []], terms={"lines": 2, "calls_per_second": 1.0}))
    hub, counted = run.world.hub, 0

    def plan(effect: int, kind: str) -> type[BaseException] | None:
        nonlocal counted
        if kind == "begin" or (way is Broken and kind not in FAILING):
            return None
        counted += 1
        return way if counted == nth else None

    hub.plan = plan
    with patched_jobs(run.world.exchange_clock.now, lambda: hub):
        run.play()
        return run.judge(), counted


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("story", STORIES)
def test_whichever_effect_is_the_last_of_its_process_every_promise_is_kept(months: Ground, folder: Path, story: str, way: str) -> None:
    endings, setting = STORIES[story]
    who = people(months, *endings)[: len(endings)]
    outcome, effects = play(months, folder, setting, who, 0, WAYS[way])
    assert outcome.breaches == []
    assert effects > 10
    for nth in range(1, effects + 1, effects // MOST + 1):
        outcome, _ = play(months, folder, setting, who, nth, WAYS[way])
        assert outcome.breaches == [], f"{story}: {way} at effect {nth} of {effects}"
