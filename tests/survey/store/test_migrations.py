"""The migrations end where the models stand, on both databases, however many processes come at once."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, event, inspect, text

from survey.store import migrations
from survey.store.database import open_engine
from survey.store.migrations import DatabaseAhead, TableInUse, current, head, migrate
from survey.store.models import Base


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of either kind."""
    if request.param == "postgresql":
        yield request.getfixturevalue("postgres_engine")
        return
    engine = open_engine(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    yield engine
    engine.dispose()


def test_the_head_equals_the_models(empty: Engine) -> None:
    migrate(empty)

    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_constraints_and_indexes_are_those_of_the_models(empty: Engine, tmp_path: Path) -> None:
    migrate(empty)
    migrated = shape(empty)
    with empty.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
        Base.metadata.drop_all(connection)
        Base.metadata.create_all(connection)

    assert migrated == shape(empty)


def shape(engine: Engine) -> dict[str, tuple[set[str], ...]]:
    found = inspect(engine)
    return {
        table: (
            {f"{column['name']} {column['type']!r} {column['nullable']}" for column in found.get_columns(table)},
            {str(index["name"]) + str(index["column_names"]) + str(index["unique"]) for index in found.get_indexes(table)},
            {str(unique["name"]) + str(unique["column_names"]) for unique in found.get_unique_constraints(table)},
            {str(key["name"]) + str(key["constrained_columns"]) for key in found.get_foreign_keys(table)},
        )
        for table in found.get_table_names()
        if table != "alembic_version"
    }


def test_a_second_run_changes_nothing(empty: Engine) -> None:
    assert migrate(empty) is None
    assert migrate(empty) == head() == current(empty)


def test_processes_that_come_at_once_wait_for_each_other(empty: Engine) -> None:
    told: list[str] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            migrate(empty, tell=told.append)
        except Exception as problem:
            failed.append(problem)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    steps = [sentence for sentence in told if "another process" not in sentence]
    assert failed == []
    assert current(empty) == head()
    assert len(steps) == len(set(steps)) > 5, "each step is taken once"


def test_a_migration_that_finds_a_table_in_use_lets_go_and_tries_again(empty: Engine) -> None:
    migrate(empty, "0001")
    in_use, results = empty.connect(), list[str | None]()
    held = in_use.begin()
    in_use.execute(
        text("UPDATE call_attempts SET step = 1" if empty.dialect.name == "sqlite" else "LOCK TABLE call_attempts IN ROW EXCLUSIVE MODE")
    )
    runner = threading.Thread(target=lambda: results.append(migrate(empty)))
    runner.start()
    runner.join(1.5)
    waited = runner.is_alive()
    held.commit()
    in_use.close()
    runner.join()

    assert waited
    assert results == ["0001"]
    assert current(empty) == head()


def test_a_table_that_is_never_free_is_named_and_the_next_start_goes_on(empty: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(empty, "0001")
    monkeypatch.setattr(migrations, "PATIENCE_SECONDS", 0.0)
    if empty.dialect.name == "sqlite":
        impatient = open_engine(empty.url.render_as_string(), patience_seconds=0.1)
    else:
        impatient = empty
    with empty.begin() as in_use:
        in_use.execute(text("UPDATE campaigns SET lines = 1" if empty.dialect.name == "sqlite" else "LOCK TABLE call_attempts"))
        with pytest.raises(TableInUse, match=r"table (campaigns|call_attempts) was in use.*goes on from here"):
            migrate(impatient)
    told: list[str] = []

    migrate(empty, tell=told.append)
    impatient.dispose()

    assert current(empty) == head()
    assert any("call_attempts" in sentence for sentence in told)
    if empty.dialect.name == "postgresql":
        assert not any("hourly_calls" in sentence for sentence in told), "that step was taken before"


ADDING = (
    r"ALTER TABLE \w+ ADD COLUMN .*", r"CREATE INDEX CONCURRENTLY .*", r"DROP INDEX CONCURRENTLY IF EXISTS ix_.*",
    r"UPDATE alembic_version SET .*",
)  # fmt: skip


def test_postgresql_is_told_nothing_that_stops_calls_or_takes_something_away(postgres_engine: Engine) -> None:
    migrate(postgres_engine, "0001")
    former = "|".join(inspect(postgres_engine).get_table_names())
    adding = (*ADDING, rf"CREATE TABLE (?!({former}) )\w+ .*", rf"CREATE (UNIQUE )?INDEX \w+ ON (?!({former}) )\w+ .*")
    changes: list[str] = []

    @event.listens_for(postgres_engine, "before_cursor_execute")
    def _note(connection: Connection, cursor: Any, statement: str, *rest: Any) -> None:
        words = " ".join(statement.split())
        if not words.startswith(("SELECT", "SET lock_timeout")):
            changes.append(words)

    migrate(postgres_engine)

    assert [change for change in changes if not any(re.fullmatch(pattern, change) for pattern in adding)] == []
    assert len(changes) > 20


def test_every_former_index_stands_or_is_the_beginning_of_one_that_does(empty: Engine) -> None:
    migrate(empty, "0001")
    former = indexes(empty)
    migrate(empty)
    present = indexes(empty)

    assert former - present != set(), "at least one was replaced"
    assert [(table, columns) for table, columns in former if not any(table == t and c[: len(columns)] == columns for t, c in present)] == []


def indexes(engine: Engine) -> set[tuple[str, tuple[str | None, ...]]]:
    found = inspect(engine)
    return {(table, tuple(index["column_names"])) for table in found.get_table_names() for index in found.get_indexes(table)}


def test_a_database_of_a_newer_program_is_left_alone(empty: Engine) -> None:
    migrate(empty)
    with empty.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(DatabaseAhead, match="9999"):
        migrate(empty)


def test_a_migration_that_fails_leaves_nothing_behind(empty: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(config: Config, revision: str) -> None:
        config.attributes["connection"].execute(text("CREATE TABLE half (id INTEGER)"))
        raise RuntimeError("in the middle")

    monkeypatch.setattr("survey.store.migrations.command.upgrade", fails)
    with pytest.raises(RuntimeError):
        migrate(empty)

    assert inspect(empty).get_table_names() == []
