"""The console as it is served, by gunicorn, beside a real Valkey: sockets, their share, and a stop that does not wait for them (O6, O7)."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from config.live import SPARE_THREADS, threads
from config.settings import Settings
from config.supervisor import STOP_SECONDS
from config.wiring import House
from ivr.console.hub import GOING_AWAY
from survey import accounts
from survey.store.migrations import migrate
from survey.store.models import Duty, User
from tests import embedded
from tests.calls.stage import free_port
from tests.config.test_serve import ROOT, Told, status, wait_until
from tests.ivr.console.sockets import PATIENCE_SECONDS, end_of, next_topic, open_socket, status_of
from worker.parents import die_with

TABS = 10


@dataclass
class Console:
    """A console door of a house, and a browser in which an operator has logged in."""

    house: House
    process: subprocess.Popen[bytes]
    cookie: str = ""

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.house.settings.console_port}"

    def log_in(self, name: str, password: str) -> None:
        jar = CookieJar()
        browser = build_opener(HTTPCookieProcessor(jar))
        page = browser.open(f"http://{self.place}/login", timeout=PATIENCE_SECONDS).read().decode()
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        form = urlencode({"name": name, "password": password, "csrf_token": token}).encode()
        with browser.open(f"http://{self.place}/login", form, timeout=PATIENCE_SECONDS) as answer:
            assert answer.status == 200
        self.cookie = "; ".join(f"{one.name}={one.value}" for one in jar)

    def metrics(self) -> str:
        return build_opener().open(f"http://{self.place}/metrics", timeout=PATIENCE_SECONDS).read().decode()


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    port = free_port()
    given = {"data": str(tmp_path), "environment": "test", "console_port": str(port), "console_threads": "2", "console_tabs": str(TABS)}
    settings = Settings.from_env({f"HUIFANG_{name.upper()}": value for name, value in given.items()}, None)
    house = House(settings)
    migrate(house.engine)
    with house.sessions.begin() as session:
        password = accounts.add_user(session, "operator", "operator", "李四", house.clock.now(), "")
        session.query(User).update({"must_change": False})
    with embedded.running(tmp_path):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUIFANG_")}
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "config.processes", "console"], cwd=ROOT,
            env={**inherited, **settings.as_environment(), "PYTHONPATH": str(ROOT)}, preexec_fn=partial(die_with, os.getpid()),
        )  # fmt: skip
        try:
            wait_until(lambda: status(port) == 200)
            made = Console(house, process)
            made.log_in("operator", password)
            yield made
        finally:
            process.kill()
            process.wait()
            house.engine.dispose()


def change(house: House) -> None:
    """Something happens at the desk, in another process than the console's."""
    with house.unit_of_work() as work:
        user = work.session.query(User).one()
        work.session.merge(Duty(user_id=user.id, state="free", since=house.clock.now(), login="", misses=0, note=""))


def test_ten_tabs_hear_of_a_change_in_another_process_pages_are_served_beside_them_and_a_stop_ends_all(
    console: Console, record_property: Told
) -> None:  # fmt: skip
    """Without their end the stop would wait for the sockets for half a minute, longer than anybody waits here."""
    with ExitStack() as tabs:
        sockets = [tabs.enter_context(open_socket(console.place, console.cookie, "desk")) for _ in range(TABS)]
        for socket in sockets:
            socket.recv(timeout=PATIENCE_SECONDS)
        assert status(console.house.settings.console_port) == 200
        assert status_of(console.place, console.cookie, "desk") == 503, "one more than there is room for"
        told = console.metrics()
        assert f"huifang_sockets_open {TABS}.0" in told
        assert f"huifang_sockets_allowed {TABS}.0" in told
        assert 'huifang_sockets_refused_total{reason="full"} 1.0' in told

        change(console.house)
        assert [next_topic(socket) for socket in sockets] == ["desk"] * TABS

        stopped = time.monotonic()
        console.process.send_signal(signal.SIGTERM)
        assert [end_of(socket) for socket in sockets] == [GOING_AWAY] * TABS
        assert console.process.wait(PATIENCE_SECONDS) == 0
        took = time.monotonic() - stopped
    record_property("told", f"O6: a console with {TABS} open pages has stopped after {took:.1f} s of {STOP_SECONDS:.0f}")


@pytest.mark.parametrize(("given", "tabs", "made"), [(32, 40, 96), (200, 40, 200), (2, 1, 18), (512, 240, 512)])
def test_each_socket_leaves_a_thread_for_a_page_and_some_are_spare(given: int, tabs: int, made: int) -> None:
    assert threads(given, tabs) == made
    assert threads(given, tabs) >= 2 * tabs + SPARE_THREADS
