"""How long it takes to draw a month's sample from a large database (R66: 1.5 million incidents in at most 30 s).

    python -m tests.benchmarks.draw [--incidents 1500000] [--url sqlite:////path/to/file]

Besides the month that is drawn, a fifth as many incidents lie in the month before. Prints seconds for the draw itself and for drawing
it again, and the process's peak memory.
"""

import argparse
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, insert

from survey import drawing
from survey.store.database import open_engine, session_factory
from survey.store.models import Base, Incident, Unit

ZONE, MONTH, NOW = "Asia/Shanghai", "2025-03", datetime(2025, 4, 2, tzinfo=UTC)
UNITS, AT_A_TIME = 500, 20_000
REASONS = (None, None, None, None, None, None, None, "cancelled", "no_number", "excluded_category")


def fill(engine: Engine, count: int) -> None:
    """Bulk rows: `count` incidents in the month drawn, a fifth as many in the month before, 500 units of unequal size."""
    months = ((datetime(2025, 1, 31, 16, tzinfo=UTC), count // 5), (datetime(2025, 2, 28, 16, tzinfo=UTC), count))
    with engine.begin() as connection:
        connection.execute(insert(Unit), [{"id": n, "code": f"U{n:04}", "name": f"单位{n}"} for n in range(1, UNITS + 1)])
    for month, (start, size) in enumerate(months):
        for first in range(0, size, AT_A_TIME):
            rows = [_row(month, n, start, size) for n in range(first, min(size, first + AT_A_TIME))]
            with engine.begin() as connection:
                connection.execute(insert(Incident), rows)


def _row(month: int, n: int, start: datetime, count: int) -> dict[str, object]:
    at = start + timedelta(seconds=27 * 86400 * n // count)
    scattered = n * 7_919 % 1_000_003
    return {
        "public_id": f"{month}{n:031}", "number": f"{month}{n * 48_271 % 2_147_483_647:010}{n:08}",
        "unit_id": 1 + scattered * scattered % UNITS, "category": "theft", "call_type": "盗窃", "occurred_at": at, "closed_at": at,
        "zone": ZONE, "phone_key": f"{n - n % 11 % 2:016}".encode(), "exclusion": REASONS[n % 10], "made_up": True,
        "row_digest": "0" * 64, "phone_sealed": b"x" * 48,
    }  # fmt: skip


def measure(engine: Engine, size: int) -> dict[str, float]:
    """Seconds of a draw with its commit, and of drawing it again."""
    with session_factory(engine)() as session:
        began = time.perf_counter()
        made = drawing.draw_sample(session, MONTH, size, None, 7, NOW, ZONE, audit_key=b"benchmark", actor="benchmark")
        session.commit()
        drawn = time.perf_counter()
        identical = drawing.redraw(session, made).identical
        again = time.perf_counter()
        assert identical
        return {"incidents": made.incident_count, "frame": made.frame_count, "draw s": drawn - began, "redraw s": again - drawn}


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=1_500_000)
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--url")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(options.url or f"sqlite:///{Path(folder) / 'draw.sqlite'}")
        Base.metadata.create_all(engine)
        began = time.perf_counter()
        fill(engine, options.incidents)
        print(f"filled in {time.perf_counter() - began:.1f} s")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for name, value in measure(engine, options.size).items():
            print(f"{name:10} {value:12,.2f}")
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"peak memory {after / 1024:.0f} MiB ({before / 1024:.0f} before the draw)")


if __name__ == "__main__":
    main()
