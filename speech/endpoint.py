"""Where speech begins and ends in a telephone's sound: a gate on energy above a noise floor that it keeps learning."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from speech.audio import TELEPHONE_RATE, Pcm

FRAME_SECONDS = 0.02
FRAME = int(TELEPHONE_RATE * FRAME_SECONDS)
QUIETEST, LOUDEST_FLOOR = -70.0, -28.0
"""Between these lies the noise floor, in dB of full scale: below is digital silence, above nobody could be understood."""


@dataclass(frozen=True)
class Manners:
    """How the gate decides; seconds and dB.

    Speech begins with `onset_frames` of the last five frames `onset_db` above the floor and `least_level` loud, and is over when
    `silence` has passed with frames below `still_db`. Utterances with less than `shortest` of voice are dropped; none is longer
    than `longest`. Sound from `preroll` before the onset belongs to it. The floor is the quietest frame of the last `memory`
    seconds, and nothing begins before `settling` has been heard.
    """

    silence: float = 0.35
    longest: float = 8.0
    shortest: float = 0.1
    preroll: float = 0.3
    onset_db: float = 7.0
    still_db: float = 4.5
    onset_frames: int = 3
    least_level: float = -48.0
    memory: float = 1.5
    settling: float = 0.24


class Kind(Enum):
    """What a piece of sound means: an utterance begins, goes on, is over, or was too short to be one."""

    ONSET = "onset"
    SPEECH = "speech"
    ENDED = "ended"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Heard:
    """A piece of an utterance with its `sound`.

    `began` and `ended` are seconds in the stream, the latter that of the last voice; `over_noise` says by how many dB the voice has
    been louder than the noise floor up to now, on the average.
    """

    kind: Kind
    sound: Pcm
    began: float
    ended: float
    over_noise: float


class Gate:
    """Listens to one stream, 8,000 samples a second, in pieces of any size."""

    def __init__(self, manners: Manners | None = None) -> None:
        self._manners = manners or Manners()
        self._rest = np.empty(0, np.int16)
        self._before: deque[Pcm] = deque(maxlen=_frames(self._manners.preroll))
        self._floors: deque[float] = deque(maxlen=_frames(self._manners.memory))
        self._recent: deque[bool] = deque(maxlen=5)
        self._speaking = False
        self._position = 0  # samples of the stream up to the end of the last whole frame
        self._began = self._voiced_until = 0
        self._voiced = 0
        self._over = 0.0  # dB above the floor, added up over the voiced frames

    @property
    def speaking(self) -> bool:
        """Whether an utterance is open."""
        return self._speaking

    def skip(self, samples: int) -> None:
        """So much of the stream was lost: times go on behind it."""
        self._position += samples

    def feed(self, pcm: Pcm) -> Iterator[Heard]:
        """What this piece of the stream adds to utterances, in order."""
        sound = np.concatenate([self._rest, pcm])
        whole = len(sound) // FRAME * FRAME
        self._rest = sound[whole:]
        frames = sound[:whole].reshape(-1, FRAME)
        for frame, level in zip(frames, _levels(frames), strict=True):
            self._position += FRAME
            yield from self._speech(frame, level) if self._speaking else self._silence(frame, level)

    def _floor(self, level: float) -> float:
        self._floors.append(max(level, QUIETEST))
        return min(min(self._floors), LOUDEST_FLOOR)

    def _silence(self, frame: Pcm, level: float) -> Iterator[Heard]:
        over = level - self._floor(level)
        self._before.append(frame)
        self._recent.append(over >= self._manners.onset_db and level >= self._manners.least_level)
        settled = len(self._floors) >= _frames(self._manners.settling)
        if settled and sum(self._recent) >= self._manners.onset_frames:
            sound = np.concatenate(list(self._before))
            self._before.clear()
            self._speaking, self._began, self._voiced_until = True, self._position - len(sound), self._position
            self._voiced, self._over = sum(self._recent), over * sum(self._recent)
            yield self._told(Kind.ONSET, sound)

    def _speech(self, frame: Pcm, level: float) -> Iterator[Heard]:
        over = level - self._floor(level)
        if over >= self._manners.still_db and level >= self._manners.least_level - 3:
            self._voiced_until, self._voiced, self._over = self._position, self._voiced + 1, self._over + over
        quiet = (self._position - self._voiced_until) / TELEPHONE_RATE
        length = (self._position - self._began) / TELEPHONE_RATE
        if quiet < self._manners.silence - FRAME_SECONDS / 2 and length < self._manners.longest - FRAME_SECONDS / 2:
            yield self._told(Kind.SPEECH, frame)
            return
        self._speaking = False
        self._recent.clear()
        enough = self._voiced * FRAME_SECONDS >= self._manners.shortest - FRAME_SECONDS / 2
        yield self._told(Kind.ENDED if enough else Kind.DROPPED, frame)

    def _told(self, kind: Kind, sound: Pcm) -> Heard:
        over_noise = self._over / max(self._voiced, 1)
        return Heard(kind, sound, self._began / TELEPHONE_RATE, self._voiced_until / TELEPHONE_RATE, over_noise)


def _frames(seconds: float) -> int:
    return round(seconds / FRAME_SECONDS)


def _levels(frames: Pcm) -> list[float]:
    """The level of each frame in dB of full scale."""
    power = np.square(frames.astype(np.float32)).mean(axis=1) / 32768.0**2 if len(frames) else np.empty(0)
    return [float(level) for level in 10 * np.log10(power + 1e-12)]
