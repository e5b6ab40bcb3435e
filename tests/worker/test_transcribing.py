"""The transcribing job: what it does with the sealed sound, with failures, with a worker's death; and the real recogniser once."""

import hashlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import speech
from config import valkey
from config.clock import SharedClock
from speech.audio import NotSound
from speech.transcript import Transcript as Heard
from speech.transcript import Word
from speech.transcription import TranscriptionFailed
from survey import fieldwork
from survey.fieldwork.recordings import discard
from survey.store.models import CallAttempt, Recording, RemarkCode, ScriptVersion, Transcript
from survey.store.queries.remarks import due_transcripts
from survey.store.sealing import place
from tests import embedded
from tests.calls.foreign_carrier import silence
from tests.chaos.house import processes
from tests.conftest import ON_SQLITE_ALONE
from tests.survey.fieldwork.conftest import Ground, ground
from tests.worker.probed import kept, lines, until
from tests.worker.test_open_transactions import RECORDING, Line, announced, spoken
from tests.worker.test_recovery import family
from tests.worker.transactions import Watch
from worker import jobs, runtime, transcribing
from worker.queues import RqJobQueue
from worker.runtime import Runtime

__all__ = ["ground"]

PATIENCE_SECONDS = 90.0
HORSE_GONE_SECONDS = 2.0
MODELS = Path(speech.__file__).parent / "models"
Told = Callable[[str, object], None]


@pytest.fixture
def house(ground: Ground, tmp_path: Path) -> Iterator[Runtime]:
    """A runtime with a model for Chinese, and a carrier that holds one recording."""
    before = runtime._Holder.runtime
    line: Any = Line(Watch(), {"fetch_recording": silence(1)})
    ours = Runtime(
        ground.work, ground.office, ground.clock, line, tmp_path, "http://127.0.0.1:1", speech_models={"zh": tmp_path / "small-zh"}
    )
    runtime.install(ours)
    yield ours
    runtime._Holder.runtime = before


@pytest.fixture
def hears(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[tuple[Any, ...]]]:
    """Let the recogniser hear these words, or fail; returns what it was given."""

    def let(*answer: str | Exception) -> list[tuple[Any, ...]]:
        given: list[tuple[Any, ...]] = []

        def recognise(*arguments: Any) -> Heard:
            given.append(arguments)
            if isinstance(answer[0], Exception):
                raise answer[0]
            return Heard(tuple(Word(str(word), n, n + 0.5, 0.8) for n, word in enumerate(answer)))

        monkeypatch.setattr(transcribing, "recognise", recognise)
        return given

    return let


def transcript(ground: Ground) -> Transcript:
    with ground.sessions() as session:
        return session.scalars(select(Transcript)).one()


def text_of(ground: Ground) -> str | None:
    one = transcript(ground)
    return ground.office.keys.open(one.text_sealed, place("transcripts", "text_sealed", one.public_id))


@pytest.mark.usefixtures("house")
def test_a_recording_that_was_fetched_becomes_text(ground: Ground, tmp_path: Path, hears: Callable[..., list[tuple[Any, ...]]]) -> None:
    given = hears("建议", "加强", "巡逻")
    announced(ground, tmp_path)
    jobs.fetch_recording(1)
    assert ("transcribe", 1, 0) in ground.queue.asked

    jobs.transcribe(1)

    assert given == [(silence(1), "zh", tmp_path / "small-zh", transcribing.LISTENING_SECONDS, transcribing.MEMORY_BYTES)]
    assert (text_of(ground), transcript(ground).model) == ("建议加强巡逻", "small-zh")


@pytest.mark.usefixtures("house")
def test_a_job_that_comes_again_does_nothing(ground: Ground, tmp_path: Path, hears: Callable[..., list[tuple[Any, ...]]]) -> None:
    given = hears("建议")
    spoken(ground, tmp_path)
    jobs.transcribe(1)
    jobs.transcribe(1)

    assert len(given) == 1
    with ground.sessions() as session:
        assert len(session.scalars(select(RemarkCode)).all()) == 1


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize(
    ("problem", "state"), [(TranscriptionFailed("慢 / slow"), "waiting"), (NotSound("empty"), "needs_review"), (OSError("disk"), "waiting")]
)
def test_failures_leave_the_sound_where_it_is(
    ground: Ground, tmp_path: Path, hears: Callable[..., list[tuple[Any, ...]]], problem: Exception, state: str
) -> None:
    hears(problem)
    spoken(ground, tmp_path)
    sound = tmp_path / "recordings" / "00" / "words.sealed"
    before = hashlib.sha256(sound.read_bytes()).hexdigest()

    jobs.transcribe(1)

    assert transcript(ground).state == state
    assert transcript(ground).problem
    assert hashlib.sha256(sound.read_bytes()).hexdigest() == before


@pytest.mark.usefixtures("house")
def test_a_file_that_is_gone_is_tried_again(ground: Ground, tmp_path: Path, hears: Callable[..., list[tuple[Any, ...]]]) -> None:
    given = hears("建议")
    spoken(ground, tmp_path)
    (tmp_path / "recordings" / "00" / "words.sealed").unlink()
    jobs.transcribe(1)

    assert given == []
    assert (transcript(ground).state, transcript(ground).problem) == ("waiting", "no_file: FileNotFoundError")


def test_the_sweep_wakes_what_is_due_and_only_where_there_is_a_model(ground: Ground, tmp_path: Path, house: Runtime) -> None:
    spoken(ground, tmp_path)
    ground.queue.asked.clear()

    jobs.sweep(replace(house, speech_models={}))
    jobs.sweep(replace(house, speech_models={"en": tmp_path}))
    assert ("transcribe", 1, 0) not in ground.queue.asked
    jobs.sweep(house)
    assert ("transcribe", 1, 0) in ground.queue.asked


def test_recordings_of_the_release_before_are_transcribed_when_a_model_is_installed(
    ground: Ground, tmp_path: Path, house: Runtime, hears: Callable[..., list[tuple[Any, ...]]]
) -> None:
    hears("谢谢")
    announced(ground, tmp_path)
    with ground.work() as work:
        fieldwork.note_kept(work, 1, "recordings/x.sealed", "0" * 64, 7.0, ground.now)
    jobs.sweep(replace(house, speech_models={}))
    assert transcript(ground).state == "no_model"

    ground.queue.asked.clear()
    jobs.sweep(house)
    assert ("transcribe", 1, 0) in ground.queue.asked


@pytest.mark.usefixtures("house")
def test_words_that_are_taken_back_go_with_their_text(ground: Ground, tmp_path: Path, hears: Callable[..., list[tuple[Any, ...]]]) -> None:
    hears("救命")
    spoken(ground, tmp_path)
    jobs.transcribe(1)
    with ground.work() as work:
        discard(work, work.session.get_one(CallAttempt, work.session.get_one(Recording, 1).attempt_id), RECORDING, ground.now)
    jobs.drop_recording(1)

    assert not (tmp_path / "recordings" / "00" / "words.sealed").exists()
    with ground.sessions() as session:
        assert session.scalars(select(Transcript)).all() == []
        assert session.scalars(select(RemarkCode)).all() == []


@ON_SQLITE_ALONE
def test_the_real_recogniser_writes_down_what_is_said(ground: Ground, tmp_path: Path, house: Runtime, shared: Path) -> None:
    """A sample of human speech, and the small model that lies in the program, under a script that is said to be English."""
    sample = (shared / "speech_samples" / "en" / "jackson_0.wav").read_bytes()
    announced(ground, tmp_path)
    with ground.work() as work:
        work.session.get_one(ScriptVersion, 1).language = "en-US"
    line: Any = Line(Watch(), {"fetch_recording": sample})
    runtime.install(replace(house, carrier=line, speech_models={"en": MODELS / "en-small-own"}))
    jobs.fetch_recording(1)
    jobs.transcribe(1)

    assert (transcript(ground).state, transcript(ground).language, transcript(ground).model) == ("done", "en", "en-small-own")
    assert text_of(ground) == "zero"


@ON_SQLITE_ALONE
def test_a_worker_killed_while_it_listens_loses_its_child_at_once_and_the_text_is_stored_once(
    ground: Ground, tmp_path: Path, record_property: Told
) -> None:
    """RS38: the recogniser listens for as long as the file `hold` is there."""
    clock = SharedClock.create(tmp_path / "clock", ground.now)
    (tmp_path / "hold").touch()
    spoken(ground, tmp_path)
    sound = (tmp_path / "recordings" / "00" / "words.sealed").read_bytes()
    with embedded.running(tmp_path), kept(ground.engine, tmp_path, "transcripts", 1) as keeper:
        queue = RqJobQueue(valkey.client("", tmp_path))

        def sweep() -> None:
            with ground.sessions() as session:
                for recording_id in due_transcripts(session, clock.now(), {"zh"}):
                    queue.enqueue("transcribe", recording_id)

        sweep()
        until(lambda: lines(tmp_path, "listened"), keeper, PATIENCE_SECONDS)
        (worker,) = (each.pid for each in processes() if each.parent == keeper.pid)
        (child,) = family(keeper.pid) - {worker}
        killed = time.monotonic()
        os.kill(worker, signal.SIGKILL)
        until(lambda: child not in {each.pid for each in processes()}, keeper, PATIENCE_SECONDS)
        gone = time.monotonic() - killed
        (tmp_path / "hold").unlink()
        clock.run(ground.now + fieldwork.transcripts.PAUSES[0])

        until(lambda: sweep() or transcript(ground).state == "done", keeper, PATIENCE_SECONDS)

    record_property("told", f"a transcripts worker was killed while it listened: its child gone {gone:.1f} s later")
    assert gone <= HORSE_GONE_SECONDS
    assert lines(tmp_path, "listened").total() == 2
    assert not lines(tmp_path, "twice")
    assert text_of(ground) == "建议"
    assert (tmp_path / "recordings" / "00" / "words.sealed").read_bytes() == sound
    with ground.sessions() as session:
        assert len(session.scalars(select(RemarkCode)).all()) == 1
