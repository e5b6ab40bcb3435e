"""The on-site register and the ledger of four levels over HTTP: who sees and enters what, coverage, exports (R1, R2, R12, R35)."""

import csv
import io

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from survey import casework
from survey.casework.register import Signing
from survey.order_moves import SYSTEM
from survey.store.models import AuditEntry, Campaign, Escalation, Incident, Order, RegisterEntry, Respondent, User
from survey.store.queries.register import signed_by
from tests.ivr.console.builders import CLOSED, NOON
from tests.ivr.console.conftest import csrf_of, post
from tests.ivr.console.pages import Page

AT = "2026-10-14T16:30"
NAME, PHONE = "报警人2", "0000002"


@pytest.fixture
def unit(month, sessions, passwords) -> int:
    """The account `unit` acts for the unit of the dissatisfied person's incident."""
    with sessions.begin() as session:
        incident = session.scalars(select(Incident).where(Incident.number == month.incident_number)).one()
        session.scalars(select(User).where(User.name == "unit")).one().unit_id = incident.unit_id
        return incident.unit_id


@pytest.fixture
def foreign(month, sessions, unit) -> str:
    """The number of an incident of another unit."""
    with sessions() as session:
        return session.scalars(select(Incident.number).where(Incident.unit_id != unit).order_by(Incident.id)).first()


def _entries(sessions) -> list[tuple[str, str]]:
    with sessions() as session:
        return [tuple(row) for row in session.execute(select(Incident.number, RegisterEntry.state).join(RegisterEntry.incident))]


def _refused(sessions) -> list[tuple[str, str]]:
    with sessions() as session:
        found = select(AuditEntry).where(AuditEntry.action == "access.refused").order_by(AuditEntry.n)
        return [(one.actor, one.subject) for one in session.scalars(found)]


def _wrong(answer) -> tuple[str, str]:
    page = Page.parse(answer.text)
    page.check()
    [wrong] = [one for one in [*page.all("input"), *page.all("select")] if one.attributes.get("aria-invalid") == "true"]
    [complaint] = [one for one in page.all("span") if one.attributes.get("id") == "problem"]
    return wrong.attributes["id"], complaint.text


def _send(client, content: bytes, name: str = "register.csv"):
    form = {"csrf_token": csrf_of(client), "file": (io.BytesIO(content), name)}
    return client.post("/register/import", data=form, content_type="multipart/form-data")


def test_an_entry_counts_in_the_coverage_of_its_unit_and_in_total(log_in, open_page, month, unit, sessions):
    client = log_in("unit")

    post(client, "/register/entries", number=month.incident_number, state="signed", by="周警官", at=AT, reason="")

    page = open_page(client, "/register?month=2026-10")
    assert _entries(sessions) == [(month.incident_number, "signed")]
    rows = [" ".join(row.text.split()) for row in page.all("tr")]
    assert "城东派出所 12 1 0 0 11 8.3% 8.3%" in rows
    assert "合计 12 1 0 0 11 8.3% 8.3%" in rows
    assert len(open_page(log_in("centre"), "/register?month=2026-10").all("tr")) == 5


@pytest.mark.parametrize("name", ["administrator", "周警官"])
def test_the_trail_names_the_account_that_entered_and_the_officer_is_sealed(log_in, month, unit, sessions, keys, name):
    post(log_in("unit"), "/register/entries", number=month.incident_number, state="signed", by=name, at=AT, reason="")

    with sessions() as session:
        entry = session.scalars(select(RegisterEntry)).one()
        assert (entry.by, signed_by(keys, entry)) == ("", name)
        trail = session.scalars(select(AuditEntry).where(AuditEntry.action == "register.enter")).one()
        assert trail.actor == "unit"
        assert all(name not in f"{one.actor} {one.subject} {one.details}" for one in session.scalars(select(AuditEntry)))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"number": "J1"}, "number"), ({"state": "x"}, "state"), ({"by": " "}, "by"), ({"at": "gestern"}, "at"),
        ({"at": "2030-01-01T00:00"}, "at"), ({"at": "2026-10-01T00:00"}, "at"), ({"state": "unable"}, "reason"),
    ],
)  # fmt: skip
def test_a_fault_is_said_at_its_field_and_what_was_typed_is_kept(log_in, month, unit, sessions, changed, field):
    form = {"number": month.incident_number, "state": "signed", "by": "周警官", "at": AT, "reason": "", **changed}

    answer = post(log_in("unit"), "/register/entries", **form)

    assert answer.status_code == 422
    assert _wrong(answer)[0] == field
    assert _entries(sessions) == []


def test_an_incident_has_one_entry(log_in, month, unit, sessions):
    client = log_in("unit")
    for state in ("signed", "refused"):
        answer = post(client, "/register/entries", number=month.incident_number, state=state, by="周警官", at=AT, reason="")

    assert _wrong(answer) == ("number", f"警情 {month.incident_number} 已有登记")
    assert _entries(sessions) == [(month.incident_number, "signed")]


def test_a_unit_neither_enters_nor_sees_what_is_anothers(log_in, open_page, foreign, sessions):
    client = log_in("unit")

    assert _wrong(post(client, "/register/entries", number=foreign, state="signed", by="周", at=AT, reason=""))[0] == "number"
    assert "拒收 1" in _send(client, f"警情编号,签字情况,登记民警,登记时间\n{foreign},已签字,周,2026-10-14 16:30\n".encode()).text
    assert foreign not in open_page(client, "/ledger?month=2026-10").text
    assert foreign not in open_page(client, f"/ledger?number={foreign}").text.replace(f'value="{foreign}"', "")
    with sessions() as session:
        other = session.scalars(select(Incident.public_id).where(Incident.number == foreign)).one()
    assert client.get(f"/ledger/{other}").status_code == 404
    assert _refused(sessions) == [("unit", "page:register.enter"), ("unit", "page:ledger.show")]
    assert foreign not in client.get("/ledger/export.csv?month=2026-10").data.decode("utf-8-sig")
    assert _entries(sessions) == []


def test_a_file_comes_in_and_what_is_refused_is_listed_and_kept_in_a_file(log_in, month, sessions, services):
    text = f"警情编号,签字情况,登记民警,登记时间\n{month.incident_number},已签字,周警官,2026-10-14 16:30\nJ1,已签字,=1+1,2026-10-14\n"

    answer = _send(log_in("centre"), text.encode("gb18030"))

    page = Page.parse(answer.text)
    page.check()
    assert "读取 2 行：新增 1，已有 0，拒收 1。" in page.text
    assert "没有这起警情" in page.text
    [file] = (services.data / "rejects").glob("register-centre-*.csv")
    assert "J1" in file.read_text("utf-8-sig")
    assert not list(services.data.glob("upload-*"))


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"%PDF-1.7 x", b"PK\x03\x04" + bytes(100)], ids=["empty", "header", "pdf", "zip"])
def test_what_is_no_register_is_refused_at_its_field(log_in, content):
    answer = _send(log_in("centre"), content)

    assert answer.status_code == 422
    assert _wrong(answer)[0] == "file"


@pytest.mark.parametrize("role", ["operator", "inspection", "commander", "auditor"])
def test_who_only_reads_finds_no_form_and_enters_nothing(log_in, open_page, month, role):
    client = log_in(role)

    assert "/register/entries" not in open_page(client, "/register?month=2026-10").html
    assert post(client, "/register/entries", number=month.incident_number).status_code == 403
    assert _send(client, b"x").status_code == 403


@pytest.fixture
def lived(month, sessions, services) -> str:
    """The dissatisfied person's incident with all levels but a visit: register, call, order, second call; its public id."""
    with sessions.begin() as session:
        incident = session.scalars(select(Incident).where(Incident.number == month.incident_number)).one()
        casework.enter(session, services.office, incident, Signing("signed", "周警官", CLOSED), "centre", NOON)
        case = session.scalars(select(Escalation).join(Respondent).where(Respondent.public_id == month.dissatisfied)).one()
        casework.issue(session, services.office, case, SYSTEM, services.office.terms, NOON)
        order = session.scalars(select(Order)).one()
        order.state = "answered"
        order.answered_at = NOON
        session.flush()
        casework.begin_recall(session, services.office, order.public_id, NOON)
        casework.note_recall(session, services.office, order.public_id, "satisfied", services.office.terms, NOON)
        return incident.public_id


def test_an_incident_shows_its_levels_in_time_order_and_which_are_lacking(log_in, open_page, lived):
    page = open_page(log_in("centre"), f"/ledger/{lived}")

    rows = [" ".join(row.text.split()) for row in page.all("tr")][1:]
    assert [row.split()[0] for row in rows] == ["现场回访", "电话回访", "再次回访"]
    assert "周** 已签字" in rows[0]
    assert rows[1].endswith("非常不满意 " * 4 + "非常不满意")
    assert rows[2].endswith("满意 — — — — —")
    assert "尚未进行：上门回访" in page.text
    assert NAME not in page.html
    assert PHONE not in page.html.replace("20261014000002", "")


def test_a_number_is_found_in_every_month_and_month_and_unit_narrow_the_list(log_in, open_page, lived, month, unit):
    client = log_in("centre")

    assert month.incident_number in open_page(client, f"/ledger?number={month.incident_number[-6:]}&month=2020-01").text
    assert "没有符合条件的警情" in open_page(client, "/ledger?month=2020-01").text
    assert "共 36 件" in open_page(client, "/ledger?month=2026-10").text
    assert "共 12 件" in open_page(client, f"/ledger?month=2026-10&unit={unit}").text
    for hostile in ("month=9999-99", "unit=99999999999999999999", "number=%25", "page=-4", "number=%27%22%3C"):
        assert client.get(f"/ledger?{hostile}").status_code == 200


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_export_holds_every_callback_masked_and_stands_in_the_trail(log_in, lived, month, sessions, kind):
    answer = log_in("centre").get(f"/ledger/export.{kind}?month=2026-10")

    if kind == "csv":
        table = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    else:
        table = [[cell or "" for cell in row] for row in load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True)]
    mine = [row for row in table if row[0] == month.incident_number]
    assert [(row[4], row[6], row[7]) for row in mine] == [
        ("现场回访", "周**", "已签字"), ("电话回访", "system", mine[1][7]), ("再次回访", "system", "满意"),
    ]  # fmt: skip
    assert len({row[0] for row in table}) == 37
    assert "报警人" not in str(table)
    assert "+86" not in str(table)
    with sessions() as session:
        assert [one.actor for one in session.scalars(select(AuditEntry).where(AuditEntry.action == "ledger.export"))] == ["centre"]


@pytest.mark.parametrize(("by", "shown"), [("John Smith", "J**"), ("021345", "0**"), ("O", "O**"), ("周警官", "周**"), ("", "")])
def test_an_officer_of_the_register_is_masked_in_whatever_script_the_name_is(log_in, open_page, month, sessions, services, by, shown):
    with sessions.begin() as session:
        incident = session.scalars(select(Incident).where(Incident.number == month.incident_number)).one()
        casework.enter(session, services.office, incident, Signing("signed", by, CLOSED), "centre", NOON)
        public_id = incident.public_id
    client = log_in("centre")

    [row, *_] = [" ".join(row.text.split()) for row in open_page(client, f"/ledger/{public_id}").all("tr")[1:]]
    table = csv.reader(io.StringIO(client.get("/ledger/export.csv?month=2026-10").data.decode("utf-8-sig")))
    exported = [line[6] for line in table if line[0] == month.incident_number and line[4] == "现场回访"]

    assert f" {shown} 已签字".replace("  ", " ") in row
    assert exported == [shown]


@pytest.mark.parametrize("state", ["running", "finished", "stopped"])
def test_a_unit_does_not_learn_whom_the_survey_called_and_who_answered_it(log_in, lived, unit, sessions, month, state):
    """R12: of its own incidents only the call behind an order of its own is told, also when the campaign is over."""
    with sessions.begin() as session:
        session.scalars(select(Campaign)).one().state = state

    told = log_in("unit").get("/ledger/export.csv?month=2026-10").data.decode("utf-8-sig")

    assert {row[0] for row in csv.reader(io.StringIO(told)) if row[4] == "电话回访"} == {month.incident_number}


def test_a_unit_sees_the_call_behind_its_own_order(log_in, open_page, lived, unit):
    page = open_page(log_in("unit"), f"/ledger/{lived}")

    assert "电话回访" in page.text
    assert "非常不满意" in page.text


def test_of_an_allegation_of_abuse_only_inspection_sees_what_followed(log_in, open_page, lived, unit, sessions):
    with sessions.begin() as session:
        session.query(Escalation).update({"route": "inspection"})

    for role in ("centre", "commander", "administrator"):
        page = open_page(log_in(role), f"/ledger/{lived}")
        assert "再次回访 2026" not in page.text
        assert "非常不满意" not in page.text
    assert "电话回访" not in [" ".join(row.text.split()).split()[0] for row in open_page(log_in("unit"), f"/ledger/{lived}").all("tr")]
    assert "非常不满意" in open_page(log_in("inspection"), f"/ledger/{lived}").text
