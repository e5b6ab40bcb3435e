"""Keys change while the house works: nothing becomes unreadable, nothing stays under the old key, a fall costs nothing."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from survey.store import rotation
from survey.store.models import Base, Incident, RegisterEntry
from survey.store.queries.register import signed_by
from survey.store.sealing import KeyRing, key_of, place
from tests.conftest import RING
from tests.survey.fieldwork.conftest import Ground, ground
from tests.survey.store.test_backup import a_recording

__all__ = ["ground"]
NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
INDEX, OLD = RING.split(",")
BOTH = KeyRing.parse(f"{INDEX},k2:{'bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldy0='},{OLD}")


@pytest.fixture
def many(sessions: sessionmaker[Session], keys: KeyRing) -> sessionmaker[Session]:
    """1,200 incidents with two sealed values each."""
    with sessions.begin() as session:
        session.add_all(
            Incident(number=f"J{n}", public_id=f"{n:032x}", category="x", zone="Asia/Shanghai", row_digest="", occurred_at=NOW,
                     closed_at=NOW, phone_sealed=keys.seal(f"+86100{n:08}", place("incidents", "phone_sealed", f"{n:032x}")),
                     place_sealed=keys.seal("某路", place("incidents", "place_sealed", f"{n:032x}")))
            for n in range(1200)
        )  # fmt: skip
    return sessions


def test_everything_bears_the_new_key_while_readers_read_every_value(many: sessionmaker[Session], tmp_path: Path) -> None:
    done, problems, read = threading.Event(), list[Exception](), list[int]()

    def look() -> None:
        try:
            while not done.is_set():
                with many() as session:
                    for incident in session.scalars(select(Incident).limit(50)):
                        number = BOTH.open(incident.phone_sealed, place("incidents", "phone_sealed", incident.public_id))
                        assert number == f"+86100{int(incident.public_id, 16):08}"
                read.append(1)
        except Exception as error:
            problems.append(error)

    reader = threading.Thread(target=look)
    reader.start()
    assert rotation.rotate(many, BOTH, tmp_path) == 2400
    done.set()
    reader.join()

    assert problems == []
    assert dict(rotation.counted(many, tmp_path)) == {"k2": 2400}


def test_a_rotation_that_fell_in_the_middle_is_taken_up(many: sessionmaker[Session], tmp_path: Path) -> None:
    def fall(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotation.rotate(many, BOTH, tmp_path, fall)
    before = rotation.counted(many, tmp_path)
    assert before["k1"]
    assert before["k2"]

    assert rotation.rotate(many, BOTH, tmp_path) == before["k1"]
    assert rotation.rotate(many, BOTH, tmp_path) == 0


def test_a_value_that_changed_meanwhile_is_not_overwritten(
    many: sessionmaker[Session], tmp_path: Path, keys: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = place("incidents", "phone_sealed", f"{0:032x}")
    changes = rotation._changes

    def meanwhile(*given: object) -> object:
        with many.begin() as session:
            session.execute(update(Incident).where(Incident.number == "J0").values(phone_sealed=keys.seal("+8610099999999", where)))
        return changes(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(rotation, "_changes", meanwhile)
    rotation.rotate(many, BOTH, tmp_path)

    with many() as session:
        sealed = session.scalars(select(Incident.phone_sealed).where(Incident.number == "J0")).one()
    assert BOTH.open(sealed, where) == "+8610099999999"


def test_recordings_are_sealed_again_too_and_open_as_before(ground: Ground, tmp_path: Path) -> None:
    ground.launch(1)
    ground.dial_next()
    path = a_recording(ground, tmp_path)
    rotation.rotate(ground.sessions, BOTH, tmp_path)

    assert key_of(path.read_bytes()) == "k2"
    assert BOTH.open_bytes(path.read_bytes(), place("recordings", "path", "ab" * 16)) == b"sound"
    assert [left.name for left in path.parent.iterdir()] == [path.name]


def test_the_officer_of_a_register_entry_is_sealed_again_too(many: sessionmaker[Session], keys: KeyRing, tmp_path: Path) -> None:
    with many.begin() as session:
        incident = session.scalars(select(Incident).where(Incident.number == "J7")).one()
        sealed = keys.seal("周警官", place("register_entries", "by_sealed", str(incident.id)))
        session.add(RegisterEntry(incident_id=incident.id, state="signed", by_sealed=sealed, at=NOW))

    assert rotation.rotate(many, BOTH, tmp_path) == 2401

    with many() as session:
        entry = session.scalars(select(RegisterEntry)).one()
        assert entry.by_sealed is not None
        assert (key_of(entry.by_sealed), signed_by(BOTH, entry)) == ("k2", "周警官")


def test_every_table_with_sealed_columns_has_the_ids_that_rotation_needs() -> None:
    found = rotation.sealed_tables()

    assert Base.metadata.tables["incidents"] in found
    assert all("id" in table.columns for table in found)
    assert all(rotation.identity(table) is not None for table in found)
