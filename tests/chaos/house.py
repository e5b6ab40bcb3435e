"""A house of real processes for a test: its settings, its keeper, and its processes by name."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from config import ports
from config.settings import Settings
from config.wiring import House
from tests.calls.stage import ROOT, free_port
from worker.parents import die_with

CALLER_ID = "+8610000000110"
START_SECONDS = 90.0


def settings_for(folder: Path, database_url: str = "", **others: str) -> Settings:
    """The settings of a house of its own: free ports, simulated carrier, virtual clock; `others` as in the environment."""
    voice, line = free_port(), free_port()
    own_file = f"sqlite:///{folder / 'huifang.sqlite'}?synchronous=NORMAL"  # processes are killed here, the machine's power is not cut
    given = {
        "environment": "demo", "data": str(folder), "database_url": database_url or own_file,
        "voice_port": str(voice), "console_port": str(free_port()), "voice_threads": "24",
        "twilio_api_url": f"http://127.0.0.1:{line}", "public_base_url": f"http://127.0.0.1:{voice}", "caller_id": CALLER_ID,
        "clock_file": str(folder / "clock"), "workers": "2", "carrier_timeout": "1", "calls_per_second": "30",
        "concurrent_calls": "60", "call_limit_seconds": "300", "log_level": "warning",
        "listening": "no", "speech_model_zh": "none", "speech_model_en": "none",  # the processor is for the nemesis
        **others,
    }  # fmt: skip
    return Settings.from_env({f"HUIFANG_{name.upper()}": value for name, value in given.items()}, None)


@dataclass(frozen=True)
class Process:
    """One process of the house."""

    pid: int
    parent: int
    arguments: tuple[str, ...]

    @property
    def name(self) -> str:
        """`worker:dial`, `voice`, `clock`, ..., `valkey`."""
        is_store = any(word in self.arguments[0] for word in ("valkey-server", "redis-server"))  # it rewrites its own title
        return "valkey" if is_store else self.arguments[-1]


def processes() -> Iterator[Process]:
    """Every process of this machine that can be looked at."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                arguments = tuple((entry / "cmdline").read_text().split("\0")[:-1])
            except (OSError, ValueError, UnicodeDecodeError):
                continue
            if arguments:
                yield Process(int(entry.name), parent, arguments)


@dataclass(frozen=True)
class Premises:
    """A house at work: `keeper` is its supervisor's process, `house` opens database, Redis and clock for the test itself."""

    settings: Settings
    house: House
    keeper: subprocess.Popen[bytes]

    def own(self) -> list[Process]:
        """The children of the keeper."""
        return [each for each in processes() if each.parent == self.keeper.pid]

    def named(self, name: str) -> list[Process]:
        """The house's processes of that name: children of the keeper, or (`voice server`) a child of the voice door."""
        every = list(processes())
        own = [each for each in every if each.parent == self.keeper.pid]
        if name == "voice server":
            doors = {each.pid for each in own if each.name == "voice"}
            return [each for each in every if each.parent in doors]
        return [each for each in own if each.name == name]

    def log(self) -> str:
        """What the house has printed."""
        return (self.settings.data / "keeper.log").read_text("utf-8", "replace")


@contextmanager
def kept(settings: Settings, seed: int, start: datetime) -> Iterator[Premises]:
    """A house at work for the length of the block; nothing of it is left afterwards."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUIFANG_")}
    settings.data.mkdir(parents=True, exist_ok=True)
    with (settings.data / "keeper.log").open("wb") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.chaos.keeper", str(seed), start.isoformat()], cwd=ROOT, stdout=log, stderr=log,
            env={**environment, **settings.as_environment(), "PYTHONPATH": str(ROOT)}, preexec_fn=partial(die_with, os.getpid()),
        )  # fmt: skip
        premises = Premises(settings, House(settings), keeper)
        try:
            _await_doors(premises)
            yield premises
        finally:
            keeper.terminate()
            try:
                keeper.wait(timeout=30)
            except subprocess.TimeoutExpired:
                keeper.kill()
                keeper.wait()
            premises.house.engine.dispose()


def _await_doors(premises: Premises) -> None:
    until = time.monotonic() + START_SECONDS
    while not (ports.answers(premises.settings.voice_host, premises.settings.voice_port) and premises.named("clock")):
        assert premises.keeper.poll() is None, premises.log()
        assert time.monotonic() < until, premises.log()
        time.sleep(0.05)
