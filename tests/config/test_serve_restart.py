"""`./huifang restart` of a real house whose code and `.env` change under it: what is new works, what is wrong touches nothing."""

import fcntl
import os
import pty
import shutil
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from config.restarts import RestartBook
from tests.calls.stage import free_port
from tests.config.test_serve import ROOT, status, wait_until

PACKAGES = ("config", "ivr", "speech", "survey", "worker")
FIRST_BUREAU, NEXT_BUREAU, LAST_BUREAU = "甲市公安局", "乙市公安局", "丙市公安局"
WRONG_MIGRATION = '''
"""A migration that fails.

Revision ID: 9999
"""

revision = "9999"
down_revision = "{former}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    raise ValueError("no room for the new table")
'''
LONGEST_SECONDS = 120.0


class Copy:
    """The program in a folder of its own, with a `.env`, and `serve` running there: queue, voice door and one kind of worker."""

    def __init__(self, folder: Path) -> None:
        self.code, self.data, self.port = folder / "code", folder / "data", free_port()
        for package in PACKAGES:
            shutil.copytree(ROOT / package, self.code / package)
        self.given: dict[str, str] = {"ENVIRONMENT": "test", "LISTENING": "no", "VOICE_PORT": str(self.port), "BUREAU_NAME": FIRST_BUREAU}
        self.settings()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUIFANG_")}
        self.environment = {**inherited, "PYTHONPATH": str(self.code), "HUIFANG_DATA": str(self.data)}
        self.log = (folder / "serve.log").open("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            self.command("serve", "--only", "migrate,voice,dial"), cwd=self.code, env=self.environment, stdout=self.log, stderr=self.log
        )
        wait_until(lambda: status(self.port) == 200 and len(self.processes()) == 3, LONGEST_SECONDS)

    def settings(self, **changed: str) -> None:
        """Change the settings in `.env`."""
        self.given |= changed
        (self.code / ".env").write_text("".join(f"HUIFANG_{name}={value}\n" for name, value in self.given.items()), "utf-8")

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-P", "-m", "config.cli", *words]

    def restart(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command("restart"), cwd=self.code, env=self.environment, capture_output=True, text=True, check=False,
            timeout=2 * LONGEST_SECONDS,
        )  # fmt: skip

    def processes(self) -> dict[str, set[int]]:
        """The supervisor's children by what they are."""
        found: dict[str, set[int]] = {}
        for pid in map(int, Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()):
            with suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                if len(words) > 1:  # else it has just ended
                    found.setdefault("valkey" if "valkey" in words[0] else words[-2], set()).add(pid)
        return found

    def setting(self, part: str, name: str) -> str:
        """A setting as the processes of a part have been given it; all of them the same."""
        values = set()
        for pid in self.processes()[part]:
            words = Path(f"/proc/{pid}/environ").read_text("utf-8").split("\0")
            values |= {word.partition("=")[2] for word in words if word.startswith(f"HUIFANG_{name}=")}
        (value,) = values
        return value

    def said(self) -> str:
        self.log.flush()
        return Path(self.log.name).read_text("utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    copy = Copy(tmp_path_factory.mktemp("回访"))
    yield copy
    copy.process.send_signal(signal.SIGTERM)
    try:
        copy.process.wait(timeout=30)
    finally:
        copy.process.kill()
        copy.log.close()


@pytest.fixture
def unchanged(copy: Copy) -> Iterator[None]:
    """Whatever happens, the processes that were at work are at work afterwards, and nothing else is."""
    before = copy.processes()
    yield
    assert copy.processes() == before
    assert status(copy.port) == 200


def test_changed_settings_reach_every_process_and_what_only_a_stop_changes_is_said(copy: Copy) -> None:
    before, port = copy.processes(), copy.port
    copy.settings(BUREAU_NAME=NEXT_BUREAU, WORKERS="2", VOICE_PORT=str(free_port()), REDIS_URL="redis://127.0.0.1:1/0")

    done = copy.restart()

    copy.settings(VOICE_PORT=str(port), REDIS_URL="")
    assert done.returncode == 0, done.stderr
    *kept, last = done.stdout.splitlines()
    assert last == "已重启 / restarted"
    assert [line.partition("：")[0] for line in kept] == ["HUIFANG_REDIS_URL", "HUIFANG_PUBLIC_BASE_URL", "HUIFANG_VOICE_PORT"]
    wait_until(lambda: not before["voice"] & copy.processes()["voice"], LONGEST_SECONDS)
    assert len(copy.processes()["worker:dial"] - before["worker:dial"]) == 2
    assert copy.processes()["valkey"] == before["valkey"]
    assert {copy.setting(part, "BUREAU_NAME") for part in ("voice", "worker:dial")} == {NEXT_BUREAU}
    assert {copy.setting("voice", name) for name in ("VOICE_PORT", "REDIS_URL")} == {str(port), ""}
    assert status(port) == 200


@pytest.mark.usefixtures("unchanged")
def test_a_wrong_setting_is_refused_with_its_sentence_also_where_systemd_reloads(copy: Copy) -> None:
    copy.settings(WORKERS="many")
    book = RestartBook(copy.data / "run")
    try:
        done = copy.restart()
        number = book.ask()
        copy.process.send_signal(signal.SIGHUP)
        wait_until(lambda: book.outcome_of(number) is not None, LONGEST_SECONDS)
    finally:
        copy.settings(WORKERS="1")
    outcome = book.outcome_of(number)

    assert done.returncode == 1
    assert outcome is not None
    assert "HUIFANG_WORKERS" in done.stderr
    assert "HUIFANG_WORKERS" in outcome.problem
    assert "HUIFANG_WORKERS" in copy.said()


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("module", ["ivr/console/campaigns.py", "config/sweep.py"])
def test_new_code_that_cannot_be_read_changes_nothing(copy: Copy, module: str) -> None:
    """Also in a part that does not run here: the whole version is bad."""
    path = copy.code / module
    right = path.read_text("utf-8")
    path.write_text(right + "\n\ndef (\n", "utf-8")

    done = copy.restart()

    path.write_text(right, "utf-8")
    assert done.returncode == 1
    assert "SyntaxError: " in done.stderr


@pytest.mark.usefixtures("unchanged")
def test_a_migration_that_fails_changes_nothing(copy: Copy) -> None:
    versions = copy.code / "survey" / "store" / "migrations" / "versions"
    former = max(path.name[:4] for path in versions.glob("0*.py"))
    wrong = versions / "9999_wrong.py"
    wrong.write_text(WRONG_MIGRATION.replace("{former}", former), "utf-8")

    done = copy.restart()

    wrong.unlink()
    assert done.returncode == 1
    assert "migrate did not start: ValueError: no room for the new table" in done.stderr


def run_in_terminal(copy: Copy) -> tuple[subprocess.Popen[bytes], int]:
    """`restart` in a terminal of its own; the process, and the end of the terminal that can be closed."""
    ours, theirs = pty.openpty()

    def take_terminal() -> None:
        os.setsid()
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may have it ignored
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        copy.command("restart"), cwd=copy.code, env=copy.environment, stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=take_terminal
    )
    os.close(theirs)
    return process, ours


def test_a_restart_goes_on_without_its_terminal_and_one_asked_for_meanwhile_gets_its_own(copy: Copy) -> None:
    before = copy.processes()
    first, terminal = run_in_terminal(copy)
    wait_until(lambda: "migrate" in copy.processes(), LONGEST_SECONDS)
    copy.settings(BUREAU_NAME=LAST_BUREAU)
    os.close(terminal)
    assert first.wait(timeout=LONGEST_SECONDS) == -signal.SIGHUP

    second = copy.restart()

    assert (second.returncode, second.stdout) == (0, "已重启 / restarted\n"), second.stderr
    assert copy.setting("worker:dial", "BUREAU_NAME") == LAST_BUREAU
    wait_until(lambda: len(copy.processes()["voice"]) == 1, LONGEST_SECONDS)
    assert copy.setting("voice", "BUREAU_NAME") == LAST_BUREAU
    assert not before["voice"] & copy.processes()["voice"]
