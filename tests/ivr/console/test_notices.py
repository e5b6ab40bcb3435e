"""Notices on their page and at the bell, the weekly list, addresses for e-mail, deliveries (R54, O31)."""

import csv
from datetime import date, timedelta
from io import BytesIO

import openpyxl
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from survey import accounts, casework
from survey.order_clock import Terms
from survey.store.models import AuditEntry, Escalation, Notice, NoticeDelivery, NoticeReading, Order, Unit, User
from tests.ivr.console.builders import NOON
from tests.ivr.console.conftest import OWN_UNIT, csrf_of, post

CHANNELS = {"file", "mail", "webhook"}
WEEK = date(2026, 11, 23)


@pytest.fixture
def orders(month, sessions: sessionmaker[Session], services, passwords) -> list[str]:
    """The dissatisfied cases of the month as orders a fortnight old, the first of the unit OWN_UNIT, with what was said of them."""
    with sessions.begin() as session:
        own = session.scalars(select(Unit).where(Unit.code == OWN_UNIT)).one()
        for case in session.scalars(select(Escalation)):
            case.attempt.settled_at = NOON - timedelta(days=14)
        first = session.scalars(select(Escalation).order_by(Escalation.id)).first()
        first.respondent.unit_id = own.id
        own.email = "south@police.example"
    with services.unit_of_work() as work:
        issued = casework.issue_due(work.session, services.office, Terms(), NOON - timedelta(days=14)).issued
        work.session.execute(update(Order).values(issued_at=NOON - timedelta(days=14), state="signed"))
        fresh = casework.reminders(work.session, services.office, Terms(), NOON)
        casework.address(work.session, fresh, CHANNELS, NOON)
    return list(issued)


def _notices(sessions: sessionmaker[Session]) -> list[Notice]:
    with sessions() as session:
        return list(session.scalars(select(Notice).order_by(Notice.id)))


def test_a_unit_is_told_of_its_own_orders_and_of_no_others(log_in, open_page, orders):
    page = open_page(log_in("unit"), "/notices")

    rows = [one.text.split() for one in page.all("tr")[1:]]
    assert len(orders) == 3
    assert len(rows) == 2
    assert {word for word in ("已逾期", "每周清单") for row in rows if word in row} == {"已逾期", "每周清单"}
    assert "交办单 2026-0001 已逾期" in page.text
    assert "2026-0002" not in page.text
    assert "2 条未读" in page.text


def test_a_notice_leads_to_its_order_as_long_as_its_reader_may_open_it(log_in, open_page, orders, sessions):
    client, link = log_in("unit"), f"/orders/{orders[0]}"
    assert link in [one.attributes["href"] for one in open_page(client, "/notices").all("a")]
    assert client.get(link).status_code == 200
    with sessions.begin() as session:
        session.execute(update(Escalation).values(route="inspection"))

    assert link not in [one.attributes["href"] for one in open_page(client, "/notices").all("a")]


def test_the_centre_has_one_list_of_all_units_and_inspection_what_is_its_own(log_in, open_page, orders, sessions):
    centre, inspection = open_page(log_in("centre"), "/notices"), open_page(log_in("inspection"), "/notices")

    assert len(centre.all("tr")) == 2
    assert "未办结 3 件，其中逾期 3 件" in centre.text
    assert "没有通知" in inspection.text


def test_others_have_no_bell(log_in, open_page, orders):
    assert [one for one in open_page(log_in("operator"), "/").all("a") if one.attributes.get("class") == "bell"] == []


def test_what_one_person_has_read_a_colleague_has_not(log_in, open_page, orders, sessions, services):
    client = log_in("unit")
    newest = _notices(sessions)
    mine = [one.id for one in newest if one.unit_id is not None and "2026-0001" in one.text + str(one.details)]
    assert post(client, "/notices/read", number=str(mine[0])).status_code == 303

    assert "1 条未读" in open_page(client, "/notices").text
    with sessions.begin() as session:
        assert len(session.scalars(select(NoticeReading)).all()) == 1
        session.execute(update(User).where(User.name == "operator").values(role="unit", unit_id=newest[0].unit_id))
        unit_id = session.scalar(select(User.unit_id).where(User.name == "unit"))
        session.execute(update(User).where(User.name == "operator").values(unit_id=unit_id))
    assert "2 条未读" in open_page(log_in("operator"), "/notices").text
    with sessions() as session:
        read = session.get_one(Notice, mine[0])
        assert (read.state, read.sent_at) == ("sent", NOON)


def test_all_are_marked_that_the_page_showed_and_not_what_came_since(log_in, open_page, orders, sessions, services):
    client = log_in("unit")
    until = next(one.attributes["value"] for one in open_page(client, "/notices").all("input") if one.attributes.get("name") == "until")
    with sessions.begin() as session:
        unit_id = session.scalar(select(User.unit_id).where(User.name == "unit"))
        session.add(Notice(kind="overdue", subject="order:x", unit_id=unit_id, key="late", text="又一条 / another", due_at=NOON))
    post(client, "/notices/read", until=until)

    assert "1 条未读" in open_page(client, "/notices").text
    assert "又一条" in open_page(client, "/notices").text


@pytest.mark.parametrize(
    "form", [{"number": "1"}, {"until": "9" * 18}, {"until": "-1"}, {"until": "９"}, {"until": "9" * 40}, {"number": "x"}, {}]
)
def test_nobody_marks_what_another_office_is_told(log_in, orders, sessions, form):
    with sessions() as session:
        mine = set(session.scalars(select(Notice.id).where(Notice.subject == "route:centre")))
    post(log_in("centre"), "/notices/read", **form)

    with sessions() as session:
        assert set(session.scalars(select(NoticeReading.notice_id))) <= mine


def test_notices_in_english(log_in, open_page, orders):
    page = open_page(log_in("unit", "en"), "/notices")

    assert "order 2026-0001 is" in page.text
    assert "working days overdue" in page.text
    assert "交办单" not in page.text
    assert "2 unread" in page.text


def test_the_weekly_list_of_a_unit_and_of_the_centre(log_in, open_page, orders):
    unit, centre = open_page(log_in("unit"), "/weekly"), open_page(log_in("centre"), "/weekly")

    assert unit.one("h1").text == f"城南派出所 交办单每周清单 {WEEK}"
    assert "2026-0001" in unit.text
    assert "2026-0002" not in unit.text
    assert [row.text.split()[0] for row in centre.all("tr")[1:4]] == ["2026-0001", "2026-0002", "2026-0003"]
    totals = [row.text.split() for row in centre.all("tr") if row.text.split()[:1] == ["合计"]]
    assert totals == [["合计", "3", "3", "3", "0", "3", "0"]]
    assert "Weekly list of orders" in open_page(log_in("centre", "en"), "/weekly").one("h1").text


def test_what_inspection_has_stands_on_its_own_list_alone(log_in, open_page, orders, sessions):
    with sessions.begin() as session:
        session.execute(update(Escalation).values(route="inspection"))

    for role, shown in (("unit", False), ("centre", False), ("commander", False), ("auditor", False), ("inspection", True)):
        assert ("2026-0001" in open_page(log_in(role), "/weekly").text) == shown, role


def test_the_list_as_a_file_is_the_page_and_stands_in_the_trail(log_in, orders, sessions):
    book, table = log_in("unit").get("/weekly/list.xlsx"), log_in("centre").get("/weekly/list.csv")

    assert str(WEEK) in book.headers["Content-Disposition"]
    first = openpyxl.load_workbook(BytesIO(book.data)).worksheets[0]
    assert [row[0].value for row in first.iter_rows(min_row=3, max_row=3)] == ["2026-0001"]
    assert [line[0] for line in csv.reader(table.data.decode("utf-8-sig").splitlines()) if line and line[0].startswith("2026-")] == [
        "2026-0001", "2026-0002", "2026-0003",
    ]  # fmt: skip
    with sessions() as session:
        taken = session.scalars(select(AuditEntry).where(AuditEntry.action == "list.download").order_by(AuditEntry.n)).all()
    assert [(one.actor, one.subject) for one in taken] == [("unit", f"list:{WEEK}"), ("centre", f"list:{WEEK}")]


def test_without_a_calendar_the_page_says_so(log_in, open_page, orders, clock):
    clock.moment = NOON.replace(year=2031)

    page = open_page(log_in("centre"), "/weekly", 503)
    assert "2027 年的节假日安排尚未载入" in page.text
    assert log_in("centre").get("/weekly/list.csv").headers["Location"] == "/weekly"


def test_deliveries_are_shown_with_their_problem_and_a_failed_one_is_sent_again(log_in, open_page, orders, sessions, services):
    with sessions.begin() as session:
        failed = session.scalars(select(NoticeDelivery).where(NoticeDelivery.channel == "mail").order_by(NoticeDelivery.id)).first()
        failed.state, failed.tries, failed.problem = "failed", 8, "recipient 550"
        number = failed.id
    client = log_in("administrator")
    page = open_page(client, "/notices/deliveries")
    assert "邮件服务器拒绝收件地址（550）" in page.text
    assert "在账号或单位名册中更正邮箱" in page.text
    assert "south@police.example" not in page.text
    assert "the mail server refuses the recipient (550)" in open_page(log_in("centre", "en"), "/notices/deliveries").text

    assert post(client, f"/notices/deliveries/{number}/again").status_code == 303
    assert ("send_notice", number) in services.queue.woken
    assert post(client, f"/notices/deliveries/{number}/again").status_code == 404
    with sessions() as session:
        again = session.get_one(NoticeDelivery, number)
        assert (again.state, again.tries) == ("waiting", 0)
    assert "重发通知" in open_page(client, "/audit").text


def test_inspections_deliveries_are_shown_to_nobody_else(log_in, open_page, orders, sessions):
    with sessions.begin() as session:
        notice = Notice(kind="overdue", subject="order:y", unit_id=None, key="secret", text="督察件 / inspection's", due_at=NOON)
        session.add(notice)
        session.flush()
        session.add(NoticeDelivery(notice_id=notice.id, channel="mail", recipient="user:1", created_at=NOON, due_at=NOON))

    assert "督察件 " not in open_page(log_in("administrator"), "/notices/deliveries").text.replace("督察件不在此列", "")
    assert "督察件" in open_page(log_in("inspection"), "/notices").text


GOOD = ("south@police.example", "a.b+c@x.example", "")
BAD = ("south", "@police.example", "a@b@c.example", "a b@c.example", "a@-x.example", "所@police.example", "a@x.example\r\nBcc: b@x.example",
       "a@x.example,b@x.example", '"a"@x.example', "a..b@x.example", f"{'a' * 65}@x.example", f"a@{'x.' * 130}example")  # fmt: skip


@pytest.mark.parametrize("email", GOOD)
def test_addresses_are_kept_with_unit_user_and_the_own_account(log_in, open_page, sessions, email):
    client = log_in("administrator")

    assert post(client, "/units/email", code=OWN_UNIT, email=f" {email} ").status_code == 303
    assert post(client, "/users/operator/change", email=email).status_code == 303
    assert post(client, "/account/email", email=email).status_code == 303
    with sessions() as session:
        assert session.scalars(select(Unit.email).where(Unit.code == OWN_UNIT)).one() == email
        sealed = session.scalars(select(User.email_sealed).where(User.name.in_(("operator", "administrator")))).all()
    assert [one is None for one in sealed] == [email == ""] * 2
    assert email.encode() not in b"".join(one or b"-" for one in sealed) or not email
    assert open_page(client, "/users/operator").html.count(f'value="{email}"') >= (1 if email else 0)
    if email:
        assert f"{email[0]}…@{email.partition('@')[2]}" in open_page(client, "/users").text
        assert email not in open_page(client, "/users").text


@pytest.mark.parametrize("email", BAD)
def test_what_is_no_address_is_refused_at_its_field_and_shown_again(log_in, sessions, email):
    client = log_in("administrator")

    for address, form in (("/units/email", {"code": OWN_UNIT}), ("/users/operator/change", {}), ("/account/email", {})):
        answer = post(client, address, email=email, **form)
        assert answer.status_code == 422, address
        assert "须为邮箱地址" in answer.text
        assert 'aria-invalid="true"' in answer.text
    with sessions() as session:
        assert session.scalars(select(Unit.email).where(Unit.code == OWN_UNIT)).one() == ""
        assert set(session.scalars(select(User.email_sealed))) == {None}


def test_a_unit_that_is_not_there(log_in):
    assert post(log_in("administrator"), "/units/email", code="nowhere", email="a@x.example").status_code == 404


def test_a_change_of_address_stands_in_the_trail_without_the_address(log_in, sessions):
    client = log_in("administrator")
    for _ in range(2):
        post(client, "/units/email", code=OWN_UNIT, email="south@police.example")
    post(client, "/users/operator/change", email="li@police.example")

    with sessions() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.n)).all()
    assert [one.action for one in entries].count("unit.change_email") == 1
    assert "police.example" not in "".join(one.details + one.subject for one in entries)


def test_a_new_account_has_its_address_from_the_start(log_in, sessions):
    client = log_in("administrator")
    token = csrf_of(client)
    form = {"name": "zhou", "role": "unit", "unit": OWN_UNIT, "email": "zhou@police.example", "csrf_token": token}
    assert client.post("/users", data=form).status_code == 200

    with sessions() as session:
        assert session.scalars(select(User.email_sealed).where(User.name == "zhou")).one() is not None


def test_what_is_for_the_leader_of_a_unit_is_read_by_its_head(log_in, open_page, orders, sessions, services):
    with sessions.begin() as session:
        session.execute(update(Order).values(state="issued"))
    with services.unit_of_work() as work:
        assert len(casework.reminders(work.session, services.office, Terms(), NOON)) == 6
    unit = log_in("unit")
    assert "请督促签收" in open_page(unit, "/notices").text

    with sessions.begin() as session:
        own = session.scalars(select(Unit).where(Unit.code == OWN_UNIT)).one()
        accounts.add_user(session, "head", "unit", "孙所长", NOON, OWN_UNIT)
        session.scalars(select(User).where(User.name == "head")).one().is_head = True
        assert own.id
    shown = open_page(unit, "/notices").text
    assert "尚未签收" in shown
    assert "请督促签收" not in shown
    with sessions.begin() as session:
        for user in session.scalars(select(User).where(User.role == "unit")):
            user.is_head = True
    assert "请督促签收" in open_page(unit, "/notices").text
