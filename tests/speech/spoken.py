"""Speech for tests: synthesised samples that lie beside this file, as a telephone line would bring them."""

from pathlib import Path

import numpy as np

from speech import audio

SOUNDS = Path(__file__).parent / "sounds"
MODELS = {name.split("-")[0]: Path(__file__).parents[2] / "speech" / "models" / name for name in ("zh-small-own", "en-small-own")}
PHRASES = {"zh": ["满意", "不满意", "非常满意", "非常不满意", "一般", "四"], "en": ["satisfied", "not satisfied", "one", "two", "three"]}


def said(name: str, before: float = 0.5, after: float = 0.5) -> audio.Pcm:
    """A sample between two silences, in seconds."""
    return np.concatenate([silence(before), audio.decode_wav((SOUNDS / f"{name}.wav").read_bytes()).pcm, silence(after)])


def silence(seconds: float) -> audio.Pcm:
    return np.zeros(int(seconds * audio.TELEPHONE_RATE), np.int16)


def tone(hertz: float, seconds: float, rate: int = audio.TELEPHONE_RATE, peak: float = 8000.0) -> audio.Pcm:
    return (peak * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.int16)


def rms(pcm: audio.Pcm) -> float:
    return float(np.sqrt(np.square(pcm.astype(np.float64)).mean()))
