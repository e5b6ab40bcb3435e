"""The job that makes text of a recording: bounded in time and memory, in a process of its own, stored once (RS38).

The sound is opened in memory only, and no transaction is open while it is listened to. Whatever goes wrong, the sealed sound stays.
"""

import logging

from speech.audio import NotSound
from speech.transcription import TranscriptionFailed
from speech.transcription import transcribe as recognise
from survey.errors import CannotUnseal
from survey.fieldwork.transcripts import (
    TranscriptionOrder,
    Verbatim,
    note_transcribed,
    note_transcription_problem,
    prepare_transcription,
)
from survey.store.models import Recording
from survey.store.sealing import place
from worker.queues import JOB_SECONDS
from worker.runtime import Runtime, current

log = logging.getLogger(__name__)

LISTENING_SECONDS = JOB_SECONDS["transcribe"] - 60.0
"""For the recogniser; a minute less than the job has, so that a slow one ends as a failed try and not as a killed job."""

MEMORY_BYTES = 4 * 2**30
"""For the recogniser's process: the large models need some gigabytes."""


def transcribe(recording_id: int, epoch: int = 0) -> None:
    """Make the text of a kept recording, and have it coded."""
    runtime = current()
    with runtime.unit_of_work() as work:
        order = prepare_transcription(work, recording_id, runtime.speech_models, runtime.clock.now())
    if order is None:
        return
    try:
        heard = _listen(runtime, order)
    except NotSound as problem:
        _note_problem(runtime, recording_id, f"not_sound: {problem}", final=True)
    except CannotUnseal as problem:
        _note_problem(runtime, recording_id, f"unreadable: {problem}", final=True)
    except OSError as problem:
        _note_problem(runtime, recording_id, f"no_file: {type(problem).__name__}")
    except TranscriptionFailed as problem:
        _note_problem(runtime, recording_id, f"failed: {problem}")
    else:
        with runtime.unit_of_work() as work:
            note_transcribed(work, runtime.office, recording_id, heard, runtime.clock.now())


def _listen(runtime: Runtime, order: TranscriptionOrder) -> Verbatim:
    model = runtime.speech_models[order.language]
    sealed = (runtime.data / order.path).read_bytes()
    wav = runtime.office.keys.open_bytes(sealed, place(Recording.__tablename__, "path", order.public_id))
    heard = recognise(wav, order.language, model, LISTENING_SECONDS, MEMORY_BYTES)
    return Verbatim(tuple((word.text, word.start, word.end, word.confidence) for word in heard.words), model.name)


def _note_problem(runtime: Runtime, recording_id: int, problem: str, *, final: bool = False) -> None:
    log.warning("recording %s was not transcribed: %s", recording_id, problem, extra={"action": "transcription_failed"})
    with runtime.unit_of_work() as work:
        note_transcription_problem(work, recording_id, problem, final=final)
