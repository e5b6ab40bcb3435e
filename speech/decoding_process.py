"""One decoding process kept alive: started, fed in turns, watched, killed when it does not answer, started again after a pause."""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from speech import frames
from speech.frames import Frame, Kind

ROOT = Path(__file__).resolve().parents[1]
log = logging.getLogger(__name__)
Result = TypeVar("Result")


@dataclass(frozen=True)
class Pace:
    """Seconds: how long loading may take, how long an answer, how often it is asked for, and the pauses before a new start."""

    loading: float = 60.0
    answer: float = 5.0
    asking: float = 1.0
    pause: float = 1.0
    longest_pause: float = 30.0


class Fallen(Exception):
    """The process has ended, or does not answer."""


class Listener(Protocol):
    """What a hearing is for the process that serves it."""

    number: int

    def take(self) -> Frame | None:
        """The next piece for the process, or None."""
        ...

    def hear(self, frame: Frame) -> None:
        """Take an utterance from the process."""
        ...

    def end(self) -> None:
        """Nothing more will be heard."""
        ...


class DecodingProcess:
    """The process and its streams; `languages` is empty while it is not ready, `tried` is set once it was ready or has failed."""

    def __init__(self, models: Mapping[str, Path], python: Sequence[str], pace: Pace) -> None:
        named = [word for language, folder in models.items() for word in ("--model", f"{language}={folder.resolve()}")]
        self._command = [*python, "-m", "speech.decoder", "--parent", str(os.getpid()), *named]
        self._pace = pace
        self.languages: frozenset[str] = frozenset()
        self.hearings: dict[int, Listener] = {}
        self.tried = asyncio.Event()
        self._child: asyncio.subprocess.Process | None = None
        self._opening: dict[int, asyncio.Future[Frame | None]] = {}
        self._orders: deque[Frame] = deque()
        self._hungry: dict[int, Listener] = {}
        self._work = asyncio.Event()
        self._unanswered: deque[float] = deque()

    @property
    def pid(self) -> int | None:
        """Its number while it lives."""
        return self._child.pid if self._child else None

    async def open(self, hearing: Listener, language: str, phrases: Sequence[str]) -> Frame | None:
        """Ask for a stream; the answer, or None when none comes."""
        answer = self._opening[hearing.number] = asyncio.get_running_loop().create_future()
        self.hearings[hearing.number] = hearing
        self._order(frames.said(Kind.OPEN, hearing.number, {"language": language, "phrases": list(phrases)}))
        found = None
        try:
            found = await asyncio.wait_for(answer, self._pace.answer)
        except TimeoutError:
            pass
        finally:
            self._opening.pop(hearing.number, None)
            if found is None or found.kind is not Kind.OPENED:
                hearing.end()
                self.close(hearing.number)
        return found

    def close(self, number: int) -> None:
        """Forget a stream."""
        if self.hearings.pop(number, None):
            self._hungry.pop(number, None)
            self._order(Frame(Kind.CLOSE, number))

    def has_sound(self, hearing: Listener) -> None:
        """A stream has sound to be fetched."""
        if hearing.number in self.hearings:
            self._hungry[hearing.number] = hearing
            self._work.set()

    def _order(self, frame: Frame) -> None:
        self._orders.append(frame)
        self._work.set()

    async def keep_alive(self) -> None:
        """Run the process until cancelled; after each fall the pause grows, after a good while it is short again."""
        clock = asyncio.get_running_loop().time
        pause = self._pace.pause
        while True:
            began = clock()
            try:
                await self._live()
            except* (Fallen, OSError, EOFError, ValueError, LookupError) as fall:
                told = "; ".join(f"{one!r}" for one in fall.exceptions)
                log.warning("a decoding process has ended: %s", told, extra={"action": "speech.decoder_ended"})
            pause = self._pace.pause if clock() - began > self._pace.longest_pause else min(2 * pause, self._pace.longest_pause)
            await asyncio.sleep(pause)

    async def _live(self) -> None:
        try:
            child = await self._start()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(child))
                group.create_task(self._write(child))
                group.create_task(self._watch())
        finally:
            await self._bury()

    async def _start(self) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        starting = asyncio.create_subprocess_exec(*self._command, cwd=ROOT, stdin=pipe, stdout=pipe)
        return await _to_the_end(starting, self._adopt)

    def _adopt(self, child: asyncio.subprocess.Process) -> None:
        self._child = child

    async def _bury(self) -> None:
        self.languages = frozenset()
        self.tried.set()
        child, self._child = self._child, None
        for hearing in self.hearings.values():
            hearing.end()
        for answer in self._opening.values():
            if not answer.done():
                answer.set_result(None)
        for left in (self.hearings, self._hungry, self._orders, self._unanswered):
            left.clear()
        if child:
            with suppress(ProcessLookupError):
                child.kill()
            if child.stdin and not child.stdin.transport.is_closing():
                child.stdin.transport.abort()  # what could not be written any more would keep the pipe open
            await _to_the_end(child.wait())

    async def _read(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdout
        while True:
            start = await child.stdout.readexactly(frames.HEAD.size)
            length, kind, number = frames.head(start)
            self._take(Frame(kind, number, await child.stdout.readexactly(length)))

    def _take(self, frame: Frame) -> None:
        hearing, opening = self.hearings.get(frame.stream), self._opening.get(frame.stream)
        match frame.kind:
            case Kind.READY:
                told = frame.told()
                self.languages = frozenset(told["languages"])
                self._unanswered.clear()
                self.tried.set()
                for fault in told["faults"]:
                    log.error("%s", fault, extra={"action": "speech.model_unusable"})
            case Kind.OPENED | Kind.REFUSED if opening and not opening.done():
                opening.set_result(frame)
            case Kind.HEARD if hearing:
                hearing.hear(frame)
            case Kind.BROKEN if hearing:
                hearing.end()
                self.close(frame.stream)
            case Kind.PONG if self._unanswered:
                self._unanswered.popleft()

    async def _write(self, child: asyncio.subprocess.Process) -> None:
        pipe = child.stdin
        assert pipe
        pipe.transport.set_write_buffer_limits(0)
        while True:
            await self._work.wait()
            self._work.clear()
            while self._orders or self._hungry:
                while self._orders:
                    pipe.write(self._orders.popleft().packed())
                hungry, self._hungry = self._hungry, {}
                for hearing in hungry.values():
                    if piece := hearing.take():
                        pipe.write(piece.packed())
                        self._hungry.setdefault(hearing.number, hearing)
                await pipe.drain()

    async def _watch(self) -> None:
        """Ask for signs of life. Raises Fallen when one is overdue."""
        clock = asyncio.get_running_loop().time
        self._unanswered.append(clock())
        allowed = self._pace.loading
        while True:
            await asyncio.sleep(self._pace.asking)
            if self._unanswered and clock() - self._unanswered[0] > (self._pace.answer if self.languages else allowed):
                raise Fallen("no answer")
            if self.languages:
                self._unanswered.append(clock())
                self._order(Frame(Kind.PING))


async def _to_the_end(work: Coroutine[Any, Any, Result], done: Callable[[Result], None] = lambda _: None) -> Result:
    """Do what must not be left half done: whoever is cancelled meanwhile learns it afterwards."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.exception():
            done(task.result())
        raise
    done(task.result())
    return task.result()
