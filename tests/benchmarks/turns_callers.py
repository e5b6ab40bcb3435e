"""The load of `turns`: many calls at once over kept-alive connections, every request signed beforehand.

Started by `turns` as a process of its own: reads a plan as JSON from standard input, prints what was measured as JSON.
"""

import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Tally:
    """Seconds of each turn, and what went wrong."""

    turns: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """`calls` hold the requests of one call each, as text; `pause_seconds` is how long a person thinks, on average."""

    port: int
    callers: int
    seconds: float
    pause_seconds: float
    calls: list[list[str]]
    strict: bool


async def _ask(plan: Plan, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: str, is_last: bool, tally: Tally) -> None:
    began = time.perf_counter()
    writer.write(request.encode("latin-1"))
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = next(int(row.split(":")[1]) for row in head.split("\r\n") if row.lower().startswith("content-length"))
    body = await reader.readexactly(length)
    tally.turns.append(time.perf_counter() - began)
    if " 200 " not in head.split("\r\n")[0]:
        tally.problems.append(head.split("\r\n")[0])
    elif plan.strict and (b"<Pause" in body or (b"<Hangup" in body) != is_last):
        tally.problems.append("not the expected document")


async def _caller(plan: Plan, number: int, ends_at: float, tally: Tally) -> None:
    chance = random.Random(number)
    if plan.pause_seconds:
        await asyncio.sleep(chance.uniform(0, 2 * plan.pause_seconds))
    reader, writer = await asyncio.open_connection("127.0.0.1", plan.port)
    while plan.calls and time.perf_counter() < ends_at:
        call = plan.calls.pop()
        for place, request in enumerate(call):
            await _ask(plan, reader, writer, request, place == len(call) - 1, tally)
            if time.perf_counter() >= ends_at:
                break
            if plan.pause_seconds:
                await asyncio.sleep(chance.uniform(0, 2 * plan.pause_seconds))
    writer.close()


async def _run(plan: Plan) -> dict[str, Any]:
    tally = Tally()
    began = time.perf_counter()
    await asyncio.gather(*(_caller(plan, number, began + plan.seconds, tally) for number in range(plan.callers)))
    lasted = time.perf_counter() - began
    return {"turns": tally.turns, "seconds": lasted, "problems": tally.problems, "left": len(plan.calls)}


if __name__ == "__main__":
    json.dump(asyncio.run(_run(Plan(**json.load(sys.stdin)))), sys.stdout)
