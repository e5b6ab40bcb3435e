"""Serves one door with gunicorn: threads, a short graceful stop, nothing left behind when the parent dies."""

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gunicorn.app.base import BaseApplication

from worker.parents import die_with

GRACEFUL_SECONDS = 5
SLICE_SECONDS = 0.02
"""How long a thread may run before others are let in. A turn needs 2 to 3 ms of the processor: with Python's usual 5 ms many are
interrupted while they hold the database, and all wait for them; measured, a quarter fewer turns a second."""

KEEP_ALIVE_SECONDS = 65
"""Longer than a carrier or a proxy keeps a connection open, so that they close it, not we under their hands."""


@dataclass(frozen=True)
class Door:
    """A WSGI object named `module:attribute`, and where it listens."""

    application: str
    host: str
    port: int
    threads: int


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
    return {
        "bind": f"{host}:{door.port}", "workers": 1, "worker_class": "gthread", "threads": door.threads,
        "graceful_timeout": GRACEFUL_SECONDS, "timeout": 60, "keepalive": KEEP_ALIVE_SECONDS, "backlog": 512,
        "accesslog": None, "loglevel": "warning", "post_fork": _settle_in, "control_socket_disable": True,
    }  # fmt: skip


def _settle_in(server: Any, worker: Any) -> None:
    """In gunicorn's worker, after its fork."""
    sys.setswitchinterval(SLICE_SECONDS)
    die_with(worker.ppid if worker.ppid else os.getppid())


def _application(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)
