"""Keys on the console's pages: listed under `?`, single ones switched off where somebody wants that (O40, WCAG 2.1.4), focus kept."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from survey.store.models import Escalation, HearingReview, Takeover
from tests.conftest import StandingClock
from tests.ivr.console.builders import Month
from tests.ivr.console.test_desk import talking, waiting, with_telephones
from tests.ivr.console.test_hearings import hear
from tests.ivr.console.test_in_browser import address, browser, enter, pytestmark, sync_api

__all__ = ["address", "browser", "enter", "hear", "pytestmark", "waiting", "with_telephones"]

OPENED = "details.keys[open]"


@pytest.fixture
def pages(hear, waiting: str, month: Month) -> dict[str, str]:
    """The pages that have keys, by name."""
    hear("satisfied", 0.3)
    return {"desk": "/desk", "call": f"/desk/calls/{waiting}", "review": "/hearings/review", "ticket": f"/escalations/{month.case}"}


@pytest.mark.parametrize("name", ["desk", "call", "review", "ticket"])
def test_a_question_mark_lists_the_keys_unless_single_keys_are_off(
    enter, pages, sessions: sessionmaker[Session], clock: StandingClock, waiting: str, name: str
) -> None:  # fmt: skip
    page = _on_duty(enter, take=name == "call")
    page.goto(pages[name])
    page.keyboard.press("?")
    sync_api.expect(page.locator(OPENED)).to_have_count(1)
    sync_api.expect(page.locator("details.keys summary")).to_be_focused()

    page.locator("#single-keys").uncheck()
    page.reload()
    page.keyboard.press("?")
    sync_api.expect(page.locator("#single-keys")).not_to_be_checked()
    sync_api.expect(page.locator(OPENED)).to_have_count(0)
    assert page.complaints == []


def test_a_question_mark_in_a_text_is_a_question_mark(enter, month: Month) -> None:
    page = enter("operator")
    page.goto(f"/escalations/{month.case}")
    page.locator("#note-text").press_sequentially("在吗? gone")

    sync_api.expect(page.locator("#note-text")).to_have_value("在吗? gone")
    sync_api.expect(page.locator(OPENED)).to_have_count(0)


def test_a_ticket_is_claimed_and_noted_by_keys(enter, month: Month, sessions: sessionmaker[Session]) -> None:
    page = enter("operator")
    page.goto(f"/escalations/{month.case}")
    page.keyboard.press("g")
    sync_api.expect(page.locator(".alert-success")).to_be_visible()
    page.wait_for_load_state()  # keys are heard from then on
    page.keyboard.press("n")

    sync_api.expect(page.locator("#note-text")).to_be_focused()
    with sessions() as session:
        assert session.scalars(select(Escalation).where(Escalation.public_id == month.case)).one().claimed_by == "operator"


def test_digits_review_nothing_once_single_keys_are_off(enter, hear, sessions: sessionmaker[Session]) -> None:
    hear("satisfied", 0.3)
    page = enter("operator")
    page.goto("/hearings/review")
    page.keyboard.press("?")
    page.locator("#single-keys").uncheck()
    page.locator("h1").click()
    page.keyboard.press("4")
    page.keyboard.press("?")
    page.reload()

    with sessions() as session:
        assert session.scalars(select(HearingReview)).all() == []


@pytest.mark.parametrize("wanted", [".offer .btn-primary", "button[value=busy]"])
def test_the_focus_stays_where_it_is_while_the_desk_refreshes(enter, waiting: str, clock: StandingClock, wanted: str) -> None:
    page = _on_duty(enter)
    _focus_until_renewed(page, wanted, lambda: clock.advance(seconds=1))

    sync_api.expect(page.locator(wanted)).to_be_focused()


def test_the_focus_stays_on_the_buttons_of_a_call(enter, waiting: str, sessions: sessionmaker[Session], clock: StandingClock) -> None:
    page = _on_duty(enter, take=True)
    talking(sessions, clock, waiting)
    page.goto(f"/desk/calls/{waiting}")
    _focus_until_renewed(page, "button[value=handed_back]", lambda: _mute(sessions))

    sync_api.expect(page.locator("button[value=handed_back]")).to_be_focused()


def _mute(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        session.scalars(select(Takeover)).one().muted = True


def _focus_until_renewed(page, wanted: str, change: Callable[[], object]) -> None:
    """Give it the focus in one step, as a refresh may come at any time, and wait until one that shows a change has put another there."""
    page.locator(wanted).wait_for()
    page.evaluate("wanted => { window.held = document.querySelector(wanted); window.held.focus(); }", wanted)
    change()
    page.wait_for_function("() => !document.contains(window.held)")


def _on_duty(enter, take: bool = False):
    """The operator's desk, on duty; with a call in hand where one is taken."""
    page = enter("operator")
    page.goto("/desk")
    page.locator("button[value=on]").click()
    if take:
        page.locator(".offer .btn-primary").click()
        page.wait_for_url("**/desk/calls/*")
    return page
