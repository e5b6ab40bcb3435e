"""`./huifang demo` as a newcomer meets it: its hints are read as printed, an operator goes on duty, a unit presses the button."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
from sqlalchemy import select

from config.demo_parts import DESK_TELEPHONE, PARTS
from config.settings import Settings
from config.wiring import House
from survey.store.models import AuditEntry, CallAttempt, Takeover
from tests.ivr.simulator.tab import Tab, opened
from tests.walk import demonstration
from tests.walk.demonstration import PLAY_SECONDS, Demonstration

pytestmark = pytest.mark.slow

SHANGHAI = ZoneInfo("Asia/Shanghai")
CLOCK_TOLD = re.compile(r"时钟 / clock +(\d{4}-\d\d-\d\d \d\d:\d\d)")
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
TIME_SHOWN = re.compile(r"Demonstration time: (\d{4}-\d\d-\d\d \d\d:\d\d)")


@dataclass
class Served:
    """A demonstration that has played its month and serves, and its house as another process sees it."""

    demonstration: Demonstration
    house: House

    @property
    def console(self) -> str:
        return self.demonstration.console

    @property
    def passwords(self) -> dict[str, str]:
        return self.demonstration.passwords

    def enter(self, name: str) -> requests.Session:
        """A browser in which somebody has logged in with the password that was printed."""
        browser = requests.Session()
        browser.headers["Accept-Language"] = "en"
        answer = browser.post(
            f"{self.console}/login", data={"name": name, "password": self.passwords[name], "csrf_token": self.token(browser)}, timeout=30
        )
        assert "/login" not in answer.url, f"{name} is not let in"
        return browser

    def token(self, browser: requests.Session) -> str:
        found = TOKEN.search(browser.get(f"{self.console}/account", timeout=30).text)
        assert found
        return found[1]

    def do(self, browser: requests.Session, address: str, **form: str) -> requests.Response:
        """Press a button of a form."""
        answer = browser.post(f"{self.console}{address}", data={**form, "csrf_token": self.token(browser)}, timeout=60)
        assert answer.status_code == 200, answer.text[-2000:]
        return answer

    def shown(self, browser: requests.Session) -> datetime:
        """The time that the page shows."""
        found = TIME_SHOWN.search(browser.get(f"{self.console}/account", timeout=30).text)
        assert found, "the page shows no time: is it the log-in?"
        return datetime.fromisoformat(found[1])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with demonstration.served(tmp_path_factory.mktemp("served")) as served:
        seen = {
            "HUIFANG_DATA": str(served.data), "HUIFANG_ENVIRONMENT": "demo", "HUIFANG_CLOCK_FILE": str(served.data / "run" / "clock"),
        }  # fmt: skip
        house = House(Settings.from_env(seen, None))
        yield Served(served, house)
        house.engine.dispose()


def test_serving_begins_in_the_morning_of_a_working_day_and_time_passes(served: Served) -> None:
    told = CLOCK_TOLD.search(served.demonstration.printed)

    assert told
    assert (told[1][11:], datetime.fromisoformat(told[1]).weekday() < 5) == ("09:00", True)
    assert served.house.clock.passes()  # type: ignore[attr-defined]


def test_every_part_that_is_printed_is_let_in(served: Served) -> None:
    assert set(served.passwords) == {part.name for part in PARTS}
    for part in PARTS:
        served.enter(part.name)


def test_a_newcomer_goes_on_duty_takes_the_call_over_at_the_browser_phone_hands_it_back_and_sorts_it_out(served: Served) -> None:
    operator, came = served.enter("desk"), served.house.clock.now()
    with handset(served) as telephone:
        served.do(operator, "/desk/duty", state="on")
        takeover = until(lambda: next(iter(_takeovers(served.house)), None))
        assert (takeover.state, takeover.reason) == ("waiting", "dissatisfied")
        assert came < _attempt(served.house, takeover).answered_at < takeover.opened_at, "a call that was placed and answered"
        call = f"/desk/calls/{takeover.public_id}"

        served.do(operator, f"{call}/claim")
        telephone.until_phase("ringing")
        telephone.do("answer")
        until(lambda: telephone.words)
        telephone.do("key", key="1")
        until(lambda: _takeovers(served.house)[0].state == "talking")
        served.do(operator, f"{call}/deed", deed="handed_back")
        until(lambda: _takeovers(served.house)[0].state == "wrap")
        served.do(operator, f"{call}/wrap-up", verdict="order", consent="yes", remark="")

    [takeover] = _takeovers(served.house)
    assert (takeover.state, takeover.result, takeover.verdict) == ("done", "handed_back", "order")
    until(lambda: _attempt(served.house, takeover).disposition == "complete")
    served.do(operator, "/desk/duty", state="off")


def test_the_button_brings_the_next_working_day_for_everybody_and_logs_nobody_out(served: Served) -> None:
    unit, centre = served.enter("unit"), served.enter("centre")
    before = served.shown(centre)

    answer = unit.post(f"{served.console}/demonstration/next-day", data={"csrf_token": served.token(unit), "next": "/account"}, timeout=60)

    assert answer.url == f"{served.console}/account"
    after = served.shown(centre)
    assert after.date() > before.date()
    assert (after.hour, after.minute < 5) == (9, True)
    assert served.shown(unit) >= after
    assert served.house.clock.now().astimezone(SHANGHAI).date() == after.date(), "workers and doors read the same clock"
    with served.house.sessions() as session:
        [entry] = session.scalars(select(AuditEntry).where(AuditEntry.action == "demo.next_day")).all()
    assert entry.actor == "unit"


@contextmanager
def handset(served: Served) -> Iterator[Tab]:
    """The operator's telephone, opened in the browser at the printed address."""
    desk_phone = served.demonstration.desk_phone
    address = re.search(r"ws://[0-9.:]+/", requests.get(desk_phone, timeout=30).text)
    assert address
    origin = desk_phone.partition("/phone")[0]
    exchange = SimpleNamespace(base_url=origin, phones=SimpleNamespace(door=SimpleNamespace(address=lambda: address[0])))
    with opened(exchange, DESK_TELEPHONE) as tab:  # type: ignore[arg-type]
        yield tab


def until(found: Callable[[], Any]) -> Any:
    """Wait until there is something; what there is."""
    end = time.monotonic() + PLAY_SECONDS
    while not (value := found()):
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.1)
    return value


def _takeovers(house: House) -> list[Takeover]:
    with house.sessions() as session:
        return list(session.scalars(select(Takeover)))


def _attempt(house: House, takeover: Takeover) -> Any:
    with house.sessions() as session:
        return session.get_one(CallAttempt, takeover.attempt_id)
