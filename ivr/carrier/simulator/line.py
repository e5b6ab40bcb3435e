"""What a telephone line makes of a voice: 8 kHz, µ-law (G.711), a hiss, and on demand a narrow band, noise and lost frames."""

import zlib
from dataclasses import dataclass

import numpy as np

from speech.audio import TELEPHONE_RATE, NotSound, Pcm, add_noise, band_limit, decode_wav, pcm_to_mulaw, resample, wav_bytes

RATE = TELEPHONE_RATE
FRAME = 160  # samples, and bytes of µ-law: 20 ms
QUIET = b"\xff" * FRAME  # µ-law's silence
SPEECH_PEAK, HISS = 9000, 10.0  # how loud a voice is, and the spread of the noise that no line is without
SILENT_BELOW = 40


@dataclass(frozen=True)
class Degradation:
    """How bad the line is: signal to noise in dB (None: a hiss only), 300 to 3,400 Hz only, the share of frames that are lost."""

    snr_db: float | None = None
    is_narrow: bool = False
    lost_frames: float = 0.0


CLEAN = Degradation()


def degraded(pcm: Pcm, how: Degradation, seed: str) -> Pcm:
    """The voice as it comes out of such a line; the same for the same seed."""
    number = zlib.crc32(seed.encode())
    if how.is_narrow and len(pcm):
        pcm = band_limit(pcm, RATE)
    pcm = _hissing(pcm, number) if how.snr_db is None or not pcm.any() else add_noise(pcm, how.snr_db, number)
    return _lossy(pcm, how.lost_frames, number) if how.lost_frames else pcm


def telephone_sound(pcm: Pcm, rate: int) -> Pcm:
    """A voice as loud as on the telephone, at its rate, without the silence before and after."""
    pcm = resample(pcm, rate, RATE)
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > SILENT_BELOW)
    if not len(loud):
        return pcm[:0]
    voice = pcm[loud[0] : loud[-1] + 1].astype(np.float64)
    return np.asarray(voice * (SPEECH_PEAK / np.abs(voice).max()), np.int16)


def quiet(seconds: float) -> Pcm:
    """Nothing, for so long."""
    return np.zeros(round(seconds * RATE), np.int16)


def around(pcm: Pcm, before: float, after: float) -> Pcm:
    """A sound with seconds of nothing around it."""
    return np.concatenate([quiet(before), pcm, quiet(after)])


def mulaw(pcm: Pcm) -> bytes:
    """Samples as µ-law bytes."""
    return pcm_to_mulaw(pcm)


def read_wav(data: bytes) -> Pcm:
    """The voice in a WAV file, at 8 kHz. Raises ValueError with the reason."""
    try:
        sound = decode_wav(data)
    except NotSound as problem:
        raise ValueError(str(problem)) from problem
    return telephone_sound(sound.pcm, sound.rate)


def wav_file(pcm: Pcm) -> bytes:
    """A WAV file, 8 kHz, 16 bit, mono."""
    return wav_bytes(pcm, RATE)


def _hissing(pcm: Pcm, seed: int) -> Pcm:
    noise = np.random.default_rng(seed).standard_normal(len(pcm)) * HISS
    return np.clip(pcm + noise, -32768, 32767).astype(np.int16)


def _lossy(pcm: Pcm, share: float, seed: int) -> Pcm:
    frames = -(-len(pcm) // FRAME)
    kept = np.repeat(np.random.default_rng(seed).random(frames) >= share, FRAME)[: len(pcm)]
    return np.where(kept, pcm, 0).astype(np.int16)
