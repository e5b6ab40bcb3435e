"""Use case: a text becomes an immutable version of a script. An error in it blocks; the same text is published once."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey import lint, script_history, script_yaml
from survey.errors import BadInput, NotFound
from survey.script_issues import Issue, ScriptFaulty, errors, in_order
from survey.store import audit
from survey.store.models import Answer, ScriptVersion


def publish(session: Session, text: str, by: str, reason: str, now: datetime, audit_key: bytes) -> ScriptVersion:
    """The version that holds this text: a new one with the next number of its name, or the one that holds it already.

    Only a new one is written into the audit trail. Raises ScriptFaulty with all issues when one of them is an error,
    or when the text breaks with earlier versions of its name (CS29); BadInput without a name of who publishes.
    """
    if not by.strip():
        raise BadInput("发布者不能为空 / who publishes must be named")
    issues = lint.check(text)
    if errors(issues):
        raise ScriptFaulty(issues)
    known = find(session, text)
    if known is not None:
        return known
    found = list(_history(session, text))
    if found:
        raise ScriptFaulty(in_order([*issues, *found]))
    version = _add(session, script_yaml.canonical(text), by.strip(), reason.strip(), now)
    details = {"name": version.name, "number": version.number, "digest": version.digest, "reason": version.reason}
    audit.note(session, audit_key, now, version.published_by, "script.publish", f"script:{version.id}", **details)
    return version


def _history(session: Session, text: str) -> Iterator[Issue]:
    draft = script_yaml.read(text)
    script = script_yaml.parse(script_yaml.canonical(text))
    texts = session.scalars(select(ScriptVersion.text).where(ScriptVersion.name == script.name).order_by(ScriptVersion.number)).all()
    if texts:
        counted = select(Answer.item, func.count()).join(ScriptVersion).where(ScriptVersion.name == script.name).group_by(Answer.item)
        answers = dict(session.execute(counted).all())
        yield from script_history.check([script_yaml.parse(earlier) for earlier in texts], script, draft.places, answers)


def find(session: Session, text: str) -> ScriptVersion | None:
    """The published version that holds this text, if there is one."""
    return session.scalar(select(ScriptVersion).where(ScriptVersion.digest == script_yaml.digest(text)))


def _add(session: Session, text: str, by: str, reason: str, now: datetime) -> ScriptVersion:
    script = script_yaml.parse(text)
    last = session.scalar(select(func.max(ScriptVersion.number)).where(ScriptVersion.name == script.name))
    version = ScriptVersion(
        name=script.name, number=(last or 0) + 1, language=script.language, text=text, digest=script.digest,
        published_at=now, published_by=by, reason=reason, kind=script.kind,
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
