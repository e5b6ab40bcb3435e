"""How long the month's sheet takes over many incidents and answers, and each of its forms.

    python -m tests.benchmarks.sheet [--incidents 1000000] [--respondents 20000] [--units 200]

Each respondent gives five answers. The promise (R66) is 60 s for a million incidents and 100,000 answers.
Nothing here passes or fails: a slow day is not a fault.
"""

import argparse
import io
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, insert
from sqlalchemy.orm import Session

from survey import exports, reporting
from survey.bureau import Bureau
from survey.scoring import ITEMS
from survey.sheet import csv, html, text, xlsx
from survey.store.database import open_engine, reading
from survey.store.models import Answer, Base, CallAttempt, Campaign, Draw, Incident, Respondent, ScriptVersion, Unit
from tests.survey.month import KEYS, POINTS

AT_A_TIME = 20_000
NOW = datetime(2026, 3, 5, tzinfo=UTC)
BUREAU = Bureau("某市公安局", "City Bureau", "+861000000000", 1, "Asia/Shanghai")
CODES = tuple(POINTS)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long the block took."""
    start = time.perf_counter()
    yield
    print(f"{what:<28}{time.perf_counter() - start:8.2f} s")


def furnish(engine: Engine, incidents: int, respondents: int, units: int) -> None:
    """A month with its frame, one campaign, and complete interviews."""
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(Unit), [{"id": n + 1, "code": f"U{n:04d}", "name": f"第{n}派出所"} for n in range(units)])
        _insert(connection, Incident, (_incident(n, units) for n in range(1, incidents + 1)))
    with Session(engine) as session:
        frame = [{"unit": f"U{n:04d}", "frame": incidents // units, "drawn": respondents // units} for n in range(units)]
        draw = Draw(
            month="2026-02", size=respondents, minimum=10, seed=7, replicates=10, frame_count=incidents, frame_digest="0" * 64,
            program_version="1", allocation=frame, exclusions={}, incident_count=incidents, drawn_at=NOW,
        )  # fmt: skip
        script = ScriptVersion(
            name="benchmark", number=1, language="zh", text="", digest="0" * 64, published_at=NOW, published_by="benchmark"
        )
        session.add(Campaign(
            id=1, name="benchmark", month="2026-02", draw=draw, script_version=script, state="finished", lines=1, calls_per_second=1.0,
            caller_id="+861000000000", simulated=True, created_at=NOW,
        ))  # fmt: skip
        session.commit()
    chance = random.Random(7)
    with engine.begin() as connection:
        _insert(connection, Respondent, (_respondent(n, units) for n in range(1, respondents + 1)))
        _insert(connection, CallAttempt, (_attempt(n) for n in range(1, respondents + 1)))
        _insert(connection, Answer, (row for n in range(1, respondents + 1) for row in _answers(n, chance)))


def _insert(connection: Connection, table: type[Base], rows: Iterator[dict[str, Any]]) -> None:
    while part := list(islice(rows, AT_A_TIME)):
        connection.execute(insert(table), part)


def _incident(n: int, units: int) -> dict[str, Any]:
    return {
        "id": n, "public_id": f"{n:032x}", "number": f"J{n:010d}", "unit_id": n % units + 1, "category": "theft", "call_type": "",
        "occurred_at": NOW, "closed_at": NOW, "zone": "Asia/Shanghai", "phone_key": n.to_bytes(16, "big"), "row_digest": "0" * 64,
        "made_up": True,
    }  # fmt: skip


def _respondent(n: int, units: int) -> dict[str, Any]:
    return {
        "id": n, "public_id": f"{n:032x}", "campaign_id": 1, "incident_id": n, "unit_id": n % units + 1, "position": n, "replicate": 1,
        "weight": 1.0, "phone_key": n.to_bytes(16, "big"), "state": "closed", "disposition": "complete",
    }  # fmt: skip


def _attempt(n: int) -> dict[str, Any]:
    return {
        "id": n, "campaign_id": 1, "respondent_id": n, "number": 1, "token": f"{n:032x}", "phone_key": n.to_bytes(16, "big"),
        "status": "completed", "carrier_sid": f"CA{n:032x}", "disposition": "complete", "script_version_id": 1, "claimed_at": NOW,
    }  # fmt: skip


def _answers(n: int, chance: random.Random) -> list[dict[str, Any]]:
    codes = chance.choices(CODES, (50, 25, 10, 5, 3, 7), k=len(ITEMS))
    shared = {"respondent_id": n, "attempt_id": n, "script_version_id": 1, "mode": "keys", "answered_at": NOW}
    return [
        {**shared, "item": item, "code": code, "score": POINTS[code], "raw": KEYS[code]} for item, code in zip(ITEMS, codes, strict=True)
    ]


def measure(engine: Engine) -> None:
    """Build the sheet, write it in every form, export the answers."""
    with Session(reading(engine)) as session:
        with timed("figures out of the tables"):
            sheet = reporting.build_sheet(session, "2026-02", BUREAU, NOW)
        with timed("text"):
            text.render(sheet)
        with timed("csv"):
            csv.render(sheet, io.StringIO())
        with timed("xlsx"):
            xlsx.render(sheet, io.BytesIO())
        with timed("html"):
            html.render(sheet)
        with timed("export of all answers"):
            exports.write(session, exports.Order("answers", 1, "benchmark", "benchmark", NOW, BUREAU.tzinfo), io.StringIO())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--incidents", type=int, default=1_000_000)
    parser.add_argument("--respondents", type=int, default=20_000)
    parser.add_argument("--units", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'sheet.sqlite'}")
        with timed("(filling the tables)"):
            furnish(engine, given.incidents, given.respondents, given.units)
        measure(engine)
        engine.dispose()


if __name__ == "__main__":
    main()
