"""The carrier of `province`: takes calls and brings signed web-hooks at their appointed times, however long the answers take.

Open loop: what a web-hook is measured by is the time from the moment at which it was due, so that a queue before the door
shows. A turn alone waits for the one before it, because no carrier asks for the next step of a document it has not got; that
waiting counts as well.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import parse_qs, urldefrag, urlencode, urlsplit

from ivr.carrier.simulator.signing import sign

KEYS = ("", "1", "2", "2", "2", "2", "2", "1", "1")  # answered, is the person, five ratings, no interference, nothing to add
RINGS_AT, PICKED_UP_AT, FIRST_WORDS_AT, MACHINE_AT = 0.4, 2.0, 2.2, 4.0
UNANSWERED = ("busy", "no-answer", "no-answer")
HEAD = "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"


@dataclass(frozen=True)
class Habit:
    """How people behave: which share of calls is talked, how long a talk lasts, how often the carrier repeats a web-hook."""

    talks: float
    talk_seconds: float
    repeats: float
    seed: int = 0


@dataclass(frozen=True)
class Hook:
    """One web-hook as it was brought; times are of the monotonic clock."""

    kind: str
    due: float
    took: float
    status: int


@dataclass
class Call:
    """A call that was asked for: what was pressed at each step, which statuses were told, the final one."""

    sid: str
    to: str
    token: str
    form: dict[str, str]
    asked_at: float
    is_talk: bool
    ending: str
    pressed: dict[int, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Carrier:
    """The API and the telephones. Everything runs on one event loop; `calls` and `hooks` are the record."""

    def __init__(self, account: str, auth_token: str, habit: Habit) -> None:
        self._account, self._auth_token, self._habit = account, auth_token, habit
        self._chance = Random(habit.seed)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._under_way: set[asyncio.Task[Any]] = set()
        self.calls: dict[str, Call] = {}
        self.hooks: list[Hook] = []
        self.other_requests: Counter[str] = Counter()

    async def serve(self, port: int) -> asyncio.Server:
        """Listen for the API's requests."""
        return await asyncio.start_server(self._answer, "127.0.0.1", port, backlog=512)

    async def finish(self) -> None:
        """Wait until every call has ended and all has been told."""
        while self._under_way:
            await asyncio.wait(set(self._under_way))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                text = head.decode("latin-1")
                method, path, _ = text.split("\r\n", 1)[0].split(" ")
                body = await reader.readexactly(_length(text))
                status, reply = self._handle(method, urlsplit(path).path, body.decode())
                writer.write((HEAD.format(status=status, length=len(reply)) + reply).encode())
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):  # gone, or the benchmark is over
            writer.close()

    def _handle(self, method: str, path: str, body: str) -> tuple[str, str]:
        if method == "POST" and path.endswith("/Calls.json"):
            # a fragment says how to repeat; it is neither asked for nor signed
            return "201 Created", json.dumps(self._take({name: urldefrag(values[0]).url for name, values in parse_qs(body).items()}))
        self.other_requests[f"{method} {path.split('/')[-2]}"] += 1
        if method == "DELETE":
            return "204 No Content", ""
        return "200 OK", json.dumps({"calls": [], "sid": path.rsplit("/", 1)[-1].partition(".")[0], "status": "completed"})

    def _take(self, form: dict[str, str]) -> dict[str, str]:
        number = len(self.calls)
        is_talk = self._chance.random() < self._habit.talks
        call = Call(
            f"CA{number:032x}", form["To"], form["Url"].split("/attempts/")[1].split("/")[0], form, time.monotonic(), is_talk,
            "completed" if is_talk else self._chance.choice(UNANSWERED),
        )  # fmt: skip
        self.calls[call.sid] = call
        self._later(self._live(call))
        return {"sid": call.sid, "status": "queued", "to": call.to, "queue_time": "0"}

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _live(self, call: Call) -> None:
        began, span = call.asked_at, self._habit.talk_seconds
        told = [(0.1, "initiated"), (RINGS_AT, "ringing")]
        if call.is_talk:
            told.append((PICKED_UP_AT, "in-progress"))
            self._later(self._callback(call, began + MACHINE_AT, "machine", "AsyncAmdStatusCallback", {"AnsweredBy": "human"}))
            self._later(self._talk(call))
        told.append((FIRST_WORDS_AT + span + 0.5 if call.is_talk else 3.0, call.ending))
        for offset, status in told:
            self._later(self._status(call, began + offset, status))

    async def _status(self, call: Call, due: float, status: str) -> None:
        call.told.append(status)
        seconds = {"CallDuration": str(int(self._habit.talk_seconds))} if status == "completed" else {}
        await self._callback(call, due, "status", "StatusCallback", {"CallStatus": status, **seconds})

    async def _callback(self, call: Call, due: float, kind: str, field_name: str, extra: dict[str, str]) -> None:
        for moment in self._times(due):
            await _until(moment)
            await self._bring(call, kind, moment, call.form[field_name], extra)

    async def _talk(self, call: Call) -> None:
        first, pause = call.asked_at + FIRST_WORDS_AT, self._habit.talk_seconds / len(KEYS)
        for step, key in enumerate(KEYS):
            address = call.form["Url"].removesuffix("0") + str(step)
            due, reply = first + step * pause, b""
            for moment in self._times(due):
                await _until(moment)
                again = await self._bring(call, "turn", moment, address, self._keys(call, step, key))
                if reply and again != reply:
                    call.problems.append(f"step {step}: a repeat was answered otherwise")
                reply = reply or again
            call.pressed[step] = key
            if (b"<Hangup" in reply) != (step == len(KEYS) - 1) or b"<Pause" in reply:
                call.problems.append(f"step {step}: not the expected document")

    def _keys(self, call: Call, step: int, key: str) -> dict[str, str]:
        if step == len(KEYS) - 1:
            return {"Digits": key, "RecordingSid": "RE" + call.sid[2:], "RecordingDuration": "0", "RecordingUrl": "http://nowhere.example/"}
        return {"Digits": key, "msg": "Gather End", "FinishedOnKey": ""} if key else {}

    def _times(self, due: float) -> Iterator[float]:
        yield due
        if self._chance.random() < self._habit.repeats:
            yield due + 0.5

    async def _bring(self, call: Call, kind: str, due: float, url: str, extra: dict[str, str]) -> bytes:
        form = {f"{side}{part}": "" for side in ("From", "To", "Caller", "Called") for part in ("City", "State", "Zip", "Country")}
        form |= {"AccountSid": self._account, "CallSid": call.sid, "From": call.form["From"], "To": call.to, "CallStatus": "in-progress"}
        form |= {"ApiVersion": "2010-04-01", "Direction": "outbound-api", **extra}
        status, body = 0, b""
        try:
            status, body = await self._send(url, form)
        except (OSError, asyncio.IncompleteReadError) as problem:
            call.problems.append(f"{kind}: {type(problem).__name__}")
        self.hooks.append(Hook(kind, due, time.monotonic() - due, status))
        if status not in (200, 204):
            call.problems.append(f"{kind}: HTTP {status}")
        return body

    async def _send(self, url: str, form: dict[str, str]) -> tuple[int, bytes]:
        body = urlencode(form)
        while self._idle:
            try:
                return await self._ask(*self._idle.pop(), url, form, body)
            except (ConnectionError, asyncio.IncompleteReadError) as problem:  # an idle connection may be closed at any time
                if getattr(problem, "partial", b""):
                    raise
        where = urlsplit(url)
        return await self._ask(*await asyncio.open_connection(where.hostname, where.port), url, form, body)

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, url: str, form: dict[str, str], body: str
    ) -> tuple[int, bytes]:
        where = urlsplit(url)
        writer.write(
            f"POST {where.path}{'?' + where.query if where.query else ''} HTTP/1.1\r\nHost: {where.netloc}\r\n"
            f"X-Twilio-Signature: {sign(self._auth_token, url, form)}\r\nUser-Agent: TwilioProxy/1.1\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status = int(head.split(" ", 2)[1])
        reply = await reader.readexactly(_length(head))
        self._idle.append((reader, writer))
        return status, reply


def _length(head: str) -> int:
    return next((int(row.split(":")[1]) for row in head.split("\r\n") if row.lower().startswith("content-length")), 0)


async def _until(moment: float) -> None:
    if (rest := moment - time.monotonic()) > 0:
        await asyncio.sleep(rest)
