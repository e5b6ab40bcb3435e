"""`./huifang demo` as a process of its own: it plays its month and serves; what it prints is read as a newcomer reads it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from config.demo_parts import PARTS
from tests.calls.stage import ROOT, free_port
from worker.parents import die_with

PLAY_SECONDS = 300.0
"""What the month of a few people may take on a machine that does much else; it takes about half a minute."""

ENDING_SECONDS = 60.0
SMALLEST = ("--calls", "12", "--speakers", "0")
"""As few people as there are units, none of whom has to be listened to."""

PARTS_TOLD = re.compile(r"^ +(?P<name>[a-z]+) +(?P<password>(?:[a-z0-9]{4}-){3}[a-z0-9]{4})   ", re.MULTILINE)
DESK_PHONE = re.compile(r"desk phone (http://\S+)")
THEIR_PHONE = re.compile(r"their phone (http://\S+)")


@dataclass(frozen=True)
class Demonstration:
    """A demonstration that serves: where its console is, where its data lie, and the file of what it has printed."""

    console: str
    data: Path
    out: Path

    @property
    def printed(self) -> str:
        """All that it has printed so far."""
        return self.out.read_text("utf-8")

    @property
    def passwords(self) -> dict[str, str]:
        """Name to password, of every part."""
        return {found["name"]: found["password"] for found in PARTS_TOLD.finditer(self.printed)}

    @property
    def desk_phone(self) -> str:
        """The address of the operator's telephone."""
        return _told(DESK_PHONE, self.printed)

    @property
    def their_phone(self) -> str:
        """The address of the telephone of the person who is called first."""
        return _told(THEIR_PHONE, self.printed)


@contextmanager
def served(folder: Path, *options: str, play_seconds: float = PLAY_SECONDS) -> Iterator[Demonstration]:
    """Start the demonstration with `options` in a folder and wait until it serves; stop it afterwards.

    Raises AssertionError when it does not go well, or has not served after `play_seconds`.
    """
    doors = {f"HUIFANG_{door}_PORT": str(free_port()) for door in ("VOICE", "MEDIA", "CONSOLE")}
    given = {"HUIFANG_DATA": str(folder), **doors}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUIFANG_")}
    out, errors = folder / "out", folder / "errors"
    with out.open("wb") as printed, errors.open("wb") as told:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "config.cli", "demo", *(options or SMALLEST)], cwd=ROOT, stdout=printed, stderr=told,
            env={**inherited, "PYTHONPATH": str(ROOT), **given}, preexec_fn=partial(die_with, os.getpid()),
        )  # fmt: skip
    try:
        demonstration = Demonstration(f"http://127.0.0.1:{doors['HUIFANG_CONSOLE_PORT']}", folder / "demo", out)
        until = time.monotonic() + play_seconds
        while len(demonstration.passwords) < len(PARTS):
            assert process.poll() is None, errors.read_text("utf-8")[-3000:]
            assert time.monotonic() < until, demonstration.printed[-3000:]
            time.sleep(0.1)
        yield demonstration
        process.send_signal(signal.SIGINT)
        assert process.wait(ENDING_SECONDS) == 0, errors.read_text("utf-8")[-3000:]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _told(what: re.Pattern[str], printed: str) -> str:
    found = what.search(printed)
    assert found, f"{what.pattern} is not printed"
    return found[1]
