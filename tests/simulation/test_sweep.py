"""What the clock process asks each second does not take longer as the years go by."""

import re
from pathlib import Path
from typing import Any

from sqlalchemy import event

from tests.simulation.ground import Ground
from tests.simulation.world import World, patched_jobs

GROWING = re.compile(r"SCAN (call_attempts|recordings|respondents|incidents|turns|answers|carrier_events|audit_entries|escalations)\b")
NEWEST = "ORDER BY call_attempts.id DESC"
"""Such a statement begins at the end of the table and stops after a few rows."""


def test_the_sweep_reads_no_table_from_end_to_end_that_grows(months: Ground, folder: Path) -> None:
    world = World(months, folder, seed=1)
    world.launch(sorted(months.incidents)[:3])
    asked: dict[str, Any] = {}

    def write_down(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        asked.setdefault(statement, parameters[0] if many else parameters)

    event.listen(months.engine, "before_cursor_execute", write_down)
    with patched_jobs(world.exchange_clock.now, lambda: world.hub):
        for _ in range(3):
            world.sweep()
            world.advance(200)
    event.remove(months.engine, "before_cursor_execute", write_down)

    questions = {text: values for text, values in asked.items() if text.startswith(("SELECT", "UPDATE", "DELETE"))}
    with months.engine.connect() as connection:
        plans = {
            text: " / ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values))
            for text, values in questions.items()
        }
    assert len(plans) > 10
    assert [text for text, plan in plans.items() if GROWING.search(plan) and NEWEST not in text] == []
