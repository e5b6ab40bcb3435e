"""The month's sheet 《警情处置情况考核表》 on a page and as files (C3–C7, C15, C16, C39)."""

from dataclasses import dataclass
from io import BytesIO, StringIO
from typing import Any

from flask import Blueprint, send_file
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console.access import HOUSE, actor, role
from ivr.console.language import current_language
from ivr.console.rendering import render
from ivr.console.services import services
from survey import reporting
from survey.report import Sheet
from survey.sheet import csv, html, layout, text, xlsx
from survey.store import audit
from survey.store.queries import console

reports = Blueprint("reports", __name__)
KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html; charset=utf-8",
}


@dataclass(frozen=True)
class ReportsPage:
    """The months that have a sheet, newest first."""

    months: list[str]


@dataclass(frozen=True)
class SheetPage:
    """One month's sheet, laid out in the page's language; `show` turns a cell into words."""

    month: str
    title: str
    marks: Any
    blocks: Any
    language: str
    show: Any


@reports.get("/reports")
@role(*HOUSE)
def index() -> str:
    """The list of sheets."""
    with services().reads() as session:
        page = ReportsPage(sorted({one.month for one in console.campaigns(session)}, reverse=True))
    return render("reports/index.html", page)


@reports.get("/reports/sheet.css")
@role(*HOUSE)
def style() -> Response:
    """How sheets look, on screen and on paper."""
    return Response(html.style(), mimetype="text/css")


@reports.get("/reports/<month:month>")
@role(*HOUSE)
def sheet(month: str) -> str:
    """One month's sheet."""
    with services().reads() as session:
        found = _build(session, month)
    language = current_language()
    page = SheetPage(
        month, layout.title(found, language), layout.marks(found, language), layout.blocks(found, language), language, text.show
    )
    return render("reports/sheet.html", page)


@reports.get("/reports/<month:month>/sheet.<any(csv,xlsx,html):kind>")
@role(*HOUSE)
def download(month: str, kind: str) -> Response:
    """One month's sheet as a file; who took it stands in the audit trail."""
    house, language = services(), current_language()
    with house.reads() as session:
        found = _build(session, month)
    data = _write(found, kind, language)
    with house.sessions.begin() as session:
        audit.append(
            session, house.office.audit_key, house.clock.now(), actor(), "sheet.download", f"sheet:{month}", kind=kind, digest=found.digest
        )
    return send_file(BytesIO(data), mimetype=KINDS[kind], as_attachment=True, download_name=f"{_file_name(month, language)}.{kind}")


def _build(session: Session, month: str) -> Sheet:
    """The sheet. Raises NotFound, which is answered by the 404 page."""
    house = services()
    return reporting.build_sheet(session, month, house.office.bureau, house.clock.now())


def _write(found: Sheet, kind: str, language: str) -> bytes:
    if kind == "xlsx":
        book = BytesIO()
        xlsx.render(found, book, language)
        return book.getvalue()
    if kind == "csv":
        lines = StringIO(newline="")
        csv.render(found, lines, language)
        return lines.getvalue().encode(csv.ENCODING)
    return html.render(found, language).encode()


def _file_name(month: str, language: str) -> str:
    return f"警情处置情况考核表-{month}" if language == "zh" else f"callback-sheet-{month}"
