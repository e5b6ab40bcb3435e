"""What is scraped: names as documented, figures that agree with the rows, counters of several processes added up (RS71)."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from config import metrics
from config.gauges import GAUGES, Look, look
from config.sweep import LEASE
from ivr import measures
from survey.alarms import AlarmKind
from survey.fieldwork.alarms import raise_alarm
from survey.store.models import CallAttempt, CarrierEvent, Lease
from survey.store.queries import operations
from tests.conventions.sources import ROOT
from tests.survey.fieldwork.conftest import Ground, ground

__all__ = ["ground"]


def test_the_document_holds_the_table_of_the_program() -> None:
    block = (ROOT / "docs" / "metrics.md").read_text("utf-8").split("<!-- metrics:begin -->")[1].split("<!-- metrics:end -->")[0]

    assert block.strip() == metrics.markdown_table().strip()


def test_every_expression_of_the_document_names_a_metric_that_there_is() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    known = set(re.findall(r"^\| `(huifang_\w+)`", page, re.MULTILINE))

    assert set(re.findall(r"huifang_\w+", page)) - known == {"huifang_webhook_seconds_bucket"}


def seen(ground: Ground) -> Look:
    with ground.sessions() as session:
        return look(session, ground.now, ground.now, LEASE, None, None)


def figures(ground: Ground, tmp_path: Path) -> dict[str, float]:
    found = seen(ground)
    families = parsed(metrics.exposition(tmp_path, lambda: found))
    return {f"{one.name}{sorted(one.labels.values())}": one.value for family in families for one in family.samples}


def a_day(ground: Ground) -> None:
    """Four calls: one complete, one broken off, one machine, one busy; a fifth person waits."""
    ground.launch(5, calls_per_second=1.0)
    tokens = {}
    for _ in range(4):
        attempt_id, token = ground.dial_next()
        tokens[attempt_id] = token
        ground.clock.advance(seconds=2)
    complete, broken, machine, busy = tokens.values()
    for token in (complete, broken, machine):
        ground.status(token, "ringing")
    ground.talk(complete, "122222" + "119")
    ground.talk(broken, "1_2")
    with ground.sessions.begin() as session:
        session.query(CallAttempt).filter(CallAttempt.token == machine).update({"answered_by": "machine", "answered_at": ground.now})
    for token in (complete, broken, machine):
        ground.end(token)
    ground.end(busy, "busy")


def test_the_figures_agree_with_the_calls(ground: Ground, tmp_path: Path) -> None:
    a_day(ground)

    told = figures(ground, tmp_path)

    assert told["huifang_database_asked[]"] == 1
    outcomes = {word: told[f"huifang_calls['{word}']"] for word in operations.OUTCOMES}
    assert {word: count for word, count in outcomes.items() if count} == {"answered": 2, "machine": 1, "busy": 1}
    assert told["huifang_calls_placed[]"] == 4
    assert told["huifang_answer_seizure_ratio[]"] == pytest.approx(3 / 4)
    assert told["huifang_call_seconds_average[]"] == 60
    assert told["huifang_busy_ratio[]"] == told["huifang_machine_ratio[]"] == 1 / 4
    assert told["huifang_post_dial_delay_seconds[]"] >= 0
    assert told["huifang_re_asks['silence']"] == 1
    assert sum(count for name, count in told.items() if name.startswith("huifang_break_offs")) == 1
    assert told["huifang_lines_used[]"] == 0
    assert told["huifang_lines_allowed[]"] == 5
    assert told["huifang_double_ring_total[]"] == 0
    assert told["huifang_audit_entries[]"] > 0
    assert "huifang_backup_age_seconds[]" not in told


def test_a_day_later_the_rates_are_gone_and_what_stands_still_stands(ground: Ground, tmp_path: Path) -> None:
    a_day(ground)
    ground.clock.advance(hours=25)

    told = figures(ground, tmp_path)

    assert told["huifang_calls_placed[]"] == 0
    assert "huifang_answer_seizure_ratio[]" not in told
    assert told["huifang_due_respondents[]"] >= 1


def test_doubt_a_second_leg_and_an_alarm_are_told(ground: Ground, tmp_path: Path) -> None:
    ground.launch(1)
    attempt_id, _ = ground.dial_next()
    with ground.work() as work:
        work.session.get_one(CallAttempt, attempt_id).status = "unknown"
        work.session.add(CarrierEvent(attempt_id=attempt_id, kind="second_leg", key="CAother", at=ground.now))
        work.session.add(Lease(name="sweep", owner="x", expires_at=ground.now - timedelta(seconds=35)))
        raise_alarm(work.session, AlarmKind.DOUBLE_RING, f"attempt:{attempt_id}", ground.now)
    ground.clock.advance(minutes=11)

    told = figures(ground, tmp_path)

    assert told["huifang_unknown_attempts[]"] == 1
    assert told["huifang_unknown_oldest_seconds[]"] >= 660
    assert told["huifang_double_ring_total[]"] == 1
    assert told["huifang_alarms['double_ring']"] == 1
    assert told["huifang_alarms['disk_full']"] == 0
    assert told["huifang_sweep_age_seconds[]"] == pytest.approx(660 + 40, abs=2)
    assert told["huifang_alarms['sweep_silent']"] == 1, "nobody else can raise it"


def test_every_gauge_can_be_computed_where_there_is_nothing(ground: Ground) -> None:
    empty = seen(ground)

    for gauge in GAUGES:
        value = gauge.value(empty)
        assert value is None or isinstance(value, (int, float)) or all(count == 0 for count in value.values()), gauge.name


def test_no_label_tells_a_number_a_token_or_an_id(ground: Ground, tmp_path: Path) -> None:
    a_day(ground)
    found = seen(ground)

    families = parsed(metrics.exposition(tmp_path, lambda: found))
    labels = {value for family in families for one in family.samples for name, value in one.labels.items() if name != "le"}

    assert labels
    assert [value for value in labels if not re.fullmatch(r"[a-z_]{2,24}|403|413|400", value)] == []


def test_a_database_that_cannot_be_asked_leaves_what_was_counted(tmp_path: Path) -> None:
    def gone() -> Look:
        raise OperationalError("SELECT", None, ConnectionError("gone"))

    measures.hook_refused(403)
    text_of_it = metrics.exposition(tmp_path, gone)

    assert "huifang_database_asked 0.0" in text_of_it
    assert 'huifang_webhooks_refused_total{status="403"}' in text_of_it
    assert "huifang_calls_placed" not in text_of_it


SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(30)",
}


def test_a_question_that_takes_too_long_is_given_up_and_the_next_one_is_answered(ground: Ground) -> None:
    with ground.sessions() as session:
        with pytest.raises(OperationalError), operations.bounded(session, 0.2):
            session.execute(text(SLOW[ground.engine.dialect.name]))
        session.rollback()
        assert session.scalar(text("SELECT 1")) == 1


COUNTING = """
import os, sys
from pathlib import Path
from config import metrics
metrics.begin(sys.argv[1], Path(sys.argv[2]))
from ivr import measures
measures.hook_refused(403)
child = os.fork()
measures.hook_refused(403)
if child:
    os.waitpid(child, 0)
    print("counted", flush=True)
    sys.stdin.read()
os._exit(0)
"""


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def begin(counting: list[subprocess.Popen[str]], name: str, data: Path) -> subprocess.Popen[str]:
    """A process that counts one refusal, forks, counts one more on each side, and stays."""
    process = subprocess.Popen(
        [sys.executable, "-c", COUNTING, name, str(data)], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    counting.append(process)
    assert process.stdout is not None
    assert process.stdout.readline() == "counted\n"
    return process


def refused(data: Path) -> float:
    def gone() -> Look:
        raise OperationalError("SELECT", None, ConnectionError("gone"))

    families = parsed(metrics.exposition(data, gone))
    return sum(one.value for family in families for one in family.samples if one.name == "huifang_webhooks_refused_total")


def test_what_processes_and_their_children_count_is_added_up_and_outlives_them(
    counting: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    first = begin(counting, "voice", tmp_path)
    assert refused(tmp_path) == 3
    begin(counting, "voice", tmp_path)  # a second one of that name, while the first still serves
    assert refused(tmp_path) == 6

    first.kill()
    first.wait()
    files = sorted(metrics.folder_of(tmp_path).glob("*.db"))
    begin(counting, "voice", tmp_path)

    assert refused(tmp_path) == 9
    assert sorted(metrics.folder_of(tmp_path).glob("*.db")) == files, "whoever follows a dead process takes its place"


def test_a_new_start_counts_from_nothing(counting: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    process = begin(counting, "voice", tmp_path)
    process.kill()
    process.wait()

    metrics.clear(tmp_path)

    assert not metrics.folder_of(tmp_path).exists()


def test_the_files_are_filled_before_they_are_written_through_memory(counting: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    """A page for which the disk had no room would kill the process that writes to it."""
    begin(counting, "voice", tmp_path)

    files = list(metrics.folder_of(tmp_path).glob("*.db"))
    assert files
    assert all(file.stat().st_blocks * 512 >= metrics.FILE_BYTES for file in files)


@pytest.mark.parametrize("inherited", [None, "/nowhere"])
def test_without_room_a_process_works_on_and_counts_for_itself(
    counting: list[subprocess.Popen[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inherited: str | None
) -> None:
    monkeypatch.delenv(metrics.VARIABLE, raising=False)
    if inherited:
        monkeypatch.setenv(metrics.VARIABLE, inherited)
    (tmp_path / "run").write_text("a file stands in the way, as a full disk would")

    process = begin(counting, "voice", tmp_path)

    assert process.poll() is None


def test_a_damaged_file_does_not_hide_the_gauges(ground: Ground, tmp_path: Path) -> None:
    metrics.folder_of(tmp_path).mkdir(parents=True)
    (metrics.folder_of(tmp_path) / "counter_voice-0.db").write_bytes(b"\xff\x00\x00\x00" * 40)

    assert figures(ground, tmp_path)["huifang_database_asked[]"] == 1
