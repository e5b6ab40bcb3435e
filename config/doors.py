"""Serves one door with gunicorn: threads, a short graceful stop, nothing left behind when the parent dies."""

import importlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from config.ports import BACKLOG
from worker.parents import die_with

GRACEFUL_SECONDS = 30
"""What a replaced door may take to end the requests it has begun; a stop of the whole house does not wait so long."""

SLICE_SECONDS = 0.02
"""How long a thread may run before others are let in. A turn needs 2 to 3 ms of the processor: with Python's usual 5 ms many are
interrupted while they hold the database, and all wait for them; measured, a quarter fewer turns a second."""

KEEP_ALIVE_SECONDS = 65
"""Longer than a carrier or a proxy keeps a connection open, so that they close it, not we under their hands."""


@dataclass(frozen=True)
class Door:
    """A WSGI object named `module:attribute`, and where it listens.

    `listens` is the descriptor of a socket that listens there already, held by the parent so that whoever comes while the
    door is being replaced waits in its backlog; `tells` one on which the parent hears that the door is at work.
    """

    application: str
    host: str
    port: int
    threads: int
    listens: int | None = None
    tells: int | None = None


class _HouseLog(Logger):
    """gunicorn's own words go the way of all others: one form, without personal data."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)  # type: ignore[no-untyped-call]
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class _Server(BaseApplication):
    """gunicorn with options instead of a command line; the app is loaded in the server's worker, after its fork."""

    def __init__(self, options: Mapping[str, Any], load: Callable[[], Any]) -> None:
        self._options, self._load = options, load
        super().__init__()  # type: ignore[no-untyped-call]

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)  # type: ignore[union-attr]

    def load(self) -> Any:
        return self._load()


def serve(door: Door) -> None:
    """Serve until a signal comes."""
    _Server(options(door), lambda: _application(door.application)).run()  # type: ignore[no-untyped-call]


def options(door: Door) -> Mapping[str, Any]:
    """gunicorn's options for a door: one process, because what it must share lies in the database anyway."""
    host = f"[{door.host}]" if ":" in door.host else door.host
    bind = f"{host}:{door.port}" if door.listens is None else f"fd://{door.listens}"
    return {
        "bind": bind, "workers": 1, "worker_class": "gthread", "threads": door.threads,
        "graceful_timeout": GRACEFUL_SECONDS, "timeout": 60, "keepalive": KEEP_ALIVE_SECONDS, "backlog": BACKLOG,
        "accesslog": None, "loglevel": "warning", "post_fork": _settle_in, "post_worker_init": partial(_begin, door.tells),
        "control_socket_disable": True, "logger_class": _HouseLog,
    }  # fmt: skip


def _settle_in(server: Any, worker: Any) -> None:
    """In gunicorn's worker, after its fork."""
    sys.setswitchinterval(SLICE_SECONDS)
    die_with(worker.ppid if worker.ppid else os.getppid())


def _begin(descriptor: int | None, worker: Any) -> None:
    """In gunicorn's worker, when the app is loaded and the next thing is to take requests; gunicorn insists on the name `worker`."""
    _end_lasting_requests_first(worker)
    if descriptor is not None:
        with suppress(OSError):  # nobody listens any more
            os.write(descriptor, b".")


def _end_lasting_requests_first(worker: Any) -> None:
    """A request that lasts until it is told to end, as a live socket does, is told so before the server waits for it to end.

    The app says by `end_lasting` how that is done, if it has such requests.
    """
    end = getattr(worker.wsgi, "end_lasting", None)
    if end is None:
        return
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        then = signal.getsignal(number)

        def stop(got: int, frame: Any, then: Any = then) -> None:
            end()
            then(got, frame)

        signal.signal(number, stop)
    signal.siginterrupt(signal.SIGTERM, False)  # as gunicorn has set it for its own


def _application(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)
