"""The ground that all simulated runs of a process share, and no logging: a run of evil weather would fill pages."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.month import ground_in
from tests.simulation.world import Ground


@pytest.fixture(scope="session")
def months(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """People of every kind, tables and scripts."""
    return ground_in(tmp_path_factory.mktemp("months"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the recordings of a run go."""
    return tmp_path


@pytest.fixture(autouse=True)
def _quietly() -> Iterator[None]:
    logging.disable()
    yield
    logging.disable(logging.NOTSET)
