"""The house of `spoken_calls`: `serve` with its real processes on one side, the carrier's process on the other."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from config import ports
from config.conductor import RemoteExchange
from config.settings import ROOT, Settings
from config.wiring import House
from tests.calls.stage import free_port
from worker.parents import die_with

START_SECONDS = 90.0
PARTS = "migrate,voice,workers,clock"


@dataclass(frozen=True)
class Premises:
    """A house at work and its carrier; `turns` is the file in which the carrier writes down turns."""

    settings: Settings
    house: House
    exchange: RemoteExchange
    serve: subprocess.Popen[bytes]
    carrier: subprocess.Popen[bytes]
    turns: Path

    def processors(self, seconds: float) -> str:
        """Processor time by kind of process, as a share of one processor over so many seconds."""
        used: Counter[str] = Counter()
        for pid, name in [*family(self.serve.pid), *((pid, "carrier") for pid, _ in family(self.carrier.pid))]:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            used[name] += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return ", ".join(f"{name} {share / seconds:.2f}" for name, share in used.most_common())


def settings_for(folder: Path, listening: bool, concurrent_calls: int) -> Settings:
    """A house on SQLite whose carrier is simulated, and whose clock is the carrier's."""
    folder.mkdir(parents=True)
    line, voice = free_port(), free_port()
    given = {
        "environment": "test", "data": str(folder), "database_url": f"sqlite:///{folder / 'huifang.sqlite'}",
        "voice_port": str(voice), "console_port": str(free_port()), "media_port": str(free_port()),
        "public_base_url": f"http://127.0.0.1:{voice}", "twilio_api_url": f"http://127.0.0.1:{line}",
        "clock_file": str(folder / "clock"), "calls_per_second": "2", "concurrent_calls": str(concurrent_calls),
        "listening": "yes" if listening else "no", "log_level": "warning", "drain_seconds": "0",
    }  # fmt: skip
    return Settings.from_env({f"HUIFANG_{name.upper()}": value for name, value in given.items()}, None)


@contextmanager
def opened(settings: Settings, start: datetime, speakers: float, sounds: Path) -> Iterator[Premises]:
    """The house at work and its carrier, whose clock stands; nothing of them is left afterwards."""
    line, turns = settings.twilio_api_url.rpartition(":")[2], settings.data / "turns"
    carrier = ("tests.benchmarks.spoken_carrier", line, start.isoformat(), str(speakers), str(turns), str(sounds))
    with running(settings, *carrier) as simulated, running(settings, "config.cli", "serve", "--only", parts(settings)) as serve:
        premises = Premises(settings, House(settings), RemoteExchange(settings.twilio_api_url), serve, simulated, turns)
        _await(premises)
        yield premises
        premises.house.engine.dispose()


def parts(settings: Settings) -> str:
    """What `serve` is to run."""
    return f"{PARTS},media" if settings.listening else PARTS


@contextmanager
def running(settings: Settings, module: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A module of ours as a process, for the length of a block."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUIFANG_")}
    with (settings.data / f"{module}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments], cwd=ROOT, stdout=log, stderr=log,
            env={**inherited, **settings.as_environment(), "PYTHONPATH": str(ROOT)}, preexec_fn=partial(die_with, os.getpid()),
        )  # fmt: skip
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await(premises: Premises) -> None:
    given, until = premises.settings, time.monotonic() + START_SECONDS
    while not (ports.answers("127.0.0.1", given.voice_port) and _has_workers(premises) and premises.turns.exists()):
        if premises.serve.poll() is not None or premises.carrier.poll() is not None or time.monotonic() > until:
            raise SystemExit("the house did not open:\n" + "\n".join(log.read_text() for log in given.data.glob("*.log")))
        time.sleep(0.1)


def _has_workers(premises: Premises) -> bool:
    names = {name for _, name in family(premises.serve.pid)}
    decoders = not premises.settings.listening or "decoder" in names
    return decoders and "clock" in names and bool(premises.house.redis.scard("rq:workers"))


def family(root: int) -> Iterator[tuple[int, str]]:
    """The processes below one that live, itself included, with their names."""
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        try:
            words = Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace").split("\0")
            waiting += [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            continue
        named = words[words.index("config.processes") + 1] if "config.processes" in words else Path(words[0]).name.split(" ")[0]
        yield pid, ("transcriber" if "--transcribe" in words else "decoder") if "speech.decoder" in words else named


def resident(premises: Premises) -> dict[str, float]:
    """The resident MiB of the media server, of each decoding process, and of the door's processes."""
    found: dict[str, float] = {}
    for pid, name in sorted(family(premises.serve.pid)):
        if name in ("media", "decoder", "voice"):
            kibibytes = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
            number = sum(other.startswith(name) for other in found) + 1
            found[f"{name} {number}"] = int(kibibytes.split()[1]) / 1024
    return found
