"""The music of the queue: a quiet broken chord, made here, so that nobody's recording has to be licensed."""

import io
import math
import wave
from array import array
from functools import cache

RATE = 8000
SECONDS = 8
NOTES = (261.63, 329.63, 392.0, 523.25, 392.0, 329.63, 293.66, 349.23, 440.0, 587.33, 440.0, 349.23, 246.94, 293.66, 392.0, 493.88)
"""Hertz; C major, D minor, G major."""
LOUDNESS = 0.12
ATTACK_SECONDS, FADE_SECONDS = 0.02, 0.35


@cache
def sound() -> bytes:
    """The music as a WAV file: 8 s, 8 kHz, 16 bit, mono."""
    length = RATE * SECONDS // len(NOTES)
    samples = array("h", (round(32767 * LOUDNESS * _tone(note, n / RATE, length / RATE)) for note in NOTES for n in range(length)))
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return out.getvalue()


def _tone(hertz: float, at: float, length: float) -> float:
    """A struck string: the note with a weak octave, swelling in a moment and fading."""
    swell = min(1.0, at / ATTACK_SECONDS, (length - at) / ATTACK_SECONDS)
    turn = 2 * math.pi * hertz * at
    return swell * math.exp(-at / FADE_SECONDS) * (math.sin(turn) + 0.3 * math.sin(2 * turn)) / 1.3
