"""A road between a client and a server, with weather on it: a TCP proxy in threads."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

FAIR, SLOW, HALF_OPEN, MUTE, RESET, DOWN = "fair", "slow", "half open", "mute", "reset", "down"
"""Slow: everything takes 2 s. Half open: connections stand, nothing passes. Mute: requests pass, answers are held back.
Reset: connections are made and broken. Down: nobody listens. For a router that forgets, see `Road.forget`."""

BAD = (SLOW, HALF_OPEN, RESET, DOWN)
LATENCY_SECONDS = 2.0
BREAK_AT_ONCE = struct.pack("ii", 1, 0)
Place = str | tuple[str, int]


class Road:
    """Listens on `port` of this machine and passes on to `target`: a path of a unix socket, or host and port."""

    def __init__(self, target: Place) -> None:
        self._target = target
        self._changed = threading.Condition()
        self._live: set[socket.socket] = set()
        self._forgotten: set[socket.socket] = set()
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]
        self.weather = FAIR

    def set(self, weather: str) -> None:
        """Change the weather; what was held back passes when it is fair again."""
        with self._changed:
            before, self.weather = self.weather, weather
            self._changed.notify_all()
        if weather in (RESET, DOWN):
            self._break_all()
        if weather == DOWN and before != DOWN:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        elif before == DOWN and weather != DOWN:
            self._listener = self._listen(self.port)

    def forget(self) -> None:
        """Swallow for ever what is sent on the connections there are, as a router does that has forgotten them; new ones pass."""
        with self._changed:
            self._forgotten |= self._live

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port), backlog=256)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near = listener.accept()[0]
            except OSError:
                return
            if self.weather == RESET:
                _break(near)
                continue
            far = self._connect()
            with self._changed:
                self._live |= {near, far}
            for source, sink, is_answer in ((near, far, False), (far, near, True)):
                threading.Thread(target=self._pump, args=(source, sink, is_answer), daemon=True).start()

    def _connect(self) -> socket.socket:
        if isinstance(self._target, str):
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._target)
            return far
        return socket.create_connection(self._target)

    def _pump(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._wait(is_answer)
                if source not in self._forgotten:
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        with self._changed:
            self._live.discard(source)

    def _wait(self, is_answer: bool) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not (self.weather == HALF_OPEN or (self.weather == MUTE and is_answer)))
            if self.weather == SLOW:
                self._changed.wait_for(lambda: self.weather != SLOW, LATENCY_SECONDS)

    def _break_all(self) -> None:
        with self._changed:
            live, self._live = self._live, set()
        for each in live:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for it
            _break(each)


def _break(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, BREAK_AT_ONCE)
    connection.close()


@contextmanager
def road(target: Place) -> Iterator[Road]:
    """A road for the length of the block."""
    way = Road(target)
    try:
        yield way
    finally:
        way.set(DOWN)
