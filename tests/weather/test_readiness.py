"""`/readyz` of both doors in bad weather: an answer within two seconds that names the cause, and none but good ones afterwards (RS71).

That an answer waits for no question, `tests/config/test_readiness.py` proves without a clock; here is told what it took.
"""

import time
from collections.abc import Callable

import pytest
import requests

from config.readiness import ANSWER_SECONDS
from tests.weather.conftest import Station
from tests.weather.proxy import BAD, FAIR, MUTE

SOON_SECONDS = 2.0
HANGING_SECONDS = 60.0
"""Who has waited for so long waits for something that hangs."""


@pytest.fixture(autouse=True)
def _clear_sky(station: Station) -> None:
    station.database.set(FAIR)
    station.store.set(FAIR)


def ready(station: Station, door: str) -> tuple[dict[str, str], float]:
    """What a door says of its needs, and after how many seconds."""
    began = time.monotonic()
    answer = requests.get(f"http://127.0.0.1:{getattr(station.house.settings, f'{door}_port')}/readyz", timeout=HANGING_SECONDS)
    return answer.json(), time.monotonic() - began


def comes_back(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + HANGING_SECONDS
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.slow
@pytest.mark.parametrize("door", ["voice", "console"])
@pytest.mark.parametrize("weather", [*BAD, MUTE])
def test_a_database_out_of_reach_is_named_at_once_and_asked_again_when_it_is_back(
    station: Station, weather: str, door: str, record_property: Callable[[str, object], None]
) -> None:
    assert comes_back(lambda: ready(station, door)[0]["database"] == "ok")
    station.database.set(weather)

    answers = [ready(station, door) for _ in range(3)]

    assert [found["database"] for found, _ in answers] == ["failing"] * 3
    assert [found["redis"] for found, _ in answers] == ["ok"] * 3
    record_property("told", f"RS71: {door}, {weather}: the slowest answer took {max(seconds for _, seconds in answers):.1f} s")
    assert 2 * ANSWER_SECONDS <= SOON_SECONDS, "Redis is asked first, then the database"
    station.database.set(FAIR)
    assert comes_back(lambda: ready(station, door)[0]["database"] == "ok")


@pytest.mark.slow
def test_a_connection_that_was_forgotten_on_the_way_is_replaced(station: Station) -> None:
    assert comes_back(lambda: ready(station, "voice")[0]["database"] == "ok")
    station.database.forget()

    assert comes_back(lambda: ready(station, "voice")[0]["database"] == "ok")
