"""The console in bad weather: every page answers soon, with itself or with an error page that has a number to quote."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from survey import accounts
from tests.weather.conftest import Station
from tests.weather.proxy import BAD, FAIR

SOON_SECONDS, HANGING_SECONDS = 15.0, 60.0
"""The first is less than what a page's statement may take (20 s), and much more than a page that does not wait for one."""

WEATHERS = [(road, weather) for road in ("database", "store") for weather in BAD]
REFERENCE = re.compile(r"[0-9A-Fa-f]{6,}")


@pytest.fixture
def browser(station: Station) -> requests.Session:
    """An administrator who has logged in."""
    station.database.set(FAIR)
    station.store.set(FAIR)
    name = f"admin{time.monotonic_ns()}"
    with station.ground.work() as work:
        password = accounts.add_user(work.session, name, "administrator", "管理员", station.ground.now)
    opened, base = requests.Session(), address(station)
    token = re.search(r'name="csrf_token" value="([^"]+)"', opened.get(f"{base}/login", timeout=HANGING_SECONDS).text)
    assert token
    form = {"name": name, "password": password, "csrf_token": token[1]}
    answer = opened.post(f"{base}/login", form, timeout=HANGING_SECONDS, allow_redirects=False)
    assert answer.status_code == 303
    return opened


def address(station: Station) -> str:
    return f"http://127.0.0.1:{station.house.settings.console_port}"


def pages(station: Station) -> list[str]:
    """Every page that needs no further word in its address."""
    rules = station.house.console_app().url_map.iter_rules()
    quiet = ("static", "logout", "healthz", "readyz", "metrics")
    return sorted(
        rule.rule for rule in rules if "GET" in rule.methods and not rule.arguments and not any(word in rule.rule for word in quiet)
    )


@pytest.mark.slow
@pytest.mark.parametrize(("road", "weather"), WEATHERS)
def test_every_page_answers_soon_and_comes_back_by_itself(
    station: Station, browser: requests.Session, road: str, weather: str, record_property: Callable[[str, object], None]
) -> None:
    wanted = pages(station)
    getattr(station, road).set(weather)

    def get(page: str) -> tuple[str, requests.Response, float]:
        began = time.monotonic()
        answer = requests.get(address(station) + page, cookies=browser.cookies, timeout=HANGING_SECONDS, allow_redirects=False)
        return page, answer, time.monotonic() - began

    with ThreadPoolExecutor(len(wanted)) as pool:
        answers = list(pool.map(get, wanted))
    getattr(station, road).set(FAIR)

    record_property("told", f"{road}, {weather}: the slowest of {len(wanted)} pages took {max(took for *_, took in answers):.1f} s")
    assert len(wanted) > 5
    assert [f"{page} took {seconds:.1f} s" for page, _, seconds in answers if seconds > SOON_SECONDS] == []
    for page, answer, _ in answers:
        assert answer.status_code < 500 or REFERENCE.search(answer.text), f"{page} answered {answer.status_code} without a number to quote"
        assert answer.status_code < 500 or (answer.status_code == 503 and "数据库没有应答" in answer.text), (
            f"{page} does not say what is wrong"
        )
    if road == "database":
        assert sum(answer.status_code == 503 for _, answer, _ in answers) > len(wanted) / 2
    assert all(get(page)[1].status_code < 500 for page in wanted), "recovers without hands"
