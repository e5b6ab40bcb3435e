"""A campaign whose processes and queue fall all the time rings everybody as the rules say, and loses nothing (P1–P4, P6, P7)."""

from pathlib import Path

import pytest

from tests.chaos.judged import Told, judge


@pytest.mark.slow
def test_everybody_is_rung_as_the_rules_say_whatever_falls(tmp_path: Path, record_property: Told) -> None:
    judge("sqlite", tmp_path, record_property)
