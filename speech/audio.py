"""Sound files: what is in them, before anybody trusts them."""

import io
import wave
from dataclasses import dataclass


class NotSound(Exception):
    """The bytes are not a sound file that can be played."""


@dataclass(frozen=True)
class Sound:
    """The facts about a sound: length in seconds, samples a second, channels, bytes a sample."""

    seconds: float
    sample_rate: int
    channels: int
    sample_bytes: int


def inspect_wav(data: bytes) -> Sound:
    """Check that `data` is a whole PCM WAV file and tell its facts.

    The length comes from the samples that are there, not from what the header promises. Raises NotSound with the reason.
    """
    try:
        with wave.open(io.BytesIO(data)) as file:
            frames = file.readframes(file.getnframes())
            width = file.getsampwidth() * file.getnchannels()
            return Sound(len(frames) / width / file.getframerate(), file.getframerate(), file.getnchannels(), file.getsampwidth())
    except (wave.Error, EOFError, ZeroDivisionError, ValueError) as problem:
        raise NotSound(f"not a readable WAV file: {problem}") from problem
