"""Notices: what the visitor's office is told of its orders, and what of it this person has read (R54, O31)."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, redirect, request, url_for
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console.access import CENTRE, INSPECTION, UNIT, is_allowed, present, role, visitor
from ivr.console.notice_words import READ, UNREAD, kind_of
from ivr.console.order_access import order_actor
from ivr.console.rendering import render
from ivr.console.services import services
from ivr.console.words import Tag, in_language
from survey.accounts import people
from survey.casework import reading
from survey.store.queries import notices as queries
from survey.store.queries import order_lists
from survey.store.queries.notices import NoticeRow, Reader

notices = Blueprint("notices", __name__)


@dataclass(frozen=True)
class Line:
    """One notice as shown; `is_list` where it is about the weekly list, `order_id` where about an order that the reader may open."""

    number: int
    kind: Tag
    text: str
    at: datetime
    mark: Tag
    is_unread: bool
    is_list: bool
    order_id: str


@dataclass(frozen=True)
class NoticesPage:
    """The office's notices, newest first; `unread` of them this person has not read."""

    lines: list[Line]
    unread: int


@notices.get("/notices")
@role(UNIT, CENTRE, INSPECTION)
def index() -> str:
    """The own office's notices."""
    with services().reads() as session:
        reader = _reader(session)
        rows = queries.notices(session, reader)
        known = order_lists.known_to(session, order_actor(), [_order_id(row) for row in rows])
        lines = [_line(row, known) for row in rows]
        page = NoticesPage(lines, len(queries.unread(session, reader)))
    return render("notices/index.html", page)


@notices.post("/notices/read")
@role(UNIT, CENTRE, INSPECTION)
def read() -> Response:
    """Mark one as read (`number`), or all that the page showed (`until`, the newest one's number)."""
    number, until = (request.form.get(name, "") for name in ("number", "until"))
    house = services()
    with house.unit_of_work() as work:
        reader = _reader(work.session)
        wanted = [one for one in queries.unread(work.session, reader) if str(one) == number or _is_until(one, until)]
        reading.note_read(work.session, wanted, reader.user_id, house.clock.now())
    return redirect(url_for("notices.index"), 303)


def bell() -> int | None:
    """How many notices of the office this person has not read; None for those who get none."""
    person = visitor()
    if person is None or not is_allowed("notices.index", person.role):
        return None
    try:
        with services().reads() as session:
            return len(queries.unread(session, _reader(session)))
    except SQLAlchemyError:  # the page has worse to tell
        return None


def _reader(session: Session) -> Reader:
    user = people.known(session, present().name)
    return Reader(user.id, user.role, user.unit_id, user.is_head)


def _is_until(number: int, until: str) -> bool:
    return until.isdecimal() and len(until) < 19 and number <= int(until)


def _line(row: NoticeRow, known: set[str]) -> Line:
    is_unread, order_id = row.read_at is None, _order_id(row)
    mark, is_list = UNREAD if is_unread else READ, row.kind == "weekly"
    shown = order_id if order_id in known else ""
    return Line(row.id, kind_of(row.kind), in_language(row.text), row.at, mark, is_unread, is_list, shown)


def _order_id(row: NoticeRow) -> str:
    what, _colon, identity = row.subject.partition(":")
    return identity if what == "order" else ""
