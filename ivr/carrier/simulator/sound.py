"""Sound files: what a recording contains, and how long a played one lasts."""

import io
import math
import random
import struct
import wave

RATE = 8000


def wav(seconds: float, spoken_seconds: float, seed: str) -> bytes:
    """A WAV file, 8 kHz, 16 bit, mono: soft murmur in syllables for `spoken_seconds`, then near silence up to `seconds`."""
    chance = random.Random(seed)
    pitch = chance.uniform(110, 220)
    spoken = int(min(spoken_seconds, seconds) * RATE)
    syllable = [_murmur(position, pitch, chance) for position in range(RATE // 4)]
    frames = struct.pack(f"<{len(syllable)}h", *syllable)
    voice = (frames * (spoken // len(syllable) + 1))[: spoken * 2]
    hush = b"\x04\x00\xfc\xff" * ((int(seconds * RATE) - spoken) // 2 + 1)
    return _file((voice + hush)[: int(seconds * RATE) * 2])


def _murmur(position: int, pitch: float, chance: random.Random) -> int:
    envelope = math.sin(math.pi * position / (RATE // 4)) ** 2
    phase = 2 * math.pi * pitch * position / RATE
    return int(envelope * (3000 * math.sin(phase) + 1500 * math.sin(2 * phase) + 900 * math.sin(5 * phase) + chance.uniform(-200, 200)))


def _file(frames: bytes) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(frames)
    return target.getvalue()


def seconds_of(sound: bytes) -> float:
    """Length of a sound file in seconds; one that is not linear WAV counts as 8,000 bytes a second."""
    try:
        with wave.open(io.BytesIO(sound)) as file:
            return float(file.getnframes() / file.getframerate())
    except (wave.Error, EOFError):
        return len(sound) / RATE
