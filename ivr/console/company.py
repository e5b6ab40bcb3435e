"""Who else is looking at an order or a ticket, and what they have done since the page was opened: a fragment of both pages (O33)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from flask import Blueprint, request, url_for
from flask_babel.speaklater import LazyString
from sqlalchemy.orm import Session

from ivr.console import order_words
from ivr.console.access import actor, role
from ivr.console.order_access import MAY_READ, order_actor, unknown_noted
from ivr.console.rendering import render
from ivr.console.services import services
from ivr.console.tickets import MAY_WORK
from survey import casework
from survey.accounts.people import known
from survey.casework import tickets
from survey.store import topics
from survey.store.queries import company as queries
from survey.store.queries import people
from survey.store.queries.company import StepRow

company = Blueprint("company", __name__)
LATEST = 3
"""How many of the steps that others have taken are shown; the page itself shows them all."""


class Company(Protocol):
    """Who is looking at what, by topic and id of account."""

    def note(self, topic: str, user_id: int) -> bool:
        """Somebody is looking at it now; whether they were not before."""
        ...

    def leave(self, topic: str, user_id: int) -> None:
        """They look at it no more."""
        ...

    def of(self, topic: str) -> frozenset[int]:
        """The ids of everybody who is looking at it."""
        ...


@dataclass(frozen=True)
class CompanyPage:
    """Who else is there, by the names on pages, and the last steps taken; `words` say what a step is, `address` is that of the page."""

    others: list[str]
    steps: list[StepRow]
    names: Mapping[str, str]
    words: Mapping[str, LazyString]
    address: str


@company.get("/orders/<public_id:public_id>/company")
@role(*MAY_READ)
def of_order(public_id: str) -> str:
    """Who else is looking at the order, and what was done since the version that stands in the address."""

    def find(reading: Session) -> tuple[int, Sequence[StepRow]]:
        row_id = casework.found(reading, public_id, order_actor()).id
        return row_id, queries.order_steps(reading, row_id, request.args.get("seen", 0, int))

    return _company(topics.ORDER, find, order_words.EVENTS, url_for("orders.show", public_id=public_id))


@company.get("/escalations/<public_id:public_id>/company")
@role(*MAY_WORK)
def of_ticket(public_id: str) -> str:
    """Who else is looking at the ticket, and what was done since as many lines of its history as stand in the address."""

    def find(reading: Session) -> tuple[int, Sequence[StepRow]]:
        row_id = tickets.ticket(reading, public_id, order_actor()).id
        return row_id, queries.ticket_steps(reading, row_id, max(0, request.args.get("seen", 0, int)))

    return _company(topics.TICKET, find, order_words.TICKET_STEPS, url_for("tickets.show", public_id=public_id))


def stay(topic: str, user_id: int) -> None:
    """Note that somebody is looking at what the topic shows; whoever else does is told when they come."""
    live = services().live
    if live is not None and live.company.note(topic, user_id):
        live.announcer.announce((topic,))


def go(topic: str, user_id: int) -> None:
    """Note that they look at it no more, and tell the others."""
    live = services().live
    if live is not None:
        live.company.leave(topic, user_id)
        live.announcer.announce((topic,))


def _company(
    kind: str, find: Callable[[Session], tuple[int, Sequence[StepRow]]], words: Mapping[str, LazyString], address: str
) -> str:  # fmt: skip
    """Asking is looking: where the page has no socket, this alone tells that somebody is there."""
    house = services()
    with unknown_noted(), house.reads() as reading:
        row_id, steps = find(reading)
        mine, latest = known(reading, actor()).id, list(steps)[-LATEST:]
        names = people.display_names(reading, {step.by for step in latest})
    topic = topics.topic(kind, row_id)
    stay(topic, mine)
    there = house.live.company.of(topic) - {mine} if house.live else frozenset()
    return render("company/_others.html", CompanyPage(_called(there), latest, names, words, address))


def _called(user_ids: Collection[int]) -> list[str]:
    if not user_ids:
        return []
    with services().reads() as reading:
        return queries.called(reading, user_ids)
