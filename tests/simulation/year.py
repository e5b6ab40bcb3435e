"""Month after month in one process, by option only: do memory, open files or unfinished files grow from month to month?

.venv/bin/python -m tests.simulation.year --months 12 --calls 1000

Seeds are played, each judged like every month, until a month has so many calls; then a line is printed. Every seed begins with
a fresh database, so this tells nothing about tables that grow over a year.
"""

import argparse
import gc
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.simulation import month
from tests.simulation.world import Ground

PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Figures:
    """What was there after a month: memory in MB, open files, files that were not finished, and the month's calls and breaches."""

    megabytes: float
    descriptors: int
    left_over: int
    calls: int
    breaches: tuple[str, ...]


def played(ground: Ground, folder: Path, months: int, calls: int) -> Iterator[Figures]:
    """Play so many months of so many calls each."""
    seed = 0
    for _ in range(months):
        made, breaches = 0, []
        while made < calls:
            outcome = month.run(ground, folder, seed)
            made, seed = made + outcome.calls, seed + 1
            breaches += [f"seed {seed - 1}: {breach}" for breach in outcome.breaches]
        gc.collect()
        left_over = sum(1 for _ in folder.rglob("*.part"))
        yield Figures(_megabytes(), len(os.listdir("/proc/self/fd")), left_over, made, tuple(breaches))


def _megabytes() -> float:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE / 1e6


def main(arguments: list[str]) -> int:
    """Print a line for each month; the exit status is 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--calls", type=int, default=1000)
    chosen = parser.parse_args(arguments)
    logging.disable()
    began, failed = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        ground = month.ground_in(Path(folder))
        for number, figures in enumerate(played(ground, Path(folder), chosen.months, chosen.calls), start=1):
            print(
                f"month {number:2}: {figures.calls} calls, {figures.megabytes:.1f} MB, {figures.descriptors} open files, "
                f"{figures.left_over} unfinished files",
                flush=True,
            )
            print(*figures.breaches, sep="\n  ", end="\n" * bool(figures.breaches), flush=True)
            failed += bool(figures.breaches)
    print(f"{failed} months failed, {time.monotonic() - began:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
