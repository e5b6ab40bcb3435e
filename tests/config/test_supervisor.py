"""The supervisor, with real processes."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from config.falls import HOPELESS, HOPELESS_PAUSE_SECONDS, pause_after
from config.supervisor import LAST_STOP_SECONDS, STOP_SECONDS, Child, ChildFailed, Supervisor

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 90.0
"""Who has waited for so long waits for something that hangs; what it took is told."""

NEVER_SECONDS = 3600.0
Told = Callable[[str, object], None]
SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


def python(program: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(program)]


def wait_until(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def writes_its_pid(path: Path, then: str = "time.sleep(600)") -> list[str]:
    return python(f"""
        import os, time
        with open({str(path)!r}, "a") as file:
            file.write(f"{{os.getpid()}}\\n")
        {then}
    """)


def pids(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


class Outside:
    """A supervisor in a process of its own, as `serve` runs it."""

    def __init__(self, folder: Path, program: str) -> None:
        frame = f"""
import sys
from pathlib import Path
from config import falls, supervisor
from config.supervisor import Child, Supervisor
folder = Path({str(folder)!r})
"""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(python(frame + textwrap.dedent(program)), env=environment, stderr=subprocess.PIPE, text=True)

    def end(self, sign: signal.Signals) -> tuple[int, float]:
        started = time.monotonic()
        self.process.send_signal(sign)
        self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, time.monotonic() - started


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    return lambda: capsys.readouterr().err.splitlines()


def test_children_start_in_order_and_a_leading_one_ends_all_with_its_status(tmp_path: Path, lines: Callable[[], list[str]]) -> None:
    first = tmp_path / "first"
    seen = python(f"import os, sys; sys.exit(7 if os.path.exists({str(first)!r}) else 1)")

    status = Supervisor([
        Child("prepare", python(f"open({str(first)!r}, 'w')"), once=True),
        Child("steady", writes_its_pid(tmp_path / "pids")),
        Child("lead", seen, leading=True),
    ]).run()  # fmt: skip

    assert status == 7
    assert all(is_gone(pid) for pid in pids(tmp_path / "pids"))


def test_each_line_carries_the_name_of_its_process(lines: Callable[[], list[str]]) -> None:
    Supervisor([Child("greeter", python("print('one'); print('two +8613800138000', end='')"), leading=True)]).run()

    assert lines() == ["greeter | one", "greeter | two +***00"]


def test_what_a_child_is_told_reaches_it(lines: Callable[[], list[str]]) -> None:
    Supervisor([Child("told", python("import os; print(os.environ['WORD'])"), {"WORD": "hello"}, leading=True)]).run()

    assert lines() == ["told | hello"]


def test_the_next_child_waits_until_the_one_before_is_ready(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    slow = python(f"import time; time.sleep(0.3); open({str(flag)!r}, 'w'); time.sleep(600)")
    check = python(f"import os, sys; sys.exit(0 if os.path.exists({str(flag)!r}) else 3)")

    assert Supervisor([Child("slow", slow, ready=flag.exists), Child("check", check, leading=True)]).run() == 0


def test_a_start_that_fails_stops_everything_and_says_which(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match="migrate"):
        Supervisor([Child("steady", writes_its_pid(tmp_path / "pids")), Child("migrate", python("raise SystemExit(2)"), once=True)]).run()

    assert all(is_gone(pid) for pid in pids(tmp_path / "pids"))


def test_a_killed_child_is_back_within_five_seconds(tmp_path: Path, record_property: Told) -> None:
    outside = Outside(tmp_path, f"sys.exit(Supervisor([Child('steady', {writes_its_pid(tmp_path / 'pids')!r})]).run())")
    wait_until(lambda: len(pids(tmp_path / "pids")) == 1)

    killed = time.monotonic()
    os.kill(pids(tmp_path / "pids")[0], signal.SIGKILL)

    wait_until(lambda: len(pids(tmp_path / "pids")) == 2)
    record_property("told", f"A3: a killed child is back after {time.monotonic() - killed:.1f} s, of which {pause_after(1)} s are a pause")
    assert pause_after(1) < 1
    outside.end(signal.SIGTERM)
    assert all(is_gone(pid) for pid in pids(tmp_path / "pids"))


def test_a_child_that_falls_at_once_is_not_restarted_without_pause(tmp_path: Path) -> None:
    notes = f"print(time.monotonic(), file=open({str(tmp_path / 'moments')!r}, 'a')); raise SystemExit(1)"
    falls = writes_its_pid(tmp_path / "pids", notes)
    outside = Outside(tmp_path, f"sys.exit(Supervisor([Child('faller', {falls!r})]).run())")
    wait_until(lambda: len(pids(tmp_path / "pids")) >= 4)
    outside.end(signal.SIGTERM)

    moments = [float(line) for line in (tmp_path / "moments").read_text().splitlines()]
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert all(pause > pause_after(count) for count, pause in enumerate(pauses, 1)), pauses
    assert pause_after(3) > 1.5


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short pauses, so that many falls take no time."""
    monkeypatch.setattr("config.falls.LONGEST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("config.falls.HOPELESS_PAUSE_SECONDS", 0.01)


@pytest.mark.usefixtures("hurried")
def test_a_child_that_can_never_start_ends_what_a_leading_child_waits_in(tmp_path: Path, lines: Callable[[], list[str]]) -> None:
    falls = writes_its_pid(tmp_path / "falls", "raise SystemExit(3)")
    status = Supervisor([Child("worker", falls), Child("lead", writes_its_pid(tmp_path / "lead"), leading=True)]).run()

    assert status == 1
    assert len(pids(tmp_path / "falls")) == HOPELESS
    assert all(is_gone(pid) for pid in pids(tmp_path / "lead"))
    assert f"worker has ended {HOPELESS} times in a row" in lines()[-1]


@pytest.mark.usefixtures("hurried")
def test_without_a_leading_child_it_is_told_and_tried_again(tmp_path: Path, lines: Callable[[], list[str]]) -> None:
    enough = HOPELESS + 2
    falls = writes_its_pid(tmp_path / "falls", f"""
        if len(open({str(tmp_path / "falls")!r}).readlines()) == {enough}: os.kill(os.getppid(), 15)
        raise SystemExit(3)""")  # fmt: skip
    assert Supervisor([Child("worker", falls)]).run() == 0

    assert len(pids(tmp_path / "falls")) >= enough
    told = [line for line in lines() if "times in a row" in line]
    assert len(told) >= 2
    assert all("tried again" in line for line in told)


AT_WORK = "os.write(int(os.environ['READY_DESCRIPTOR']), b'1')"


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    ("tells", "end"),
    [(False, "os.kill(os.getpid(), 9)"), (True, "raise SystemExit(3)")], ids=["killed", "after it was at work"],
)  # fmt: skip
def test_a_child_that_can_start_is_never_given_up_however_often_it_falls(
    tmp_path: Path, lines: Callable[[], list[str]], tells: bool, end: str
) -> None:
    enough = HOPELESS + 2
    falls = writes_its_pid(tmp_path / "falls", f"""
        if {tells}: {AT_WORK}
        while not os.path.exists({str(tmp_path / "led")!r}): time.sleep(0.02)
        if len(open({str(tmp_path / "falls")!r}).readlines()) > {enough}: open({str(tmp_path / "enough")!r}, "w")
        {end}""")  # fmt: skip
    wait = python(f"""
        import os, time
        open({str(tmp_path / "led")!r}, "w")
        while not os.path.exists({str(tmp_path / "enough")!r}): time.sleep(0.02)""")

    assert Supervisor([Child("worker", falls, tells=tells, unhurried=tells), Child("lead", wait, leading=True)]).run() == 0
    assert len(pids(tmp_path / "falls")) > enough
    assert not [line for line in lines() if "times in a row" in line]


@pytest.mark.parametrize("falls", [1, 2, 4, 7, 8, 9, 5000])
def test_pauses_grow_up_to_half_a_minute(falls: int) -> None:
    assert pause_after(falls) <= pause_after(falls + 1) <= HOPELESS_PAUSE_SECONDS
    assert pause_after(0) == 0


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT], ids=["sigterm", "ctrl-c"])
def test_a_signal_stops_all_children_in_time(tmp_path: Path, sign: signal.Signals, record_property: Told) -> None:
    """None of them is waited for until it would be killed: they end when they are told to."""
    children = f"[Child('a', {writes_its_pid(tmp_path / 'pids')!r})] * 3"
    outside = Outside(tmp_path, f"supervisor.STOP_SECONDS = {NEVER_SECONDS}\nsys.exit(Supervisor({children}).run())")
    wait_until(lambda: len(pids(tmp_path / "pids")) == 3)

    status, seconds = outside.end(sign)

    record_property("told", f"A4: {sign.name} has stopped three children after {seconds:.1f} s")
    assert status == 0
    assert all(is_gone(pid) for pid in pids(tmp_path / "pids"))


def test_a_child_that_will_not_stop_is_killed_in_time(tmp_path: Path, record_property: Told) -> None:
    deaf = writes_its_pid(
        tmp_path / "pids", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); open(str(path), 'w'); time.sleep(600)"
    )
    deaf[-1] = deaf[-1].replace("str(path)", repr(str(tmp_path / "deaf")))
    outside = Outside(tmp_path, f"sys.exit(Supervisor([Child('deaf', {deaf!r})]).run())")
    wait_until((tmp_path / "deaf").exists)

    _, seconds = outside.end(signal.SIGTERM)

    record_property("told", f"A4: a deaf child was killed after {seconds:.1f} s, of which it had {STOP_SECONDS}")
    assert STOP_SECONDS + LAST_STOP_SECONDS < 8
    assert all(is_gone(pid) for pid in pids(tmp_path / "pids"))


def test_a_second_signal_is_faster(tmp_path: Path, record_property: Told) -> None:
    deaf = python(f"""
        import signal, time
        signal.signal(signal.SIGTERM, lambda *given: open({str(tmp_path / "asked")!r}, "w"))
        open({str(tmp_path / "deaf")!r}, "w")
        while True: time.sleep(600)
    """)
    outside = Outside(tmp_path, f"supervisor.STOP_SECONDS = {NEVER_SECONDS}\nsys.exit(Supervisor([Child('deaf', {deaf!r})]).run())")
    wait_until((tmp_path / "deaf").exists)
    outside.process.send_signal(signal.SIGTERM)
    wait_until((tmp_path / "asked").exists)

    _, seconds = outside.end(signal.SIGTERM)

    record_property("told", f"RS67: the second signal has ended a deaf child after {seconds:.1f} s")


def test_killing_the_supervisor_leaves_no_child(tmp_path: Path, record_property: Told) -> None:
    outside = Outside(tmp_path, f"sys.exit(Supervisor([Child('a', {writes_its_pid(tmp_path / 'pids')!r})] * 2).run())")
    wait_until(lambda: len(pids(tmp_path / "pids")) == 2)

    killed = time.monotonic()
    outside.end(signal.SIGKILL)

    wait_until(lambda: all(is_gone(pid) for pid in pids(tmp_path / "pids")))
    record_property("told", f"RS68: no child is left {time.monotonic() - killed:.1f} s after kill -9")


def test_after_sigterm_calls_in_progress_are_waited_for(tmp_path: Path) -> None:
    outside = Outside(
        tmp_path,
        f"""
        child = Child('a', {writes_its_pid(tmp_path / "pids")!r})
        def drained():
            print("asked", file=open(folder / "asked", "a"))
            return (folder / "quiet").exists()
        sys.exit(Supervisor([child], drained=drained, drain_seconds={NEVER_SECONDS}).run())
    """,
    )
    wait_until(lambda: len(pids(tmp_path / "pids")) == 1)
    outside.process.send_signal(signal.SIGTERM)
    wait_until(lambda: (tmp_path / "asked").exists() and (tmp_path / "asked").read_text().count("asked") >= 3)
    assert outside.process.poll() is None
    assert not is_gone(pids(tmp_path / "pids")[0])

    (tmp_path / "quiet").touch()

    outside.process.communicate(timeout=PATIENCE_SECONDS)
    assert outside.process.returncode == 0


def test_a_child_listening_counts_as_ready() -> None:
    from config import ports

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        host, port = server.getsockname()
        assert Supervisor([Child("a", SLEEPER, ready=lambda: ports.answers(host, port)), Child("b", python(""), leading=True)]).run() == 0
