"""Whole months under a virtual clock: evil weather, dying processes, sleeping workers, a wrong clock; and the judges find nothing.

More seeds than here: `python -m tests.simulation.month 0 --seeds 20000`.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.simulation import month
from tests.simulation.ground import Ground
from tests.simulation.month import COMMAND, Month, setting_of
from tests.simulation.world import patched_jobs

SEEDS = range(1000, 1060)
SEEDS_ON_POSTGRES = range(2000, 2004)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_month_breaks_no_promise_whatever_happens(months: Ground, folder: Path, seed: int) -> None:
    outcome = month.run(months, folder, seed)

    assert outcome.calls > 0
    assert outcome.breaches == [], f"repeat it with: {COMMAND.format(seed=seed)}"


@pytest.mark.parametrize("seed", SEEDS_ON_POSTGRES)
def test_nor_does_it_on_the_other_engine(months_on_postgres: Ground, folder: Path, seed: int) -> None:
    outcome = month.run(months_on_postgres, folder, seed)

    assert outcome.calls > 0
    assert outcome.breaches == []


def test_a_seed_tells_the_same_story_twice(months: Ground, folder: Path) -> None:
    setting = replace(setting_of(3, sorted(months.incidents)), groups=[sorted(months.incidents)[:4]])
    stories = []
    for _ in range(2):
        run = Month(months, folder, setting)
        with patched_jobs(run.world.exchange_clock.now, lambda run=run: run.world.hub):
            run.play()
        calls = run.world.journal()
        stories.append(
            [(call["sid"], call["created_at"], call["ended_at"], [press["keys"] for press in call["presses"]]) for call in calls]
        )

    assert stories[0] == stories[1] != []


def test_the_settings_hold_every_kind_of_fault() -> None:
    drawn = [setting_of(seed, list(range(1, 40))) for seed in range(60)]

    for name in ("crashes", "clock_steps", "pauses", "floods", "lost", "doubled", "desk", "clocks"):
        assert any(getattr(setting, name) for setting in drawn), name
    for fault in ("too_many", "error_before", "hang_before", "error_after", "hang_after", "callback_first", "second_leg"):
        assert any(getattr(setting.weather, fault) for setting in drawn), fault
    assert any(len(setting.groups[1]) for setting in drawn)
