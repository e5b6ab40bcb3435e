"""The same campaign where the database's server falls too. A module of its own: both engines run side by side."""

from pathlib import Path

import pytest

from tests import postgres
from tests.chaos.judged import Told, judge


@pytest.mark.slow
def test_everybody_is_rung_as_the_rules_say_although_the_database_falls_too(tmp_path: Path, record_property: Told) -> None:
    if postgres.programs() is None:
        pytest.skip("PostgreSQL is not installed here: the same campaign ran on SQLite only")
    judge("postgresql", tmp_path, record_property)
