"""Sound as numbers: files read and written, telephone companding, other sample rates, and the harm that a line does."""

import io
import wave
from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

Pcm = NDArray[np.int16]
"""Samples of one channel, 16 bits each."""

TELEPHONE_RATE = 8000
"""Samples a second on a telephone line."""

LONGEST_SECONDS = 600.0
LARGEST_BYTES = 64 * 1024 * 1024
KINDS = {"PCM_U8": 1, "PCM_16": 2, "ULAW": 1, "ALAW": 1}
"""What a WAV file may hold, with its bytes a sample."""

LINE_BAND = (300.0, 3400.0)
_LOUDEST = 32767
_MULAW_BIAS, _MULAW_CLIP = 132, 32635
_HALF_WIDTH = 16
"""Zero crossings of the resampling filter on each side."""

_BLOCK = 8192


class NotSound(Exception):
    """The bytes are not a sound file that can be played."""


@dataclass(frozen=True)
class Sound:
    """The facts about a sound: length in seconds, samples a second, channels, bytes a sample."""

    seconds: float
    sample_rate: int
    channels: int
    sample_bytes: int


@dataclass(frozen=True)
class Samples:
    """A sound of one channel, and its samples a second."""

    pcm: Pcm
    rate: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.pcm) / self.rate


def inspect_wav(data: bytes) -> Sound:
    """Check that `data` is a whole WAV file of PCM, µ-law or A-law and tell its facts.

    The length comes from the samples that are there, not from what the header promises. Raises NotSound with the reason.
    """
    try:
        with wave.open(io.BytesIO(data)) as file:
            frames = file.readframes(file.getnframes())
            width = file.getsampwidth() * file.getnchannels()
            return Sound(len(frames) / width / file.getframerate(), file.getframerate(), file.getnchannels(), file.getsampwidth())
    except (wave.Error, EOFError, ZeroDivisionError, ValueError) as problem:
        if "unknown format" not in str(problem):
            raise NotSound(f"not a readable WAV file: {problem}") from problem
    with _opened(data) as found:
        return Sound(found.frames / found.samplerate, found.samplerate, found.channels, KINDS[found.subtype])


def decode_wav(data: bytes) -> Samples:
    """The sound of a WAV file (8 or 16 bits PCM, µ-law, A-law), several channels mixed into one.

    Raises NotSound with the reason, also beyond LARGEST_BYTES or LONGEST_SECONDS.
    """
    if len(data) > LARGEST_BYTES:
        raise NotSound(f"larger than {LARGEST_BYTES // 1024 // 1024} MB")
    try:
        with _opened(data) as file:
            if file.frames > LONGEST_SECONDS * file.samplerate:
                raise NotSound(f"longer than {LONGEST_SECONDS:.0f} s")
            channels = file.read(dtype="int16", always_2d=True)
            rate = int(file.samplerate)
    except soundfile.SoundFileError as problem:
        raise NotSound(f"not a readable WAV file: {problem}") from problem
    if not len(channels):
        raise NotSound("there is no sound in the file")
    return Samples(channels[:, 0].copy() if channels.shape[1] == 1 else channels.mean(axis=1).astype(np.int16), rate)


def _opened(data: bytes) -> soundfile.SoundFile:
    try:
        file = soundfile.SoundFile(io.BytesIO(data))
    except soundfile.LibsndfileError as problem:
        raise NotSound(f"not a readable WAV file: {problem.error_string}") from problem
    except (soundfile.SoundFileError, TypeError, ValueError) as problem:
        raise NotSound(f"not a readable WAV file: {problem}") from problem
    if file.format not in ("WAV", "WAVEX") or file.subtype not in KINDS or file.samplerate < 1000 or file.samplerate > 192_000:
        file.close()
        raise NotSound(f"{file.format} {file.subtype} at {file.samplerate} Hz is not a WAV file of PCM (8, 16 bits), µ-law or A-law")
    return file


def wav_bytes(pcm: Pcm, rate: int) -> bytes:
    """A WAV file of 16-bit PCM with one channel."""
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm.astype("<i2").tobytes())
    return stream.getvalue()


def _expansion() -> Pcm:
    code = ~np.arange(256, dtype=np.uint8)
    magnitude = ((((code & 0x0F).astype(np.int32) << 3) + _MULAW_BIAS) << ((code >> 4) & 7)) - _MULAW_BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _compression() -> NDArray[np.uint8]:
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.minimum(np.abs(sample), _MULAW_CLIP) + _MULAW_BIAS
    exponent = np.frexp(magnitude)[1] - 8
    code = np.where(sample < 0, 0x80, 0) | exponent << 4 | (magnitude >> (exponent + 3)) & 0x0F
    return np.asarray((~code).astype(np.uint8), np.uint8)


_EXPANDED, _COMPRESSED = _expansion(), _compression()
"""Both directions of ITU-T G.711 as tables."""


def mulaw_to_pcm(mulaw: bytes) -> Pcm:
    """The samples behind µ-law bytes (ITU-T G.711)."""
    return np.asarray(_EXPANDED[np.frombuffer(mulaw, np.uint8)], np.int16)


def pcm_to_mulaw(pcm: Pcm) -> bytes:
    """µ-law bytes of samples (ITU-T G.711), one a sample."""
    return _COMPRESSED[pcm.view(np.uint16)].tobytes()


class Resampler:
    """Brings a sound that comes in pieces to another rate: windowed sinc, nothing above half the lower rate passes."""

    def __init__(self, from_rate: int, to_rate: int) -> None:
        divisor = gcd(from_rate, to_rate)
        self._up, self._down = to_rate // divisor, from_rate // divisor
        self._filters = _filters(self._up, self._down)
        self._reach = self._filters.shape[1] // 2
        self._rest = np.zeros(self._reach, np.float32)
        self._next = 0  # position of the next sample to be given, in steps of 1/up, from the first of `_rest` that has a full window

    def feed(self, pcm: Pcm) -> Pcm:
        """What can be given after this piece; the filter keeps back a few milliseconds."""
        self._rest = np.concatenate([self._rest, pcm.astype(np.float32)])
        ready = max(len(self._rest) - 2 * self._reach, 0)
        count = max(-(-(ready * self._up - self._next) // self._down), 0)
        positions = self._next + self._down * np.arange(count)
        given = np.concatenate([np.empty(0, np.int16), *(self._block(positions[n : n + _BLOCK]) for n in range(0, count, _BLOCK))])
        self._next += count * self._down
        passed = min(self._next // self._up, ready)
        self._rest, self._next = self._rest[passed:], self._next - passed * self._up
        return given

    def finish(self) -> Pcm:
        """What was kept back."""
        return self.feed(np.zeros(self._reach, np.int16))

    def _block(self, positions: NDArray[np.int64]) -> Pcm:
        windows = np.lib.stride_tricks.sliding_window_view(self._rest, 2 * self._reach + 1)[positions // self._up]
        mixed = np.einsum("ij,ij->i", windows, self._filters[positions % self._up])
        return _rounded(mixed)


def _filters(up: int, down: int) -> NDArray[np.float32]:
    """One filter for each of the `up` places that a new sample can have between two old ones."""
    cut = min(1.0, up / down) * 0.95
    reach = int(np.ceil(_HALF_WIDTH / cut))
    distance = np.arange(-reach, reach + 1)[None, :] - np.arange(up)[:, None] / up
    window = np.where(np.abs(distance) < reach, np.cos(np.pi * distance / (2 * reach)) ** 2, 0.0)
    found = cut * np.sinc(cut * distance) * window
    return np.asarray(found / found.sum(axis=1, keepdims=True), np.float32)


def resample(pcm: Pcm, from_rate: int, to_rate: int) -> Pcm:
    """The same sound at another rate, band-limited, as long as before."""
    if from_rate == to_rate:
        return pcm
    resampler = Resampler(from_rate, to_rate)
    return np.concatenate([resampler.feed(pcm), resampler.finish()])[: -(-len(pcm) * to_rate // from_rate)]


def band_limit(pcm: Pcm, rate: int) -> Pcm:
    """The sound as a telephone line lets it pass: 300 to 3400 Hz, with edges of 100 Hz."""
    low, high = LINE_BAND
    frequency = np.fft.rfftfreq(len(pcm), 1 / rate)
    gain = np.clip((frequency - low + 50) / 100, 0, 1) * np.clip((high + 50 - frequency) / 100, 0, 1)
    return _rounded(np.fft.irfft(np.fft.rfft(pcm) * gain, len(pcm)))


def add_noise(pcm: Pcm, snr_db: float, seed: int) -> Pcm:
    """The sound with white noise, `snr_db` below the mean power of its speech; a seed gives the same noise again."""
    noise = np.random.default_rng(seed).standard_normal(len(pcm))
    return _rounded(pcm + noise * np.sqrt(_speech_power(pcm) / 10 ** (snr_db / 10)))


def _speech_power(pcm: Pcm) -> float:
    """Mean power of the frames that are less than 25 dB weaker than the loudest: pauses do not count."""
    frame = 160
    whole = pcm[: max(len(pcm) // frame, 1) * frame].astype(np.float64)
    power = np.square(whole).reshape(-1, frame).mean(axis=1) if len(whole) >= frame else np.array([np.square(whole).mean()])
    return float(power[power >= power.max() / 10**2.5].mean())


def _rounded(sound: NDArray[Any]) -> Pcm:
    found: Pcm = np.clip(np.rint(sound), -_LOUDEST - 1, _LOUDEST).astype(np.int16)
    return found
