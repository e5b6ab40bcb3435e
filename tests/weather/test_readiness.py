"""`/readyz` of both doors in bad weather: an answer within two seconds that names the cause, and none but good ones afterwards (RS71)."""

import time
from collections.abc import Callable

import pytest
import requests

from tests.weather.conftest import Station
from tests.weather.proxy import BAD, FAIR, MUTE

SOON_SECONDS = 2.0
AGAIN_SECONDS = 15.0


@pytest.fixture(autouse=True)
def _clear_sky(station: Station) -> None:
    station.database.set(FAIR)
    station.store.set(FAIR)


def ready(station: Station, door: str) -> tuple[dict[str, str], float]:
    """What a door says of its needs, and after how many seconds."""
    began = time.monotonic()
    answer = requests.get(f"http://127.0.0.1:{getattr(station.house.settings, f'{door}_port')}/readyz", timeout=30)
    return answer.json(), time.monotonic() - began


def comes_back(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + AGAIN_SECONDS
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.slow
@pytest.mark.parametrize("door", ["voice", "console"])
@pytest.mark.parametrize("weather", [*BAD, MUTE])
def test_a_database_out_of_reach_is_named_at_once_and_asked_again_when_it_is_back(station: Station, weather: str, door: str) -> None:
    assert comes_back(lambda: ready(station, door)[0]["database"] == "ok")
    station.database.set(weather)

    answers = [ready(station, door) for _ in range(3)]

    assert [found["database"] for found, _ in answers] == ["failing"] * 3
    assert [found["redis"] for found, _ in answers] == ["ok"] * 3
    assert max(seconds for _, seconds in answers) < SOON_SECONDS
    station.database.set(FAIR)
    assert comes_back(lambda: ready(station, door)[0]["database"] == "ok")


@pytest.mark.slow
def test_a_connection_that_was_forgotten_on_the_way_is_replaced(station: Station) -> None:
    assert comes_back(lambda: ready(station, "voice")[0]["database"] == "ok")
    station.database.forget()

    assert comes_back(lambda: ready(station, "voice")[0]["database"] == "ok")
