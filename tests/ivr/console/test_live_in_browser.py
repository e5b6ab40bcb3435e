"""Live pages in a real browser: told by one socket for each tab, by themselves without one, and ringing once (O1, O3, O5–O8, O33)."""

import itertools
import time

import pytest
from itsdangerous import TimestampSigner
from sqlalchemy import select

from ivr.console.services import ConsoleServices
from survey.store.models import Takeover
from tests.conftest import StandingClock
from tests.ivr.console.order_desk import OrderDesk
from tests.ivr.console.test_desk import waiting, with_telephones
from tests.ivr.console.test_in_browser import address, browser, enter, pytestmark, sync_api

__all__ = ["address", "browser", "enter", "pytestmark", "waiting", "with_telephones"]
POLLS_SECONDS = 5
TABS = 10


@pytest.fixture
def desk(services: ConsoleServices, clock: StandingClock, passwords: dict[str, str]) -> OrderDesk:
    return OrderDesk(services, clock)


def arrange(services: ConsoleServices, result: str, told: bool = True) -> None:
    """Have the person wait (no result), or not; `told`: by a unit of work, which announces it, or behind everybody's back."""
    with services.unit_of_work() if told else services.sessions.begin() as work:
        session = work.session if told else work
        session.scalars(select(Takeover)).one().result = result


def on_duty(enter, services: ConsoleServices):
    page = watched(enter("operator"))
    page.goto("/desk")
    page.locator("button[value=on]").click()
    until(page, "!document.querySelector('button[name=state][value=on]')")
    return page


def watched(page):
    """The page, with what its socket has said since it was opened the last time in `frames_received`."""
    page.frames_received = []
    page.on("framenavigated", lambda _frame: page.frames_received.clear())
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: page.frames_received.append(frame)))
    return page


def until(page, script: str) -> None:
    """Until the script is true; Playwright's own way of waiting for that is forbidden by the page's content policy."""
    end = time.monotonic() + 30
    while not page.evaluate(script):
        assert time.monotonic() < end, script
        page.wait_for_timeout(50)


def until_live(page) -> None:
    """Until the page has got its socket, and has fetched everything once more, as it then does."""
    eventually(page, lambda: page.frames_received)
    eventually(page, lambda: fetches(page) > 0)


def eventually(page, condition) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        page.wait_for_timeout(50)


def fetches(page) -> int:
    return page.evaluate("performance.getEntriesByType('resource').filter(one => one.name.endsWith('/desk/board')).length")


def test_a_call_appears_by_an_announcement_and_a_quiet_desk_asks_every_five_seconds_only(enter, services, waiting):
    arrange(services, "nobody")
    page = on_duty(enter, services)
    until_live(page)
    before, began = fetches(page), page.evaluate("performance.now()")
    page.wait_for_timeout(2000)
    arrange(services, "")
    sync_api.expect(page.locator(".offer")).to_have_count(1)

    seconds = (page.evaluate("performance.now()") - began) / 1000
    assert any('"topic": "desk"' in frame for frame in page.frames_received)
    assert fetches(page) - before <= 2 + seconds / POLLS_SECONDS
    sync_api.expect(page.locator("#live-lost")).to_be_hidden()

    arrange(services, "nobody")
    sync_api.expect(page.locator(".offer")).to_have_count(0)
    assert page.complaints == []


def test_seconds_pass_on_the_card_between_two_refreshes(enter, services, waiting):
    page = on_duty(enter, services)
    shown = page.locator(".offer [data-count=down]")
    before = int(shown.inner_text())

    until(page, f"Number(document.querySelector('.offer [data-count=down]').textContent) < {before}")


def test_a_lost_connection_is_said_the_page_goes_on_by_itself_and_says_when_it_is_back(enter, services, live, waiting):
    arrange(services, "nobody")
    page = on_duty(enter, services)
    until_live(page)
    live.announcer.is_silent = True
    sync_api.expect(page.locator("#live-lost")).to_contain_text("实时连接已断开，每 5 秒刷新")
    sync_api.expect(page.locator("#live-lost")).to_be_visible()

    arrange(services, "")
    sync_api.expect(page.locator(".offer")).to_have_count(1)
    sync_api.expect(page.locator("#live-lost")).to_be_visible()

    live.announcer.is_silent = False
    sync_api.expect(page.locator("#live-back")).to_be_visible()
    sync_api.expect(page.locator("#live-lost")).to_be_hidden()


def test_while_the_desk_answers_errors_the_red_bar_stays_and_nobody_is_told_that_all_is_well(enter, services, with_telephones):
    """PostgreSQL is away, Redis is not: the socket lives, and each look at the desk fails (O5)."""
    page = on_duty(enter, services)
    until_live(page)
    page.evaluate("""() => {
      window.wasGlad = false;
      new MutationObserver(() => { window.wasGlad = window.wasGlad || !document.getElementById('live-back').hidden; })
        .observe(document.getElementById('live-back'), { attributes: true });
    }""")
    page.route("**/desk/board", lambda route: route.fulfill(status=503, body="away"))
    for _ in range(2):
        with page.expect_response("**/desk/board"):
            page.evaluate("htmx.trigger('#board', 'changed')")
        sync_api.expect(page.locator("#live-lost")).to_be_visible()
        assert not page.evaluate("window.wasGlad")

    page.unroute("**/desk/board")
    sync_api.expect(page.locator("#live-back")).to_be_visible()


def test_a_look_that_is_never_answered_is_given_up_and_the_next_one_shows_the_desk(enter, services, waiting):
    arrange(services, "nobody")
    page = on_duty(enter, services)
    until_live(page)
    assert page.evaluate("htmx.config.timeout") == 8000
    page.evaluate("htmx.config.timeout = 200")
    page.route("**/desk/board", lambda route: None)
    with page.expect_request("**/desk/board"):
        page.evaluate("htmx.trigger('#board', 'changed')")
    sync_api.expect(page.locator("#live-lost")).to_be_visible()
    page.evaluate("htmx.config.timeout = 8000")
    page.unroute("**/desk/board")
    arrange(services, "")

    sync_api.expect(page.locator(".offer")).to_have_count(1)


def test_a_desk_on_which_nothing_has_changed_is_not_put_in_its_place_anew(enter, services, with_telephones, monkeypatch):
    """Each answer bears another token for the same forms: it carries the second in which it was made."""
    seconds = itertools.count(int(time.time()))
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _signer: next(seconds))
    page = on_duty(enter, services)
    until_live(page)
    for _ in range(2):
        with page.expect_response("**/desk/board"):
            page.evaluate("htmx.trigger('#board', 'changed')")
    page.evaluate("""() => {
      window.swaps = 0;
      window.looks = 0;
      document.addEventListener('htmx:afterSwap', () => { window.swaps += 1; });
      document.addEventListener('htmx:afterOnLoad', () => { window.looks += 1; });
      htmx.trigger('#board', 'changed');
    }""")
    until(page, "window.looks > 0")

    assert page.evaluate("window.swaps") == 0


def test_what_nobody_announced_is_seen_all_the_same(enter, services, waiting):
    arrange(services, "nobody")
    page = on_duty(enter, services)
    until_live(page)
    arrange(services, "", told=False)

    sync_api.expect(page.locator(".offer")).to_have_count(1)


def test_ten_tabs_of_one_browser_are_all_live(enter, services, live, waiting):
    arrange(services, "nobody")
    first = on_duty(enter, services)
    tabs = [first, *(watched(first.context.new_page()) for _ in range(TABS - 1))]
    for tab in tabs:
        tab.goto("/desk")
    for tab in tabs:
        until_live(tab)
    eventually(first, lambda: live.hub.open == TABS)  # a page that was left gives up its seat within a second

    arrange(services, "")
    for tab in tabs:
        sync_api.expect(tab.locator(".offer")).to_have_count(1)


RUNG = "document.querySelector('#board').getAttribute('data-ringing')"


def test_one_tab_of_the_browser_rings_until_the_call_is_gone_and_again_for_the_next(enter, services, waiting):
    arrange(services, "nobody")
    first = on_duty(enter, services)
    second = watched(first.context.new_page())
    second.goto("/desk")
    for tab in (first, second):
        until_live(tab)
    for _ in range(2):
        arrange(services, "")
        for tab in (first, second):
            sync_api.expect(tab.locator(".offer")).to_have_count(1)
        sync_api.expect(first.locator("#live-lost")).to_be_hidden()
        end = time.monotonic() + 30
        while "yes" not in [tab.evaluate(RUNG) for tab in (first, second)] and time.monotonic() < end:
            first.wait_for_timeout(50)
        first.wait_for_timeout(500)  # the other one has had the time to do the same
        assert sorted(str(tab.evaluate(RUNG)) for tab in (first, second)) == ["None", "yes"]

        arrange(services, "nobody")
        for tab in (first, second):
            sync_api.expect(tab.locator("#board[data-ringing]")).to_have_count(0)
        first.wait_for_timeout(1600)  # a tab that hears another one fall silent looks whether there is still something to ring for
    assert first.complaints == []


def test_going_on_duty_unlocks_the_sound_and_the_volume_is_kept(enter, services, with_telephones):
    page = on_duty(enter, services)
    sync_api.expect(page.locator("#ring-locked")).to_be_hidden()
    until(page, "!sessionStorage.getItem('desk-test-ring')")  # the test ring was played
    page.locator("#ring-volume").fill("20")
    page.reload()

    assert page.locator("#ring-volume").input_value() == "20"
    page.locator("#ring-test").click()
    assert page.complaints == []


def test_two_people_on_one_order_read_each_others_names(enter, desk):
    [order_id] = desk.issued()
    centre, unit = enter("centre"), enter("unit")
    centre.goto(f"/orders/{order_id}")
    centre.locator("h1").wait_for()
    unit.goto(f"/orders/{order_id}")

    sync_api.expect(centre.locator("#company")).to_contain_text("测试unit 也在查看")
    sync_api.expect(unit.locator("#company")).to_contain_text("测试centre 也在查看")
    unit.get_by_role("button", name="签收").click()
    sync_api.expect(centre.locator("#company")).to_contain_text("测试unit 签收")
    unit.close()
    sync_api.expect(centre.locator("#company")).not_to_contain_text("也在查看")
    assert centre.complaints == []


def test_a_log_in_that_has_run_out_takes_nobody_away_from_what_they_are_writing(enter, desk, clock):
    [order_id] = desk.issued()
    centre = enter("centre")
    centre.goto(f"/orders/{order_id}")
    text = centre.locator("textarea").first
    text.evaluate("one => { one.closest('details') && (one.closest('details').open = true); }")
    text.fill("写了很久")
    clock.advance(minutes=20)

    sync_api.expect(centre.locator("#live-lost")).to_be_visible()
    assert text.input_value() == "写了很久"
