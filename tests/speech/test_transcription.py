from pathlib import Path

import numpy as np
import pytest

from speech import audio
from speech.audio import NotSound
from speech.transcription import TranscriptionFailed, transcribe
from tests.speech.spoken import MODELS, SOUNDS, said

MEMORY = 2 * 1024**3


def test_a_recording_becomes_words_with_times() -> None:
    wav = audio.wav_bytes(audio.resample(said("very-satisfied-zh", 1.0, 1.0), 8000, 16000), 16000)

    heard = transcribe(wav, "zh", MODELS["zh"], 60, MEMORY)

    assert heard.text == "非常 满意"
    assert 0.8 < heard.words[0].start < heard.words[0].end <= heard.words[1].start + 0.01
    assert heard.words[1].end < 3.0


def test_silence_becomes_no_words() -> None:
    assert transcribe(audio.wav_bytes(np.zeros(8000, np.int16), 8000), "zh", MODELS["zh"], 60, MEMORY).words == ()


def test_what_is_no_sound_is_told_apart_from_what_cannot_be_written_down(tmp_path: Path) -> None:
    wav = (SOUNDS / "three-en.wav").read_bytes()

    with pytest.raises(NotSound):
        transcribe(b"no sound", "en", MODELS["en"], 60, MEMORY)
    with pytest.raises(TranscriptionFailed, match="no model"):
        transcribe(wav, "en", tmp_path, 60, MEMORY)
    with pytest.raises(TranscriptionFailed, match=r"0\.01 s"):
        transcribe(wav, "en", MODELS["en"], 0.01, MEMORY)
    with pytest.raises(TranscriptionFailed):
        transcribe(wav, "en", MODELS["en"], 10, 50_000_000)
