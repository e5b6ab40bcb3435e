"""The pages of orders and tickets in a real browser: they fit the screen, work by keyboard and without scripts, nothing complains."""

from datetime import timedelta

import pytest

from survey.store.models import Order
from tests.ivr.console import test_in_browser
from tests.ivr.console.builders import NOON
from tests.ivr.console.order_desk import OrderDesk, take
from tests.ivr.console.test_in_browser import SCREEN, TELEPHONE, address, browser, enter, sync_api
from tests.ivr.console.test_tickets import _twin

__all__ = ["address", "browser", "enter"]
pytestmark = test_in_browser.pytestmark
OPEN = "document.querySelectorAll('details').forEach(one => { one.open = true; })"
WIDTH = "document.documentElement.scrollWidth"
ROLES = ("centre", "unit", "commander", "inspection")


@pytest.fixture
def desk(services, clock, passwords) -> OrderDesk:
    return OrderDesk(services, clock)


@pytest.fixture
def pages(desk, log_in, month) -> dict[str, list[str]]:
    """The widest orders that there can be; the pages that each role looks at."""
    desk.make_head()
    first, second, late, *_rest = desk.issued(4)
    unit, centre = log_in("unit"), log_in("centre")
    for client, action in ((unit, "sign"), (unit, "take_in_hand"), (unit, "answer"), (unit, "attach"), (centre, "return"),
                           (unit, "take_in_hand"), (unit, "ask_extension"), (unit, "appeal")):  # fmt: skip
        take(client, first, action, **({"reason": "需要更多时间 " * 60} if action == "ask_extension" else {}))
    take(unit, second, "sign")
    with desk.services.sessions.begin() as session:
        session.query(Order).filter_by(public_id=late).update({"due_at": NOON - timedelta(days=400), "returns": 2, "supervised": True})
    [case], [abuse] = desk.cases(), desk.issued(reasons=("dissatisfied", "abuse_alleged"))
    desk.cases(unit="")
    _twin(desk, case)
    own = ["/", "/orders", "/orders?tab=all", f"/orders/{first}", f"/orders/{second}", f"/orders/{late}"]
    tickets = ["/orders?tab=to_issue", "/escalations", f"/escalations/{case}"]
    return {"unit": own, "centre": own + tickets, "commander": own, "inspection": [*own, *tickets, f"/orders/{abuse}"]}


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("role", ROLES)
def test_every_page_fits_desk_and_telephone_with_everything_unfolded(enter, pages, role, locale):
    page = enter(role, locale)

    for screen in (SCREEN, TELEPHONE):
        page.set_viewport_size(screen)
        for path in pages[role]:
            assert page.goto(path).status == 200, path
            assert page.evaluate(WIDTH) <= screen["width"], path
            page.evaluate(OPEN)
            assert page.evaluate(WIDTH) <= screen["width"], path

    assert page.complaints == []


@pytest.mark.parametrize("scripts", [True, False])
def test_a_unit_signs_and_replies_by_keyboard_with_and_without_scripts(enter, desk, scripts):
    [order_id] = desk.issued()
    page = enter("unit", scripts=scripts)
    page.goto("/orders")
    page.get_by_role("link", name="2026-0001").focus()
    page.keyboard.press("Enter")
    for label in ("签收此单", "开始办理此单"):
        page.get_by_role("button", name=label).focus()
        page.keyboard.press("Enter")
        sync_api.expect(page.get_by_role("button", name=label)).to_have_count(0)
    page.get_by_label("核查结论").select_option("substantiated")
    page.locator("#answer-cause").select_option("objective")
    page.get_by_label("上门日期").fill("2026-11-23")
    page.get_by_label("上门人员").fill("钱所长")
    page.get_by_role("button", name="提交回复").focus()
    page.keyboard.press("Enter")
    sync_api.expect(page.get_by_text("请填写情况说明")).to_be_visible()
    page.get_by_label("情况说明").fill("警力不足，已增派")
    page.get_by_role("button", name="提交回复").focus()
    page.keyboard.press("Enter")

    sync_api.expect(page.get_by_text("回复已提交，期限停止计算。")).to_be_visible()
    assert desk.order(order_id).state == "answered"


def test_all_rows_are_ticked_at_once_and_what_will_happen_fits_the_screen(enter, pages):
    page = enter("centre", "zh-CN")
    page.goto("/orders?tab=all")
    box, rows = page.get_by_role("checkbox", name="全选本页"), page.locator('input[name="id"]')
    count = rows.count()
    assert count >= 4

    box.check()
    assert page.locator('input[name="id"]:checked').count() == count
    rows.first.uncheck()
    assert (box.is_checked(), box.evaluate("one => one.indeterminate")) == (False, True)
    page.get_by_role("button", name="催办").click()

    assert page.locator("tbody tr").count() == count - 1
    assert page.evaluate(WIDTH) <= SCREEN["width"]
    page.get_by_role("button", name="确认办理").click()
    assert page.url.endswith("/orders?tab=all")
    assert "已催办" in page.locator(".alert-success").inner_text()
    assert page.complaints == []
