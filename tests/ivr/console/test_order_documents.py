"""The order as a document over HTTP: who gets it, as what, what it never holds, and what the trail keeps (O34, O35, R12, R35)."""

import io
import json
import zipfile
from dataclasses import replace
from urllib.parse import unquote

import pytest
from docx import Document
from sqlalchemy import select

from ivr.console import pdf
from ivr.console.app import create_console_app
from survey import casework
from survey.order_moves import SYSTEM
from survey.store.models import AuditEntry, Escalation, Order, OrderAttachment, OrderReply, Respondent, Unit, User
from survey.store.sealing import place
from tests.ivr.console.builders import NOON
from tests.ivr.console.conftest import csrf_of, post
from tests.ivr.console.pages import Page

NAME, NUMBER = "报警人2", "+8610000000002"
READERS = ("operator", "centre", "inspection", "commander", "auditor", "unit")


@pytest.fixture
def order(month, sessions, services, passwords) -> str:
    """The order of the dissatisfied person, given to the unit that the account `unit` acts for; its public id."""
    with sessions.begin() as session:
        respondent = session.scalars(select(Respondent).where(Respondent.public_id == month.dissatisfied)).one()
        case = session.scalars(select(Escalation).where(Escalation.respondent_id == respondent.id)).one()
        made = casework.issue(session, services.office, case, SYSTEM, services.office.terms, NOON)
        session.scalars(select(User).where(User.name == "unit")).one().unit_id = made.unit_id
        return made.public_id


def _without_consent(sessions, keys, order) -> None:
    """The person refused to be contacted; the unit's texts and the name of a file hold who it is all the same."""
    with sessions.begin() as session:
        row = session.scalars(select(Order).where(Order.public_id == order)).one()
        row.consent = row.escalation.consent = "no"
        reply = OrderReply(order_id=row.id, round=1, finding="partly", cause="objective", by="unit", at=NOON, public_id="5" * 32)
        reply.improvement_sealed = keys.seal(f"已答复{NAME}，电话 {NUMBER}", place("order_replies", "improvement_sealed", "5" * 32))
        file = OrderAttachment(
            order_id=row.id, public_id="6" * 32, path="x", digest="0" * 64, kind="image/png", size_bytes=1, by="unit", at=NOON,
            name_sealed=keys.seal(f"{NAME}的照片.png", place("order_attachments", "name_sealed", "6" * 32)),
        )  # fmt: skip
        session.add_all([reply, file])


def _deeds(sessions) -> list[tuple[str, str, dict]]:
    with sessions() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action.like("order.%")).order_by(AuditEntry.n))
        return [(one.actor, one.action, json.loads(one.details)) for one in entries if one.action != "order.issue"]


def _everything(file: bytes) -> str:
    """All that a DOCX holds: names of its parts and their content."""
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        return "\n".join(f"{name}\n{archive.read(name).decode('utf-8', 'ignore')}" for name in archive.namelist())


@pytest.mark.parametrize("role", READERS)
def test_whoever_may_read_the_order_prints_it_and_takes_it_as_docx(log_in, open_page, order, role):
    client = log_in(role)

    page, file = open_page(client, f"/orders/{order}/print"), client.get(f"/orders/{order}/document.docx")

    assert page.one("h1").text == "接处警电话回访交办单"
    assert "〔2026〕1号" in page.text
    assert (file.status_code, file.mimetype) == (200, "application/vnd.openxmlformats-officedocument.wordprocessingml.document")
    assert unquote(file.headers["Content-Disposition"]).endswith("接处警电话回访交办单-2026-0001.docx")
    cells = [cell.text for row in Document(io.BytesIO(file.data)).tables[0].rows for cell in row.cells]
    assert {"20261014000002", "民警2", "同意责任单位联系"} <= set(cells)


def test_each_print_and_download_stands_in_the_trail(log_in, order, sessions):
    client = log_in("centre")

    client.get(f"/orders/{order}/print")
    client.get(f"/orders/{order}/document.docx")

    assert [(actor, action, details["kind"], details["named"]) for actor, action, details in _deeds(sessions)] == [
        ("centre", "order.print", "print", False), ("centre", "order.print", "docx", False),
    ]  # fmt: skip


@pytest.mark.parametrize("role", READERS)
def test_without_consent_neither_page_nor_file_nor_headers_hold_name_or_number(log_in, order, sessions, keys, role):
    _without_consent(sessions, keys, order)
    client = log_in(role)

    page, file = client.get(f"/orders/{order}/print"), client.get(f"/orders/{order}/document.docx")

    for told in (page.text, _everything(file.data), unquote(str(file.headers)), unquote(str(page.headers))):
        assert NAME not in told
        assert NUMBER not in told
        assert NUMBER[-8:] not in told
    assert "不予提供" in page.text
    assert 'name="reason"' not in page.text


def test_without_consent_a_forged_request_for_the_name_is_refused(log_in, order, sessions, keys):
    _without_consent(sessions, keys, order)
    client = log_in("centre")

    answer = post(client, f"/orders/{order}/print/contact", kind="docx", reason="上门回访需要")

    assert answer.status_code == 303
    assert "不同意联系" in client.get(answer.headers["Location"]).text
    assert [action for _, action, details in _deeds(sessions) if action == "order.contact" or details.get("named")] == []


def test_with_consent_the_unit_writes_a_reason_and_gets_name_and_number(log_in, order, sessions):
    client = log_in("unit")
    assert NAME not in client.get(f"/orders/{order}/print").text

    page = post(client, f"/orders/{order}/print/contact", kind="print", reason="上门回访")
    file = post(client, f"/orders/{order}/print/contact", kind="docx", reason="上门回访")

    assert NAME in page.text
    assert NUMBER in page.text
    cells = [cell.text for row in Document(io.BytesIO(file.data)).tables[0].rows for cell in row.cells]
    assert {NAME, NUMBER} <= set(cells)
    assert NAME not in unquote(str(file.headers))
    assert [details["reason"] for _, action, details in _deeds(sessions) if action == "order.contact"] == ["上门回访"] * 2


def test_a_reason_that_says_nothing_is_asked_for_again(log_in, order, sessions):
    answer = post(log_in("unit"), f"/orders/{order}/print/contact", kind="docx", reason=" ")

    page = Page.parse(answer.text)
    page.check()
    assert answer.status_code == 422
    [wrong] = [one for one in page.all("input") if one.attributes.get("aria-invalid") == "true"]
    assert wrong.attributes["id"] == "reason"
    assert NAME not in answer.text


@pytest.mark.parametrize("role", ["commander", "operator", "auditor"])
def test_who_only_reads_is_offered_no_name_and_gets_none(log_in, order, role):
    client = log_in(role)

    assert 'name="reason"' not in client.get(f"/orders/{order}/print").text
    assert post(client, f"/orders/{order}/print/contact", kind="docx", reason="督导需要").status_code == 403


def test_another_units_order_is_not_there(log_in, order, sessions):
    with sessions.begin() as session:
        other = Unit(code="north", name="城北派出所")
        session.add(other)
        session.flush()
        session.scalars(select(User).where(User.name == "unit")).one().unit_id = other.id
    client = log_in("unit")

    assert client.get(f"/orders/{order}/print").status_code == 404
    assert client.get(f"/orders/{order}/document.docx").status_code == 404
    assert client.get(f"/orders/{'0' * 32}/print").status_code == 404
    assert post(client, f"/orders/{order}/print/contact", kind="docx", reason="想看看").status_code == 404
    with sessions() as session:
        refused = session.scalars(select(AuditEntry).where(AuditEntry.action == "access.refused").order_by(AuditEntry.n)).all()
    assert [(one.actor, one.subject) for one in refused] == [
        ("unit", "page:order_documents.show"), ("unit", "page:order_documents.download"), ("unit", "page:order_documents.show"),
        ("unit", "page:order_documents.name"),
    ]  # fmt: skip


def test_an_allegation_of_abuse_is_a_document_for_inspection_alone(log_in, order, sessions):
    with sessions.begin() as session:
        session.query(Escalation).update({"route": "inspection"})

    for role in ("operator", "centre", "commander", "auditor", "unit"):
        client = log_in(role)
        assert client.get(f"/orders/{order}/print").status_code == 404, role
        assert client.get(f"/orders/{order}/document.docx").status_code == 404, role
    assert log_in("inspection").get(f"/orders/{order}/document.docx").status_code == 200


def test_in_english_page_and_file_are_english(log_in, open_page, order):
    client = log_in("centre", "en")

    page, file = open_page(client, f"/orders/{order}/print"), client.get(f"/orders/{order}/document.docx")

    assert "Order after a callback" in page.text
    assert "Order after a callback" in _everything(file.data)
    assert "callback-order-2026-0001.docx" in file.headers["Content-Disposition"]


def _own(services, path):
    return create_console_app(replace(services, order_template=path))


def _enter(app, passwords, role="centre"):
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "zh"
    client.post("/login", data={"name": role, "password": passwords[role], "csrf_token": csrf_of(client)})
    return client


def test_the_bureaus_own_template_is_used_as_it_is_now(services, passwords, order, tmp_path):
    path = tmp_path / "own.docx"
    own = Document()
    own.add_paragraph("本局样式 {{ number }} {{ unit }}")
    own.save(path)
    client = _enter(_own(services, path), passwords)

    before = client.get(f"/orders/{order}/document.docx")
    own.paragraphs[0].runs[0].text = "新样式 {{ number }}"
    own.save(path)
    after = client.get(f"/orders/{order}/document.docx")

    assert Document(io.BytesIO(before.data)).paragraphs[0].text == "本局样式 2026-0001 城东派出所"
    assert Document(io.BytesIO(after.data)).paragraphs[0].text == "新样式 2026-0001"


@pytest.mark.parametrize("content", [b"no document", None, "fault"])
def test_a_faulty_template_is_named_and_the_order_can_still_be_printed(services, passwords, order, tmp_path, content):
    path = tmp_path / "own.docx"
    if content == "fault":
        own = Document()
        own.add_paragraph("第一段 {{ nummer }}")
        own.save(path)
    elif content is not None:
        path.write_bytes(content)
    client = _enter(_own(services, path), passwords)

    answer = client.get(f"/orders/{order}/document.docx", follow_redirects=True)

    assert answer.status_code == 200
    assert "模板有误" in answer.text
    assert ("nummer" in answer.text) == (content == "fault")
    assert "2026-0001" in answer.text


def test_where_no_pdf_can_be_made_the_page_says_so_and_how_to_have_it(log_in, order, monkeypatch):
    monkeypatch.setattr(pdf, "is_available", lambda: False)
    client = log_in("centre")

    assert "document.pdf" not in client.get(f"/orders/{order}/print").text
    assert "pip install weasyprint" in client.get(f"/orders/{order}/document.pdf", follow_redirects=True).text


@pytest.mark.skipif(not pdf.is_available(), reason="WeasyPrint is not installed here")
def test_where_it_can_be_made_a_pdf_holds_the_order_and_nothing_is_fetched(log_in, order, sessions):
    client = log_in("centre")

    file = client.get(f"/orders/{order}/document.pdf")

    assert (file.status_code, file.mimetype, file.data[:5]) == (200, "application/pdf", b"%PDF-")
    assert [details["kind"] for _, _, details in _deeds(sessions)] == ["pdf"]


def test_a_pdf_fetches_nothing_from_anywhere():
    with pytest.raises(ValueError, match="nothing is fetched"):
        pdf.Nothing()("file:///etc/passwd")


@pytest.mark.skipif(not pdf.is_available(), reason="WeasyPrint is not installed here")
def test_a_page_that_links_to_files_of_this_machine_becomes_a_pdf_without_them(tmp_path):
    (tmp_path / "secret.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")

    made = pdf.made_from(f"<title>x</title><img src='{(tmp_path / 'secret.svg').as_uri()}'><p>text", "@import 'http://127.0.0.1:9/a.css';")

    assert made.startswith(b"%PDF-")
