"""Runs the demonstration as a user does, in a folder of its own, and reads what it left."""

import csv
import json
import os
import socket
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 1500


@dataclass(frozen=True)
class Shown:
    """A finished demonstration: what it printed, how it ended, and its data folder."""

    status: int
    text: str
    errors: str
    data: Path

    def journal(self) -> list[dict[str, Any]]:
        """The carrier's own record of every call."""
        calls: list[dict[str, Any]] = json.loads((self.data / "carrier-journal.json").read_text("utf-8"))
        return calls

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What lies in the database."""
        with sqlite3.connect(self.data / "huifang.sqlite") as database:
            return database.execute(query).fetchall()

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ours on the demonstration's data."""
        return run(words, {"HUIFANG_DATA": str(self.data)})

    def export(self, what: str) -> list[dict[str, str]]:
        """The rows of an export of every campaign, one after the other."""
        return [row for (campaign_id,) in self.rows("SELECT id FROM campaigns ORDER BY id") for row in self.export_of(campaign_id, what)]

    def export_of(self, campaign_id: int, what: str) -> list[dict[str, str]]:
        """The rows of an export of one campaign, which is taken once: nothing changes any more."""
        path = self.data / f"{what}-{campaign_id}.csv"
        if not path.exists():
            done = self.command("export", what, "--campaign", str(campaign_id), "--out", str(path))
            assert done.returncode == 0, done.stderr
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))


def run(words: tuple[str, ...], settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `./huifang <words>` without its installing part."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUIFANG_")}
    return subprocess.run(
        [sys.executable, "-P", "-m", "config.cli", *words], cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False,
        env={**environment, "PYTHONPATH": str(ROOT), **settings},
    )  # fmt: skip


def show(folder: Path, *options: str) -> Shown:
    """Run the demonstration to its end."""
    ports = {f"HUIFANG_{door}_PORT": str(free_port()) for door in ("VOICE", "MEDIA", "CONSOLE")}
    talkative = {"HUIFANG_LOG_FORMAT": "json", "HUIFANG_LOG_LEVEL": "debug"}  # whatever could be said is said
    done = run(("demo", "--exit", *options), {"HUIFANG_DATA": str(folder), **ports, **talkative})
    return Shown(done.returncode, done.stdout, done.stderr, folder / "demo")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
