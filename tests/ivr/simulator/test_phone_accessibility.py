"""The telephone in the browser in every state and both languages: axe finds nothing, the keyboard reaches everything, keys can be off."""

import re
from urllib.parse import quote

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from ivr.carrier.simulator.app import create_app
from tests.ivr.inspection import SCREEN, inspect
from tests.ivr.simulator.test_phone_in_browser import MINE, PATIENCE, browser, open_page, pytestmark, sync_api

__all__ = ["browser", "open_page", "pytestmark"]

sync_api.expect.set_options(timeout=PATIENCE)
LOCALES = {"zh-CN": "zh-CN", "en-GB": "en"}
NO_PAGES = {
    "GET /": "what a program asks the carrier for", "conferences.": "what a program asks the carrier for",
    "simulator.": "what the demonstration asks of its clock and its callees", "phone.file": "scripts, style and icon of the page",
}  # fmt: skip
"""GET routes that show no page, by how their endpoint begins, and why."""
CALL = '<Say>请稍等。</Say><Pause length="60"/><Hangup/>'


def test_every_route_is_the_page_or_no_page_with_a_reason(exchange) -> None:
    routes = {rule.endpoint for rule in create_app(exchange).url_map.iter_rules() if "GET" in (rule.methods or ())}

    assert {one for one in routes if not one.startswith(tuple(NO_PAGES))} == {"phone.page"}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("wanted", ["", "12"], ids=["which number", "a wrong number"])
def test_the_page_that_asks_for_a_number_is_for_everybody(browser, exchange, locale: str, wanted: str) -> None:
    context = browser.new_context(viewport=SCREEN, locale=locale)
    page = context.new_page()
    page.goto(f"{exchange.base_url}/phone?number={quote(wanted)}")

    _check(page, locale)
    context.close()


@pytest.mark.parametrize("locale", LOCALES)
def test_the_telephone_is_for_everybody_in_each_state(open_page, call, toy, locale: str) -> None:
    toy.pages["/steps/0"] = CALL
    page = open_page(locale, SCREEN)
    _check(page, locale)
    call(MINE)
    sync_api.expect(page.locator("#answer")).to_be_focused()
    _check(page, locale)
    page.click("#answer")  # the walk has taken the focus elsewhere
    sync_api.expect(page.locator("#lines li.line")).to_have_count(1)
    _check(page, locale)
    page.click("#hang-up")
    sync_api.expect(page.locator("#dialler")).to_be_visible()
    _check(page, locale)


def test_the_keys_of_the_computer_can_be_switched_off(open_page, call, toy, exchange) -> None:
    toy.pages["/steps/0"] = CALL
    page = open_page()
    sid = call(MINE)
    page.click("#answer")
    sync_api.expect(page.locator("#hang-up")).to_be_visible()
    page.locator("#keys-on").uncheck()
    page.locator("h1").click()
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    page.click(".key >> text=2")

    sync_api.expect(page.locator("#lines li.person")).to_have_text(["按键2"])
    assert not exchange.calls[sid].ended


def _check(page, locale: str) -> None:
    found = inspect(page, AXE_SCRIPT)

    assert found.violations == ()
    assert found.too_wide == ()
    assert found.focus_faults == ()
    assert found.stops == found.expected
    assert found.lang == LOCALES[locale]
    if locale.startswith("en"):
        assert set(re.findall(r"[\u4e00-\u9fff]+", found.written)) <= {"中文", "请稍等"}
