"""The units: the codes by which incidents, accounts and orders belong to them. They come with the incidents' files."""

from dataclasses import dataclass

from flask import Blueprint

from ivr.console.access import ADMINISTRATOR, CENTRE, role
from ivr.console.rendering import render
from ivr.console.services import services
from survey.store.queries import people as queries
from survey.store.queries.people import UnitRow

units = Blueprint("units", __name__)


@dataclass(frozen=True)
class UnitsPage:
    """Every unit."""

    rows: list[UnitRow]


@units.get("/units")
@role(ADMINISTRATOR, CENTRE)
def index() -> str:
    """Every unit, with its accounts and incidents counted."""
    with services().reads() as session:
        return render("units/index.html", UnitsPage(queries.units(session)))
