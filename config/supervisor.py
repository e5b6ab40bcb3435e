"""Our own small supervisor: starts children in order, restarts what falls, prefixes what they print, leaves none behind.

One thread; a child is asked for by a `Child` value. Ecosystem D2 says why no finished one serves; A3 and A4 are the promises.
SIGTERM and SIGINT end everything, after calls in progress have ended; SIGHUP restarts everything for new code and new settings,
without a gap.
"""

import os
import signal
import time
from collections.abc import Callable, Collection, Sequence
from types import FrameType
from typing import Protocol

from config import falls
from config.child import Child, Outputs, Running
from survey.errors import SurveyError

START_SECONDS = 60.0
STOP_SECONDS, HURRIED_STOP_SECONDS, LAST_STOP_SECONDS = 5.0, 2.0, 1.5
RETIREMENT_SECONDS = 60.0
"""How long a replaced process may go on with what it has begun: the longest request of a door, the request of a dialling worker."""

BEAT_SECONDS = 0.1
DRAIN_BEAT_SECONDS = 0.5

__all__ = ["Child", "ChildFailed", "Supervisor"]


class ChildFailed(SurveyError):
    """A process that everything else needs did not start."""


class Renewing(Protocol):
    """Where a restart learns which children there shall be from now on."""

    def begin(self) -> Child:
        """The child that knows: it tells, and runs once."""

    def children(self, told: bytes) -> Sequence[Child]:
        """What it has told. Raises SurveyError with what stands against a restart."""

    def end(self, problem: str) -> None:
        """The restart is over; `problem` is what went wrong, "" for nothing."""


class Supervisor:
    """Runs children until a signal, a leading child's end, or `stop`."""

    def __init__(
        self, children: Sequence[Child], *, drained: Callable[[], bool] | None = None, drain_seconds: float = 0,
        renewal: Renewing | None = None,
    ) -> None:  # fmt: skip
        """`drained` is asked after a signal, for `drain_seconds` at most, before the children are stopped.

        `renewal` is asked at SIGHUP; without one the same children are started anew.
        """
        self._running = [Running(child) for child in children]
        self._retired: list[Running] = []
        self._drained, self._drain_seconds, self._renewal = drained, drain_seconds, renewal
        self._outputs = Outputs([child.name for child in children])
        self._signals: list[int] = []
        self._is_hung_up = False
        self._is_led = any(child.leading for child in children)
        self._had_terminal = os.isatty(2)

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
        """SIGHUP asks for a restart; from a terminal that was closed, or where a leading child plays, it asks for the end."""
        if sign != signal.SIGHUP:
            self._signals.append(sign)
        elif self._is_led or (self._had_terminal and not os.isatty(2)):
            self._signals.append(signal.SIGTERM)
        else:
            self._is_hung_up = True

    def _start_all(self) -> None:
        unhurried: list[Running] = []
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

    def _await_all(self, group: list[Running]) -> None:
        while group:
            self._await(group.pop())

    def _start(self, running: Running) -> None:
        """Start the process, or plan another try where its program is not there: it is being exchanged."""
        try:
            running.start()
        except OSError as missing:
            running.reason, running.falls = f"{type(missing).__name__}: {missing}", running.falls + 1
            running.start_at = time.monotonic() + falls.pause_after(running.falls)
            self._outputs.say(running.child.name, running.reason)
        else:
            self._outputs.listen_to(running)

    def _await(self, running: Running, beat: Callable[[float], object] | None = None) -> None:
        """Wait until the child is ready or, for a `once` child, done; `beat` is what is done meanwhile. Raises ChildFailed."""
        child, until = running.child, time.monotonic() + START_SECONDS
        while not self._signals:
            (beat or self._outputs.pass_on)(BEAT_SECONDS / 4)
            if not running.alive and (child.once or child.tells or child.ready):
                self._outputs.finish(running)
                if child.once and running.process and running.process.returncode == 0:
                    return
                reason = running.reason or "原因见日志 / see the log"
                raise ChildFailed(f"{child.name} 未能启动 / {child.name} did not start: {reason}")
            if running.is_ready() and not child.once:  # asked of a `once` child too, lest what it tells fill the pipe
                return
            if (child.tells or not child.once) and time.monotonic() > until:
                raise ChildFailed(f"{child.name} 在 {START_SECONDS:.0f} 秒内未就绪 / {child.name} was not ready in {START_SECONDS:.0f} s")

    def _watch(self) -> int:
        while not self._signals:
            status = self._tend(BEAT_SECONDS)
            if status is not None:
                return status
            if self._is_hung_up:
                self._is_hung_up = False
                self._restart_all()
        return 0

    def _tend(self, seconds: float, leave: Collection[Running] = ()) -> int | None:
        """Pass on what was printed, start again what has fallen (not those in `leave`); a status when everything is to end."""
        self._outputs.pass_on(seconds)
        self._bury_retired()
        for running in self._running:
            if running.alive or running.child.once or running in leave:
                continue
            if running.child.leading:
                self._outputs.finish(running)
                return running.process.returncode if running.process else 1
            self._revive(running)
            if self._is_led and running.falls >= falls.HOPELESS:
                return 1
        return None

    def _revive(self, running: Running) -> None:
        """Plan the next start of a fallen child, or start it when its pause is over."""
        now = time.monotonic()
        if running.process is not None:
            self._outputs.finish(running)
            is_well = running.was_asked_to_end() or now - running.started_at > falls.STEADY_SECONDS
            running.falls = 0 if is_well else running.falls + 1
            if running.is_able_to_start():
                running.falls = min(running.falls, falls.SURVIVABLE)
            pause = falls.pause_after(running.falls)
            self._tell_fall(running, running.process.returncode, pause)
            running.process, running.start_at = None, now + pause
        if running.process is None and now >= running.start_at:
            self._start(running)

    def _tell_fall(self, running: Running, status: int, pause: float) -> None:
        name, count = running.child.name, running.falls
        if count < falls.HOPELESS:
            self._outputs.say(name, f"已退出（状态 {status}），{pause:.1f} 秒后重启 / ended, starts again in {pause:.1f} s")
            return
        zh = f"{name} 连续 {count} 次启动后随即退出（状态 {status}），原因见上"
        en = f"{name} has ended {count} times in a row right after its start (status {status}), see above"
        then_zh, then_en = ("全部停止", "everything stops") if self._is_led else (f"{pause:.0f} 秒后再试", f"tried again in {pause:.0f} s")
        self._outputs.say(name, f"{zh}；{then_zh} / {en}; {then_en}")

    def _restart_all(self) -> None:
        """Everything anew, for new code: what runs once (the migration), then the doors one by one, then the others.

        What fails first ends the restart, and what has not been replaced goes on. A `last` child stays: the others need it.
        """
        problem = ""
        try:
            wanted = self._inquire()
            for child in wanted:
                if child.once or child.listens is not None:
                    self._replace(child)
            self._renew([child for child in wanted if child.is_ended_first])
        except Exception as failed:  # of whatever kind: people talk on what is at work
            reason = failed if isinstance(failed, SurveyError) else f"{type(failed).__name__}: {failed}"
            problem = f"{reason}；未替换的进程照旧运行 / what was not replaced goes on"
            self._outputs.say("restart", problem)
        if self._renewal and not self._signals:
            self._renewal.end(problem)

    def _inquire(self) -> Sequence[Child]:
        """The children that there shall be from now on. Raises SurveyError."""
        if self._renewal is None:
            return [running.child for running in self._running]
        asked = Running(self._renewal.begin())
        self._start(asked)
        try:
            self._await(asked, self._tend)
            return () if self._signals else self._renewal.children(asked.heard())
        finally:
            self._end([asked], 0)

    def _replace(self, child: Child) -> None:
        """Start a second process for a child; once it is at work, the first one takes no more and ends. Raises ChildFailed."""
        former, fresh = [running for running in self._running if running.child.name == child.name], Running(child)
        if self._signals:
            return
        self._start(fresh)
        try:
            self._await(fresh, self._tend)
        except ChildFailed:
            self._end([fresh], 0)
            raise
        if self._signals:
            self._end([fresh], 0)  # the end was asked for meanwhile: the one that is at work sees to the last calls
            return
        self._running.append(fresh)
        for running in former:
            self._running.remove(running)
            self._retire(running)

    def _retire(self, running: Running) -> None:
        running.kill(signal.SIGTERM)
        running.start_at = time.monotonic() + RETIREMENT_SECONDS
        self._retired.append(running)

    def _bury_retired(self) -> None:
        for running in [each for each in self._retired if not each.alive or time.monotonic() > each.start_at]:
            self._end([running], 0)
            self._retired.remove(running)

    def _renew(self, wanted: Sequence[Child]) -> None:
        """End what cannot be there twice, and start what is wanted instead: each as soon as the one of its name has ended."""
        former = [] if self._signals else [running for running in self._running if running.child.is_ended_first]
        until, names = time.monotonic() + RETIREMENT_SECONDS, {running.child.name for running in former}
        for running in former:
            running.kill(signal.SIGTERM)
        self._add([child for child in wanted if child.name not in names])
        while former and not self._signals:
            self._tend(BEAT_SECONDS / 2, former)
            for running in [each for each in former if not each.alive or time.monotonic() > until]:
                former.remove(running)
                self._end([running], 0)
                self._running.remove(running)
                self._add([child for child in wanted if child.name == running.child.name])

    def _add(self, children: Sequence[Child]) -> None:
        for running in [Running(child) for child in children if not self._signals]:
            self._start(running)
            self._running.append(running)

    def _drain(self) -> None:
        """After a signal: no new calls; the others stay at work until calls in progress have ended, or somebody asks again."""
        if self._drained is None or not self._drain_seconds or len(self._signals) != 1:
            return
        eager = [running for running in self._running if running.child.eager]
        for running in eager:
            running.kill(signal.SIGTERM)
        zh, en = "等待通话结束，最长 {:.0f} 秒", "waiting for calls in progress, {:.0f} s at most; once more: at once"
        self._outputs.say("stop", f"{zh} / {en}".replace("{:.0f}", f"{self._drain_seconds:.0f}"))
        until, following = time.monotonic() + self._drain_seconds, 0.0
        while len(self._signals) == 1 and time.monotonic() < until:
            self._tend(BEAT_SECONDS, eager)
            if time.monotonic() >= following and not any(running.alive for running in eager):
                following = time.monotonic() + DRAIN_BEAT_SECONDS
                if self._drained():
                    break

    def _stop_all(self) -> None:
        seconds = STOP_SECONDS if len(self._signals) < 2 else HURRIED_STOP_SECONDS
        self._end([*self._retired, *(running for running in self._running if not running.child.last)], seconds)
        self._end([running for running in self._running if running.child.last], LAST_STOP_SECONDS)
        self._outputs.close()

    def _end(self, group: Sequence[Running], seconds: float) -> None:
        """End all of the group: asked, and killed when `seconds` are over or somebody asks again."""
        asked = len(self._signals)
        for running in group if seconds else ():
            running.kill(signal.SIGTERM)
        until = time.monotonic() + seconds
        while any(running.alive for running in group) and time.monotonic() < until and len(self._signals) == asked:
            self._outputs.pass_on(BEAT_SECONDS / 2)
        for running in group:
            running.kill(signal.SIGKILL)
            if running.process:
                running.process.wait()
                self._outputs.finish(running)
            running.close_ear()
