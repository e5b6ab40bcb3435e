"""What an operator does with a call: claim it, steer the talk, write answers down, sort it out (O9, O18–O21, O25–O27)."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from survey import flow_ends as ends
from survey.desk import danger
from survey.desk.duty import WORKING, free_after
from survey.desk_clock import LONGEST_EXTENSIONS, round_of
from survey.disposition import Disposition
from survey.errors import BadInput, NotAllowed, NotFound
from survey.fieldwork import transfers
from survey.fieldwork.attempts import was_broken
from survey.fieldwork.beginnings import answered
from survey.fieldwork.callbacks import is_callback
from survey.fieldwork.campaigns import finish_if_done
from survey.fieldwork.escalations import note_consent
from survey.fieldwork.office import Office
from survey.fieldwork.settlement import weigh_callback, weigh_case
from survey.fieldwork.ticket_notes import note_step
from survey.flow_state import State
from survey.script import FOLLOWUP, ChoiceStep, Script
from survey.store.models import Answer, CallAttempt, Duty, Escalation, Offer, OperatorAnswer, Takeover, User
from survey.store.queries import desk as queries
from survey.store.queries.fieldwork import put_answer
from survey.store.queries.said import danger_heard_at
from survey.store.sealing import place
from survey.store.unit_of_work import UnitOfWork
from survey.wrap_ups import BOUND, OWED, WrapUp, check, check_second

STATES = ("waiting", "claimed", "ready", "talking", "wrap", "done")
RESULTS = ("nobody", "failed", "lost", "ended", "handed_back", "left")
UNREACHED = (
    "rang_out", "ring_refused", "ring_failed", "called_off", "busy", "no_answer", "unreachable", "no_line", "refused", "outside_hours",
    "no_number",
)  # fmt: skip
"""Results of a call back in which the two did not meet."""
WISHES = ("handed_back", "ended")
WEIGHED_AGAIN = ("not_confirmed", "break_off", "partial", "complete", "wrong_person", "technical")
"""Verdicts of a call taken over that what an operator writes down afterwards may change; a call back is weighed as a whole.

What the person refused or put off, and what stopped a survey, stays: no answer takes it back.
"""


class Taken(NotAllowed):
    """Somebody else has the call. `by` is their name as shown, empty when the call is simply over."""

    def __init__(self, by: str) -> None:
        zh, en = (f"已由{by}接听", f"{by} has taken it") if by else ("对方已挂断或不再等候", "the call is over")
        super().__init__(f"{zh} / {en}")
        self.by = by


def claim(work: UnitOfWork, office: Office, public_id: str, user: User, now: datetime) -> Takeover:
    """Take a waiting call by one conditional update; its telephone then rings (O9). Locks call before operator, as all else here does.

    Raises Taken for whoever comes second, NotAllowed for who is not on duty or in a call, NotFound.
    """
    session = work.session
    takeover_id = session.scalar(select(Takeover.id).where(Takeover.public_id == public_id))
    if takeover_id is None:
        raise NotFound("没有这个来电 / there is no such call")
    if session.scalar(select(Duty.state).where(Duty.user_id == user.id)) not in WORKING:
        raise _not_free()
    free = (Takeover.id == takeover_id, Takeover.state == "waiting", Takeover.result == "")
    taken = update(Takeover).where(*free).values(state="claimed", operator_id=user.id, claimed_at=now, version=Takeover.version + 1)
    if not session.execute(taken.execution_options(synchronize_session=False)).rowcount:  # type: ignore[attr-defined]
        raise Taken(_holder(session, takeover_id))
    on_duty = update(Duty).where(Duty.user_id == user.id, Duty.state.in_(WORKING)).values(state="talking", since=now, misses=0, note="")
    if not session.execute(on_duty).rowcount:  # type: ignore[attr-defined]
        raise _not_free()
    takeover = session.get_one(Takeover, takeover_id, populate_existing=True)
    _answer_offers(session, office, takeover, user, now)
    office.record(session, now, user.name, "takeover.claim", f"takeover:{takeover.public_id}")
    work.later("ring_desk", takeover.id)
    return takeover


def _not_free() -> NotAllowed:
    return NotAllowed("请先上岗，并结束手上的通话 / go on duty first, and finish the call you are in")


def _holder(session: Session, takeover_id: int) -> str:
    name = select(User.display_name).join(Takeover, Takeover.operator_id == User.id).where(Takeover.id == takeover_id)
    return session.scalar(name) or ""


def _answer_offers(session: Session, office: Office, takeover: Takeover, user: User, now: datetime) -> None:
    """Theirs is claimed, everybody else's was taken; who answers before the sweep has offered it gets an offer that says so."""
    standing = (Offer.takeover_id == takeover.id, Offer.outcome == "open")
    session.execute(select(Offer.id).where(*standing).order_by(Offer.id).with_for_update())
    session.execute(update(Offer).where(*standing, Offer.user_id != user.id).values(outcome="taken"))
    if not session.execute(update(Offer).where(*standing, Offer.user_id == user.id).values(outcome="claimed")).rowcount:  # type: ignore[attr-defined]
        _answer_early(session, office, takeover, user, "claimed", now)


def _answer_early(session: Session, office: Office, takeover: Takeover, user: User, outcome: str, now: datetime) -> None:
    number = round_of(office.desk, takeover.opened_at, now)
    queries.put_offer(session, takeover.id, user.id, number, now, now)
    mine = (Offer.takeover_id == takeover.id, Offer.user_id == user.id, Offer.round == number)
    session.execute(update(Offer).where(*mine).values(outcome=outcome))


def decline(session: Session, office: Office, public_id: str, user: User, now: datetime) -> None:
    """Leave a call to the others; it is not offered to this operator again. Nothing is held against it (O11)."""
    takeover = session.scalars(select(Takeover).where(Takeover.public_id == public_id, Takeover.state == "waiting")).one_or_none()
    if takeover is None:
        return
    session.execute(update(Duty).where(Duty.user_id == user.id).values(misses=0))
    mine = (Offer.takeover_id == takeover.id, Offer.user_id == user.id, Offer.outcome == "open")
    if not session.execute(update(Offer).where(*mine).values(outcome="declined")).rowcount:  # type: ignore[attr-defined]
        _answer_early(session, office, takeover, user, "declined", now)


def mine(session: Session, public_id: str, user: User, *states: str) -> Takeover:
    """The operator's own call, locked. Raises NotFound, Taken for another's, NotAllowed in another state."""
    takeover_id = session.scalar(select(Takeover.id).where(Takeover.public_id == public_id))
    takeover = queries.locked(session, takeover_id) if takeover_id is not None else None
    if takeover is None:
        raise NotFound("没有这个来电 / there is no such call")
    if takeover.operator_id != user.id:
        raise Taken(_holder(session, takeover.id))
    if takeover.state not in states:
        raise NotAllowed("通话已不在这一步，请看最新状态 / the call has moved on: look at its present state")
    return takeover


def wish(work: UnitOfWork, office: Office, public_id: str, user: User, what: str, now: datetime) -> None:
    """Give the call back to the script, or end it (O18, O19). Raises BadInput, and as `mine`."""
    if what not in WISHES:
        raise BadInput(f"没有这个动作：{what} / there is no such action", "wish")
    takeover = mine(work.session, public_id, user, "talking")
    if what == "handed_back" and is_callback(takeover.attempt):
        raise NotAllowed("回拨的通话没有可交还的自动回访 / a call back has no script to be given back to")
    takeover.wish = what
    takeover.version += 1
    office.record(work.session, now, user.name, f"takeover.{what}", f"takeover:{takeover.public_id}")
    work.later("leave_desk", takeover.id)


def hold(work: UnitOfWork, office: Office, public_id: str, user: User, now: datetime, *, on: bool) -> None:
    """Let the person hear music instead of the operator, or bring them back (O18). Raises as `mine`."""
    takeover = mine(work.session, public_id, user, "talking")
    takeover.held = on
    takeover.version += 1
    office.record(work.session, now, user.name, "takeover.hold", f"takeover:{takeover.public_id}", on=on)
    work.later("steer_room", takeover.id)


def mute(work: UnitOfWork, office: Office, public_id: str, user: User, now: datetime, *, on: bool) -> None:
    """Let the person not hear the operator, or hear them again (O18). Raises as `mine`."""
    takeover = mine(work.session, public_id, user, "talking")
    takeover.muted = on
    takeover.version += 1
    office.record(work.session, now, user.name, "takeover.mute", f"takeover:{takeover.public_id}", on=on)
    work.later("steer_room", takeover.id)


def write_answer(session: Session, office: Office, public_id: str, user: User, item: str, code: str, now: datetime) -> None:
    """Store what the person told the operator; what the machine had heard is kept beside it (O20).

    Raises BadInput for what the script does not ask or offer, and as `mine`.
    """
    queries.lock_call(session, public_id)
    takeover = mine(session, public_id, user, "talking", "wrap")
    attempt = session.get_one(CallAttempt, takeover.attempt_id, with_for_update=True, populate_existing=True)
    script = office.script(session, attempt.script_version_id)
    score = _score(script, item, code)
    before = session.scalars(select(Answer).where(Answer.respondent_id == attempt.respondent_id, Answer.item == item)).one_or_none()
    session.add(OperatorAnswer(
        takeover_id=takeover.id, user_id=user.id, item=item, code=code, at=now, before_code=before and before.code,
        before_raw=before and before.raw, before_mode=before and before.mode, before_confidence=before and before.confidence,
    ))  # fmt: skip
    put_answer(session, {
        "respondent_id": attempt.respondent_id, "attempt_id": attempt.id, "script_version_id": attempt.script_version_id, "item": item,
        "code": code, "score": score, "raw": user.name[:64], "mode": "human", "confidence": None, "answered_at": now,
    })  # fmt: skip
    takeover.version += 1
    if takeover.state == "wrap":
        _weigh_again(session, office, attempt, script, {item: code}, now)
    if item == "consent":
        note_consent(session, attempt.respondent_id, code)
    office.record(session, now, user.name, "takeover.answer", f"takeover:{takeover.public_id}", item=item, code=code)


def _score(script: Script, item: str, code: str) -> float | None:
    for question in script.questions:
        if isinstance(question, ChoiceStep) and question.item == item:
            for choice in question.choices:
                if choice.code == code:
                    return choice.score
            raise BadInput(f"这一项没有选项“{code}” / there is no choice {code!r}", "code")
    raise BadInput(f"话术中没有这一项：{item} / the script does not ask {item!r}", "item")


def _weigh_again(session: Session, office: Office, attempt: CallAttempt, script: Script, given: Mapping[str, str], now: datetime) -> None:
    """An answer that came after the talk counts at once: for the case, and for a verdict that the call has already."""
    transfers.count_written(session, office, attempt, given, now)
    if is_callback(attempt):
        if attempt.settled_at is not None:  # else the settlement will weigh it
            weigh_callback(session, attempt, now)
            finish_if_done(session, office, attempt.campaign, now)
        return
    if attempt.disposition in WEIGHED_AGAIN:
        attempt.disposition = _verdict_now(session, attempt, script).word
    if attempt.settled_at is not None:
        weigh_case(session, attempt, now)


def _verdict_now(session: Session, attempt: CallAttempt, script: Script) -> Disposition:
    """What the call amounts to with all that is written down; one that the line ended is whole, somebody else's, or technical."""
    found = ends.outcome(script, State.from_json(attempt.flow_state or {}))
    if found in (Disposition.COMPLETE, Disposition.WRONG_PERSON):
        return found
    undone = attempt.disposition == Disposition.WRONG_PERSON.word and was_broken(session, attempt)
    return Disposition.TECHNICAL if undone or attempt.disposition == Disposition.TECHNICAL.word else found


def settle_danger(session: Session, office: Office, public_id: str, user: User, choice: str, now: datetime) -> None:
    """Write down what was done about a person who may be in danger (O22). Raises BadInput for what is no choice, and as `mine`."""
    if choice not in danger.CHOICES:
        raise BadInput("请选择已采取的处置 / choose what was done", "choice")
    takeover = mine(session, public_id, user, *queries.IN_HAND)
    takeover.danger_choice, takeover.danger_at = choice, now
    takeover.version += 1
    office.record(session, now, user.name, "takeover.danger", f"takeover:{takeover.public_id}", choice=choice)


def prolong(session: Session, office: Office, public_id: str, user: User) -> None:
    """Take more time to sort the call out (O26). Raises NotAllowed after the second time, and as `mine`."""
    takeover = mine(session, public_id, user, "wrap")
    if takeover.extensions >= LONGEST_EXTENSIONS or takeover.wrap_until is None:
        raise NotAllowed(f"最多延长 {LONGEST_EXTENSIONS} 次 / no more than {LONGEST_EXTENSIONS} times")
    takeover.wrap_until += timedelta(seconds=office.desk.extension)
    takeover.extensions += 1
    takeover.version += 1


def wrap_up(session: Session, office: Office, public_id: str, user: User, given: WrapUp, now: datetime) -> None:
    """Sort the call out: the case in the human queue is closed or goes on, the operator is free (O25, O27).

    Raises BadInput with the sentence why two things cannot stand together, and as `mine`.
    """
    takeover = mine(session, public_id, user, "wrap")
    case = session.scalars(select(Escalation).where(Escalation.respondent_id == takeover.attempt.respondent_id)).one_or_none()
    is_second = takeover.attempt.campaign.kind == FOLLOWUP
    reasons = case.reasons if case else []
    if danger.is_unsettled(takeover, reasons, danger_heard_at(session, takeover.attempt_id)):
        raise BadInput(
            "群众可能有危险：请先在页面上方选择已采取的处置 / the person may be in danger: first say, at the top, what was done", "danger"
        )
    is_ours = is_callback(takeover.attempt)
    check(given, reasons, is_second=is_second, bound=BOUND - OWED if is_ours else BOUND)
    if is_second:
        check_second(given, answered(session, takeover.attempt.respondent_id))
    takeover.state, takeover.wrapped_at, takeover.verdict = "done", now, given.verdict
    takeover.remark_sealed = office.keys.seal(given.remark.strip() or None, place("takeovers", "remark_sealed", takeover.public_id))
    takeover.version += 1
    if given.consent != "unasked":
        note_consent(session, takeover.attempt.respondent_id, given.consent)
    if case is not None:
        is_sent_back = is_second and given.verdict == "order" and not BOUND & set(reasons)
        is_last = queries.last_asking(session, takeover.attempt.respondent_id) is takeover  # else the person has asked again since
        if (given.verdict in ("resolved", "no_contact") or is_sent_back) and case.state == "open" and is_last:
            case.state = "settled"
        note_step(session, office, case, user.name, f"call_{given.verdict}", given.remark.strip(), now)
    free_after(session, takeover, now)
    seconds = round((now - takeover.ended_at).total_seconds()) if takeover.ended_at else 0
    office.record(
        session, now, user.name, "takeover.wrap_up", f"takeover:{takeover.public_id}", verdict=given.verdict, consent=given.consent,
        seconds=seconds,
    )  # fmt: skip
