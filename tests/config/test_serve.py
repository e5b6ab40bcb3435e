"""The whole house under its supervisor, as a bureau would start it."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import ports
from config.falls import pause_after
from config.supervisor import LAST_STOP_SECONDS, STOP_SECONDS

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120.0
"""Who has waited for so long waits for something that hangs; what it took is told."""

Told = Callable[[str, object], None]


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


def status(port: int) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as answer:
        return answer.code
    except OSError:
        return 0


def family_of(data: Path) -> dict[int, str]:
    """Every process of a house by number: those that carry its data folder in their environment."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            mine = f"HUIFANG_DATA={data}".encode() in (folder / "environ").read_bytes().split(b"\0")
            mine = mine or f"unixsocket:{data}/" in words  # the server writes its title over its environment
            alive = (folder / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            continue
        if mine and alive:
            found[int(folder.name)] = words
    return found


class Served:
    """`serve` on a data folder and ports of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.voice = ports.next_free("127.0.0.1", 22000 + os.getpid() % 5000)
        self.console = ports.next_free("127.0.0.1", self.voice + 1)
        own = {"HUIFANG_DATA": str(data), "HUIFANG_VOICE_PORT": str(self.voice), "HUIFANG_CONSOLE_PORT": str(self.console)}
        self.environment = {**os.environ, **own}
        self.process = self.start()

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "config.cli", "serve"], cwd=ROOT, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def family(self) -> dict[int, str]:
        return family_of(self.data)

    def children(self, word: str) -> list[int]:
        return [pid for pid, words in self.family().items() if word in words and pid != self.process.pid]

    def is_open(self) -> bool:
        assert self.process.poll() is None, self.process.stdout and self.process.stdout.read()
        return status(self.voice) == status(self.console) == 200 and len(self.children("config.processes clock")) == 1


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    house = Served(tmp_path / "数据")
    wait_until(house.is_open)
    yield house
    for pid in house.family():
        os.kill(pid, signal.SIGKILL)
    house.process.wait()


def test_both_doors_open_a_second_copy_is_refused_and_a_signal_ends_all(served: Served, record_property: Told) -> None:
    second = served.start()
    output, _ = second.communicate(timeout=PATIENCE_SECONDS)
    assert second.returncode == 1
    assert f"{served.process.pid}" in output

    started = time.monotonic()
    served.process.send_signal(signal.SIGINT)

    assert served.process.wait(timeout=PATIENCE_SECONDS) == 0
    record_property("told", f"A4: Ctrl-C has ended the house after {time.monotonic() - started:.1f} s")
    assert STOP_SECONDS + LAST_STOP_SECONDS < 8, "who does not end when told to is killed then"
    assert served.family() == {}


def test_a_killed_process_is_replaced_within_five_seconds(served: Served, record_property: Told) -> None:
    """Of which the machine may take as much as it needs: ours is the pause."""
    assert pause_after(1) < 1
    for name in ("valkey-server", "processes voice", "worker:dial", "processes clock"):
        before = served.children(name)
        assert before, name
        killed = time.monotonic()
        for pid in before:
            os.kill(pid, signal.SIGKILL)

        wait_until(lambda name=name, before=before: set(served.children(name)) - set(before))
        record_property("told", f"A3: a killed {name} is replaced after {time.monotonic() - killed:.1f} s")
    wait_until(served.is_open)


def test_killing_the_supervisor_leaves_nothing_and_the_next_start_is_clean(served: Served, record_property: Told) -> None:
    killed = time.monotonic()
    served.process.kill()
    served.process.wait()
    wait_until(lambda: served.family() == {})
    record_property("told", f"RS68: nothing is left {time.monotonic() - killed:.1f} s after kill -9")

    served.process = served.start()

    wait_until(served.is_open)
