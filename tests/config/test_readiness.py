"""`/readyz` tells each cause apart, and the house recovers without hands (RS47, RS71)."""

import shutil
import threading
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text

from config import readiness
from config.clock import SystemClock
from config.readiness import ANSWER_SECONDS, FATAL_FOR_CALLS, Bounded, Readiness
from config.settings import Settings
from config.sweep import LEASE
from config.wiring import House
from survey.alarms import SWEEP_SILENT_SECONDS
from survey.store.leases import hold
from survey.store.models import Incident
from survey.store.sealing import KeyRing, place
from tests import embedded
from tests.conftest import StandingClock
from worker.disk_room import LEAST_FREE_SHARE, PLENTY_BYTES, has_room
from worker.queues import InlineQueue

Usage = namedtuple("Usage", "total used free")
ALL_WELL = {"status": "ok", "database": "ok", "migration": "ok", "disk": "ok", "keys": "ok", "redis": "ok", "sweep": "ok"}


HANGING_SECONDS = 60.0
"""Who has waited for so long waits for something that hangs."""


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing hangs, every question is given the time that it takes on this machine."""
    monkeypatch.setattr(readiness, "ANSWER_SECONDS", HANGING_SECONDS)


@pytest.fixture(scope="module")
def redis_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("readiness")
    with embedded.running(folder):
        yield folder


@pytest.fixture
def house(redis_folder: Path, database_url: str, clock: StandingClock) -> Iterator[House]:
    """A house in which all is well: migrated, swept just now, with a sealed number and a Redis."""
    settings = Settings.from_env({"HUIFANG_DATA": str(redis_folder), "HUIFANG_DATABASE_URL": database_url}, None)
    house = House(settings, own_clock=clock, own_queue=InlineQueue())
    sweep(house, ago=0)
    with house.sessions.begin() as session:
        incident = Incident(
            number="J1",
            category="x",
            occurred_at=clock.now(),
            closed_at=clock.now(),
            zone="Asia/Shanghai",
            row_digest="",
            public_id="0" * 32,
        )
        incident.phone_sealed = house.keys.seal("+8610055550101", place("incidents", "phone_sealed", "0" * 32))
        session.add(incident)
    yield house
    house.engine.dispose()
    house.look_engine.dispose()


def sweep(house: House, ago: float) -> None:
    with house.sessions.begin() as session:
        assert hold(session, "sweep", "the clock process", SystemClock().now() - timedelta(seconds=ago), LEASE)


def without(need: str, state: str = "failing", status: str = "failing", **more: str) -> dict[str, str]:
    return {**ALL_WELL, "status": status, need: state, **more}


def test_a_house_in_which_all_is_well_is_ready(house: House) -> None:
    assert Readiness(house)() == (200, ALL_WELL)


def test_a_database_of_another_version(house: House) -> None:
    with house.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))

    assert Readiness(house)() == (503, without("migration", keys="unknown", sweep="unknown"))


def test_a_door_goes_on_while_an_upgrade_has_made_newer_tables_already(house: House) -> None:
    with house.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    assert Readiness(house)() == (200, ALL_WELL)


def test_a_silent_clock_process_stops_the_console_but_not_the_calls(house: House) -> None:
    sweep(house, ago=SWEEP_SILENT_SECONDS - 5)
    assert Readiness(house)()[0] == 200
    with house.engine.begin() as connection:
        connection.execute(text("UPDATE leases SET expires_at = :then WHERE name = 'sweep'"), {"then": "2026-01-01 00:00:00.000000+00:00"})

    assert Readiness(house)() == (503, without("sweep"))
    assert Readiness(house, FATAL_FOR_CALLS)() == (200, without("sweep", "degraded", "ok"))


def test_keys_that_open_nothing(house: House) -> None:
    other = House(replace(house.settings, pii_keys=KeyRing.generate()), own_clock=house.clock, own_queue=house.queue)

    assert Readiness(other)() == (503, without("keys"))
    other.look_engine.dispose()


def test_a_redis_that_is_gone_is_borne(house: House) -> None:
    other = House(replace(house.settings, redis_url="redis://127.0.0.1:1/0"), own_clock=house.clock, own_queue=house.queue)

    assert Readiness(other)() == (200, without("redis", "degraded", "ok"))
    other.look_engine.dispose()


def test_a_disk_without_room_and_one_that_has_room_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = Readiness(house)
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda folder: Usage(10**11, 10**11 - 10**9, 10**9))
        assert ready() == (503, without("disk"))

    assert ready() == (200, ALL_WELL)


def test_a_database_that_may_write_nothing_more_and_then_may_again(house: House) -> None:
    full = threading.Event()
    full.set()
    ready = Readiness(house)

    def refuse(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if full.is_set() and statement.startswith("UPDATE leases"):
            raise OSError(28, "No space left on device")

    event.listen(house.look_engine, "before_cursor_execute", refuse)
    status, found = ready()
    assert (status, found["database"]) == (503, "failing")

    full.clear()
    assert ready() == (200, ALL_WELL)


def test_a_database_that_never_answers_is_waited_for_a_second_and_not_asked_again_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    asked, release = [], threading.Event()

    def hang(self: Readiness) -> dict[str, str]:
        asked.append(self)
        release.wait(HANGING_SECONDS)
        release.set()
        return {"database": "ok"}

    monkeypatch.setattr(readiness, "ANSWER_SECONDS", ANSWER_SECONDS)
    with monkeypatch.context() as stuck:
        stuck.setattr(Readiness, "_look_at_what_is_stored", hang)
        ready = Readiness(house)
    began = time.monotonic()
    answers = [ready() for _ in range(5)]

    seconds = time.monotonic() - began
    record_property("told", f"RS71: five answers without a database after {seconds:.1f} s, the first waits for {ANSWER_SECONDS}")
    assert {(status, found["database"]) for status, found in answers} == {(503, "failing")}
    assert len(asked) == 1
    release.set()


def test_a_writer_that_does_not_let_go_is_noticed_and_not_asked_again_meanwhile(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "ANSWER_SECONDS", ANSWER_SECONDS)
    ready = Readiness(house)
    with house.engine.connect() as other:
        other.execute(text("UPDATE leases SET owner = 'somebody' WHERE name = 'sweep'"))
        other.execute(text("INSERT INTO leases (name, owner, expires_at) VALUES ('readiness', 'somebody', '2026-01-01 00:00:00')"))
        for _ in range(5):
            status, found = ready()
            assert (status, found["database"]) == (503, "failing")
        assert sum(thread.name == readiness.PROBE for thread in threading.enumerate()) <= 1
        other.rollback()
    until = time.monotonic() + HANGING_SECONDS
    while (answer := ready())[0] != 200 and time.monotonic() < until:
        time.sleep(0.05)
    assert answer == (200, ALL_WELL)


def test_what_fails_unexpectedly_is_unready_and_does_not_block_the_next_question() -> None:
    answers = iter([ZeroDivisionError, {"database": "ok"}])

    def ask() -> dict[str, str]:
        answer = next(answers)
        if isinstance(answer, dict):
            return answer
        raise answer

    bounded = Bounded(ask, {"database": "failing"})

    assert bounded() == {"database": "failing"}
    assert bounded() == {"database": "ok"}


@pytest.mark.parametrize(
    ("total", "free", "room"),
    [(10**11, 10**10, True), (10**11, 2 * 10**9, False), (10**13, 10**10, True), (10**9, 10**8, True), (10**9, 10**7, False)],
)
def test_room_is_a_share_of_the_disk_or_plenty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: int, free: int, room: bool) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(total, total - free, free))

    assert has_room(tmp_path) is room
    assert (free > total * LEAST_FREE_SHARE or free > PLENTY_BYTES) is room


def test_a_disk_that_cannot_be_asked_has_no_room(tmp_path: Path) -> None:
    assert not has_room(tmp_path / "gone")


def test_both_doors_answer_and_tell_strangers_nothing(house: House) -> None:
    voice, console = house.voice_app().test_client(), house.console_app().test_client()

    assert console.get("/readyz").json == voice.get("/readyz").json == ALL_WELL
    stranger = {"X-Forwarded-For": "203.0.113.9"}
    assert [door.get("/readyz", headers=stranger).status_code for door in (voice, console)] == [403, 403]
    assert console.get("/metrics", headers=stranger).status_code == 403
    assert [door.get("/healthz", headers=stranger).status_code for door in (voice, console)] == [200, 200]


def test_health_needs_nothing_even_where_nothing_is(tmp_path: Path) -> None:
    settings = Settings.from_env({"HUIFANG_DATA": str(tmp_path), "HUIFANG_DATABASE_URL": "postgresql://127.0.0.1:1/nothing"}, None)
    house = House(settings, own_queue=InlineQueue())

    assert house.console_app().test_client().get("/healthz").json == {"status": "ok"}
    status, found = Readiness(house)()
    assert (status, found["database"], found["migration"]) == (503, "failing", "unknown")


def test_a_sealed_value_is_looked_for_where_there_is_none(house: House) -> None:
    with house.engine.begin() as connection:
        connection.execute(text("DELETE FROM incidents"))

    assert Readiness(house)() == (200, ALL_WELL)
    assert tuple(name for name in ALL_WELL if name != "status") == readiness.NEEDS


def test_the_token_opens_operations_to_other_machines(house: House) -> None:
    token = "t" * 40
    console = (
        House(replace(house.settings, operations_token=token), own_clock=house.clock, own_queue=house.queue).console_app().test_client()
    )
    far = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}

    for path in ("/metrics", "/readyz"):
        assert console.get(path, **far).status_code == 403
        assert console.get(path, headers={"Authorization": "Bearer wrong"}, **far).status_code == 403
        assert console.get(path, headers={"Authorization": f"Bearer {token}"}, **far).status_code == 200
