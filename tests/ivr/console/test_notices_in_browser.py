"""Notices, deliveries and the weekly list in a real browser: they fit, break no rule, print, and work by keyboard without scripts."""

import pytest
from sqlalchemy import select, update

from survey.accounts.emails import seal_email
from survey.store.models import NoticeDelivery, Unit, User
from tests.ivr.console.test_in_browser import HIDDEN_COLUMNS, SCREEN, TELEPHONE, address, browser, enter, pytestmark, sync_api
from tests.ivr.console.test_notices import orders

__all__ = ["address", "browser", "enter", "orders", "pytestmark"]

LONG = f"{'chengdong' * 4}@{'mail.' * 6}police.example"
PAGES = {
    "centre": ("/notices", "/weekly", "/notices/deliveries", "/units"), "unit": ("/notices", "/weekly"),
    "inspection": ("/notices", "/weekly"), "administrator": ("/notices/deliveries", "/users", "/users/operator", "/units", "/account"),
}  # fmt: skip


@pytest.fixture
def wide(orders, sessions, keys) -> None:
    """The widest lines that there can be."""
    with sessions.begin() as session:
        session.execute(update(Unit).values(email=LONG))
        for user in session.scalars(select(User)):
            seal_email(keys, user, LONG)
        session.execute(update(NoticeDelivery).values(state="failed", tries=8, problem="recipient 550"))


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("role", PAGES)
def test_every_page_fits_the_screen_and_the_telephone_and_breaks_no_rule(enter, wide, role, locale):
    page = enter(role, locale)

    for size in (SCREEN, TELEPHONE):
        page.set_viewport_size(size)
        for path in PAGES[role]:
            assert page.goto(path).status == 200
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], (path, size)
            assert size is TELEPHONE or page.evaluate(HIDDEN_COLUMNS) == [], path
    assert page.complaints == []


def test_by_keyboard_and_without_scripts_a_notice_is_read(enter, orders):
    page = enter("unit", scripts=False)
    bell = page.locator(".bell")
    assert "2" in bell.inner_text()
    bell.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/notices")
    button = page.get_by_role("button", name="标为已读：").first
    button.focus()
    page.keyboard.press("Enter")

    sync_api.expect(page.locator("tr.unread")).to_have_count(1)
    sync_api.expect(page.locator(".bell .count")).to_contain_text("1")


def test_on_paper_the_list_stands_alone(enter, orders):
    page = enter("centre")
    page.goto("/weekly")
    page.emulate_media(media="print")

    assert page.locator("h1").is_visible()
    assert page.locator(".sheet-orders table").is_visible()
    assert not any(page.locator(one).is_visible() for one in (".menu", ".top", ".downloads", ".breadcrumb"))
