"""The page of a browser phone in a real browser, with a microphone that beeps: no outside request, keyboard alone, both screens."""

import shutil
import time
from collections.abc import Iterator
from urllib.parse import quote

import numpy as np
import pytest

from tests.ivr.simulator.ears import Ears, listening
from tests.ivr.simulator.toy import gather

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed (requirements-dev.txt): browser tests are left out"
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        shutil.which("chromium") is None, reason="Chromium is not installed (apt install chromium): browser tests are left out"
    ),
]
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream",
         "--use-fake-ui-for-media-stream")  # fmt: skip
MINE = "+8613900000001"
DESK, POCKET = {"width": 1366, "height": 768}, {"width": 390, "height": 844}
UNNAMED = """() => Array.from(document.querySelectorAll("button, input:not([type=hidden]), a, [role=log], [role=group]"))
  .filter(each => !(each.getAttribute("aria-label") || each.getAttribute("aria-labelledby") || each.textContent.trim()))
  .filter(each => !(each.labels && each.labels.length)).map(each => each.outerHTML)"""
PATIENCE = 20_000


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, exchange):
    """The phone's page; what the browser complains of, and what it asks of others, is collected in `.complaints`."""
    exchange.schedule.run_in_real_time()
    contexts = []

    def opened(locale: str = "zh-CN", screen: dict[str, int] = DESK):
        context = browser.new_context(viewport=screen, locale=locale)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.complaints = []
        ours = (exchange.base_url, exchange.phones.door.address(), "data:", "blob:")
        page.on("console", lambda message: page.complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith(ours) else page.complaints.append(request.url))
        page.on("websocket", lambda socket: None if socket.url.startswith(ours) else page.complaints.append(socket.url))
        page.goto(f"{exchange.base_url}/phone?number={quote(MINE)}")
        sync_api.expect(page.locator("#dialler")).to_be_visible()  # it has the number
        return page

    yield opened
    for context in contexts:
        context.close()


def until(page, is_so) -> None:
    end = time.monotonic() + PATIENCE / 1000
    while not is_so() and time.monotonic() < end:
        page.wait_for_timeout(50)
    assert is_so()


def test_a_call_is_answered_by_keyboard_and_heard_by_microphone(open_page, call, toy, exchange):
    with listening(Ears()) as ears:
        toy.pages["/steps/0"] = f'<Start><Stream url="{ears.url}" name="ears"/></Start>' + gather("您对民警满意吗?满意请按1。", "/key")
        toy.pages["/key"] = "<Say>感谢您的评价,再见。</Say><Hangup/>"
        page = open_page()
        sync_api.expect(page.locator("#status")).to_have_text("待机，等待来电")
        sid = call(MINE)
        sync_api.expect(page.locator("#answer")).to_be_focused()
        assert page.title().startswith("(1) 来电")

        page.keyboard.press("Enter")
        sync_api.expect(page.locator("#lines li.line")).to_have_text("对方您对民警满意吗?满意请按1。")
        sync_api.expect(page.locator("#microphone-state")).to_contain_text("未打开")
        page.click("#microphone")
        sync_api.expect(page.locator("#microphone-state")).to_contain_text("已打开")
        until(page, lambda: np.abs(ears.streams[0].samples()).max(initial=0) > 1000)  # the browser's own device beeps every second
        page.keyboard.press("1")
        sync_api.expect(page.locator("#lines li")).to_have_text(["对方您对民警满意吗?满意请按1。", "按键1", "对方感谢您的评价,再见。"])
        sync_api.expect(page.locator("#status")).to_have_text("通话已结束")

    assert exchange.calls[sid].presses[0]["keys"] == "1"
    assert page.complaints == []


def test_a_page_that_is_loaded_again_is_still_on_its_call_and_hangs_up_by_escape(open_page, call, toy, exchange):
    toy.pages["/steps/0"] = '<Say>请稍等。</Say><Pause length="60"/><Hangup/>'
    page = open_page("en-GB")
    sid = call(MINE)
    page.click("#answer")
    sync_api.expect(page.locator("#lines li.line")).to_have_text("They say请稍等。")
    page.reload()
    sync_api.expect(page.locator("#lines li.line")).to_have_text("They say请稍等。")
    sync_api.expect(page.locator("#hang-up")).to_be_visible()
    assert not exchange.calls[sid].ended

    page.keyboard.press("Escape")
    sync_api.expect(page.locator("#status")).to_have_text("The call has ended")
    assert page.complaints == []


@pytest.mark.parametrize("screen", [DESK, POCKET], ids=["desk", "pocket"])
def test_the_page_fits_the_screen_and_everything_has_a_name(open_page, call, toy, screen):
    toy.pages["/steps/0"] = '<Say>请稍等。</Say><Pause length="60"/><Hangup/>'
    page = open_page(screen=screen)
    call(MINE)
    for click in ("#answer", "#hang-up"):
        page.click(click)
        assert page.evaluate("document.documentElement.scrollWidth") <= screen["width"]
        assert page.evaluate(UNNAMED) == []
    sync_api.expect(page.locator("#dialler")).to_be_visible()
    assert page.complaints == []
