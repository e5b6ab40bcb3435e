"""The person's own words: announced by the carrier, fetched by a job, kept sealed, deleted at the carrier."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from survey.fieldwork.attempts import find_attempt
from survey.store.models import CallAttempt, Recording
from survey.store.unit_of_work import UnitOfWork

FETCH_TRIES = 8
FETCH_PAUSE = timedelta(seconds=15)


@dataclass(frozen=True)
class FetchOrder:
    """A recording at the carrier: `fetch` it first, or only have the copy there deleted.

    `path` is where the sound lies that must be removed here too, because the person took the words back.
    """

    recording_id: int
    public_id: str
    carrier_sid: str
    fetch: bool
    path: str | None


def keep_announced(work: UnitOfWork, attempt: CallAttempt, item: str, carrier_sid: str, seconds: float | None, now: datetime) -> None:
    """Write down that the carrier holds a recording of the person on `item`, and wake the job that fetches it.

    The carrier says it twice and more, and that job is a process of its own: it is woken only while there is something to fetch.
    """
    recording = _note(work, attempt, item, carrier_sid, seconds, now)
    if recording.state == "announced":
        work.later("fetch_recording", recording.id)


def _note(work: UnitOfWork, attempt: CallAttempt, item: str, carrier_sid: str, seconds: float | None, now: datetime) -> Recording:
    recording = work.session.scalar(select(Recording).where(Recording.carrier_sid == carrier_sid))
    if recording is None:
        recording = Recording(
            respondent_id=attempt.respondent_id, attempt_id=attempt.id, item=item, carrier_sid=carrier_sid, announced_at=now, due_at=now,
        )  # fmt: skip
        work.session.add(recording)
    if recording.seconds is None:
        recording.seconds = seconds
    work.session.flush()
    return recording


def announce_recording(work: UnitOfWork, token: str, item: str, carrier_sid: str, seconds: float | None, now: datetime) -> None:
    """The carrier says that a recording is ready; it may come before, after, or without the turn that ended it.

    Raises UnknownAttempt.
    """
    keep_announced(work, find_attempt(work.session, token), item, carrier_sid, seconds, now)


def note_absent(work: UnitOfWork, token: str, carrier_sid: str, now: datetime) -> None:
    """The carrier says that a recording will never be there: nothing is fetched, neither now nor when the turn comes late.

    Raises UnknownAttempt.
    """
    recording = _note(work, find_attempt(work.session, token), "", carrier_sid, None, now)
    if recording.state == "announced":
        recording.state, recording.problem = "discarded", "absent"
        recording.due_at, recording.carrier_copy_deleted_at = None, now


def discard(work: UnitOfWork, attempt: CallAttempt, carrier_sid: str, now: datetime) -> None:
    """The person took the words back, or there are none: the carrier's copy is deleted, nothing is kept."""
    recording = _note(work, attempt, "", carrier_sid, None, now)
    recording.state, recording.due_at, recording.carrier_copy_deleted_at = "discarded", now, None
    work.later("drop_recording", recording.id)


def prepare_fetch(work: UnitOfWork, recording_id: int, now: datetime) -> FetchOrder | None:
    """What the fetching job must do, or None when the work is done or not yet due; counts the try."""
    recording = work.session.get(Recording, recording_id, with_for_update=True)
    if recording is None or recording.carrier_copy_deleted_at is not None or recording.state == "needs_review":
        return None
    if recording.due_at is not None and recording.due_at > now:
        return None
    recording.fetch_tries += 1
    recording.due_at = now + FETCH_PAUSE * recording.fetch_tries
    path = recording.path if recording.state == "discarded" else None
    return FetchOrder(recording.id, recording.public_id, recording.carrier_sid, recording.state == "announced", path)


def note_kept(work: UnitOfWork, recording_id: int, path: str, sound_digest: str, seconds: float, now: datetime) -> None:
    """The sound lies sealed at `path` below the data folder; `sound_digest` is SHA-256 of the WAV file."""
    recording = work.session.get_one(Recording, recording_id, with_for_update=True)
    recording.state = "kept" if recording.state == "announced" else recording.state
    recording.path, recording.sound_digest = path, sound_digest
    recording.seconds, recording.kept_at, recording.problem = seconds, now, ""


def note_deleted(work: UnitOfWork, recording_id: int, removed: str | None, now: datetime) -> None:
    """The carrier's copy is gone, and the file `removed` here; discarded words that still lie here stay due."""
    recording = work.session.get_one(Recording, recording_id, with_for_update=True)
    if recording.path == removed:
        recording.path = recording.sound_digest = None
    if recording.state == "discarded" and recording.path is not None:
        recording.due_at = now
        return
    recording.carrier_copy_deleted_at, recording.due_at = now, None


def note_fetch_problem(work: UnitOfWork, recording_id: int, problem: str, *, final: bool = False) -> None:
    """The fetch failed; after the last try, or when it can never succeed, a person must look."""
    recording = work.session.get_one(Recording, recording_id, with_for_update=True)
    recording.problem = problem[:128]
    if (final or recording.fetch_tries >= FETCH_TRIES) and recording.state == "announced":
        recording.state, recording.due_at = "needs_review", None
