"""The order as a document for one reader: written to the trail, without name and number unless these are disclosed (O34, O35, R63)."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from survey.casework.changes import found, route_of
from survey.casework.views import disclose_contact, order_view
from survey.casework.withholding import cleaner_of, hidden
from survey.disclosure import UNREADABLE, open_field
from survey.errors import CannotUnseal
from survey.fieldwork.office import Office
from survey.order_clock import Terms
from survey.order_moves import Actor
from survey.paper.content import Facts, Paper, Quote, paper
from survey.store.models import Order
from survey.store.queries import order_papers as queries
from survey.store.queries.people import display_names
from survey.store.sealing import place


def order_paper(
    session: Session, office: Office, order_id: str, reader: Actor, terms: Terms, now: datetime, *, kind: str, language: str,
    reason: str | None = None,
) -> Paper:  # fmt: skip
    """The document of an order in `zh` or `en`; with a `reason` it names the person who agreed to be contacted.

    `kind` is the form that is made of it (docx, pdf, print), for the trail. Show it after the commit. Raises NotFound where the reader
    may not know of the order, NotAllowed where there is no consent or the role may not see who it is, BadInput for an empty reason.
    """
    found(session, order_id, reader)
    contact = None if reason is None else disclose_contact(session, office, order_id, reader, reason, now)
    view = order_view(session, office, order_id, reader, terms, now, named=contact is not None)
    order = found(session, order_id, reader)
    incident, respondent_id = order.respondent.incident, order.respondent_id
    office.record(session, now, reader.name, "order.print", f"order:{order_id}", kind=kind, version=view.version, named=contact is not None)
    facts = Facts(
        bureau=office.bureau.name if language == "zh" else office.bureau.name_en, zone=office.bureau.tzinfo,
        script=queries.script_name(session, view.script_version), modes=queries.modes(session, respondent_id),
        officer=open_field(office.keys, incident.officer_sealed, "officer", incident.public_id),
        quotes=_quotes(session, office, order), hidden=() if contact else hidden(office, incident), contact=contact,
        printed_by=reader.name, printed_at=now,
        names=display_names(session, {reader.name, view.issued_by, *(event.actor for event in view.events)}),
    )  # fmt: skip
    return paper(view, facts, language)


def quotes_of(session: Session, office: Office, order_id: str, reader: Actor) -> tuple[Quote, ...]:
    """What the person said, and what the operator noted of it (C33), as the paper has it: without name and number. Raises NotFound."""
    order = found(session, order_id, reader)
    clean = cleaner_of(office, order.respondent.incident)
    return tuple(replace(quote, text=clean(quote.text)) for quote in _quotes(session, office, order) if quote.says_something)


def _quotes(session: Session, office: Office, order: Order) -> tuple[Quote, ...]:
    said = queries.quotes(session, order, alleged=route_of(order) == "inspection")
    sealed = (*said, *queries.notes(session, order))
    return tuple(Quote(_opened(office, quote), quote.confidence, quote.by_operator, quote.round, quote.recording) for quote in sealed)


def _opened(office: Office, quote: queries.SealedQuote) -> str:
    try:
        return office.keys.open(quote.text, place(quote.table, quote.column, quote.public_id)) or ""
    except CannotUnseal:
        return UNREADABLE
