"""From a dissatisfied person to a closed order in `./huifang demo`, every part of it played in a browser."""

import shutil
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed (requirements-dev.txt): browser tests are left out")

from playwright.sync_api import sync_playwright

from tests.walk.demonstration import served
from tests.walk.stage import DESK_PHONE, THEIR_PHONE, launched, opened
from tests.walk.stations import STATIONS, walk

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(
        shutil.which("chromium") is None, reason="Chromium is not installed (apt install chromium): browser tests are left out"
    ),
]


def test_a_newcomer_plays_both_ends_of_a_call_and_every_office_until_the_order_is_closed(tmp_path: Path) -> None:
    with served(tmp_path) as demonstration, sync_playwright() as playwright:
        browser = launched(playwright, "zh")
        with opened(browser, demonstration, "zh") as stage:
            passed = [station.name for station, _ in walk(stage)]
        browser.close()

    assert passed == [station.name for station in STATIONS]
    assert stage.heard == {DESK_PHONE, THEIR_PHONE}, "sound went both ways"
    assert stage.complaints == []
