"""Media streams over WebSockets (twilio_voice §4): one asyncio loop in a thread of its own for all of them."""

import asyncio
import base64
import contextlib
import json
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, WebSocketException
from websockets.protocol import State

from ivr.carrier.simulator.calls import Stream
from ivr.carrier.simulator.line import FRAME, QUIET
from ivr.carrier.simulator.webhooks import AGENT

FRAME_SECONDS, FRAME_MILLISECONDS = 0.02, 20
HANDSHAKE_SECONDS = 5.0
SEND_SECONDS = 5.0  # the other side must take what is sent
CLOSE_SECONDS = 1.0
LONGEST_LAG_SECONDS = 0.2  # a sender that is later than this gives up catching up
LOOK_AGAIN_SECONDS = 0.1  # whether the clock runs
CUSHION_FRAMES, LONGEST_CUSHION_FRAMES = 3, 25  # of a living voice, which does not come as regularly as it is sent on
REFUSED, BROKEN, CLOSED = "refused", "broken", "closed by the application"
FORMAT = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
T = TypeVar("T")


class Loop:
    """The loop and its thread; they begin with the first piece of work and do not begin again. Safe for use by many threads."""

    def __init__(self) -> None:
        self._is_over = False
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def do(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Begin something; its result comes later, and is an error once the loop is closed."""
        with self._lock:
            if self._is_over:
                work.close()
                lost: Future[T] = Future()
                lost.set_exception(RuntimeError("the exchange is closed"))
                return lost
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="exchange-streams", daemon=True)
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """End what is still going on, and the thread."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
            self._is_over = True
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result(CLOSE_SECONDS * 5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Socket:
    """One stream of one call. `told` hears `stream-started`, or `stream-error` and `stream-stopped` that nobody here asked for."""

    def __init__(
        self, call_sid: str, account_sid: str, stream: Stream, told: Callable[[str, str], None], is_real: Callable[[], bool]
    ) -> None:
        self.stream, self.is_open = stream, False
        self.decided = threading.Event()  # whether the handshake went well is known
        self._call_sid, self._account_sid, self._told, self._is_real = call_sid, account_sid, told, is_real
        self._connection: ClientConnection | None = None
        self._pending: deque[bytes] = deque()
        self._stop = asyncio.Event()
        self._sequence = self._timestamp = 0

    async def live(self, headers: Mapping[str, str]) -> None:
        """The stream's whole life, until it is stopped or breaks."""
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                self._connection = await connect(
                    self.stream.url, additional_headers=headers, user_agent_header=AGENT, compression=None, ping_interval=None, proxy=None,
                    open_timeout=None, close_timeout=CLOSE_SECONDS,
                )  # fmt: skip
        except (OSError, TimeoutError, WebSocketException, ValueError) as problem:
            self._over(REFUSED, f"handshake failed: {type(problem).__name__}")
        else:
            await self._talk(self._connection)
        finally:
            self.is_open = False
            self.decided.set()

    async def stop(self) -> None:
        """Say that it is over and close; waits until it is done."""
        self._stop.set()
        if self._connection is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS * 2):
                    await self._connection.wait_closed()

    async def say(self, sound: bytes, second: float, skips_silence: bool) -> None:
        """Send a sound at once, as heard from that second of the stream on; the silence before it is skipped or sent."""
        missing = max(0, round(second / FRAME_SECONDS) - self._timestamp // FRAME_MILLISECONDS)
        if skips_silence:
            self._timestamp += missing * FRAME_MILLISECONDS
        else:
            sound = QUIET * missing + sound
        try:
            for start in range(0, len(sound), FRAME):
                await self._frame(sound[start : start + FRAME].ljust(FRAME, b"\xff"))
        except ConnectionClosed:
            return  # whoever reads tells it
        except TimeoutError:
            assert self._connection is not None
            self._connection.transport.abort()

    async def play(self, sound: bytes) -> None:
        """Let a sound be heard from now on, at its pace."""
        self._pending.extend(sound[start : start + FRAME].ljust(FRAME, b"\xff") for start in range(0, len(sound), FRAME))

    def hear(self, frame: bytes) -> None:
        """Take a frame of a living voice, on the loop's thread; what comes in too fast is dropped at its oldest."""
        if not self._pending:
            self._pending.extend([QUIET] * CUSHION_FRAMES)
        self._pending.append(frame)
        while len(self._pending) > LONGEST_CUSHION_FRAMES:
            self._pending.popleft()

    async def _talk(self, connection: ClientConnection) -> None:
        try:
            await self._send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
            await self._send(self._greeting())
            self.is_open = True
            self._told("stream-started", "")
            self.decided.set()
            await self._until_over(connection)
        except ConnectionClosedOK:
            self._over(CLOSED, "")
        except (OSError, TimeoutError, WebSocketException) as problem:
            self._over(BROKEN, f"connection broken: {type(problem).__name__}")
            connection.transport.abort()
        finally:
            self.is_open = False
            await connection.close()

    async def _until_over(self, connection: ClientConnection) -> None:
        tasks = [asyncio.ensure_future(each) for each in (self._read(connection), self._pace(connection), self._stop.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks[:2]:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self.is_open = False
        await self._send(self._message("stop", {"accountSid": self._account_sid, "callSid": self._call_sid}))

    async def _read(self, connection: ClientConnection) -> None:
        while True:
            await connection.recv()  # what the application says on a one-way stream is not heard

    async def _pace(self, connection: ClientConnection) -> None:
        """In real time a frame every 20 ms, quiet when nothing is said."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if not self._is_real():
                if connection.state is State.CLOSING:
                    await connection.close()  # the other side is given CLOSE_SECONDS to let go
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
                due = loop.time()
                continue
            await self._frame(self._pending.popleft() if self._pending else QUIET)
            due = max(due + FRAME_SECONDS, loop.time() - LONGEST_LAG_SECONDS)
            await asyncio.sleep(due - loop.time())

    async def _frame(self, payload: bytes) -> None:
        self.stream.frames += 1
        sound = base64.b64encode(payload).decode()
        media = {"track": "inbound", "chunk": str(self.stream.frames), "timestamp": str(self._timestamp), "payload": sound}
        self._timestamp += FRAME_MILLISECONDS
        await self._send(self._message("media", media))

    def _greeting(self) -> dict[str, Any]:
        track = self.stream.track.removesuffix("_track").removesuffix("_tracks")
        start = {
            "accountSid": self._account_sid, "streamSid": self.stream.sid, "callSid": self._call_sid,
            "tracks": ["inbound", "outbound"] if track == "both" else [track], "customParameters": self.stream.parameters,
            "mediaFormat": FORMAT,
        }  # fmt: skip
        return self._message("start", start)

    def _message(self, event: str, content: Mapping[str, Any]) -> dict[str, Any]:
        self._sequence += 1
        return {"event": event, "sequenceNumber": str(self._sequence), event: content, "streamSid": self.stream.sid}

    async def _send(self, message: Mapping[str, Any]) -> None:
        assert self._connection is not None
        async with asyncio.timeout(SEND_SECONDS):
            await self._connection.send(json.dumps(message, ensure_ascii=False))

    def _over(self, how: str, problem: str) -> None:
        self.is_open = False
        if not self._stop.is_set():
            self.stream.ended = how
            self._told("stream-error" if problem else "stream-stopped", problem)
