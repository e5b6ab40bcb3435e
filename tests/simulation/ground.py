"""The ground on which simulated offices stand: tables, scripts and people, found as new by every run, on either database."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from survey.store.database import open_engine
from survey.store.models import Base, Incident, ScriptVersion, Unit
from survey.store.sealing import KeyRing, place
from tests import postgres
from tests.conftest import RING

START = datetime(2026, 3, 10, 1, 30, tzinfo=UTC)  # a Tuesday, 09:30 in Shanghai
SCRIPTS = {"long": Path(__file__).parents[2] / "config" / "scripts" / "callback-zh.yaml", "short": Path(__file__).parent / "short.yaml"}
ZONES = ("Asia/Shanghai", "Asia/Urumqi", "America/New_York")
BUSY_PLACE = "sqlite:///{}?synchronous=NORMAL"


@dataclass(frozen=True)
class Ground:
    """A database with tables, scripts and incidents; one engine for all runs on it, and `renew` to begin with it anew.

    The engine is emptied of connections whenever the office dies; the statements it has compiled stay, which only saves time.
    """

    url: str
    engine: Engine
    renew: Callable[[], None]
    incidents: dict[int, str]  # id -> number
    zones: dict[int, str]
    parsed: dict[int, Any] = field(default_factory=dict)


def prepare(folder: Path, endings: Sequence[str]) -> Ground:
    """A ground in a file whose people have numbers with these endings; one that comes twice is one number with two incidents."""
    template, file = folder / "template.sqlite", folder / "office.sqlite"
    incidents, zones = _fill(open_engine(BUSY_PLACE.format(template)), endings)
    engine = open_engine(BUSY_PLACE.format(file))

    def renew() -> None:
        engine.dispose()
        for ending in ("", "-wal", "-shm"):
            Path(f"{file}{ending}").unlink(missing_ok=True)
        shutil.copy(template, file)

    return Ground(f"sqlite:///{file}", engine, renew, incidents, zones)


@contextmanager
def prepared_on(tables: postgres.Tables, folder: Path, endings: Sequence[str]) -> Iterator[Ground]:
    """The same people on PostgreSQL."""
    source = open_engine(BUSY_PLACE.format(folder / "source.sqlite"))
    incidents, zones = _fill(source, endings)
    with source.connect() as connection:
        filled = (Unit.__table__, ScriptVersion.__table__, Incident.__table__)
        rows = [(table, [dict(row) for row in connection.execute(select(table)).mappings()]) for table in filled]
    source.dispose()
    engine = open_engine(tables.url)

    def renew() -> None:
        engine.dispose()
        tables.empty()
        with engine.begin() as connection:
            for table, values in rows:
                connection.execute(insert(table), values)  # type: ignore[arg-type]

    yield Ground(tables.url, engine, renew, incidents, zones)
    engine.dispose()


def _fill(engine: Engine, endings: Sequence[str]) -> tuple[dict[int, str], dict[int, str]]:
    """Tables, scripts and incidents; gives the incidents' numbers and zones."""
    Base.metadata.create_all(engine)
    keys, numbers, zones = KeyRing.parse(RING), {}, {}
    with Session(engine) as session:
        publish(session)
        unit = Unit(code="U1", name="城东派出所")
        session.add(unit)
        for serial, ending in enumerate(endings):
            incident = incident_of(serial, number_with(ending), _zone(endings.index(ending)), keys, START)
            incident.unit = unit
            session.add(incident)
            session.flush()
            numbers[incident.id], zones[incident.id] = number_with(ending), incident.zone
        session.commit()
    engine.dispose()
    return numbers, zones


def publish(session: Session) -> None:
    """The scripts of the simulated office, each published as its first version."""
    for number, (name, path) in enumerate(SCRIPTS.items(), start=1):
        session.add(
            ScriptVersion(
                id=number, name=name, number=1, language="zh-CN", text=path.read_text("utf-8"), digest=str(number) * 64,
                published_at=START, published_by="tester",
            )
        )  # fmt: skip


def number_with(ending: str) -> str:
    """A made-up number that ends so."""
    return f"+861000000{ending:0>4}"


def _zone(place: int) -> str:
    return ZONES[place % 8 % 3] if place % 8 < 3 else ZONES[0]


def incident_of(serial: int, number: str, zone: str, keys: KeyRing, now: datetime) -> Incident:
    """An incident that was closed two weeks before `now`, reported from this number."""
    incident = Incident(
        number=f"J{serial:06d}", public_id=f"{serial:032x}", category="纠纷", occurred_at=now - timedelta(days=14),
        closed_at=now - timedelta(days=13), zone=zone, phone_key=keys.phone_key(number), row_digest="",
    )  # fmt: skip
    incident.phone_sealed = keys.seal(number, place("incidents", "phone_sealed", incident.public_id))
    return incident
