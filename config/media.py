"""The media server as a process: its loop, its socket, the processes that recognise, and an end in good order."""

import asyncio
import os
import signal
from contextlib import suppress
from socket import socket

from config import metrics
from config.ports import listen
from config.wiring import House
from ivr.voice.listening import Listener
from speech.decoders import Decoders


def run(house: House, listens: int | None = None, tells: int | None = None) -> None:
    """Listen to callers until a signal comes.

    `listens` is the descriptor of a socket that listens already, `tells` one on which the parent hears that the process is at work.
    """
    metrics.begin("media", house.data)
    given = house.settings
    listening = listen(given.media_host, given.media_port) if listens is None else socket(fileno=listens)
    asyncio.run(_serve(house, listening, tells))


async def _serve(house: House, listening: socket, tells: int | None) -> None:
    ending = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, ending.set)
    listening.setblocking(False)
    async with Decoders(house.speech_models, house.settings.decoders) as decoders:
        server = await Listener(house.voice_services(), house.carrier(), decoders).serve(listening)
        if tells is not None:
            with suppress(OSError):  # nobody listens any more
                os.write(tells, b".")
        await ending.wait()
        server.close()
        await server.wait_closed()
