"""The whole house as its operators meet it: metrics and readiness over HTTP, a log of JSON lines, an alarm about a stranger."""

import json
import os
import re
import signal
import sqlite3
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from ivr.voice.forgery import MOST_A_MINUTE
from survey.alarms import SWEEP_SILENT_SECONDS
from tests.config.test_serve import PATIENCE_SECONDS, Served, wait_until

FIELDS = {"at", "level", "message", "action", "child"}


@dataclass(frozen=True)
class Watched:
    """What a house said and showed while strangers knocked and a door's worker was killed."""

    metrics: str
    readiness: dict[str, str]
    statuses: dict[str, int]
    alarms: list[str]
    lines: list[str]


def fetch(port: int, path: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers), timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()
    except OSError:
        return 0, ""


def await_ready(port: int) -> tuple[int, dict[str, str]]:
    """Status and needs of a door that is ready: one that has just started may take more than the second that it gives each answer."""
    answers: list[tuple[int, dict[str, str]]] = []

    def is_ready() -> bool:
        status, body = fetch(port, "/readyz")
        answers.append((status, json.loads(body or "{}")))
        return set(answers[-1][1].values()) == {"ok"}

    wait_until(is_ready)
    return answers[-1]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    data = tmp_path_factory.mktemp("operation")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("HUIFANG_")]:
            patch.delenv(name)
        patch.setenv("HUIFANG_LOG_FORMAT", "json")
        house = Served(data)
    try:
        wait_until(house.is_open)
        for _ in range(MOST_A_MINUTE + 2):
            fetch(house.voice, "/voice/incoming")
        wait_until(lambda: fetch(house.console, "/readyz")[0] == 200)
        _kill_a_worker(house)
        status, _ = await_ready(house.voice)
        forwarded = {"X-Forwarded-For": "203.0.113.9"}
        statuses = {
            "voice /metrics": fetch(house.voice, "/metrics")[0], "voice /readyz": status,
            "voice /readyz forwarded": fetch(house.voice, "/readyz", **forwarded)[0],
            "console /metrics forwarded": fetch(house.console, "/metrics", **forwarded)[0],
        }  # fmt: skip
        metrics, readiness = fetch(house.console, "/metrics")[1], await_ready(house.console)[1]
    finally:
        house.process.send_signal(signal.SIGTERM)
        output = house.process.communicate(timeout=PATIENCE_SECONDS)[0]
    return Watched(metrics, readiness, statuses, _alarms(data), output.splitlines())


def _kill_a_worker(house: Served) -> None:
    """End gunicorn's worker behind the voice door, so that gunicorn has something to say."""
    master = house.children("config.processes voice")
    workers = [pid for pid in master if _parent(pid) in master]
    assert workers
    os.kill(workers[0], signal.SIGKILL)
    until = time.monotonic() + 60
    while Path(f"/proc/{workers[0]}").exists() and time.monotonic() < until:
        time.sleep(0.02)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _alarms(data: Path) -> list[str]:
    with sqlite3.connect(data / "huifang.sqlite") as database:
        return [row[0] for row in database.execute("SELECT kind FROM alarms WHERE cleared_at IS NULL")]


def test_metrics_of_all_processes_come_from_the_console_alone(watched: Watched) -> None:
    refused = re.search(r'huifang_webhooks_refused_total\{status="403"\} (\S+)', watched.metrics)

    assert refused
    assert float(refused[1]) >= MOST_A_MINUTE + 2, "what a worker has counted outlives it"
    age = re.search(r"huifang_sweep_age_seconds (\d\S*)", watched.metrics)
    assert age
    assert 0 <= float(age[1]) < SWEEP_SILENT_SECONDS
    assert "huifang_double_ring_total 0.0" in watched.metrics
    assert watched.statuses == {
        "voice /metrics": 403, "voice /readyz": 200, "voice /readyz forwarded": 403, "console /metrics forwarded": 403,
    }  # fmt: skip


def test_readiness_names_every_need(watched: Watched) -> None:
    assert set(watched.readiness.values()) == {"ok"}
    assert set(watched.readiness) == {"status", "database", "migration", "disk", "keys", "redis", "sweep"}


def test_strangers_raise_an_alarm(watched: Watched) -> None:
    assert "forged_webhooks" in watched.alarms


def test_every_line_of_the_log_is_json_whoever_wrote_it(watched: Watched) -> None:
    """Gunicorn's words, RQ's, the supervisor's, ours; what `serve` prints for people before its start is no log."""
    printed = [line for line in watched.lines if not line.startswith("{")]
    records = [json.loads(line) for line in watched.lines if line.startswith("{")]

    assert all(re.match(r"[一-鿿]", line) for line in printed), printed
    assert [record for record in records if not set(record) >= FIELDS] == []
    assert {"voice.refused"} <= {record["action"] for record in records}
    assert [record for record in records if record.get("logger") == "gunicorn.error"], "gunicorn said nothing of the killed worker"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", record["at"]) for record in records)
