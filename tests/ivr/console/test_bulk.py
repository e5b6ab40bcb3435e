"""Ticked rows: a page says first what will happen to each, then it is done, and who was refused is told why (O36)."""

import re
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from survey.store.models import Escalation, Notice, Order, TicketNote
from tests.ivr.console.conftest import csrf_of
from tests.ivr.console.order_desk import NAME, OrderDesk, forms, take

ASKED = ("human_requested",)
UNKNOWN = "0" * 32


@pytest.fixture
def desk(services, clock, passwords) -> OrderDesk:
    return OrderDesk(services, clock)


def tick(address: str, *ids: str, back: str = "/orders?tab=overdue") -> str:
    """The address that a browser goes to with these rows ticked."""
    return f"{address}?{urlencode([('back', back), *(('id', one) for one in ids)])}"


def confirm(client: FlaskClient, address: str, *ids: str, **more: str):
    """Send the form of the page that says what will happen, with the rows it holds as ready, or with `ids` forged into it."""
    data = MultiDict([("csrf_token", csrf_of(client)), ("back", "/orders?tab=overdue"), *(("id", one) for one in ids), *more.items()])
    return client.post(address, data=data)


def ready(html: str) -> list[str]:
    return re.findall(r'<input type="hidden" name="id" value="(\w+)">', html)


def test_rows_are_ticked_on_the_list_without_a_script(desk, log_in, open_page):
    [order_id] = desk.issued()
    [case] = desk.cases(reasons=ASKED)
    centre = log_in("centre")
    listed, queue = open_page(centre, "/orders?tab=all"), open_page(centre, "/escalations")

    for page, public_id in ((listed, order_id), (queue, case)):
        [box] = [one for one in page.all("input") if one.attributes.get("value") == public_id]
        assert (box.attributes["type"], box.attributes["form"], box.attributes["name"]) == ("checkbox", "bulk", "id")
    assert [one.attributes.get("formaction") for one in listed.all("button") if one.attributes.get("formaction")] == [
        "/orders/bulk/urge", "/orders/bulk/print",
    ]  # fmt: skip
    assert "/escalations/bulk/assign" in queue.html
    assert "bulk/urge" not in open_page(log_in("unit"), "/orders?tab=all").html
    assert "bulk/assign" not in open_page(log_in("operator"), "/escalations").html


def test_what_will_be_reminded_is_shown_first_and_nothing_is_done_until_it_is_confirmed(desk, log_in, open_page, sessions):
    first, second, answered = desk.issued(3)
    unit = log_in("unit")
    for action in ("sign", "take_in_hand", "answer"):
        take(unit, answered, action)
    centre = log_in("centre")
    page = open_page(centre, tick("/orders/bulk/urge", first, second, answered))

    assert "将办理 2 件，1 件不能办理" in " ".join(page.text.split())
    assert "无须催办" in page.text
    assert ready(page.html) == [first, second]
    with sessions() as session:
        assert session.query(Notice).filter_by(kind="urge").count() == 0

    done = confirm(centre, "/orders/bulk/urge", first, second, answered)
    assert (done.status_code, done.headers["Location"]) == (303, "/orders?tab=overdue")
    told = centre.get("/orders?tab=overdue").text
    assert "已催办 2 件" in told
    assert "未办：2026-0003，交办单" in told
    assert [one.actor for one in desk.trail("notice.urge")] == ["centre", "centre"]
    again = open_page(centre, tick("/orders/bulk/urge", first))
    assert "今天已催办过" in again.text
    assert ready(again.html) == []
    assert "催办：交办单 2026-0001" in open_page(unit, "/notices").text
    assert "提醒 1 次" in open_page(unit, f"/orders/{first}").text


def test_a_row_that_is_not_for_the_visitor_is_refused_as_if_it_were_not_there_and_is_on_record(desk, log_in, open_page):
    [inspected] = desk.issued(reasons=("dissatisfied", "abuse_alleged"))
    [mine] = desk.issued()
    centre = log_in("centre")
    page = open_page(centre, tick("/orders/bulk/urge", inspected, UNKNOWN, mine))

    assert page.text.count("没有这张交办单") == 2
    assert ready(page.html) == [mine]
    assert len(desk.trail("access.refused")) == 1
    confirm(centre, "/orders/bulk/urge", inspected)
    assert desk.trail("notice.urge") == []
    assert len(desk.trail("access.refused")) == 2


def test_ticked_orders_are_printed_one_after_the_other_and_each_is_in_the_trail(desk, log_in, open_page):
    ids = desk.issued(2)
    [inspected] = desk.issued(reasons=("dissatisfied", "abuse_alleged"))
    unit = log_in("unit")
    assert ready(open_page(unit, tick("/orders/bulk/print", *ids)).html) == ids

    printed = confirm(unit, "/orders/bulk/print", *ids, inspected)

    assert printed.status_code == 200
    assert printed.text.count('<article class="sheet"') == 2
    assert "〔2026〕1号" in printed.text
    assert "〔2026〕2号" in printed.text
    assert "未列入：—，没有这张交办单" in printed.text
    assert NAME not in printed.text
    assert [one.subject for one in desk.trail("order.print")] == [f"order:{one}" for one in ids]


def test_ticked_cases_are_issued_and_those_that_cannot_be_say_why(desk, log_in, open_page, sessions):
    ripe = desk.cases(2)
    [unsettled] = desk.cases(settled=False)
    centre = log_in("centre")
    page = open_page(centre, tick("/orders/bulk/issue", *ripe, unsettled))
    assert ready(page.html) == ripe
    assert "通话结果尚未确定" in page.text

    confirm(centre, "/orders/bulk/issue", *ripe, unsettled)

    with sessions() as session:
        issued = session.scalars(select(Escalation.public_id).join(Order, Order.escalation_id == Escalation.id).order_by(Order.serial))
        assert list(issued) == ripe
    assert ready(open_page(centre, tick("/orders/bulk/issue", *ripe)).html) == []


def test_ticked_tickets_are_given_to_one_person_also_from_another(desk, log_in, open_page, sessions):
    held, free = desk.cases(2, reasons=ASKED)
    [inspected] = desk.cases(reasons=("abuse_alleged",))
    operator, centre = log_in("operator"), log_in("centre")
    page = f"/escalations/{held}"
    hidden = forms(operator.get(page).text)[f"{page}/claim"]
    operator.post(f"{page}/claim", data=hidden)
    shown = open_page(centre, tick("/escalations/bulk/assign", held, free, inspected))
    assert ready(shown.html) == [held, free]
    assert re.findall(r'<option value="(\w+)">', shown.html) == ["administrator", "centre", "operator"]

    missing = confirm(centre, "/escalations/bulk/assign", held, free)
    assert missing.status_code == 422
    assert "请选择办理人" in missing.text
    confirm(centre, "/escalations/bulk/assign", held, free, inspected, to="inspection")
    assert desk.case(free).claimed_by is None
    confirm(centre, "/escalations/bulk/assign", held, free, inspected, to="centre")

    assert (desk.case(held).claimed_by, desk.case(free).claimed_by, desk.case(inspected).claimed_by) == ("centre", "centre", None)
    assert "已指派 2 件" in centre.get("/orders").text
    assert [(one.actor, one.details) for one in desk.trail("ticket.assign")] == [("centre", '{"to":"centre"}')] * 2
    with sessions() as session:
        assert {one.what for one in session.scalars(select(TicketNote))} == {"claim", "assign"}
    assert "指派" in open_page(operator, page).text
    confirm(centre, "/escalations/bulk/assign", free, to="centre")
    assert "此件已由所选人员办理" in centre.get("/orders").text


def test_nothing_ticked_and_too_many_are_said_where_one_came_from(desk, log_in):
    centre = log_in("centre")
    for ids, told in (((), "请先勾选"), (("../x", "F" * 32), "请先勾选"), (tuple(f"{n:032x}" for n in range(51)), "一次最多 50 件")):
        answer = centre.get(tick("/orders/bulk/urge", *ids))
        assert answer.headers["Location"] == "/orders?tab=overdue"
        assert told in centre.get("/orders").text
    assert centre.get(tick("/orders/bulk/urge", back="https://elsewhere.example/")).headers["Location"] == "/"


@pytest.mark.parametrize("deed", ["/orders/bulk/urge", "/orders/bulk/issue", "/orders/bulk/print", "/escalations/bulk/assign"])
def test_a_form_without_rows_goes_back_as_well(desk, log_in, deed):
    centre = log_in("centre")
    answer = confirm(centre, deed)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/orders?tab=overdue")
    assert "请先勾选" in centre.get("/orders").text
