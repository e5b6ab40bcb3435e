"""Our own small supervisor: starts children in order, restarts what falls, prefixes what they print, leaves none behind.

One thread; a child is asked for by a `Child` value. Ecosystem D2 says why no finished one serves; A3 and A4 are the promises.
"""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import FrameType

from config.logs import masked
from survey.errors import SurveyError
from worker.parents import die_with

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 3.0
STEADY_SECONDS = 20.0
"""A child that lived this long starts again without a pause."""

HOPELESS_FALLS = 8
"""So many falls in a row, none after a steady life, and the child is said to be unable to start."""

HOPELESS_PAUSE_SECONDS = 30.0
START_SECONDS = 60.0
STOP_SECONDS = 5.0
LAST_STOP_SECONDS = 1.5
BEAT_SECONDS = 0.1


@dataclass(frozen=True)
class Child:
    """One process.

    `ready` is asked until it says yes before the next child starts; for an `unhurried` one, only before a leading child
    starts or the start is over. A `once` child must end with status 0 before the next one starts. A `leading` child ends
    everything when it ends, with its own status; where there is one, it would wait for ever for another child that never
    starts, so that such a child ends everything too, with status 1. A `shown` child prints to the terminal itself, without
    a prefix. A `last` one is stopped after all others, because they need it to end well.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    unhurried: bool = False
    once: bool = False
    leading: bool = False
    shown: bool = False
    last: bool = False


class ChildFailed(SurveyError):
    """A process that everything else needs did not start."""


class _Running:
    """A child with its process and its history."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.start_at = 0.0
        self.falls = 0
        self.rest = b""

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self, sign: signal.Signals) -> None:
        if self.process and self.alive:
            try:
                os.killpg(self.process.pid, sign)
            except ProcessLookupError:
                self.process.send_signal(sign)


def _pause(falls: int) -> float:
    """The seconds before the next start: none after a steady life, then doubling, and long once there is little hope."""
    longest = LONGEST_PAUSE_SECONDS if falls < HOPELESS_FALLS else HOPELESS_PAUSE_SECONDS
    return min(FIRST_PAUSE_SECONDS * 2 ** min(falls, HOPELESS_FALLS), longest) if falls else 0.0


class Supervisor:
    """Runs children until a signal, a leading child's end, or `stop`."""

    def __init__(self, children: Sequence[Child], *, drained: Callable[[], bool] | None = None, drain_seconds: float = 0) -> None:
        """`drained` is asked after SIGTERM, for `drain_seconds` at most, before the children are stopped."""
        self._running = [_Running(child) for child in children]
        self._drained, self._drain_seconds = drained, drain_seconds
        self._selector = selectors.DefaultSelector()
        self._signals: list[int] = []
        self._is_led = any(child.leading for child in children)
        self._width = max((len(child.name) for child in children), default=0)

    def run(self) -> int:
        """Start everything, watch over it, stop everything; the exit status. Raises ChildFailed when the start fails."""
        before = {sign: signal.signal(sign, self._note) for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
        try:
            self._start_all()
            status = self._watch()
            self._drain()
            return status
        finally:
            self._stop_all()
            for sign, handler in before.items():
                signal.signal(sign, handler)

    def _note(self, sign: int, frame: FrameType | None) -> None:
        self._signals.append(sign)

    def _start_all(self) -> None:
        unhurried: list[_Running] = []
        for running in self._running:
            if running.child.leading:
                self._await_all(unhurried)
            if self._signals:
                return
            self._start(running)
            if running.child.unhurried:
                unhurried.append(running)
            else:
                self._await(running)
        self._await_all(unhurried)

    def _await_all(self, group: list[_Running]) -> None:
        while group:
            self._await(group.pop())

    def _start(self, running: _Running) -> None:
        child = running.child
        output = None if child.shown else subprocess.PIPE
        running.process = subprocess.Popen(
            list(child.command), env={**os.environ, **child.environment}, start_new_session=not child.shown, stdin=subprocess.DEVNULL,
            stdout=output, stderr=None if child.shown else subprocess.STDOUT, preexec_fn=partial(die_with, os.getpid()),
        )  # fmt: skip
        running.started_at = time.monotonic()
        if running.process.stdout:
            os.set_blocking(running.process.stdout.fileno(), False)
            self._selector.register(running.process.stdout, selectors.EVENT_READ, running)

    def _await(self, running: _Running) -> None:
        """Wait until the child is ready or, for a `once` child, done. Raises ChildFailed."""
        child, until = running.child, time.monotonic() + START_SECONDS
        while not self._signals:
            self._print(BEAT_SECONDS / 4)
            if not running.alive and (child.once or child.ready):
                self._finish_output(running)
                if child.once and running.process and running.process.returncode == 0:
                    return
                raise ChildFailed(f"{child.name} 未能启动，原因见上 / {child.name} did not start, see above")
            if not child.once and (child.ready is None or child.ready()):
                return
            if not child.once and time.monotonic() > until:
                raise ChildFailed(f"{child.name} 在 {START_SECONDS:.0f} 秒内未就绪 / {child.name} was not ready in {START_SECONDS:.0f} s")

    def _watch(self) -> int:
        while not self._signals:
            self._print(BEAT_SECONDS)
            for running in self._running:
                if running.alive or running.child.once:
                    continue
                if running.child.leading:
                    self._finish_output(running)
                    return running.process.returncode if running.process else 1
                self._revive(running)
                if self._is_led and running.falls >= HOPELESS_FALLS:
                    return 1
        return 0

    def _revive(self, running: _Running) -> None:
        """Plan the next start of a fallen child, or start it when its pause is over."""
        now = time.monotonic()
        if running.process is not None:
            self._finish_output(running)
            running.falls = 0 if now - running.started_at > STEADY_SECONDS else running.falls + 1
            pause = _pause(running.falls)
            self._tell_fall(running, running.process.returncode, pause)
            running.process, running.start_at = None, now + pause
        if running.process is None and now >= running.start_at:
            self._start(running)

    def _tell_fall(self, running: _Running, status: int, pause: float) -> None:
        if running.falls < HOPELESS_FALLS:
            self._say(running, f"已退出（状态 {status}），{pause:.1f} 秒后重启 / ended, starts again in {pause:.1f} s")
            return
        name, falls = running.child.name, running.falls
        zh = f"{name} 连续 {falls} 次启动后随即退出（状态 {status}），原因见上"
        en = f"{name} has ended {falls} times in a row right after its start (status {status}), see above"
        then_zh, then_en = ("全部停止", "everything stops") if self._is_led else (f"{pause:.0f} 秒后再试", f"tried again in {pause:.0f} s")
        self._say(running, f"{zh}；{then_zh} / {en}; {then_en}")

    def _drain(self) -> None:
        """After SIGTERM: leave the children at work until calls in progress have ended, or somebody asks again."""
        until = time.monotonic() + self._drain_seconds
        while self._drained and self._signals == [signal.SIGTERM] and time.monotonic() < until and not self._drained():
            self._print(BEAT_SECONDS)

    def _stop_all(self) -> None:
        asked = len(self._signals)
        self._end([running for running in self._running if not running.child.last], STOP_SECONDS, asked)
        self._end([running for running in self._running if running.child.last], LAST_STOP_SECONDS, asked)
        self._selector.close()

    def _end(self, group: Sequence[_Running], seconds: float, asked: int) -> None:
        for running in group:
            running.kill(signal.SIGTERM)
        until = time.monotonic() + seconds
        while any(running.alive for running in group) and time.monotonic() < until and len(self._signals) == asked:
            self._print(BEAT_SECONDS / 2)
        for running in group:
            running.kill(signal.SIGKILL)
            if running.process:
                running.process.wait()
                self._finish_output(running)

    def _print(self, seconds: float) -> None:
        """Pass on what the children have printed, waiting up to `seconds` for something."""
        ready = self._selector.select(seconds) if self._selector.get_map() else []
        for key, _ in ready:
            self._pass_on(key.data, key.fd)
        if not ready and not self._selector.get_map():
            time.sleep(seconds)

    def _pass_on(self, running: _Running, descriptor: int) -> bool:
        try:
            data = os.read(descriptor, 65536)
        except BlockingIOError:
            return False
        if not data:
            self._close(running)
            return False
        *lines, running.rest = (running.rest + data).split(b"\n")
        for line in lines:
            self._say(running, line.decode(errors="replace"))
        return True

    def _finish_output(self, running: _Running) -> None:
        """Read what is left in the pipe of a child that has ended."""
        output = running.process.stdout if running.process else None
        while output and not output.closed and self._pass_on(running, output.fileno()):
            pass
        if running.rest:
            self._say(running, running.rest.decode(errors="replace"))
            running.rest = b""
        self._close(running)

    def _close(self, running: _Running) -> None:
        output = running.process.stdout if running.process else None
        if output and not output.closed:
            self._selector.unregister(output)
            output.close()

    def _say(self, running: _Running, line: str) -> None:
        print(f"{running.child.name:<{self._width}} | {masked(line)}", file=sys.stderr, flush=True)
