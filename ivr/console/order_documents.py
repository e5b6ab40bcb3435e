"""The order as a document: to be printed, as DOCX from the bureau's template, as PDF where the machine can make it (O34, O35)."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from flask import Blueprint, flash, redirect, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ivr.console import pdf, words
from ivr.console.access import AUDITOR, CENTRE, COMMANDER, INSPECTION, OPERATOR, UNIT, present, role
from ivr.console.forms import LONGEST_REASON, NO_PROBLEM, Problem
from ivr.console.language import current_language
from ivr.console.order_access import unknown_noted
from ivr.console.rendering import render
from ivr.console.services import services
from survey.casework.papers import order_paper
from survey.errors import BadInput, NotAllowed
from survey.order_moves import Actor
from survey.paper import docx, letterhead, template
from survey.paper.content import Paper
from survey.paper.template import TemplateFaulty

order_documents = Blueprint("order_documents", __name__)
READERS = (OPERATOR, CENTRE, INSPECTION, UNIT, COMMANDER, AUDITOR)
"""Who may see orders at all; which of them, `casework` decides."""
NAMED_TO = (CENTRE, INSPECTION, UNIT)
KINDS = {"docx": docx.KIND, "pdf": "application/pdf"}
STYLE = Path(__file__).parent / "static" / "order-print.css"


@dataclass(frozen=True)
class PrintPage:
    """The order as it is printed. `may_name`: a reason would show who the person is; `named`: it does already."""

    public_id: str
    paper: Paper
    has_pdf: bool
    may_name: bool
    named: bool
    on_screen: bool = True
    problem: Problem = NO_PROBLEM


@order_documents.get("/orders/<public_id:public_id>/print")
@role(*READERS)
def show(public_id: str) -> str:
    """The order on A4, without name and number of the person."""
    return render("order_documents/print.html", _page(public_id, _paper(public_id, "print")))


@order_documents.post("/orders/<public_id:public_id>/print/contact")
@role(*NAMED_TO)
def name(public_id: str) -> str | Response | tuple[str, int]:
    """The order with the person who agreed to be contacted, against a reason: on paper, as DOCX or as PDF (R63)."""
    kind, reason = request.form.get("kind", "print"), request.form.get("reason", "")[:LONGEST_REASON]
    try:
        if kind not in KINDS:
            return render("order_documents/print.html", _page(public_id, _paper(public_id, "print", reason), named=True))
        return _file(public_id, kind, reason)
    except BadInput as wrong:
        problem = Problem("name", "reason", words.in_language(wrong), request.form)
        return render("order_documents/print.html", _page(public_id, _paper(public_id, "print"), problem=problem)), 422
    except NotAllowed as wrong:
        flash(words.in_language(wrong), "danger")
        return redirect(url_for("order_documents.show", public_id=public_id), 303)


@order_documents.get("/orders/<public_id:public_id>/document.<any(docx,pdf):form>")
@role(*READERS)
def download(public_id: str, form: str) -> Response:
    """The order as a file, without name and number of the person; who took it stands in the audit trail."""
    try:
        return _file(public_id, form)
    except TemplateFaulty as wrong:
        flash(_("%(what)s。请告知管理员；仍可在本页打印。", what=words.in_language(wrong)), "danger")
    except NotAllowed as wrong:
        flash(words.in_language(wrong), "danger")
    return redirect(url_for("order_documents.show", public_id=public_id), 303)


def _paper(public_id: str, kind: str, reason: str | None = None) -> Paper:
    house, person = services(), present()
    reader = Actor(person.name, person.role, person.unit)
    with unknown_noted(), house.unit_of_work() as work:
        return order_paper(
            work.session, house.office, public_id, reader, house.office.terms, house.clock.now(), kind=kind,
            language=current_language(), reason=reason,
        )  # fmt: skip


def _page(public_id: str, paper: Paper, *, named: bool = False, problem: Problem = NO_PROBLEM) -> PrintPage:
    may_name = paper.is_open_to_contact and present().role in NAMED_TO
    return PrintPage(public_id, paper, pdf.is_available(), may_name, named, problem=problem)


def _file(public_id: str, kind: str, reason: str | None = None) -> Response:
    """The file; it is tried to be made before anything is shown, and noted in the trail first."""
    if kind == "pdf" and not pdf.is_available():
        raise NotAllowed(pdf.ABSENT)
    if kind == "docx":
        opened = _template()
    paper = _paper(public_id, kind, reason)
    made = docx.render(opened, paper, services().clock.now()) if kind == "docx" else _pdf(public_id, paper)
    return send_file(BytesIO(made), mimetype=KINDS[kind], as_attachment=True, download_name=f"{_file_name(paper)}.{kind}")


def _template() -> bytes:
    """The bureau's template as it is now, else the shipped one in the page's language. Raises TemplateFaulty."""
    own = services().order_template
    return template.read(own) if own else letterhead.shipped(current_language())


def _pdf(public_id: str, paper: Paper) -> bytes:
    page = PrintPage(public_id, paper, has_pdf=True, may_name=False, named=False, on_screen=False)
    return pdf.made_from(render("order_documents/print.html", page), STYLE.read_text("utf-8"))


def _file_name(paper: Paper) -> str:
    return f"接处警电话回访交办单-{paper.number}" if current_language() == "zh" else f"callback-order-{paper.number}"
