"""Forms that keep on the server what is typed into them, by script within two seconds, else by a button (O24, C29)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import flash, jsonify, redirect, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console.access import actor
from ivr.console.forms import Problem
from ivr.console.language import moment
from ivr.console.services import services
from survey import drafts
from survey.accounts.people import known
from survey.drafts import NOTHING, Kept

BY_SCRIPT = "by_script"
"""A field that the script sends along: it wants the words for the moment, not a page."""


@dataclass(frozen=True)
class DraftForm:
    """A form that keeps drafts: its name, and the fields that are kept."""

    name: str
    fields: tuple[str, ...]

    def of(self, record: str) -> str:
        """What the draft of this form on a record is called."""
        return f"{self.name}:{record}"


WRAP_UP = DraftForm("wrap_up", ("verdict", "consent", "remark"))
ANSWER = DraftForm("answer", ("finding", "cause", "visited_on", "people", "place", "improvement", "measure", "explanation"))


@dataclass(frozen=True)
class Typed:
    """What a form shows: what was typed and refused just now, else what was kept, else what holds."""

    form: str
    problem: Problem
    kept: Kept = field(default=NOTHING)

    def value(self, name: str, otherwise: object = "") -> object:
        """What to show in a field."""
        return self.shown.get(name, otherwise)

    @property
    def shown(self) -> Mapping[str, str]:
        """Everything that was typed."""
        return self.problem.typed if self.problem.form == self.form else self.kept.fields

    @property
    def is_kept(self) -> bool:
        """Whether something that was not sent is shown."""
        return self.kept.saved_at is not None

    @property
    def saved(self) -> str:
        """When it was saved, in words; empty for nothing."""
        return saved_words(self.kept)


def keep(session: Session, form: DraftForm, record: str) -> None:
    """Keep what the visitor's browser sends of a form. Raises BadInput for too much."""
    house = services()
    fields = {name: request.form[name] for name in form.fields if request.form.get(name, "").strip()}
    drafts.keep(session, house.office.keys, known(session, actor()).id, form.of(record), fields, house.clock.now())


def kept(session: Session, form: DraftForm, record: str) -> Kept:
    """What the visitor has typed into a form and not sent."""
    return drafts.kept(session, services().office.keys, known(session, actor()).id, form.of(record))


def drop(session: Session, form: DraftForm, record: str) -> None:
    """The form was sent."""
    drafts.drop(session, known(session, actor()).id, form.of(record))


def saved(back: str) -> Response:
    """The answer to a save: the words for the script, else the page again."""
    told = saved_words(Kept({}, services().clock.now()))
    if BY_SCRIPT in request.form:
        return jsonify(saved=told)
    flash(told, "success")
    return redirect(back, 303)


def saved_words(found: Kept) -> str:
    """When a draft was saved, in words; empty where there is none."""
    return _("已保存 %(time)s", time=moment(found.saved_at)[-5:]) if found.saved_at else ""
