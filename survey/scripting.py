"""Use case: a text becomes an immutable version of a script. An error in it blocks; the same text is published once."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey import lint, script_yaml
from survey.errors import BadInput, NotFound
from survey.script import Script
from survey.script_issues import ScriptFaulty, errors
from survey.store.models import ScriptVersion


def publish(session: Session, text: str, by: str, reason: str, now: datetime) -> ScriptVersion:
    """The version that holds this text: a new one with the next number of its name, or the one that holds it already.

    Raises ScriptFaulty with all issues when one of them is an error; BadInput without a name of who publishes.
    """
    if not by.strip():
        raise BadInput("发布者不能为空 / who publishes must be named")
    issues = lint.check(text)
    if errors(issues):
        raise ScriptFaulty(issues)
    canonical = script_yaml.canonical(text)
    script = script_yaml.parse(canonical)
    known = session.scalar(select(ScriptVersion).where(ScriptVersion.digest == script.digest))
    return known or _add(session, script, canonical, by.strip(), reason.strip(), now)


def _add(session: Session, script: Script, text: str, by: str, reason: str, now: datetime) -> ScriptVersion:
    last = session.scalar(select(func.max(ScriptVersion.number)).where(ScriptVersion.name == script.name))
    version = ScriptVersion(
        name=script.name, number=(last or 0) + 1, language=script.language, text=text, digest=script.digest,
        published_at=now, published_by=by, reason=reason,
    )  # fmt: skip
    session.add(version)
    session.flush()
    return version


def latest(session: Session, name: str) -> ScriptVersion:
    """The newest version of the script called `name`. Raises NotFound."""
    version = session.scalar(select(ScriptVersion).where(ScriptVersion.name == name).order_by(ScriptVersion.number.desc()).limit(1))
    if version is None:
        raise NotFound(f"没有已发布的话术“{name}” / no script called {name!r} was published")
    return version
