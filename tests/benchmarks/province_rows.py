"""The rows of `province`: a day that was called before, and people who wait to be called now."""

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from config.wiring import House
from survey.contact_rules import Rules, Window
from survey.store.models import CallAttempt, Campaign, Draw, Incident, Respondent, ScriptVersion, Unit, table_of
from survey.store.sealing import place
from tests.benchmarks.turns import SCRIPT

ALL_DAY = (Window(time(8), time(21)),)
NOON = 14
AT_A_TIME = 5000


def furnish(house: House, history: int, people: int, starts: float, lines: int) -> None:
    """Campaign 1 is over and had `history` attempts; campaign 2 is paused, and `people` wait in it, due since now."""
    now = house.clock.now()
    with house.sessions.begin() as session:
        _campaigns(session, house, now, starts, lines)
    zone = _zone_at_noon(now)
    with house.engine.begin() as connection:
        for table, rows in (
            (Incident, _incidents(house, history + people, zone, now)),
            (Respondent, _respondents(house, history, people, now)),
            (CallAttempt, _attempts(house, history, now)),
        ):
            _insert(connection, table, rows)
        for name in ("incidents", "respondents", "call_attempts") if house.engine.dialect.name == "postgresql" else ():
            connection.exec_driver_sql(f"SELECT setval('{name}_id_seq', (SELECT coalesce(max(id), 1) FROM {name}))")
    with house.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE" if house.engine.dialect.name == "postgresql" else "ANALYZE")


def _insert(connection: Any, table: Any, rows: Iterator[dict[str, Any]]) -> None:
    while part := list(_some(rows)):
        connection.execute(insert(table_of(table)), part)


def _some(rows: Iterator[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    return (row for row, _ in zip(rows, range(AT_A_TIME), strict=False))


def _zone_at_noon(now: datetime) -> str:
    """A zone in which it is two in the afternoon, so that the benchmark runs at any time of day."""
    ahead = (NOON - now.hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def _campaigns(session: Session, house: House, now: datetime, starts: float, lines: int) -> None:
    script = ScriptVersion(
        name="回访", number=1, language="zh-CN", text=SCRIPT.read_text("utf-8"), digest="1" * 64, published_at=now, published_by="benchmark"
    )
    draw = Draw(
        month="2026-02", size=1, minimum=1, seed=1, replicates=1, frame_count=1, frame_digest="0" * 64, program_version="benchmark",
        allocation=[], exclusions={}, incident_count=1, drawn_at=now,
    )  # fmt: skip
    session.add_all([Unit(code="U1", name="城东派出所"), script, draw])
    session.flush()
    rules = Rules(calendar="weekdays", working_day=ALL_DAY, weekend=ALL_DAY, public_holiday=ALL_DAY)
    for state in ("finished", "paused"):
        session.add(Campaign(
            name=state, month="2026-02", draw_id=draw.id, script_version_id=script.id, lines=lines, calls_per_second=starts,
            caller_id=house.settings.caller_id, rules=rules.to_json(), simulated=True, created_at=now, state=state, started_at=now,
        ))  # fmt: skip
        session.flush()


def _phone(number: int) -> str:
    return f"+86100{number:08d}"


def _incidents(house: House, count: int, zone: str, now: datetime) -> Iterator[dict[str, Any]]:
    for n in range(1, count + 1):
        public_id, phone = f"{n:032x}", _phone(n)
        yield {
            "id": n, "public_id": public_id, "number": f"J{n:08d}", "unit_id": 1, "category": "纠纷", "call_type": "",
            "occurred_at": now - timedelta(days=2), "closed_at": now - timedelta(days=1), "zone": zone, "made_up": True, "row_digest": "",
            "phone_key": house.keys.phone_key(phone),
            "phone_sealed": house.keys.seal(phone, place("incidents", "phone_sealed", public_id)),
        }  # fmt: skip


def _respondents(house: House, history: int, people: int, now: datetime) -> Iterator[dict[str, Any]]:
    for n in range(1, history + people + 1):
        over = n <= history
        yield {
            "id": n, "public_id": f"{n:032x}", "campaign_id": 1 if over else 2, "incident_id": n, "unit_id": 1, "position": n,
            "replicate": 1, "weight": 1.0, "phone_key": house.keys.phone_key(_phone(n)), "state": "closed" if over else "waiting",
            "due_at": None if over else now, "tries": int(over), "disposition": "complete" if over else "not_attempted",
        }  # fmt: skip


def _attempts(house: House, history: int, now: datetime) -> Iterator[dict[str, Any]]:
    for n in range(1, history + 1):
        at = now - timedelta(hours=20) + timedelta(seconds=n * 28_800 / history)
        yield {
            "id": n, "campaign_id": 1, "respondent_id": n, "number": 1, "token": f"{n:032x}", "phone_key": house.keys.phone_key(_phone(n)),
            "status": "completed", "carrier_sid": f"CB{n:032x}", "disposition": "complete", "script_version_id": 1, "claimed_at": at,
            "requested_at": at, "placed_at": at, "answered_at": at, "ended_at": at + timedelta(seconds=110),
            "settled_at": at + timedelta(seconds=111), "step": 9,
        }  # fmt: skip
