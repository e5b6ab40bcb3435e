"""A backup is one moment of the whole database; brought back, on whichever engine, it is that moment again, or it is refused."""

import io
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from survey.errors import BadInput, NotAllowed, SurveyError
from survey.store import audit, backup, lines, restore
from survey.store.backup import Manifest, Secrets
from survey.store.database import open_engine, session_factory
from survey.store.migrations import DatabaseAhead, current, head, migrate
from survey.store.models import Answer, AuditEntry, CallAttempt, Incident, Recording, Unit
from survey.store.parts import PIECE_BYTES, PartWriter, open_part
from survey.store.sealing import KeyRing, place
from tests.survey.fieldwork.conftest import Ground, ground

__all__ = ["ground"]
NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
SEALING = b"backup key of the tests, 32 byte"


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database elsewhere, of either kind."""
    if request.param == "postgresql":
        yield request.getfixturevalue("postgres_engine")
        return
    engine = open_engine(f"sqlite:///{tmp_path / 'elsewhere.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def secrets(audit_key: bytes) -> Secrets:
    return Secrets(audit_key)


@pytest.fixture
def lived_in(ground: Ground, tmp_path: Path) -> Ground:
    """A house with calls, answers, an audit trail and one recording."""
    ground.launch(4)
    for attempt_id, keys in zip(ground.claim(), ("11111", "2222"), strict=False):
        ground.place_call(attempt_id)
        ground.talk(ground.attempt(attempt_id).token, keys)
    a_recording(ground, tmp_path / "data")
    return ground


def a_recording(ground: Ground, data: Path) -> Path:
    with ground.work() as work:
        attempt = work.session.scalars(select(CallAttempt)).first()
        assert attempt
        public_id = "ab" * 16
        path = Path("recordings") / "ab" / f"{public_id}.sealed"
        work.session.add(Recording(public_id=public_id, respondent_id=attempt.respondent_id, attempt_id=attempt.id, item="remark",
                                   carrier_sid="RE1", state="kept", path=str(path), announced_at=NOW))  # fmt: skip
    sealed = ground.office.keys.seal_bytes(b"sound", place("recordings", "path", public_id))
    (data / path).parent.mkdir(parents=True)
    (data / path).write_bytes(sealed)
    return data / path


def back_up(ground: Ground, tmp_path: Path, secrets: Secrets, now: datetime = NOW) -> tuple[Path, Manifest]:
    return backup.make(ground.engine, tmp_path / "data", tmp_path / "backups", secrets, now, "test")


def content(engine: Engine) -> dict[str, list[bytes]]:
    with engine.connect() as connection:
        return {table.name: list(lines.written(connection, table)) for table in lines.tables_of(connection)}


def test_what_is_brought_back_on_either_engine_equals_what_was_backed_up_on_either(
    lived_in: Ground, target: Engine, tmp_path: Path, secrets: Secrets, keys: KeyRing
) -> None:
    made, _ = back_up(lived_in, tmp_path, secrets)
    manifest = restore.examine(made, secrets, keys)
    outcome = restore.fill(target, made, manifest, secrets)

    assert content(target) == content(lived_in.engine)
    assert outcome.rows == manifest.row_count > 30
    assert manifest.keys == ["k1"]
    with session_factory(target)() as session:
        assert list(audit.verify(session, secrets.audit_key)) == []
        incident = session.scalars(select(Incident)).first()
        assert incident
        assert keys.open(incident.phone_sealed, place("incidents", "phone_sealed", incident.public_id))


def test_the_house_works_on_after_it_was_brought_back(
    lived_in: Ground, target: Engine, tmp_path: Path, secrets: Secrets, keys: KeyRing
) -> None:
    made, manifest = back_up(lived_in, tmp_path, secrets)
    restore.fill(target, made, manifest, secrets)
    there = Ground(target, lived_in.office, lived_in.clock)

    with there.sessions() as session:
        claimed = session.scalars(select(CallAttempt.id).where(CallAttempt.status == "claimed")).first()
    assert claimed
    there.place_call(claimed)
    there.talk(there.attempt(claimed).token, "111111")

    with there.sessions() as session:
        assert session.scalars(select(Answer).where(Answer.attempt_id == claimed)).all()


def test_recordings_come_back_where_they_were(lived_in: Ground, tmp_path: Path, secrets: Secrets) -> None:
    made, manifest = back_up(lived_in, tmp_path, secrets)
    before = {path.name: path.read_bytes() for path in (tmp_path / "data").rglob("*.sealed")}

    assert restore.unpack_recordings(made, manifest, secrets, tmp_path / "elsewhere") == manifest.recordings == 1
    assert {path.name: path.read_bytes() for path in (tmp_path / "elsewhere").rglob("*.sealed")} == before


def test_a_recording_taken_back_during_the_backup_is_named_and_stops_nothing(lived_in: Ground, tmp_path: Path, secrets: Secrets) -> None:
    for path in (tmp_path / "data").rglob("*.sealed"):
        path.unlink()

    manifest = back_up(lived_in, tmp_path, secrets)[1]
    assert len(manifest.missing) == 1
    assert backup.lacking(lived_in.engine, manifest) == manifest.missing, "the database names it still"

    with lived_in.work() as work:
        work.session.scalars(select(Recording)).one().path = None
    assert backup.lacking(lived_in.engine, manifest) == []


def test_a_backup_under_load_is_a_prefix_of_what_was_committed(engine: Engine, target: Engine, tmp_path: Path, secrets: Secrets) -> None:
    """Each writer adds a unit and its audit entry in one transaction, one after the other."""
    done, problems = threading.Event(), list[Exception]()
    begun = threading.Barrier(4)

    def write(writer: int) -> None:
        try:
            for number in range(10_000):
                if done.is_set():
                    return
                with Session(engine) as session, session.begin():
                    session.add(Unit(code=f"{writer}-{number}", name="所"))
                    audit.append(session, secrets.audit_key, NOW, "tester", "unit.add", f"unit:{writer}-{number}")
                if number == 5:
                    begun.wait(120)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(3)]
    for thread in threads:
        thread.start()
    begun.wait(120)
    made, manifest = backup.make(engine, tmp_path, tmp_path / "backups", secrets, NOW, "test")
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []

    restore.fill(target, made, manifest, secrets)
    with session_factory(target)() as session:
        assert list(audit.verify(session, secrets.audit_key)) == []
        codes = set(session.scalars(select(Unit.code)))
        subjects = session.scalars(select(AuditEntry.subject).order_by(AuditEntry.n)).all()
    assert {f"unit:{code}" for code in codes} == set(subjects)
    with session_factory(engine)() as session:
        every = session.scalars(select(AuditEntry.subject).order_by(AuditEntry.n)).all()
    assert every[: len(subjects)] == subjects
    assert len(subjects) == manifest.audit["n"] >= 15


def test_a_sealed_backup_shows_nothing_and_opens_with_its_key_alone(
    lived_in: Ground, target: Engine, tmp_path: Path, secrets: Secrets, keys: KeyRing
) -> None:
    sealing = replace(secrets, backup_key=SEALING)
    made, manifest = back_up(lived_in, tmp_path, sealing)

    assert all(not part.read_bytes().startswith(b"\x1f\x8b") for part in made.glob("*.gz"))
    with pytest.raises(NotAllowed, match="HUIFANG_BACKUP_KEY"):
        restore.examine(made, secrets, keys)
    with pytest.raises(BadInput, match="HUIFANG_BACKUP_KEY"):
        restore.fill(target, made, manifest, replace(secrets, backup_key=SEALING[::-1]))
    with target.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM units")) == 0


def test_a_sealed_backup_is_brought_back_whole(lived_in: Ground, target: Engine, tmp_path: Path, secrets: Secrets) -> None:
    sealing = replace(secrets, backup_key=SEALING)
    made, manifest = back_up(lived_in, tmp_path, sealing)
    restore.fill(target, made, manifest, sealing)

    assert content(target) == content(lived_in.engine)


@pytest.mark.parametrize("length", [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES])
def test_a_sealed_part_of_any_length_comes_back_and_cannot_be_cut_or_renamed(tmp_path: Path, length: int) -> None:
    writer = PartWriter(tmp_path / "part", SEALING)
    writer.write(b"x" * length)
    told = writer.finish()

    with open_part(tmp_path / "part", SEALING) as part:
        assert part.read() == b"x" * length
    assert told.bytes == (tmp_path / "part").stat().st_size
    whole = (tmp_path / "part").read_bytes()
    (tmp_path / "other").write_bytes(whole)
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "part").write_bytes(whole[: -(length % PIECE_BYTES + 16) or None])
    for damaged in (tmp_path / "other", tmp_path / "cut" / "part"):
        with pytest.raises(BadInput), open_part(damaged, SEALING) as part:
            assert part.read() == b""  # only nothing may be left of what was cut to nothing


def cut_off(made: Path) -> None:
    path = made / "audit_entries.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-1])


def altered(made: Path) -> None:
    path = made / "units.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-1] + b"\7")


def removed(made: Path) -> None:
    (made / backup.RECORDINGS).unlink()


def without_manifest(made: Path) -> None:
    (made / backup.MANIFEST).unlink()


def edited(made: Path) -> None:
    told = json.loads((made / backup.MANIFEST).read_text("utf-8"))
    told["tables"]["units"]["rows"] += 1
    (made / backup.MANIFEST).write_text(json.dumps(told), "utf-8")


def garbled(made: Path) -> None:
    (made / backup.MANIFEST).write_text("{", "utf-8")


@pytest.mark.parametrize("damage", [cut_off, altered, removed, without_manifest, edited, garbled], ids=lambda damage: damage.__name__)
def test_a_damaged_backup_is_refused(
    lived_in: Ground, tmp_path: Path, secrets: Secrets, keys: KeyRing, damage: Callable[[Path], None]
) -> None:
    made, _ = back_up(lived_in, tmp_path, secrets)
    restore.examine(made, secrets, keys)
    damage(made)

    with pytest.raises(BadInput):
        restore.examine(made, secrets, keys)


def resealed(made: Path, secrets: Secrets, **changes: object) -> None:
    manifest = replace(Manifest(**json.loads((made / backup.MANIFEST).read_text("utf-8"))), **changes)  # type: ignore[arg-type]
    manifest.seal = manifest.sealed_by(secrets.audit_key)
    (made / backup.MANIFEST).write_text(json.dumps(manifest.__dict__), "utf-8")


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [({"revision": "9999"}, DatabaseAhead, "9999"), ({"keys": ["k0", "k1"]}, NotAllowed, "k0"), ({"format": 2}, BadInput, "update")],
)
def test_what_this_program_or_these_keys_cannot_read_is_refused(
    lived_in: Ground, tmp_path: Path, secrets: Secrets, keys: KeyRing, changes: dict[str, object], error: type[SurveyError], words: str
) -> None:
    made, _ = back_up(lived_in, tmp_path, secrets)
    resealed(made, secrets, **changes)

    with pytest.raises(error, match=words):
        restore.examine(made, secrets, keys)


def test_a_table_that_is_not_what_was_backed_up_leaves_the_database_empty(
    lived_in: Ground, target: Engine, tmp_path: Path, secrets: Secrets
) -> None:
    made, manifest = back_up(lived_in, tmp_path, secrets)
    manifest.tables["units"]["digest"] = "0" * 64

    with pytest.raises(BadInput, match="units"):
        restore.fill(target, made, manifest, secrets)
    with session_factory(target)() as session:
        assert session.scalar(select(func.count()).select_from(Unit)) == 0


def test_a_database_that_is_not_empty_is_left_alone(lived_in: Ground, tmp_path: Path, secrets: Secrets) -> None:
    made, manifest = back_up(lived_in, tmp_path, secrets)

    with pytest.raises(NotAllowed, match="not empty"):
        restore.fill(lived_in.engine, made, manifest, secrets)


def test_a_backup_of_the_first_release_is_brought_up_to_this_one(target: Engine, tmp_path: Path, secrets: Secrets, keys: KeyRing) -> None:
    old = open_engine(f"sqlite:///{tmp_path / 'old.sqlite'}")
    migrate(old, "0001")
    with old.begin() as connection:
        connection.execute(text("INSERT INTO units (code, name) VALUES ('a', '一所'), ('b', '二所')"))
    made, _ = backup.make(old, tmp_path, tmp_path / "backups", secrets, NOW, "test")
    old.dispose()
    restore.fill(target, made, restore.examine(made, secrets, keys), secrets)

    assert current(target) == head()
    with Session(target) as session, session.begin():
        session.add(Unit(code="c", name="三所"))  # its number follows those that came back
    with Session(target) as session:
        assert [(unit.id, unit.name) for unit in session.scalars(select(Unit).order_by(Unit.id))] == [(1, "一所"), (2, "二所"), (3, "三所")]


def test_an_empty_database_has_nothing_to_back_up(target: Engine, tmp_path: Path, secrets: Secrets) -> None:
    with pytest.raises(NotAllowed, match="empty"):
        backup.make(target, tmp_path, tmp_path / "backups", secrets, NOW, "test")

    assert [path.name for path in (tmp_path / "backups").iterdir()] == [".lock"]


def test_what_a_killed_backup_left_behind_goes_with_the_next(lived_in: Ground, tmp_path: Path, secrets: Secrets) -> None:
    left = tmp_path / "backups" / ".huifang-20260101-000000.part"
    left.mkdir(parents=True)
    (left / "units.jsonl.gz").write_bytes(b"half")
    made, _ = back_up(lived_in, tmp_path, secrets)

    assert {path.name for path in made.parent.iterdir()} == {".lock", made.name}


def test_the_newest_are_kept_and_nothing_else_is_touched(lived_in: Ground, tmp_path: Path, secrets: Secrets) -> None:
    (tmp_path / "backups" / "mine").mkdir(parents=True)
    made = [back_up(lived_in, tmp_path, secrets, NOW + timedelta(days=day))[0] for day in range(4)]
    (made[0] / backup.MANIFEST).unlink()  # no whole backup: not ours to judge

    assert backup.keep_newest(tmp_path / "backups", 2) == [made[1]]
    assert {path.name for path in (tmp_path / "backups").iterdir()} == {".lock", "mine", made[0].name, made[2].name, made[3].name}


def test_a_path_out_of_the_folder_is_not_followed(lived_in: Ground, tmp_path: Path, secrets: Secrets) -> None:
    import tarfile

    made, manifest = back_up(lived_in, tmp_path, secrets)
    with tarfile.open(made / backup.RECORDINGS, "w") as archive:
        entry = tarfile.TarInfo("../outside")
        entry.size = 1
        archive.addfile(entry, io.BytesIO(b"x"))

    with pytest.raises(tarfile.TarError):
        restore.unpack_recordings(made, manifest, secrets, tmp_path / "elsewhere")
    assert not (tmp_path / "outside").exists()
    shutil.rmtree(made)
