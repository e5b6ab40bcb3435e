"""Utterances that a person listens to: what can have been said, who has listened, and what was heard (append-only; the last one counts).

A review never changes an answer: that belongs to the person who gave it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from survey.errors import BadInput, NotFound
from survey.fieldwork.office import Office
from survey.script import ASKED_BACK, ChoiceStep, Script
from survey.store.models import Hearing, HearingReview
from survey.store.sealing import place

DANGER = "danger"
YES_OR_NO = ("yes", "no")


@dataclass(frozen=True)
class Offered:
    """What can have been meant at a question: its choices as (code, how the script says it), and what means the same everywhere."""

    choices: tuple[tuple[str, str], ...]
    commands: tuple[str, ...]

    @property
    def codes(self) -> frozenset[str]:
        """All of them."""
        return frozenset((*(code for code, _ in self.choices), *self.commands))


@dataclass(frozen=True)
class SealedUtterance:
    """The sound of an utterance, 8 kHz mu-law, sealed for `place`."""

    sealed: bytes
    place: str


def offered(session: Session, office: Office, hearing: Hearing) -> Offered:
    """What can have been said there, in the script that the call has followed."""
    script = office.script(session, hearing.attempt.script_version_id)
    commands = (*script.keys.meanings.values(), DANGER)
    if _asked_back(session, hearing):
        return Offered(tuple((code, "") for code in YES_OR_NO), commands)
    question = _question(script, hearing.node)
    return Offered(tuple((choice.code, choice.say) for choice in question.choices) if question else (), commands)


def _question(script: Script, node: str) -> ChoiceStep | None:
    try:
        question = script.question(node)
    except (KeyError, TypeError):
        return None
    return question if isinstance(question, ChoiceStep) else None


def _asked_back(session: Session, hearing: Hearing) -> bool:
    """Whether it answers “is that right?”: what was heard at the step before had been asked back."""
    doubt = or_(Hearing.outcome == "doubted", (Hearing.outcome == "accepted") & Hearing.code.in_(list(ASKED_BACK)))
    before = (Hearing.attempt_id == hearing.attempt_id, Hearing.node == hearing.node, Hearing.step == hearing.step - 1)
    return session.scalar(select(Hearing.id).where(*before, doubt).limit(1)) is not None


def listen_to(session: Session, office: Office, hearing: Hearing, by: str, now: datetime) -> SealedUtterance:
    """Note who listens, and hand out the sound; callers open it after the commit. Raises NotFound when none was kept."""
    if hearing.sound_sealed is None:
        raise NotFound("这句话没有留存声音 / no sound of this utterance was kept")
    office.record(session, now, by, "hearing.play", f"hearing:{hearing.public_id}")
    return SealedUtterance(hearing.sound_sealed, place(Hearing.__tablename__, "sound_sealed", hearing.public_id))


def review_hearing(session: Session, office: Office, hearing: Hearing, code: str | None, by: str, now: datetime) -> None:
    """Write down what a person has heard; None: it cannot be made out. A later review counts.

    Raises NotFound when no sound was kept, BadInput for what cannot be said at that question.
    """
    if hearing.sound_sealed is None:
        raise NotFound("这句话没有留存声音，无法复核 / no sound of this utterance was kept, so it cannot be reviewed")
    if code is not None and code not in offered(session, office, hearing).codes:
        raise BadInput("该题没有这个选项，请从所列选项中选择 / the question has no such choice: take one of those offered", "code")
    session.add(HearingReview(hearing_id=hearing.id, code=code, by=by, at=now))
    office.record(
        session, now, by, "hearing.review", f"hearing:{hearing.public_id}", understood=hearing.code, outcome=hearing.outcome, found=code
    )  # fmt: skip
