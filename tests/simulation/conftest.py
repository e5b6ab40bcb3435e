"""The ground that all simulated runs of a process share, and no logging: a run of evil weather would fill pages."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.simulation.ground import Ground, prepared_on
from tests.simulation.month import ENDINGS, ground_in


@pytest.fixture(scope="session")
def months(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """People of every kind, tables and scripts."""
    return ground_in(tmp_path_factory.mktemp("months"))


@pytest.fixture(scope="session")
def months_on_postgres(postgres_tables: postgres.Tables, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """The same people on PostgreSQL."""
    with prepared_on(postgres_tables, tmp_path_factory.mktemp("months"), ENDINGS) as ground:
        yield ground


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the recordings of a run go."""
    return tmp_path


@pytest.fixture(autouse=True)
def _quietly() -> Iterator[None]:
    logging.disable()
    yield
    logging.disable(logging.NOTSET)
