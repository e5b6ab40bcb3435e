"""The media server in a thread of a test: its loop, its socket, and whoever hears for it."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

from ivr.carrier.base import Carrier
from ivr.voice.listening import Listener
from ivr.voice.routes import VoiceServices
from speech.decoders import Decoders

PATIENCE = 60.0
MODELS = Path(__file__).parents[1] / "speech" / "models"
OWN_MODELS: Mapping[str, Path] = {"zh": MODELS / "zh-small-own", "en": MODELS / "en-small-own"}
"""The small models that the program brings along."""


@contextmanager
def looping() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop in a thread of its own, for the length of a `with`."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def serving_media(
    loop: asyncio.AbstractEventLoop, voice: VoiceServices, carrier: Any, decoders: Any, listening: socket.socket
) -> Iterator[None]:
    """Serve streams on the socket for the length of a `with`."""
    listening.setblocking(False)
    server = asyncio.run_coroutine_threadsafe(Listener(voice, carrier, decoders).serve(listening), loop).result(PATIENCE)
    try:
        yield
    finally:
        server.close()
        asyncio.run_coroutine_threadsafe(server.wait_closed(), loop).result(PATIENCE)


@contextmanager
def decoding(loop: asyncio.AbstractEventLoop, models: Mapping[str, Path], processes: int = 2) -> Iterator[Decoders]:
    """Real decoding processes for the length of a `with`."""
    stack = AsyncExitStack()
    decoders = asyncio.run_coroutine_threadsafe(stack.enter_async_context(Decoders(models, processes)), loop).result(PATIENCE)
    try:
        yield decoders
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(PATIENCE)


@contextmanager
def listening_to_callers(
    voice: VoiceServices, carrier: Carrier, listening: socket.socket, processes: int = 2
) -> Iterator[Callable[[], tuple[int, ...]]]:
    """All of it: real recognition with the small models; gives what tells the numbers of the living processes."""
    with looping() as loop, decoding(loop, OWN_MODELS, processes) as decoders, serving_media(loop, voice, carrier, decoders, listening):
        yield lambda: decoders.pids
