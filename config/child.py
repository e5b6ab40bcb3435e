"""One child of the supervisor: what is to run, the process that runs it, and its lines on the way to the terminal."""

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from config.logs import masked, relayed
from worker.parents import die_with

LISTENS, TELLS = "LISTEN_DESCRIPTOR", "READY_DESCRIPTOR"
"""How a child learns which descriptor is its listening socket, and on which one it tells that it is at work."""

REASON = re.compile(r"(?:[a-z_]\w*\.)*[A-Z]\w*: ")
"""How the line begins with which Python, or a command of ours, says why it ends."""


@dataclass(frozen=True)
class Child:
    """One process.

    It is at work once `ready` says so or, where it `tells`, once it has written something to the descriptor it was given for
    that; the next child waits until then, an `unhurried` one is waited for only before a leading child starts or the start
    is over. A `once` child must end with status 0 before the next one starts. A `leading` child ends everything when it
    ends, with its own status; where there is one, it would wait for ever for another child that never starts, so that such
    a child ends everything too, with status 1. A `shown` child prints to the terminal itself, without a prefix. A `last`
    one is stopped after all others, because they need it to end well; an `eager` one begins new calls, and is stopped
    before calls in progress are waited for. `listens` is the descriptor of a listening socket that outlives the process:
    a child that has one is replaced by a second process before the first one ends.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    tells: bool = False
    listens: int | None = None
    unhurried: bool = False
    once: bool = False
    leading: bool = False
    shown: bool = False
    last: bool = False
    eager: bool = False

    @property
    def is_ended_first(self) -> bool:
        """Whether a restart ends it before it starts it again; a door is replaced, and what the others need stays."""
        return not (self.once or self.last or self.listens is not None)


class Running:
    """A child with its process and its history."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = self.start_at = 0.0
        self.falls = 0
        self.rest = b""
        self.reason = ""
        self._told = b""
        self._ear: int | None = None

    @property
    def alive(self) -> bool:
        """Whether there is a process and it runs."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the process; it dies with this one. Raises OSError when its program is not there."""
        child, given, passed = self.child, dict(self.child.environment), []
        mouth = self._open_ear() if child.tells else None
        for name, descriptor in ((LISTENS, child.listens), (TELLS, mouth)):
            if descriptor is not None:
                given[name] = str(descriptor)
                passed.append(descriptor)
        try:
            self.process = subprocess.Popen(
                list(child.command), env={**os.environ, **given}, pass_fds=passed, start_new_session=not child.shown,
                stdin=subprocess.DEVNULL, stdout=None if child.shown else subprocess.PIPE,
                stderr=None if child.shown else subprocess.STDOUT, preexec_fn=partial(die_with, os.getpid()),
            )  # fmt: skip
        finally:
            if mouth is not None:
                os.close(mouth)
        self.started_at = time.monotonic()

    def _open_ear(self) -> int:
        self.close_ear()
        self._ear, mouth = os.pipe()
        os.set_blocking(self._ear, False)
        return mouth

    def close_ear(self) -> None:
        """Forget what an earlier process has told."""
        self._told = b""
        if self._ear is not None:
            os.close(self._ear)
            self._ear = None

    def is_ready(self) -> bool:
        """Whether the child is at work."""
        return (not self.child.tells or self.heard() != b"") and (self.child.ready is None or self.child.ready())

    def heard(self) -> bytes:
        """What it has told up to now."""
        with suppress(BlockingIOError):
            while self._ear is not None and (piece := os.read(self._ear, 65536)):
                self._told += piece
        return self._told

    def note(self, line: str) -> None:
        """Remember a printed line if it may say why the process ends."""
        if REASON.match(line):
            self.reason = masked(line)

    def was_asked_to_end(self) -> bool:
        """Whether it told that it was at work, and has ended without a fault: somebody has sent it a signal."""
        return self.child.tells and self.is_ready() and self.process is not None and self.process.returncode == 0

    def is_able_to_start(self) -> bool:
        """Whether its end says nothing about its start: it was killed from outside, or had told that it was at work."""
        killed = self.process is not None and self.process.returncode == -signal.SIGKILL
        return killed or (self.child.tells and self.is_ready())

    def kill(self, sign: signal.Signals) -> None:
        """Send a signal to the process and its group."""
        if self.process and self.alive:
            try:
                os.killpg(self.process.pid, sign)
            except ProcessLookupError:
                self.process.send_signal(sign)


class Outputs:
    """Passes on what the children print, each line behind the name of its child."""

    def __init__(self, names: Sequence[str]) -> None:
        self._selector = selectors.DefaultSelector()
        self._width = max(map(len, names), default=0)

    def listen_to(self, running: Running) -> None:
        """Read from a process that has just been started."""
        output = running.process.stdout if running.process else None
        if output:
            os.set_blocking(output.fileno(), False)
            self._selector.register(output, selectors.EVENT_READ, running)

    def pass_on(self, seconds: float) -> None:
        """Print what has come, waiting up to `seconds` for something."""
        ready = self._selector.select(seconds) if self._selector.get_map() else []
        for key, _ in ready:
            self._read(key.data, key.fd)
        if not ready and not self._selector.get_map():
            time.sleep(seconds)

    def finish(self, running: Running) -> None:
        """Print what is left in the pipe of a child that has ended."""
        output = running.process.stdout if running.process else None
        while output and not output.closed and self._read(running, output.fileno()):
            pass
        if running.rest:
            self._relay(running, running.rest)
            running.rest = b""
        self._close(running)

    def say(self, name: str, line: str) -> None:
        """Print one line about a child, or from it."""
        print(relayed(name, line, self._width), file=sys.stderr, flush=True)

    def close(self) -> None:
        """Read no more."""
        self._selector.close()

    def _read(self, running: Running, descriptor: int) -> bool:
        try:
            data = os.read(descriptor, 65536)
        except BlockingIOError:
            return False
        if not data:
            self._close(running)
            return False
        *lines, running.rest = (running.rest + data).split(b"\n")
        for line in lines:
            self._relay(running, line)
        return True

    def _relay(self, running: Running, line: bytes) -> None:
        text = line.decode(errors="replace")
        running.note(text)
        self.say(running.child.name, text)

    def _close(self, running: Running) -> None:
        output = running.process.stdout if running.process else None
        if output and not output.closed:
            self._selector.unregister(output)
            output.close()
