"""The decoding processes, seen from an event loop: streams are spread over them, and one that dies or hangs is replaced."""

import asyncio
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from speech import frames
from speech.decoding_process import DecodingProcess, Pace
from speech.frames import Frame, Kind
from speech.transcript import Transcript

MOST_STREAMS = 64
"""Streams that one process takes at most; a machine that cannot keep up loses old sound before that."""

BACKLOG_SECONDS = 4.0
"""So much sound waits for a process that is behind; older sound is dropped."""

LARGEST_PIECE = 8000
_BACKLOG = int(BACKLOG_SECONDS * 8000)
_UTTERANCES = 16


class Unavailable(Exception):
    """Nobody can listen now; the call goes on by keys."""


@dataclass(frozen=True)
class Utterance:
    """What somebody said between two pauses.

    `began` and `ended` are seconds from the beginning of the stream, as are the words' times; `decoding_seconds` were spent on
    it in the process; `sound` is it in µ-law, 8,000 bytes a second, with 0.3 s before and the pause that ended it. No word at all
    means that the engine took it for noise.
    """

    transcript: Transcript
    began: float
    ended: float
    decoding_seconds: float
    sound: bytes


class Hearing:
    """One stream of sound, and the utterances in it. `dropped` are the phrases that the model has no words for."""

    def __init__(self, number: int, process: DecodingProcess) -> None:
        self.number = number
        self.dropped: tuple[str, ...] = ()
        self._process = process
        self._sound = bytearray()
        self._position = 0  # of the first byte of `_sound`, in the stream
        self._utterances: deque[Utterance] = deque(maxlen=_UTTERANCES)
        self._news = asyncio.Event()
        self._over = False

    async def feed(self, mulaw: bytes) -> None:
        """Take sound of any length; returns at once. Too old sound is dropped when the process is behind."""
        if self._over:
            return
        self._sound += mulaw
        late = len(self._sound) - _BACKLOG
        if late > 0:
            del self._sound[:late]
            self._position += late
        self._process.has_sound(self)

    async def next(self) -> Utterance | None:
        """The next utterance, waiting for it; None when the hearing is closed or its process has died."""
        while not self._utterances and not self._over:
            self._news.clear()
            await self._news.wait()
        return self._utterances.popleft() if self._utterances else None

    async def close(self) -> None:
        """Listen no more; sound that waits is forgotten."""
        if not self._over:
            self.end()
            self._process.close(self.number)

    def take(self) -> Frame | None:
        """The next piece for the process, or None."""
        if not self._sound or self._over:
            return None
        piece = bytes(self._sound[:LARGEST_PIECE])
        del self._sound[: len(piece)]
        position, self._position = self._position, self._position + len(piece)
        return frames.sound(self.number, position, piece)

    def hear(self, frame: Frame) -> None:
        """Take an utterance from the process."""
        told, sound = frames.heard_of(frame)
        transcript = Transcript(frames.words_of(told["words"]))
        self._utterances.append(Utterance(transcript, told["began"], told["ended"], told["decoding"], sound))
        self._news.set()

    def end(self) -> None:
        """Nothing more will be heard."""
        self._over = True
        self._sound.clear()
        self._news.set()


class Decoders:
    """The decoding processes, to be entered with `async with`."""

    def __init__(
        self, models: Mapping[str, Path], processes: int, python: Sequence[str] = (sys.executable,), pace: Pace | None = None
    ) -> None:
        """`models` are folders by language; `python` is the command that runs a module; without models nothing is started."""
        wanted = processes if models else 0
        self._processes = [DecodingProcess(models, python, pace or Pace()) for _ in range(wanted)]
        self._tasks: list[asyncio.Task[None]] = []
        self._last = 0

    @property
    def languages(self) -> frozenset[str]:
        """The languages that some living process can hear."""
        return frozenset().union(*(process.languages for process in self._processes))

    @property
    def pids(self) -> tuple[int, ...]:
        """The numbers of the living processes."""
        return tuple(process.pid for process in self._processes if process.pid is not None)

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return sum(len(process.hearings) for process in self._processes)

    async def __aenter__(self) -> "Decoders":
        """Start the processes and wait until each is ready or has failed once."""
        self._tasks = [asyncio.create_task(process.keep_alive()) for process in self._processes]
        await asyncio.gather(*(process.tried.wait() for process in self._processes))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the processes; all hearings end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def open(self, language: str, phrases: Sequence[str]) -> Hearing:
        """Listen for these phrases on a new stream, in the process that has the fewest. Raises Unavailable."""
        able = [process for process in self._processes if language in process.languages and len(process.hearings) < MOST_STREAMS]
        if not able:
            raise Unavailable(f"此刻没有可用的 {language} 语音识别进程 / no process can hear {language} now")
        process = min(able, key=lambda one: len(one.hearings))
        self._last = self._last % 0xFFFFFFFF + 1
        hearing = Hearing(self._last, process)
        answer = await process.open(hearing, language, phrases)
        if answer is None:
            raise Unavailable("语音识别进程没有应答 / the process that should hear does not answer")
        if answer.kind is Kind.REFUSED:
            raise Unavailable(str(answer.told()["reason"]))
        hearing.dropped = tuple(answer.told()["dropped"])
        return hearing
