"""The desk in a real browser: it fits, breaks no rule, shows a call by itself, and works by keyboard and without scripts."""

import os
import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from survey.store.models import OperatorAnswer, Takeover
from tests.conftest import StandingClock
from tests.ivr.console.test_desk import over, talking, waiting, with_telephones
from tests.ivr.console.test_in_browser import HIDDEN_COLUMNS, SCREEN, TELEPHONE, address, browser, enter, pytestmark, sync_api

__all__ = ["address", "browser", "enter", "pytestmark", "waiting", "with_telephones"]


def look(page, name: str) -> None:
    """Keep a picture where somebody wants to look at the pages."""
    folder = os.environ.get("PICTURES")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_the_pages_fit_the_screen_and_break_no_rule(
    enter, waiting: str, sessions: sessionmaker[Session], clock: StandingClock, locale
) -> None:
    page = enter("operator", locale)
    page.goto("/desk")
    page.locator("button[value=on]").click()
    for step, arrange in (("waiting", None), ("claimed", "claim"), ("talking", talking), ("wrap", over)):
        if arrange == "claim":
            page.locator(".offer .btn-primary").click()
            page.wait_for_url(f"**/desk/calls/{waiting}")
        elif arrange is not None:
            arrange(sessions, clock, waiting)
        for size in (SCREEN, TELEPHONE):
            page.set_viewport_size(size)
            page.goto("/desk" if step == "waiting" else f"/desk/calls/{waiting}")
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], (step, size)
            assert size is TELEPHONE or page.evaluate(HIDDEN_COLUMNS) == [], step
            look(page, f"desk-{step}-{locale}-{size['width']}")
    assert page.complaints == []


def test_a_call_appears_by_itself_and_goes_when_it_is_over(
    enter, with_telephones: None, sessions, clock: StandingClock, waiting: str
) -> None:
    with sessions.begin() as session:
        takeover = session.scalars(select(Takeover)).one()
        takeover.result = "nobody"
    page = enter("operator")
    page.goto("/desk")
    page.locator("button[value=on]").click()
    sync_api.expect(page.locator(".offer")).to_have_count(0)

    with sessions.begin() as session:
        session.scalars(select(Takeover)).one().result = ""
    sync_api.expect(page.locator(".offer")).to_have_count(1)

    with sessions.begin() as session:
        session.scalars(select(Takeover)).one().result = "nobody"
    sync_api.expect(page.locator(".offer")).to_have_count(0)
    assert page.complaints == []


def test_by_keyboard_and_without_scripts_a_call_is_taken_and_sorted_out(
    enter, waiting: str, sessions: sessionmaker[Session], clock: StandingClock
) -> None:  # fmt: skip
    page = enter("operator", scripts=False)
    page.goto("/desk")
    page.locator("button[value=on]").focus()
    page.keyboard.press("Enter")
    page.locator(".offer .btn-primary").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/calls/{waiting}")
    over(sessions, clock, waiting)
    page.reload()
    page.locator("input[name=verdict][value=call_back]").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="整理完毕").focus()
    page.keyboard.press("Enter")

    sync_api.expect(page.locator(".alert-success")).to_contain_text("您现在空闲")


def test_a_waiting_call_is_in_the_title_and_taken_by_its_key(enter, waiting: str) -> None:
    page = enter("operator")
    page.goto("/desk")
    page.locator("button[value=on]").click()
    sync_api.expect(page).to_have_title(re.compile(r"^\(1\) "))
    page.keyboard.press("Control+Shift+A")

    page.wait_for_url(f"**/desk/calls/{waiting}")
    assert page.complaints == []


def test_keys_write_the_next_answer_down_unless_somebody_switches_them_off(
    enter, waiting: str, sessions: sessionmaker[Session], clock: StandingClock
) -> None:  # fmt: skip
    page = enter("operator")
    page.goto("/desk")
    page.locator("button[value=on]").click()
    page.locator(".offer .btn-primary").click()
    talking(sessions, clock, waiting)
    page.goto(f"/desk/calls/{waiting}")
    asked = page.locator(".asked-next").inner_text()
    page.locator("#single-keys").uncheck()
    page.keyboard.press("1")
    page.locator("#single-keys").check()
    page.locator("h1").click()
    page.keyboard.press("1")

    sync_api.expect(page.locator(".asked-next")).not_to_have_text(asked)
    with sessions() as session:
        assert len(session.scalars(select(OperatorAnswer)).all()) == 1


def test_a_desk_that_cannot_be_reached_says_so_and_is_glad_when_it_can_again(enter, with_telephones: None) -> None:
    page = enter("operator")
    page.goto("/desk")
    sync_api.expect(page.locator("#unreachable")).to_be_hidden()
    page.context.set_offline(True)
    sync_api.expect(page.locator("#unreachable")).to_be_visible()
    page.context.set_offline(False)
    sync_api.expect(page.locator("#unreachable")).to_be_hidden()
